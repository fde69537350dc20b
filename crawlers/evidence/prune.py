"""Removal by rule: records past their retention and not on hold go, for good.

The order makes it safe to be killed at any moment: what is left of a file is written beside it; the removal is told in the chain; then the
files are exchanged or unlinked. Whatever was told and not done is done first by the next run, and `verify` names it until then.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ..archive import IMPORTED
from ..sources import KINDS
from .chain import BadEvidence, Chain, Entry, sha256_of, sync_folder, write_whole
from .hold import Holds
from .records import Damaged, scan
from .removals import removed_by, removed_of, removed_path
from .seal import listed, seal, warcs

_LEFT = ".left"
"""Ends the name of what is left of a file until the exchange."""


@dataclass
class Pruned:
    """What a run did, or with `dry_run` would do."""

    removed: int = 0
    files: int = 0
    """Files that went whole."""
    rewritten: int = 0
    held: int = 0
    """Records past retention that stay because of a hold."""
    finished: int = 0
    """Files of an earlier run that had been broken off."""
    notes: list[str] = field(default_factory=list)
    entry: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class Rule:
    """Days after which a record goes: for all, and for some kinds of sources otherwise. 0: never."""

    days: int
    kinds: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        told = ", ".join(f"{kind} {_told(days)}" for kind, days in sorted(self.kinds.items()))
        return f"retention of {_told(self.days)}" + (f" ({told})" if told else "")

    def last(self, kind: str, now: datetime) -> str:
        """The first day (YYYYMMDD) that is kept of a kind."""
        days = self.kinds.get(kind, self.days)
        return (now - timedelta(days=days)).strftime("%Y%m%d") if days else ""

    def any_last(self, now: datetime) -> str:
        """The first day of which everything is kept."""
        return max([self.last("", now), *(self.last(kind, now) for kind in self.kinds)])


def _told(days: int) -> str:
    return f"{days} days" if days else "for good"


def kinds_of(told: Iterable[str]) -> dict[str, int]:
    """`feed=90d`, `telegram=365d` -> days by kind; `=0` keeps for good. Raises BadEvidence."""
    found = {}
    for one in told:
        kind, equals, days = one.partition("=")
        number = days.removesuffix("d")
        if not equals or not re.fullmatch(r"[0-9]{1,5}", number):
            raise BadEvidence(f"keep {one!r}: KIND=DAYS is needed, as feed=90d")
        if kind not in (*KINDS, IMPORTED):
            raise BadEvidence(f"keep {one!r}: no kind of sources; known are {', '.join((*KINDS, IMPORTED))}")
        found[kind] = int(number)
    return found


def prune(
    home: Path,
    rule: Rule | int,
    who: str,
    held: Collection[str] = (),
    *,
    dry_run: bool = False,
    now: datetime | None = None,
) -> Pruned:
    """Remove records of days that ended longer ago than the rule (or so many days) keeps them. `held`: UUIDs that stay beside those of
    the holds in force.

    Raises BadChain, BadEvidence, OSError; what was begun is finished by the next call.
    """
    now = now or datetime.now(UTC)
    done = Pruned()
    rule = Rule(rule) if isinstance(rule, int) else rule
    if not any((rule.days, *rule.kinds.values())):
        raise BadEvidence("JAGA_EVIDENCE_DAYS is 0: everything is kept")
    if not who.strip():
        raise BadEvidence("--by: the name of who removes is needed")
    if not dry_run:
        done.notes += seal(home, now=now).notes
    chain = Chain(home)
    with chain.locked():
        if not dry_run:
            finish(home, done)
        keep = {uuid for hold in Holds(home).in_force().values() for uuid in hold.records} | set(held)
        plan = _plan(home, chain, rule, now, keep, done)
        if plan and not dry_run:
            _remove(home, chain, plan, str(rule), who.strip(), now, done)
    return done


@dataclass
class _File:
    kept: list[str]
    removed: list[str]


def _plan(home: Path, chain: Chain, rule: Rule, now: datetime, keep: Collection[str], done: Pruned) -> dict[str, _File]:
    """Files of which something goes."""
    entries = list(chain.entries())
    sealed = {name for entry in entries if entry.kind == "day" for name in entry.files}
    gone = removed_of(home, entries)
    plan = {}
    for name in warcs(home):
        if name[:8] >= rule.any_last(now) or name not in sealed:
            continue
        there = [uuid for uuid in listed(home, name) if uuid not in gone.get(name, ())]
        past = _past(home, name, there, rule, now, done)
        file = _File([], [])
        for uuid in there:
            held = uuid in past and uuid in keep
            done.held += held
            (file.removed if uuid in past and not held else file.kept).append(uuid)
        if file.removed or not there:
            plan[name] = file
            done.removed += len(file.removed)
            done.files += not file.kept
            done.rewritten += bool(file.kept)
    return plan


def _past(home: Path, name: str, there: list[str], rule: Rule, now: datetime, done: Pruned) -> set[str]:
    """Those of a file's records that are past their retention."""
    day = name[:8]
    if not rule.kinds:
        return set(there) if day < rule.last("", now) else set()
    kinds: dict[str, str] = {}
    try:
        with (home / "warc" / name).open("rb") as file:
            kinds = {record.id: record.source_kind for record in scan(file)}
    except Damaged as damage:
        done.notes.append(f"warc/{name}: {damage}; nothing of it is removed, since its kinds cannot be told")
        return set()
    return {uuid for uuid in there if uuid in kinds and day < rule.last(kinds[uuid], now)}


def _remove(home: Path, chain: Chain, plan: dict[str, _File], rule: str, who: str, now: datetime, done: Pruned) -> None:
    files: dict[str, Any] = {}
    digests: dict[str, str] = {}
    for name, file in plan.items():
        files[name] = {"removed": len(file.removed), "kept": len(file.kept)}
        if file.kept:
            left = _write_left(home, name, set(file.kept))
            files[name]["bytes"] = left.stat().st_size
            digests[f"warc/{name}"] = sha256_of(left)
    number = (chain.numbers() or [0])[-1] + 1
    path = removed_path(number)
    lines = "".join(f"{name} {uuid}\n" for name, file in plan.items() for uuid in file.removed)
    write_whole(home / path, lines.encode())
    digests[path] = sha256_of(home / path)
    entry = chain.append("removal", {"rule": rule, "by": who, "files": files}, digests, at=now)
    done.entry = entry.number
    for name in plan:
        _exchange(home, name, bool(plan[name].kept))
    sync_folder(home / "warc")


def _write_left(home: Path, name: str, kept: Collection[str]) -> Path:
    """The records that stay, byte by byte as they were, in a file beside. Raises BadEvidence if one of them cannot be read."""
    left = home / "warc" / f".{name}{_LEFT}"
    missing = set(kept)
    try:
        with (
            (home / "warc" / name).open("rb") as file,
            (home / "warc" / name).open("rb") as bytes_of,
            left.open("wb") as to,
        ):
            try:
                for record in scan(file):
                    if record.id in missing:
                        bytes_of.seek(record.offset)
                        to.write(bytes_of.read(record.length))
                        missing.discard(record.id)
            except Damaged as damage:
                if missing:
                    raise BadEvidence(
                        f"warc/{name}: {damage}; records on hold lie behind that, so nothing is removed"
                    ) from damage
            if missing:
                raise BadEvidence(
                    f"warc/{name}: record {min(missing)} is on hold and not in the file; nothing is removed"
                )
            to.flush()
            os.fsync(to.fileno())
    except (OSError, BadEvidence):
        with suppress(OSError):
            left.unlink()
        raise
    return left


def _exchange(home: Path, name: str, kept: bool) -> None:
    if kept:
        os.replace(home / "warc" / f".{name}{_LEFT}", home / "warc" / name)
    else:
        with suppress(FileNotFoundError):
            (home / "warc" / name).unlink()


def finish(home: Path, done: Pruned) -> None:
    """Do what the chain says was removed and a killed run left undone. Only under the chain's lock. Raises BadChain, OSError."""
    last: dict[str, Entry] = {}
    for entry in Chain(home).entries():
        if entry.kind == "removal":
            last |= dict.fromkeys(entry.files, entry)
    for name, entry in last.items():
        file, sha256 = home / "warc" / name, entry.digests.get(f"warc/{name}")
        if not file.exists() or (sha256 is not None and sha256_of(file) == sha256):
            continue
        if sha256 is not None:
            gone = removed_by(home, entry).get(name, set())
            left = _write_left(home, name, _ids(file) - gone)
            if sha256_of(left) != sha256:
                left.unlink()
                raise BadEvidence(
                    f"warc/{name}: is not the file of which {entry.path} tells; `jaga evidence verify` says more"
                )
        _exchange(home, name, sha256 is not None)
        done.finished += 1
    for part in (home / "warc").glob(f".*{_LEFT}"):
        part.unlink()
    if done.finished:
        sync_folder(home / "warc")


def _ids(file: Path) -> set[str]:
    found = set()
    with suppress(Damaged), file.open("rb") as opened:
        for record in scan(opened):
            found.add(record.id)
    return found
