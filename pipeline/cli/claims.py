"""`jaga claims`: load fact-checked claims, and search a file of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError

from classifier.claim_vectors import ClaimVectors
from classifier.claims import ClaimIndex, ClaimText
from pipeline.cli.app import app, fail
from pipeline.cli.classify import judge_file, row_id
from pipeline.cli.open import open_house
from pipeline.cli.progress import bar
from pipeline.contracts import Claim, explain, pack
from pipeline.ports import Record
from pipeline.rows import BadRow, Row, read_rows
from pipeline.topology import CLAIMS

claims = typer.Typer(help="Claims that someone has fact-checked.", no_args_is_help=True)
app.add_typer(claims, name="claims")

WIB = ZoneInfo("Asia/Jakarta")
OPTIONAL = ("rating", "publisher", "url", "date")
BATCH = 500


def claim_of_row(row: Row) -> Claim | str:
    """The claim in a row (id, text; optionally title, rating, publisher, url, date), or what is wrong with it."""
    fields: dict[str, Any] = {name: row.fields.get(name) or None for name in OPTIONAL}
    if fields["date"]:
        try:
            at = datetime.fromisoformat(fields["date"])
        except ValueError:
            return f"date: {fields['date']!r} is not an ISO 8601 date"
        fields["date"] = at if at.tzinfo else at.replace(tzinfo=WIB)
    try:
        return Claim(claim_id=str(row_id(row)), text=row.fields.get("title") or row.fields["text"], **fields)
    except ValidationError as error:
        return explain(error)


def good_claims(path: Path, bad: list[str]) -> Iterator[Claim]:
    for row in read_rows(path, ["id", "text"]):
        if isinstance(row, BadRow):
            bad.append(row.said_of(path))
            continue
        claim = claim_of_row(row)
        if isinstance(claim, str):
            bad.append(f"{path}:{row.line}: {claim}")
        else:
            yield claim


@claims.command()
def load(
    file: Annotated[
        Path, typer.Argument(help="CSV or NDJSON: id, text; optionally title, rating, publisher, url, date.")
    ],
) -> None:
    """Put claims on the log, for the workers to match posts against."""
    bad: list[str] = []
    sent = 0
    with open_house() as house, bar(file.name) as advance:
        found = good_claims(file, bad)
        while batch := list(islice(found, BATCH)):
            house.broker.publish([Record(CLAIMS, pack("claim", one), one.claim_id.encode()) for one in batch])
            sent += len(batch)
            advance(len(batch))
    for problem in bad:
        typer.echo(f"jaga: {problem}", err=True)
    typer.echo(f"{sent} claims sent, {len(bad)} rows refused")
    if bad:
        raise typer.Exit(1)


@claims.command()
def search(
    file: Annotated[Path, typer.Argument(help="CSV or NDJSON of queries: id, text.")],
    claims_file: Annotated[Path, typer.Option("--claims", help="CSV or NDJSON of claims: id, text, title ...")],
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many claims to give for each query.")] = 10,
) -> None:
    """For each text of a file the claims of another that it may speak of, best first, offline: one JSON a line."""
    vectors = ClaimVectors.load()
    bad: list[str] = []
    known = list(good_claims(claims_file, bad))
    for problem in bad:
        typer.echo(f"jaga: {problem}", err=True)
    if not known:
        raise fail(f"{claims_file}: no claim to search")
    index = ClaimIndex.build([ClaimText(one.claim_id, one.text) for one in known], vectors)

    def answer(rows: list[Row]) -> Iterator[dict[str, Any]]:
        texts = [row.fields["text"] for row in rows]
        for row, matches in zip(rows, index.search(texts, k=k), strict=True):
            yield {
                "id": row_id(row),
                "matches": [{"claim_id": m.claim_id, "score": round(float(m.score), 4)} for m in matches],
            }

    judge_file(file, ["text"], answer)
    if bad:
        raise typer.Exit(1)
