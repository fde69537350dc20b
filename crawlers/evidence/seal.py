"""Sealing: the WARC files of a day get a manifest in the chain, and each a list of its records.

A list (`evidence/records/NAME.txt`) has a line for each record, as sha256sum writes it: the SHA-256 of the record's bytes as they lie in
the file, and `UUID.warc.gz`, the name under which an export hands it over. A file that has a list is never written to again
(`crawlers.archive`), so today's can be sealed, too: its crawler goes on in another.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from ..archive import list_of
from .chain import BadEvidence, Chain, Entry, dict_of, read_small, sha256_of, write_whole
from .records import Damaged, Record, scan

log = logging.getLogger("jaga.evidence")

WARC = re.compile(r"(\d{8})-[0-9A-Za-z-]{1,60}\.warc\.gz")
"""A file of ours; its day comes first."""
BUSY_S = 5.0
"""How long a file may be held by its crawler, which writes a batch in a tenth of that."""
MAX_LIST_BYTES = 500_000_000


@dataclass
class Sealed:
    """What a run has done."""

    entries: list[Entry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: int = 0
    records: int = 0


def warcs(home: Path) -> list[str]:
    """Names of the WARC files that are there, in order. Nothing else counts: no links, no folders."""
    try:
        with os.scandir(home / "warc") as there:
            return sorted(e.name for e in there if WARC.fullmatch(e.name) and e.is_file(follow_symlinks=False))
    except FileNotFoundError:
        return []


def sealed_names(chain: Chain) -> set[str]:
    """WARC files that a manifest names. Raises BadChain."""
    return {name for entry in chain.entries() if entry.kind == "day" for name in entry.files}


def waiting(home: Path, *, before: str) -> list[str]:
    """Files of days before `before` (YYYYMMDD) that no manifest names. Raises BadChain."""
    old = [name for name in warcs(home) if name[:8] < before]
    known = sealed_names(Chain(home)) if old else set()
    return [name for name in old if name not in known]


def seal(
    home: Path, *, today_too: bool = False, only: Iterable[str] | None = None, now: datetime | None = None
) -> Sealed:
    """Seal what is not sealed yet: of days that are over, or of today, too; or exactly the files named in `only`.

    Raises BadChain if the chain is broken (nothing is added to a chain that cannot be trusted), OSError.
    """
    now = now or datetime.now(UTC)
    done = Sealed()
    chain = Chain(home)
    with chain.locked():
        known = sealed_names(chain)
        chain.last()
        by_day: defaultdict[str, list[str]] = defaultdict(list)
        wanted = None if only is None else set(only)
        for name in warcs(home):
            day = name[:8]
            takes = name in wanted if wanted is not None else today_too or day < now.strftime("%Y%m%d")
            if takes and name not in known:
                by_day[day].append(name)
        for day, names in sorted(by_day.items()):
            _seal_day(chain, day, names, now, done)
    return done


def _seal_day(chain: Chain, day: str, names: list[str], now: datetime, done: Sealed) -> None:
    files: dict[str, Any] = {}
    digests: dict[str, str] = {}
    for name in names:
        try:
            with (chain.home / "warc" / name).open("r+b") as file:
                _take(file)
                told = _list(chain.home, name, file, done)
                digests[f"warc/{name}"] = sha256_of(chain.home / "warc" / name)
        except BlockingIOError:
            done.notes.append(f"warc/{name}: in use, left for the next time")
            continue
        files[name] = told
        records = list_of(chain.folder / "records", name)
        digests[f"evidence/records/{records.name}"] = sha256_of(records)
        done.files += 1
        done.records += told["records"]
    if files:
        told_day = f"{day[:4]}-{day[4:6]}-{day[6:]}"
        done.entries.append(chain.append("day", {"day": told_day, "files": files}, digests, at=now))


def _take(file: BinaryIO) -> None:
    """The file's lock, for as long as it is open. Raises BlockingIOError."""
    until = time.monotonic() + BUSY_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def _list(home: Path, name: str, file: BinaryIO, done: Sealed) -> dict[str, Any]:
    """Write the list of the file's records; what the manifest says of the file."""
    lines: dict[str, str] = {}
    told: dict[str, Any] = {}
    end = 0
    try:
        for record in scan(file):
            if record.problem:
                done.notes.append(f"warc/{name}: record {record.id}: {record.problem}")
            lines[f"{record.id}.warc.gz"] = record.sha256
            end = record.offset + record.length
    except Damaged as damage:
        size = file.seek(0, os.SEEK_END)
        if damage.cut:
            # What a killed process left half-written: its post was never published, since that comes after `sync`.
            file.truncate(end)
            file.flush()
            os.fsync(file.fileno())
            told["cut_bytes"] = size - end
            done.notes.append(
                f"warc/{name}: the last {size - end} bytes were half a record of a killed process: cut off"
            )
        else:
            told["damaged_at"] = damage.offset
            done.notes.append(f"warc/{name}: {damage}; what lies behind that is in no list of records")
    # In the file's order, so that damage to a record can be named.
    text = "".join(f"{sha256}  {path}\n" for path, sha256 in lines.items())
    write_whole(list_of(home / "evidence" / "records", name), text.encode())
    return {"bytes": file.seek(0, os.SEEK_END), "records": len(lines), **told}


def listed(home: Path, name: str) -> dict[str, str]:
    """UUID -> SHA-256 of the record's bytes, from the file's list. Raises BadChain."""
    path = f"evidence/records/{list_of(Path(), name).name}"
    text = read_small(home, path, MAX_LIST_BYTES).decode("ascii", "replace")
    return {entry.removesuffix(".warc.gz"): sha256 for entry, sha256 in dict_of(path, text).items()}


def locate(home: Path, name: str, wanted: Iterable[str]) -> dict[str, Record]:
    """The records of these UUIDs in a WARC file, as far as it can be read. Raises BadEvidence for a name that is no file of ours."""
    if not WARC.fullmatch(name):
        raise BadEvidence(f"{name[:200]!r} is no name of a WARC file")
    left = set(wanted)
    found: dict[str, Record] = {}
    with suppress(Damaged, FileNotFoundError), (home / "warc" / name).open("rb") as file:
        for record in scan(file):
            if record.id in left:
                found[record.id] = record
                if len(found) == len(left):
                    break
    return found
