"""`jaga keys`: the keys of the authors' pseudonyms. Each act is in the audit file, with who and why.

Exit codes: 0 done; 2 it cannot be, or not so.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from pipeline.audit import Audit, Tampered
from pipeline.settings import BadSettings, Settings, load_settings

from . import pseudonym
from .command import run_app
from .pseudonym import BadKey, Ring

app = typer.Typer(
    name="jaga keys",
    help="The keys of the authors' pseudonyms: rotate, link, destroy; each with a reason that is kept.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

By = Annotated[str, typer.Option("--by", help="Who does it; the account's name if left out.")]
Why = Annotated[str, typer.Option("--why", help="Kept in the audit file; needed.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def run(arguments: Sequence[str]) -> int:
    """The exit code. Errors go to stderr in one line."""
    try:
        return run_app(app, arguments, "jaga keys")
    except (BadKey, BadSettings, Tampered, ValueError, OSError) as error:
        typer.echo(f"jaga: {error}", err=True)
        return 2


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Generations, and which one is in use. Secrets are never shown."""
    settings = load_settings()
    present = pseudonym.key(settings)
    rows = [(key, "sealed") for key in Ring.of(settings).sealed().values() if key.generation != present.generation]
    for key, state in [*rows, (present, "in use")]:
        told = {"generation": key.generation, "state": state, "print": key.print}
        typer.echo(json.dumps(told) if as_json else f"{key.generation}  {state:7}  {key.print}")


@app.command()
def rotate(why: Why, by: By = "") -> None:
    """A new key for all pseudonyms made from the crawlers' next start on; the present one is sealed."""
    settings = load_settings()
    _reason(why)
    ring, before = Ring.of(settings), pseudonym.key(settings)
    with ring.alone(), _told(settings, by, "keys rotate", str(before.generation), why) as details:
        present, new = ring.rotate()
        details |= {"sealed": present.generation, "in_use": new.generation, "print": new.print}
    typer.echo(
        f"generation {new.generation} is in use from the crawlers' next start on; generation {present.generation} is sealed"
    )


@app.command()
def destroy(generation: Annotated[int, typer.Argument(metavar="GENERATION")], why: Why, by: By = "") -> None:
    """Remove a sealed key for good: its pseudonyms can then be linked to an account by nobody."""
    settings = load_settings()
    _reason(why)
    ring = Ring.of(settings)
    with ring.alone(), _told(settings, by, "keys destroy", str(generation), why) as details:
        details["print"] = ring.destroy(generation).print
    typer.echo(f"generation {generation} is destroyed; remove its copies, too")


@app.command()
def link(
    platform: Annotated[str, typer.Argument(metavar="PLATFORM")],
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="As the platform names it.")],
    why: Why,
    by: By = "",
    as_json: Json = False,
) -> None:
    """The pseudonyms of an account in every generation whose key is here. The audit file keeps the pseudonyms, never the account."""
    settings = load_settings()
    _reason(why)
    present = pseudonym.key(settings)
    keys = {**Ring.of(settings).sealed(), present.generation: present}
    found = {generation: pseudonym.maker(key)(platform, account) for generation, key in sorted(keys.items())}
    _record(settings, by, "keys link", found[present.generation], why, platform=platform, generations=list(found))
    for generation, name in found.items():
        typer.echo(json.dumps({"generation": generation, "author": name}) if as_json else f"{generation}  {name}")


@app.command()
def log(as_json: Json = False) -> None:
    """What was done with the keys, by whom and why; code 2 if the file was tampered with."""
    for entry in _audit(load_settings()).entries():
        if entry.act.startswith("keys "):
            told = {**vars(entry), "at": entry.at.isoformat().replace("+00:00", "Z")}
            said = f"{entry.number} {entry.at:%Y-%m-%d %H:%M}Z {entry.who}: {entry.act} {entry.what} ({entry.why})"
            typer.echo(json.dumps(told, ensure_ascii=False) if as_json else said)


def _reason(why: str) -> None:
    if not why.strip():
        raise BadKey("--why: a reason is needed")


def _audit(settings: Settings) -> Audit:
    return Audit(settings.audit_file)


@contextmanager
def _told(settings: Settings, by: str, act: str, what: str, why: str) -> Iterator[dict[str, Any]]:
    """An entry that it will be done, and one that it was or why not: nothing is ever done untold."""
    _record(settings, by, f"{act} begun", what, why)
    details: dict[str, Any] = {}
    try:
        yield details
    except (BadKey, OSError) as error:
        _record(settings, by, f"{act} failed", what, why, cause=str(error))
        raise
    _record(settings, by, act, what, why, **details)


def _record(settings: Settings, by: str, act: str, what: str, why: str, **details: Any) -> None:
    _audit(settings).record(who=by or getpass.getuser(), act=act, what=what, why=why, **details)


__all__ = ["app", "run"]
