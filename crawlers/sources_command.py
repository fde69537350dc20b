"""`jaga sources`: what is watched, a look at it before it is, and edits by name.

Exit codes: 0 done; 1 a source that was looked at gave nothing; 2 a wrong option, file, id or field.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.settings import BadSettings, load_settings

from .command import run_app
from .registry import Event, Registry, value_of
from .sources import BadSources, Source

app = typer.Typer(
    name="jaga sources",
    help="The places to watch: a reviewed file, and over it edits with who, when and why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

SHOWN_CHARS = 160
"""Of each post in a preview on a terminal."""

Id = Annotated[str, typer.Argument(metavar="ID")]
Ids = Annotated[list[str], typer.Argument(metavar="ID...")]
Fields = Annotated[list[str] | None, typer.Argument(metavar="FIELD=VALUE...", help="An empty value: the default.")]
By = Annotated[str, typer.Option("--by", help="Who edits; the account's name if left out.")]
Why = Annotated[str, typer.Option("--why", help="Kept with the edit.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def run(arguments: Sequence[str]) -> int:
    """The exit code. Errors go to stderr in one line."""
    try:
        return run_app(app, arguments, "jaga sources")
    except (BadSources, BadSettings, OSError) as error:
        typer.echo(f"jaga: {error}", err=True)
        return 2


@app.command("list")
def list_(
    kind: Annotated[str | None, typer.Option(help="Only of this kind.")] = None,
    region: Annotated[str | None, typer.Option(help="Only of this region, by its code.")] = None,
    on: Annotated[bool, typer.Option("--on", help="Only those that are on.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Only those that are off.")] = False,
    as_json: Json = False,
) -> None:
    """The sources in force."""
    registry = _registry()
    found = [entry for entry in registry.entries().values() if _wanted(entry.source, kind, region, on, off)]
    if as_json:
        for entry in found:
            typer.echo(json.dumps(entry.as_dict(), ensure_ascii=False))
        return
    table = Table("id", "", "kind", "region", "every", "name")
    table.columns[0].no_wrap = True
    for entry in found:
        source = entry.source
        name, state = source.id + ("*" if entry.events else ""), "on" if source.enabled else "off"
        table.add_row(name, state, source.kind, " ".join(source.region), f"{source.cadence_s:g} s", escape(source.name))
    Console().print(table if found else "no sources")
    if any(entry.events for entry in found):
        typer.echo("* edited: `jaga sources show ID` tells by whom")
    for event in registry.stray():
        typer.echo(
            f"jaga: edit {event.number} ({event.act}) does nothing: {registry.base_name} has no {event.source}",
            err=True,
        )


def _wanted(source: Source, kind: str | None, region: str | None, on: bool, off: bool) -> bool:
    return (
        kind in (None, source.kind)
        and (region is None or any(code.startswith(region) for code in source.region))
        and not (on and not source.enabled)
        and not (off and source.enabled)
    )


@app.command()
def show(name: Id, as_json: Json = False) -> None:
    """One source with all its fields and its edits."""
    entry = _registry().entry(name)
    if as_json:
        typer.echo(json.dumps(entry.as_dict(), ensure_ascii=False))
        return
    fields = entry.source.model_dump(mode="json", exclude_none=True)
    typer.echo(yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=120), nl=False)
    typer.echo("# " + ("from the file" if entry.origin == "file" else "added"))
    for event in entry.events:
        typer.echo(f"# {_told(event)}")


@app.command()
def log(
    name: Annotated[str | None, typer.Argument(metavar="[ID]", help="Only of this source, also if it is gone.")] = None,
    as_json: Json = False,
) -> None:
    """Every edit: who, when, what, why."""
    for event in _registry().events(name):
        typer.echo(json.dumps(event.as_dict(), ensure_ascii=False) if as_json else _told(event))


@app.command()
def check(
    name: Annotated[str | None, typer.Argument(metavar="[ID]")] = None,
    kind: Annotated[
        str | None, typer.Option(help="With --url instead of an ID: a place that is no source yet.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Its address.")] = None,
    pages: Annotated[
        int | None, typer.Option(min=1, max=50, help="Most pages to fetch; one, or what the kind needs.")
    ] = None,
    posts: Annotated[int, typer.Option(min=0, help="Posts of the preview.")] = 5,
    as_json: Json = False,
) -> None:
    """Fetch one page through the guard and say what it gives. Nothing of it is kept."""
    from .check import look

    settings = load_settings()
    if (name is None) == (kind is None or url is None):
        raise BadSources("check needs the ID of a source, or --kind and --url")
    if name is not None:
        source = Registry.of(settings).entry(name).source
    else:
        source = _source({"id": "check", "kind": kind, "url": url})
    finding = look(settings, source, pages)
    if as_json:
        typer.echo(json.dumps(finding.as_dict(posts), ensure_ascii=False))
    else:
        _tell(finding.as_dict(posts))
    if not finding.good:
        raise typer.Exit(1)


def _tell(found: dict[str, Any]) -> None:
    said = f"{found['pages']} pages, {found['posts']} posts, {found['claims']} claims"
    typer.echo(f"{found['id']} ({found['kind']}), {found['first']}: {said}")
    for word, lines in (("gap", found["gaps"]), ("problem", found["problems"])):
        for line in lines[:20]:
            typer.echo(f"  {word}: {line}")
    for post in found["preview"]:
        typer.echo(f"  {post.get('published_at', 'no time')}  {post.get('author', 'no author')}  {post['native_id']}")
        words = " / ".join(post["text"].split("\n"))
        typer.echo(f"    {words[:SHOWN_CHARS]}{'...' if len(words) > SHOWN_CHARS else ''}")
    for claim in found["claims_preview"]:
        typer.echo(
            f"  claim, {claim.get('rating', 'no rating')} ({claim.get('publisher', '?')}): {claim['text'][:SHOWN_CHARS]}"
        )


@app.command()
def add(
    name: Id,
    kind: Annotated[str, typer.Option(help="How it is read.")],
    url: Annotated[str, typer.Option(help="Its address.")],
    fields: Fields = None,
    by: By = "",
    why: Why = "",
) -> None:
    """A new source, off unless enabled=true is among the fields."""
    told = {"enabled": False, **_fields(fields), "id": name, "kind": kind, "url": url}
    typer.echo(_told(_registry().add(told, who=by or getpass.getuser(), why=why)))


@app.command("set")
def set_(name: Id, fields: Fields = None, by: By = "", why: Why = "") -> None:
    """Other values of some fields."""
    if not fields:
        raise BadSources("set needs FIELD=VALUE; known are " + ", ".join(Source.model_fields))
    _change(name, _fields(fields), "set", by, why)


@app.command()
def on(names: Ids, by: By = "", why: Why = "") -> None:
    """Watch them from the next crawl on. Each needs a legal_basis."""
    for name in names:
        _change(name, {"enabled": True}, "on", by, why)


@app.command()
def off(names: Ids, by: By = "", why: Why = "") -> None:
    """Watch them no more for now."""
    for name in names:
        _change(name, {"enabled": False}, "off", by, why)


@app.command()
def remove(names: Ids, by: By = "", why: Why = "") -> None:
    """Out of the list. Their edits stay in `jaga sources log`."""
    for name in names:
        typer.echo(_told(_registry().remove(name, who=by or getpass.getuser(), why=why)))


def _change(name: str, fields: dict[str, Any], act: Any, by: str, why: str) -> None:
    event = _registry().change(name, fields, act=act, who=by or getpass.getuser(), why=why)
    typer.echo(_told(event) if event else f"{name}: nothing changed")


def _fields(told: list[str] | None) -> dict[str, Any]:
    found = {}
    for pair in told or []:
        key, sign, value = pair.partition("=")
        if not sign:
            raise BadSources(f"{pair}: FIELD=VALUE is needed")
        found[key] = value_of(key, value)
    return found


def _told(event: Event) -> str:
    what = ", ".join(
        f"{key}: {_short(event.was.get(key))} -> {_short(value)}"
        for key, value in event.fields.items()
        if event.act != "add"
    )
    why = f" ({event.why})" if event.why else ""
    return f"{event.number} {event.at:%Y-%m-%d %H:%M}Z {event.who}: {event.act} {event.source}{': ' + what if what else ''}{why}"


def _short(value: Any) -> str:
    said = json.dumps(value, ensure_ascii=False)
    return said if len(said) <= 80 else said[:77] + "..."


def _source(fields: dict[str, Any]) -> Source:
    from .sources import read_sources

    (found,) = read_sources([fields], "check")
    return found


def _registry() -> Registry:
    return Registry.of(load_settings())


__all__ = ["app", "run"]
