"""`jaga stats`: the conservation counts, lag and gaps."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pipeline.cli.app import app
from pipeline.cli.open import open_house
from pipeline.conservation import DOORS, counts


@app.command()
def stats(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """What became of every post: in = indexed + duplicate + dead + discarded + lag."""
    with open_house() as house:
        found = counts(house.broker, house.store)
    if as_json:
        typer.echo(json.dumps(found))
        return
    console = Console()
    said = " + ".join(f"{found[door]} {door}" for door in DOORS)
    console.print(
        f"{found['in']} in = {said} + {found['lag']} waiting"
        + ("" if found["balanced"] else "   [red]NOT BALANCED[/red]")
    )
    console.print(f"stored revisions {found['stored']}, open dead letters {found['open']}, gaps {found['gaps']}")
    table = Table("worker", "topic", "logged", "waiting", "outcomes")
    for worker, topics in found["stages"].items():
        for topic, progress in topics.items():
            outcomes = ", ".join(f"{n} {name}" for name, n in progress["outcomes"].items())
            table.add_row(worker, topic, str(progress["logged"]), str(progress["lag"]), outcomes)
    console.print(table)
    console.print("alerts: " + (", ".join(f"{n} {status}" for status, n in found["alerts"].items()) or "none"))
