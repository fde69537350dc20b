"""Commands that belong to the crawlers and to the API."""

from __future__ import annotations

import typer

from pipeline.cli.app import PASS_ON, app, run_package


@app.command(context_settings=PASS_ON)
def crawl(context: typer.Context) -> None:
    """Fetch due sources: [SOURCE...] --sources FILE --once | --follow."""
    run_package("crawlers", "crawl", context.args)


@app.command(context_settings=PASS_ON)
def sources(context: typer.Context) -> None:
    """The places to watch: list | show | check | add | set | on | off | remove | log."""
    run_package("crawlers", "sources", context.args)


@app.command(context_settings=PASS_ON)
def keys(context: typer.Context) -> None:
    """The keys of the authors' pseudonyms: list | rotate | destroy | link | log."""
    run_package("crawlers", "keys", context.args)


@app.command(context_settings=PASS_ON)
def ingest(context: typer.Context) -> None:
    """Posts from files: NDJSON, CSV; --column text=NAME ..., --json."""
    run_package("crawlers", "ingest", context.args)


@app.command(context_settings=PASS_ON)
def parse(context: typer.Context) -> None:
    """Posts of a saved page or payload, without fetching: KIND FILE --url URL."""
    run_package("crawlers", "parse", context.args)


@app.command(context_settings=PASS_ON)
def evidence(context: typer.Context) -> None:
    """What proves what was seen: seal | verify | export | recheck | hold | prune."""
    run_package("crawlers", "evidence", context.args)


@app.command(context_settings=PASS_ON)
def serve(context: typer.Context) -> None:
    """API and dashboard."""
    run_package("api", None, context.args)
