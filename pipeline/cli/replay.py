"""`jaga replay`: what to do with dead letters. Every decision has a name."""

from __future__ import annotations

import base64
import getpass
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline import dead_letters
from pipeline.cli.app import app, fail
from pipeline.cli.open import House, open_house
from pipeline.contracts import DeadLetter

replay = typer.Typer(help="Dead letters: list, show, requeue or discard them.", no_args_is_help=True)
app.add_typer(replay, name="replay")

By = Annotated[str, typer.Option("--by", help="Who decides; the account's name if left out.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Ids of dead letters.")]
All = Annotated[bool, typer.Option("--all", help="All open ones, or of --stage only.")]
Stage = Annotated[str | None, typer.Option(help="Only those of this stage.")]


@replay.command("list")
def list_(
    status: Annotated[str, typer.Option(help="open, requeued, discarded or all.")] = "open",
    stage: Stage = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON a line.")] = False,
) -> None:
    """Dead letters with stage and cause."""
    if status not in ("open", "requeued", "discarded", "all"):
        raise fail(f"--status {status}: must be open, requeued, discarded or all", 2)
    with open_house() as house:
        house.store.refresh()
        found = list(dead_letters.listed(house.store, status=None if status == "all" else status, stage=stage))
    if as_json:
        for letter in found:
            typer.echo(json.dumps(letter.model_dump(mode="json") | {"id": letter.id}))
        return
    table = Table("id", "stage", "cause", "failed at", "status", "by")
    for letter in found:
        table.add_row(
            letter.id,
            letter.stage,
            escape(letter.cause[:120]),
            f"{letter.failed_at:%Y-%m-%d %H:%M}Z",
            letter.status,
            escape(letter.by or ""),
        )
    Console().print(table if found else "no dead letters")


@replay.command()
def show(letter_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """The original bytes of one, on stdout."""
    with open_house() as house:
        typer.echo(base64.b64decode(_found(house, letter_id).value), nl=False)


@replay.command()
def requeue(ids: Ids = None, every: All = False, stage: Stage = None, by: By = "") -> None:
    """Send the original bytes through the pipeline again, after what was wrong has been mended."""
    with open_house() as house:
        chosen = _chosen(house, ids, every, stage)
        for letter in chosen:
            dead_letters.requeue(house.store, house.broker, letter, by=by or getpass.getuser(), at=house.clock.now())
    typer.echo(f"{len(chosen)} requeued")


@replay.command()
def discard(ids: Ids = None, every: All = False, stage: Stage = None, by: By = "") -> None:
    """Give up, by name; the bytes are kept."""
    with open_house() as house:
        chosen = _chosen(house, ids, every, stage)
        for letter in chosen:
            dead_letters.discard(house.store, letter, by=by or getpass.getuser(), at=house.clock.now())
    typer.echo(f"{len(chosen)} discarded")


def _chosen(house: House, ids: list[str] | None, every: bool, stage: str | None) -> list[DeadLetter]:
    if bool(ids) == every:
        raise fail("name dead letters by their ids, or all open ones by --all", 2)
    if every:
        house.store.refresh()
        return list(dead_letters.listed(house.store, stage=stage))
    chosen = [_found(house, letter_id) for letter_id in ids or []]
    for letter in chosen:
        if letter.status != "open":
            raise fail(f"{letter.id} is {letter.status} already, by {letter.by}")
    return chosen


def _found(house: House, letter_id: str) -> DeadLetter:
    try:
        return dead_letters.find(house.store, letter_id)
    except dead_letters.NoSuchLetter:
        raise fail(f"there is no dead letter {letter_id}") from None
