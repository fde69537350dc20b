"""`jaga rerun`: judge stored posts again, look, then promote or leave it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from classifier.manifest import ModelError
from pipeline import rerun as runs
from pipeline.adapters.classifier_scorer import ClassifierScorer
from pipeline.cli.app import app, fail
from pipeline.cli.open import open_classifier, open_house
from pipeline.cli.progress import bar
from pipeline.ports import Document, Filter

rerun = typer.Typer(help="Judge stored posts again beside live work; nothing changes until a run is promoted.")
app.add_typer(rerun, name="rerun")

RunId = Annotated[str, typer.Argument(metavar="RUN")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]


@rerun.callback(invoke_without_command=True)
def judge(
    context: typer.Context,
    model: Annotated[Path | None, typer.Option(help="Folder of the model; the one in force if left out.")] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=DATES, help="Posts seen at or after this time (UTC if it names no zone).")
    ] = None,
    before: Annotated[datetime | None, typer.Option(formats=DATES, help="Posts seen before this time.")] = None,
    as_json: AsJson = False,
) -> None:
    """Judge again and print the difference."""
    if context.invoked_subcommand is not None:
        return
    with open_house() as house:
        try:
            scorer = ClassifierScorer(open_classifier(house.settings, model))
        except ModelError as error:
            raise fail(str(error)) from None
        run = f"r{house.clock.now():%Y%m%d%H%M%S}"
        with bar(f"rerun {run}") as advance:
            told = 0

            def progress(done: int, total: int) -> None:
                nonlocal told
                advance(done - told)
                told = done

            selection = runs.Selection(_utc(since), _utc(before))
            document = runs.rerun(
                house.store, scorer, house.clock, house.thresholds, selection, run=run, progress=progress
            )
    _tell(document, as_json)


@rerun.command("list")
def list_(as_json: AsJson = False) -> None:
    """All runs, the newest first."""
    with open_house() as house:
        house.store.refresh()
        found = [hit.document for hit in house.store.search("runs", Filter(), sort="started_at", limit=1000)]
    if as_json:
        typer.echo(json.dumps(found))
        return
    table = Table("run", "status", "model", "posts", "changed")
    for one in found:
        table.add_row(
            one["id"],
            one["status"],
            one["model"],
            str(one.get("posts", "")),
            str(one.get("report", {}).get("changed", "")),
        )
    Console().print(table if found else "no runs")


@rerun.command()
def show(run: RunId, as_json: AsJson = False) -> None:
    """The difference that a run makes."""
    with open_house() as house:
        try:
            document = runs.find_run(house.store, run)
        except runs.NoSuchRun:
            raise fail(f"there is no run {run}") from None
    _tell(document, as_json)


@rerun.command()
def promote(run: RunId) -> None:
    """Let the run's verdicts count."""
    _change(run, runs.promote, "promoted")


@rerun.command()
def undo(run: RunId) -> None:
    """Put the verdicts that the run replaced in force again."""
    _change(run, runs.undo, "undone")


def _change(run: str, act: Any, said: str) -> None:
    with open_house() as house:
        try:
            sent = act(house.store, house.broker, run, house.clock)
        except runs.NoSuchRun as error:
            raise fail(f"cannot be {said}: {error.args[0]}") from None
    typer.echo(f"{run} {said}: {sent} posts sent to the alert worker")


def _utc(at: datetime | None) -> datetime | None:
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


def _tell(document: Document, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(document))
        return
    console = Console()
    report = document.get("report")
    console.print(
        f"run {document['id']}: {document['status']}, model {document['model']}, {document.get('posts', 0)} posts"
    )
    if report is None:
        console.print("not finished")
        return
    table = Table("label", "platform", "from", "to", "posts", title=f"{report['changed']} posts judged otherwise")
    for flip in report["flips"]:
        table.add_row(flip["label"], flip["platform"], flip["from"], flip["to"], str(flip["posts"]))
    console.print(table)
    for example in report["examples"]:
        console.print(f"  {example['label']} {example['from']} -> {example['to']}: {example['text']}", markup=False)
    for what in ("appear", "vanish"):
        console.print(f"alerts that would {what}: {len(report[what])}")
        for one in report[what][:20]:
            console.print(f"  {one['rule']}: {one['text']}", markup=False)
    if document["status"] in ("judged", "undone"):
        console.print(f"nothing has changed yet; to let it count: jaga rerun promote {document['id']}")
