"""Whether the whole archive is what its chain says. Nothing in it is trusted: no link is followed, memory stays bounded."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from pipeline.contracts import Evidence

from .chain import BadChain, Entry
from .chain_check import CHANGED, check_chain, check_stamps, differs
from .records import Damaged, Record, scan, uuid_of
from .removals import removed_of
from .report import Report
from .seal import WARC, listed, warcs

MAX_LOST = 1000
"""Posts without a record that are named one by one."""
_UNFINISHED = "a removal that was broken off, `jaga evidence prune` goes on with it"


def verify_archive(
    home: Path,
    trusted: list[x509.Certificate] | None = None,
    head: str = "",
    now: datetime | None = None,
    pointers: Iterable[tuple[str, Evidence]] | None = None,
) -> Report:
    """All that lies under JAGA_HOME: WARC files, lists, chain, stamps, removals. `pointers`: of posts to their records, by post id."""
    report = Report(bodies=None if pointers is None else {})
    entries = check_chain(home, report, head)
    _attachments(home, entries, report)
    check_stamps(home, entries, report, trusted or [])
    state = _state(home, entries, report)
    removed: dict[str, set[str]] = {}
    try:
        removed = removed_of(home, entries.values())
    except BadChain as bad:
        report.wrong(bad.file, bad.what)
    for name, (entry, expected) in sorted(state.items()):
        _warc(home, name, entry, expected, removed.get(name, ()), report)
    today = (now or datetime.now(UTC)).strftime("%Y%m%d")
    for name in warcs(home):
        if name in state:
            continue
        if name[:8] < today:
            what = "its day is over and no manifest names it: `jaga evidence seal`; if it was sealed before, its manifest was taken away"
            report.wrong(f"warc/{name}", what)
        else:
            report.notes.append(f"warc/{name}: today's, not sealed yet")
        _scan(home / "warc" / name, f"warc/{name}", report, open_end=name[:8] >= today)
    _odd_files(home, report)
    if pointers is not None:
        _pointers(pointers, set().union(*removed.values()), report)
    return report


def _pointers(pointers: Iterable[tuple[str, Evidence]], removed: Collection[str], report: Report) -> None:
    """Every post's record must be there and hold the body that the post names, or have been removed by rule."""
    bodies = report.bodies or {}
    lost = 0
    for post_id, evidence in pointers:
        report.posts += 1
        uuid = (uuid_of(evidence.record_id) or "").lower()
        if not uuid:
            report.wrong(
                f"warc/{evidence.warc}", f"post {post_id}: {evidence.record_id[:100]!r} is no record id of ours"
            )
            continue
        body = bodies.get(bytes.fromhex(uuid.replace("-", "")))
        if uuid in removed:
            continue
        if body is None:
            lost += 1
            if lost <= MAX_LOST:
                report.wrong(f"warc/{evidence.warc}", f"the record of post {post_id} is in no file", uuid)
        elif body.hex() != evidence.sha256[:16]:
            report.wrong(f"warc/{evidence.warc}", f"its body is not the one that post {post_id} names", uuid)
    if lost > MAX_LOST:
        report.wrong("warc", f"the records of {lost - MAX_LOST} more posts are in no file")


def _attachments(home: Path, entries: Mapping[int, Entry], report: Report) -> None:
    """Lists, holds, removals: what an entry names beside WARC files, stamps and entries must be there, unchanged."""
    for entry in entries.values():
        for path, sha256 in entry.digests.items():
            if not path.startswith(("evidence/records/", "evidence/holds/", "evidence/removed/", "evidence/openings/")):
                continue
            if (why := differs(home, path, sha256)) is not None:
                report.wrong(path, f"{why} ({entry.path})")


def _state(home: Path, entries: Mapping[int, Entry], report: Report) -> dict[str, tuple[Entry, str | None]]:
    """WARC file -> the entry that speaks of it last, and its SHA-256 by it; None if it was removed whole."""
    state: dict[str, tuple[Entry, str | None]] = {}
    for entry in sorted(entries.values(), key=lambda entry: entry.number):
        for name in entry.files:
            sha256 = entry.digests.get(f"warc/{name}")
            if not WARC.fullmatch(name) or (entry.kind == "day" and sha256 is None):
                report.wrong(entry.path, f"does not say what {name[:100]} is")
            elif entry.kind == "day" and name in state:
                report.wrong(entry.path, f"names {name}, which {state[name][0].path} has already")
            elif entry.kind in ("day", "removal"):
                state[name] = (entry, sha256)
    return state


def _warc(home: Path, name: str, entry: Entry, expected: str | None, removed: Collection[str], report: Report) -> None:
    path = f"warc/{name}"
    report.removed += len(removed)
    if expected is None:
        if os.path.lexists(home / path):
            report.wrong(path, f"should be gone by {entry.path}: {_UNFINISHED}")
        else:
            report.notes.append(f"{path}: removed, {_rule(entry)}")
        return
    report.files += 1
    if removed:
        report.notes.append(f"{path}: {len(removed)} records removed, {_rule(entry)}")
    why = differs(home, path, expected)
    if why not in (None, CHANGED):
        report.wrong(path, f"{why} ({entry.path})")
        return
    unfinished = why is not None and entry.kind == "removal"
    try:
        wanted = {uuid: sha for uuid, sha in listed(home, name).items() if unfinished or uuid not in removed}
    except BadChain:
        wanted = None  # told already, as an attachment
    before = len(report.problems)
    seen = _scan(home / path, path, report, wanted=wanted)
    if unfinished:
        report.wrong(path, f"is not what {entry.path} left of it: {_UNFINISHED}")
    elif why is not None and len(report.problems) == before:
        report.wrong(path, f"{why} ({entry.path})")
    elif why is None and wanted is not None:
        for uuid in [uuid for uuid in wanted if uuid not in seen][:100]:
            report.wrong(path, "is in its list and not in the file", uuid)


def _rule(entry: Entry) -> str:
    return f"{entry.made_at} by {entry.about.get('by', '?')}, {entry.about.get('rule', '?')} ({entry.path})"


def _scan(
    file: Path, path: str, report: Report, *, wanted: Mapping[str, str] | None = None, open_end: bool = False
) -> set[str]:
    """Read every record; those seen. `wanted`: UUID -> SHA-256 of its bytes, in the file's order."""
    seen: set[str] = set()
    order = list(wanted or ())
    try:
        with file.open("rb") as opened:
            for record in scan(opened):
                seen.add(record.id)
                report.records += 1
                if report.bodies is not None:
                    report.bodies[bytes.fromhex(record.id.replace("-", ""))] = bytes.fromhex(record.payload_sha256[:16])
                _record(record, path, report, wanted)
    except Damaged as damage:
        if not (open_end and damage.cut):
            here = order[len(seen)] if len(seen) < len(order) else None
            report.wrong(path, str(damage), here)
    except OSError as error:
        report.wrong(path, f"cannot be read: {error.strerror}")
    return seen


def _record(record: Record, path: str, report: Report, wanted: Mapping[str, str] | None) -> None:
    if record.problem:
        report.wrong(path, record.problem, record.id)
    elif wanted is not None and record.id not in wanted:
        report.wrong(path, "is not in the file's list", record.id)
    elif wanted is not None and wanted[record.id] != record.sha256:
        report.wrong(path, "its bytes are not those of the list", record.id)


def _odd_files(home: Path, report: Report) -> None:
    """Links and other things that have no business in the archive."""
    for folder in ("warc", "evidence", *(f"evidence/{name}" for name in ("records", "holds", "removed", "openings"))):
        try:
            with os.scandir(home / folder) as there:
                for entry in there:
                    if entry.is_symlink():
                        report.wrong(f"{folder}/{entry.name}", "is a link")
        except (FileNotFoundError, NotADirectoryError):
            continue
