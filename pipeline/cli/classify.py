"""Offline judging of files: `jaga classify` and `jaga stance`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from classifier.reasons import Why, explain
from classifier.stance import StanceModel
from pipeline.cli.app import app
from pipeline.cli.open import open_classifier
from pipeline.cli.progress import bar
from pipeline.rows import BadRow, Row, read_rows
from pipeline.settings import load_settings

CHUNK_ROWS = 2048
"""Judged together: enough that texts of like length fill a batch; a chunk of the longest texts takes about 50 MB."""


def chunks(rows: Iterable[Row], size: int = CHUNK_ROWS) -> Iterator[list[Row]]:
    rows = iter(rows)
    while chunk := list(islice(rows, size)):
        yield chunk


def judge_file(path: Path, needed: list[str], answer: Callable[[list[Row]], Iterable[dict[str, Any]]]) -> None:
    """One JSON a line for every good row, an error on stderr for every bad one; exits with 1 if there was any."""
    bad = 0

    def good(rows: Iterable[Row | BadRow]) -> Iterator[Row]:
        nonlocal bad
        for row in rows:
            if isinstance(row, BadRow):
                bad += 1
                typer.echo(f"jaga: {row.said_of(path)}", err=True)
            else:
                yield row

    with bar(path.name) as advance:
        for chunk in chunks(good(read_rows(path, needed))):
            for found in answer(chunk):
                sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
            sys.stdout.flush()
            advance(len(chunk))
    if bad:
        raise typer.Exit(1)


def row_id(row: Row) -> str | int:
    """The row's own id, else its number from 0."""
    own = row.fields.get("id")
    return own if own not in (None, "") else row.number


@app.command()
def classify(
    file: Annotated[Path, typer.Argument(help="CSV or NDJSON with a text column.")],
    column: Annotated[str, typer.Option(help="Name of the text column.")] = "text",
    reasons: Annotated[
        bool,
        typer.Option("--reasons", help="Name the words that carried each yes, and the labelled example nearest to it."),
    ] = False,
) -> None:
    """Judge the texts of a file, offline: one JSON a line with scores, decisions, targets and model."""
    model = open_classifier(load_settings())

    def answer(rows: list[Row]) -> Iterator[dict[str, Any]]:
        texts = [row.fields[column] for row in rows]
        found = model.judge(texts)
        whys = explain(model, texts, found) if reasons else [[] for _ in rows]
        for row, judged, why in zip(rows, found, whys, strict=True):
            yield {
                "id": row_id(row),
                "scores": {label: round(score, 4) for label, score in judged.scores.items()},
                "decisions": judged.decisions,
                "targets": judged.targets,
                "model": model.model_id,
            } | ({"reasons": {one.label: _told(one) for one in why}} if reasons else {})

    judge_file(file, [column], answer)


def _told(why: Why) -> dict[str, Any]:
    example = why.example
    near = {"id": example.id, "text": example.text, "likeness": example.likeness} if example else None
    return {"words": list(why.words), "example": near}


@app.command()
def stance(
    file: Annotated[Path, typer.Argument(help="CSV or NDJSON with the columns id, claim and text.")],
    words: Annotated[bool, typer.Option(help="Add the words of the text that carried its stance; slower.")] = False,
) -> None:
    """Say of each text whether it spreads or debunks the claim beside it, or neither, offline."""
    model = StanceModel.load()

    def answer(rows: list[Row]) -> Iterator[dict[str, Any]]:
        read = model.stances([(row.fields["claim"], row.fields["text"]) for row in rows], words=words)
        for row, one in zip(rows, read, strict=True):
            said = {"id": row_id(row), "stance": one.stance, "scores": {k: round(v, 4) for k, v in one.scores.items()}}
            yield said | ({"words": list(one.words)} if words else {})

    judge_file(file, ["claim", "text"], answer)
