"""`jaga evidence`: seal, verify, hand over, hold, remove.

Exit codes: 0 done, nothing wrong; 1 something is wrong or was left out; 2 a wrong option, id or folder.
"""

from __future__ import annotations

import getpass
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.ports import Broker, RetryLater, SearchStore
from pipeline.settings import BadSettings, Settings, load_settings

from .command import run_app
from .evidence.chain import BadChain, BadEvidence

app = typer.Typer(
    name="jaga evidence",
    help="What proves what was seen: manifests in a chain, folders to hand over, holds, removal by rule.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
holds = typer.Typer(help="What must stay, whatever the retention.", no_args_is_help=True)
app.add_typer(holds, name="hold")

log = logging.getLogger("jaga.evidence")

SHOWN_PROBLEMS = 50
"""On a terminal; --json has all."""

Id = Annotated[str, typer.Argument(metavar="POST|ALERT")]
By = Annotated[str, typer.Option("--by", help="Who decides; the account's name if left out.")]
Why = Annotated[str, typer.Option("--why", help="The reason, kept with it.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Authority = Annotated[
    Path | None, typer.Option("--ca", metavar="FILE", help="PEM file of the authority to trust; else JAGA_TSA_CA.")
]


@dataclass(frozen=True)
class Doors:
    """How to come to store and log."""

    store: Callable[[Settings], SearchStore]
    log: Callable[[Settings], Broker]


def run(arguments: Sequence[str], doors: Doors) -> int:
    """The exit code. Errors go to stderr in one line."""
    try:
        return run_app(app, arguments, "jaga evidence", doors)
    except BadEvidence as error:
        return _say(str(error), 2)
    except BadSettings as error:
        return _say(str(error), 2)
    except BadChain as error:
        return _say(f"{error}; `jaga evidence verify` says more", 1)
    except (OSError, RetryLater) as error:
        return _say(str(error), 1)


def _say(message: str, code: int) -> int:
    typer.echo(f"jaga: {message}", err=True)
    return code


@app.command()
def seal(
    today: Annotated[bool, typer.Option("--today", help="Today's files, too; crawlers go on in others.")] = False,
    as_json: Json = False,
) -> None:
    """Manifests for the days that are over, and a time stamp where an authority is set."""
    from .evidence.seal import seal as run_seal

    settings = load_settings()
    done = run_seal(settings.home, today_too=today)
    stamped = _stamp(settings)
    for note in done.notes:
        typer.echo(f"jaga: {note}", err=True)
    entries = [
        {"entry": e.number, "day": e.about["day"], "files": len(e.files), "sha256": e.sha256} for e in done.entries
    ]
    if as_json:
        told = {"files": done.files, "records": done.records, "entries": entries, "stamped_at": stamped}
        typer.echo(json.dumps(told))
        return
    for one in entries:
        typer.echo(f"{one['day']}: {one['files']} files, evidence/{one['entry']:06d}.txt, SHA-256 {one['sha256']}")
    typer.echo(f"{done.files} files with {done.records} records sealed" + (f", stamped {stamped}" if stamped else ""))


def _stamp(settings: Settings) -> str | None:
    """A time stamp on the newest entry where one is wanted and wanting. An authority that is away is a warning: the next run tries again."""
    if not settings.tsa_url:
        return None
    from .evidence.chain import told_at
    from .evidence.stamp import NoStamp, stamp

    try:
        at = stamp(settings.home, settings.tsa_url, settings.tsa_ca)
    except NoStamp as error:
        log.warning("no time stamp, the next `jaga evidence seal` tries again: %s", error)
        return None
    return told_at(at) if at else None


@app.command()
def verify(
    context: typer.Context,
    folder: Annotated[Path | None, typer.Argument(help="An exported folder; the whole archive if left out.")] = None,
    ca: Authority = None,
    head: Annotated[str, typer.Option(help="SHA-256 of an entry noted before: the chain must have it.")] = "",
    posts: Annotated[
        bool, typer.Option("--posts", help="Also whether each post's record is there (of the whole archive only).")
    ] = False,
    as_json: Json = False,
) -> None:
    """Whether everything is as the chain says. Code 1 if not, with file and record."""
    from .evidence.archive_check import verify_archive
    from .evidence.find import pointers
    from .evidence.folder_check import verify_folder
    from .evidence.stamp import NoStamp, certificates

    settings = load_settings()
    authority = ca or settings.tsa_ca
    try:
        trusted = certificates(authority) if authority else []
    except NoStamp as error:
        raise BadEvidence(str(error)) from error
    if posts and folder is not None:
        raise BadEvidence("--posts: of the whole archive only; a folder's own posts are always checked")
    if folder is None and posts:
        with _store(context, settings) as store:
            report = verify_archive(settings.home, trusted, head, pointers=pointers(store))
    elif folder is None:
        report = verify_archive(settings.home, trusted, head)
    elif folder.is_dir():
        report = verify_folder(folder, trusted, head)
    else:
        raise BadEvidence(f"{folder}: is no folder")
    if as_json:
        typer.echo(json.dumps(report.as_dict(), ensure_ascii=False))
    else:
        for problem in report.problems[:SHOWN_PROBLEMS]:
            typer.echo(f"WRONG {_plain(problem)}")
        if len(report.problems) > SHOWN_PROBLEMS:
            typer.echo(f"... and {len(report.problems) - SHOWN_PROBLEMS} more; --json has all")
        for note in report.notes:
            typer.echo(f"note: {_plain(note)}")
        for stamp in report.stamps:
            typer.echo(f"stamped: entry {stamp['entry']} at {stamp['at']}, signature {stamp['signature']}")
        counts = f"{report.files} files, {report.records} records, {report.entries} entries"
        typer.echo(
            f"{'all well' if report.ok else f'{len(report.problems)} WRONG'}: {counts}, head {report.head or 'none'}"
        )
    if not report.ok:
        raise typer.Exit(1)


def _plain(told: object) -> str:
    """Names in a folder of others may hold anything: nothing of it reaches the terminal but letters."""
    return "".join(c if c.isprintable() else "?" for c in str(told))


@app.command()
def export(
    context: typer.Context,
    name: Id,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FOLDER", help="Made; must not exist. Else evidence-ID here.")
    ] = None,
    by: By = "",
    why: Why = "",
    screenshot: Annotated[
        bool, typer.Option("--screenshot", help="Also index.png of the page (needs Playwright).")
    ] = False,
    as_json: Json = False,
) -> None:
    """A folder with the records of a post, or of all posts of an alert, and all it takes to check it without this program."""
    from .evidence.export import export as run_export
    from .evidence.find import find
    from .evidence.seal import seal as run_seal

    settings = load_settings()
    if to is not None and os.path.lexists(to):
        raise BadEvidence(f"{to}: exists already; nothing was written")
    with _store(context, settings) as store:
        asked = find(store, name)
    run_seal(settings.home, only={record.warc for found in asked.posts for record in found.records})
    _stamp(settings)
    folder = to or Path(f"evidence-{asked.id}")
    done = run_export(settings.home, asked, folder, who=by or getpass.getuser(), why=why, screenshot=screenshot)
    for line in (*done.notes, *done.missing):
        typer.echo(f"jaga: {_plain(line)}", err=True)
    if as_json:
        typer.echo(json.dumps(done.as_dict(), ensure_ascii=False))
    else:
        typer.echo(f"{done.folder}: {done.posts} posts, {done.records} records; head {done.head}")
    if done.missing:
        raise typer.Exit(1)


@app.command()
def recheck(context: typer.Context, name: Id, as_json: Json = False) -> None:
    """Ask again for a post, or each post of an alert, where it was published: edits and deletions go to the log."""
    from .evidence.find import find
    from .recheck import recheck as run_recheck

    settings = load_settings()
    doors: Doors = context.obj
    with _store(context, settings) as store:
        posts = [found.post for found in find(store, name).posts]
    done = run_recheck(settings, posts, lambda: doors.log(settings))
    if as_json:
        typer.echo(json.dumps(done.as_dict()))
    else:
        typer.echo(
            f"{done.asked} posts asked for: {done.edited} edited, {done.deleted} deleted; {done.unasked} have no address of their own"
        )
    if done.unpublished:
        raise typer.Exit(1)


@app.command()
def prune(
    context: typer.Context,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            "--keep", metavar="KIND=DAYS", help="A kind of sources otherwise (feed=90d); beside JAGA_EVIDENCE_KEEP."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Remove what is older than JAGA_EVIDENCE_DAYS, or than its kind is kept, and not on hold, and tell it in the chain."""
    from .evidence.hold import Holds
    from .evidence.prune import Rule, kinds_of
    from .evidence.prune import prune as run_prune

    settings = load_settings()
    kinds = {**kinds_of(settings.evidence_keep.replace(",", " ").split()), **kinds_of(keep or ())}
    held: set[str] = set()
    if in_force := Holds(settings.home).in_force():
        with _store(context, settings) as store:
            for name in in_force:
                held |= set(_uuids(store, name, gone_is_well=True))
    done = run_prune(settings.home, Rule(settings.evidence_days, kinds), by or getpass.getuser(), held, dry_run=dry_run)
    if not dry_run:
        _stamp(settings)
    for note in done.notes:
        typer.echo(f"jaga: {note}", err=True)
    if as_json:
        typer.echo(json.dumps(done.as_dict()))
        return
    if done.finished:
        typer.echo(f"{done.finished} files of a removal that had been broken off")
    would = "would be " if dry_run else ""
    typer.echo(
        f"{done.removed} records {would}removed: {done.files} files whole, {done.rewritten} in part; {done.held} on hold stay"
    )


@holds.command("add")
def hold_add(context: typer.Context, name: Id, why: Why, by: By = "", as_json: Json = False) -> None:
    """Hold the records of a post, or of all posts of an alert, also those that it grows by."""
    from .evidence.hold import Holds

    settings = load_settings()
    with _store(context, settings) as store:
        uuids = _uuids(store, name)
    _told(Holds(settings.home).add(name, by or getpass.getuser(), why, uuids).as_dict(), as_json)


@holds.command("remove")
def hold_remove(name: Id, why: Why, by: By = "", as_json: Json = False) -> None:
    """Let go; the next prune may take it."""
    from .evidence.hold import Holds

    settings = load_settings()
    _told(Holds(settings.home).remove(name, by or getpass.getuser(), why).as_dict(), as_json)


@holds.command("list")
def hold_list(
    every: Annotated[bool, typer.Option("--all", help="Every hold and release, not only those in force.")] = False,
    as_json: Json = False,
) -> None:
    """What is on hold: who, when, why."""
    from .evidence.hold import Holds

    kept = Holds(load_settings().home)
    for hold in kept.events() if every else kept.in_force().values():
        _told(hold.as_dict(), as_json)


def _told(hold: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(hold, ensure_ascii=False))
    else:
        typer.echo(
            f"{hold['at']} {hold['who']}: {hold['act']} {hold['id']}, {len(hold['records'])} records ({_plain(hold['why'])})"
        )


def _uuids(store: SearchStore, name: str, *, gone_is_well: bool = False) -> list[str]:
    """UUIDs of the records that an id stands for now."""
    from .evidence.find import find
    from .evidence.records import uuid_of

    try:
        asked = find(store, name)
    except BadEvidence:
        if gone_is_well:
            return []
        raise
    ids = (uuid_of(record.record_id) for found in asked.posts for record in found.records)
    return sorted({uuid.lower() for uuid in ids if uuid})


@contextmanager
def _store(context: typer.Context, settings: Settings) -> Iterator[SearchStore]:
    doors: Doors = context.obj
    store = doors.store(settings)
    try:
        store.prepare()
        yield store
    finally:
        store.close()


__all__ = ["app", "run"]
