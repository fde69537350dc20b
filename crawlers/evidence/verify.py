"""Whether the archive, or a folder that somebody handed over, is what its chain says. Nothing in it is trusted: no link is followed, no
path leads out, memory stays bounded."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from pydantic import ValidationError

from pipeline.contracts import Evidence, Post, explain

from .chain import (
    MAX_ENTRY_BYTES,
    BadChain,
    Chain,
    Entry,
    dict_of,
    lines_of,
    read_small,
    sha256_of,
    told_at,
)
from .records import Damaged, Record, scan, uuid_of
from .removals import removed_of
from .seal import MAX_LIST_BYTES, WARC, listed, warcs
from .stamp import MAX_BYTES, NoStamp, read_stamp

MAX_FILES = 200_000
MAX_LOST = 1000
"""Posts without a record that are named one by one."""
MAX_POSTS_BYTES = 500_000_000
_CHANGED = "has another SHA-256 than the chain says"
_UNFINISHED = "a removal that was broken off, `jaga evidence prune` goes on with it"


@dataclass(frozen=True)
class Problem:
    """Something that is not as it must be: in which file, and which record of it where that can be said."""

    file: str
    what: str
    record: str | None = None

    def __str__(self) -> str:
        return f"{self.file}: {f'record {self.record}: ' if self.record else ''}{self.what}"


@dataclass
class Report:
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: int = 0
    records: int = 0
    entries: int = 0
    removed: int = 0
    head: str = ""
    """SHA-256 of the chain's last entry: whoever noted an earlier one elsewhere can ask for it with `--head`."""
    stamps: list[dict[str, Any]] = field(default_factory=list)
    posts: int = 0
    """Pointers of posts that were followed."""
    bodies: dict[bytes, bytes] | None = None
    """UUID -> begin of the SHA-256 of its body, of every record seen; None if nobody asks. 150 bytes a record."""

    @property
    def ok(self) -> bool:
        return not self.problems

    def wrong(self, file: str, what: str, record: str | None = None) -> None:
        self.problems.append(Problem(file, what, record))

    def as_dict(self) -> dict[str, Any]:
        told = {name: value for name, value in vars(self).items() if name != "bodies"}
        return {"ok": self.ok, **told, "problems": [vars(problem) for problem in self.problems]}


def verify_archive(
    home: Path,
    trusted: list[x509.Certificate] | None = None,
    head: str = "",
    now: datetime | None = None,
    pointers: Iterable[tuple[str, Evidence]] | None = None,
) -> Report:
    """All that lies under JAGA_HOME: WARC files, lists, chain, stamps, removals. `pointers`: of posts to their records, by post id."""
    report = Report(bodies=None if pointers is None else {})
    entries = _chain(home, report, head)
    _attachments(home, entries, report)
    _stamps(home, entries, report, trusted or [])
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


# ---------------------------------------------------------------- the chain


def _chain(home: Path, report: Report, head: str) -> dict[int, Entry]:
    """The entries that can be read; everything that is wrong with their row."""
    chain = Chain(home)
    numbers = chain.numbers()
    found: dict[int, Entry] = {}
    try:
        told = chain.head()
    except BadChain as bad:
        report.wrong(bad.file, bad.what)
        told = None
    for number in range(1, max([*numbers, told.number if told else 0], default=0) + 1):
        try:
            found[number] = chain.entry(number)
        except BadChain as bad:
            report.wrong(bad.file, bad.what)
    for number, entry in found.items():
        before = found.get(number - 1)
        if number > 1 and (before is None or entry.digests.get(before.path) != before.sha256):
            what = "is missing" if before is None else "is not the one that the next was made after"
            if before is not None:
                report.wrong(before.path, what)
    last = found.get(numbers[-1]) if numbers else None
    if last is not None:
        report.head = last.sha256
        _head(last, found, told, report)
    report.entries = len(found)
    if head and head.lower() not in {entry.sha256 for entry in found.values()}:
        report.wrong("evidence", f"no entry of the chain has the SHA-256 {head[:64]}, which was noted before")
    return found


def _head(last: Entry, found: Mapping[int, Entry], told: Any, report: Report) -> None:
    if told is None:
        return
    if told.number == last.number and told.sha256 == last.sha256:
        return
    earlier = found.get(told.number)
    if told.number == last.number - 1 and earlier is not None and earlier.sha256 == told.sha256:
        report.notes.append("evidence/HEAD: one entry behind, as a crash leaves it; the next entry mends it")
    elif told.number == 0:
        report.wrong("evidence/HEAD", "is missing")
    elif told.number in found and found[told.number].sha256 != told.sha256:
        report.wrong(f"evidence/{told.number:06d}.txt", "is not the one that evidence/HEAD names")
    elif told.number < last.number:
        report.wrong("evidence/HEAD", f"names {told.number:06d}.txt; there are later ones")


def _attachments(home: Path, entries: Mapping[int, Entry], report: Report) -> None:
    """Lists, holds, removals: what an entry names beside WARC files, stamps and entries must be there, unchanged."""
    for entry in entries.values():
        for path, sha256 in entry.digests.items():
            if not path.startswith(("evidence/records/", "evidence/holds/", "evidence/removed/", "evidence/openings/")):
                continue
            if (why := _differs(home, path, sha256)) is not None:
                report.wrong(path, f"{why} ({entry.path})")


def _differs(home: Path, path: str, sha256: str) -> str | None:
    try:
        if not stat.S_ISREG(os.lstat(home / path).st_mode):
            return "is no plain file"
        return None if sha256_of(home / path) == sha256 else _CHANGED
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _stamps(home: Path, entries: Mapping[int, Entry], report: Report, trusted: list[x509.Certificate]) -> None:
    named = {p: s for entry in entries.values() for p, s in entry.digests.items() if p.endswith(".tsr")}
    try:
        covered = {**named, **Chain(home).head().stamps}
    except BadChain:
        covered = named
    there = {f"evidence/{path.name}" for path in (home / "evidence").glob("*.tsr")}
    for path in sorted(covered.keys() | there):
        number = int(path[9:-4]) if path[9:-4].isdigit() else 0
        entry = entries.get(number)
        if path in covered and (why := _differs(home, path, covered[path])) is not None:
            report.wrong(path, why)
            continue
        if entry is None:
            report.wrong(path, "is the stamp of no entry")
            continue
        try:
            data = read_small(home, entry.path, MAX_ENTRY_BYTES)
            at = read_stamp(read_small(home, path, MAX_BYTES), data, trusted)
        except (NoStamp, BadChain) as error:
            report.wrong(path, str(error))
            continue
        if path not in covered:
            report.notes.append(f"{path}: covered by no entry yet, as a crash leaves it")
        report.stamps.append(
            {"entry": entry.number, "at": told_at(at), "signature": "checked" if trusted else "not checked"}
        )
    if report.stamps and not trusted:
        report.notes.append("time stamps: signatures not checked, since no authority is named (JAGA_TSA_CA or --ca)")


# ---------------------------------------------------------------- WARC files


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
    why = _differs(home, path, expected)
    if why not in (None, _CHANGED):
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


# ---------------------------------------------------------------- an exported folder


def verify_folder(folder: Path, trusted: list[x509.Certificate] | None = None, head: str = "") -> Report:
    """A folder made by `jaga evidence export`. One with links in it is not looked at any further."""
    report = Report()
    files = _walk(folder, report)
    if not report.ok:
        return report
    _sums(folder, files, report)
    entries = _chain(folder, report, head)
    if not entries:
        report.wrong("evidence", "holds no chain")
    _stamps(folder, entries, report, trusted or [])
    lists = _lists(folder, files, entries, report)
    payloads = _single_records(folder, files, lists, report)
    _posts(folder, payloads, report)
    return report


def _walk(folder: Path, report: Report) -> list[str]:
    """Every plain file, as a path from the folder. Links and other things are problems and are not followed."""
    found: list[str] = []
    left = [folder]
    while left and len(found) < MAX_FILES:
        with os.scandir(left.pop()) as there:
            for entry in there:
                path = Path(entry.path).relative_to(folder).as_posix()
                if entry.is_symlink():
                    report.wrong(path, "is a link")
                elif entry.is_dir(follow_symlinks=False):
                    left.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    found.append(path)
                else:
                    report.wrong(path, "is no plain file")
    if len(found) >= MAX_FILES:
        report.wrong(".", f"more than {MAX_FILES} files")
    return sorted(found)


def _sums(folder: Path, files: list[str], report: Report) -> None:
    try:
        text = read_small(folder, "SHA256SUMS", MAX_LIST_BYTES).decode("utf-8", "replace")
        told = dict_of("SHA256SUMS", text)
    except BadChain as bad:
        report.wrong(bad.file, bad.what)
        return
    if text != lines_of(told):
        report.wrong("SHA256SUMS", "is not in the order in which it was made")
    there = set(files) - {"SHA256SUMS"}
    for path in sorted(there - told.keys()):
        report.wrong(path, "is not named in SHA256SUMS")
    for path in sorted(told.keys() - there):
        report.wrong(path, "is missing")
    for path in sorted(told.keys() & there):
        report.files += 1
        if (why := _differs(folder, path, told[path])) is not None:
            report.wrong(path, why.replace("the chain says", "SHA256SUMS says"))


def _lists(folder: Path, files: list[str], entries: Mapping[int, Entry], report: Report) -> dict[str, str]:
    """UUID.warc.gz -> SHA-256 from the lists that a manifest vouches for."""
    vouched = {
        path: sha256 for entry in entries.values() if entry.kind == "day" for path, sha256 in entry.digests.items()
    }
    found: dict[str, str] = {}
    for path in files:
        if not path.startswith("evidence/records/"):
            continue
        why = "is in no manifest" if path not in vouched else _differs(folder, path, vouched[path])
        if why is not None:
            report.wrong(path, why)
            continue
        try:
            found |= dict_of(path, read_small(folder, path, MAX_LIST_BYTES).decode("ascii", "replace"))
        except BadChain as bad:
            report.wrong(bad.file, bad.what)
    return found


def _single_records(folder: Path, files: list[str], lists: Mapping[str, str], report: Report) -> dict[str, str]:
    """UUID -> SHA-256 of the body that was fetched, of every record in the folder."""
    found: dict[str, str] = {}
    for path in files:
        if not path.startswith("warc/"):
            continue
        name = path.removeprefix("warc/")
        uuid = name.removesuffix(".warc.gz")
        known = len(report.problems)
        try:
            with (folder / path).open("rb") as opened:
                for record in scan(opened):
                    report.records += 1
                    found[record.id] = record.payload_sha256
                    if record.id != uuid:
                        report.wrong(path, "is another record than its name says", record.id)
                    elif record.problem:
                        report.wrong(path, record.problem, uuid)
                    elif lists.get(name) != record.sha256:
                        what = (
                            "is in no list of records" if name not in lists else "its bytes are not those of the list"
                        )
                        report.wrong(path, what, uuid)
        except Damaged as damage:
            report.wrong(path, str(damage), uuid)
        except OSError as error:
            report.wrong(path, f"cannot be read: {error.strerror}")
        if uuid not in found and len(report.problems) == known:
            report.wrong(path, "holds no record")
    return found


def _posts(folder: Path, payloads: Mapping[str, str], report: Report) -> None:
    try:
        told = json.loads(read_small(folder, "posts.json", MAX_POSTS_BYTES))
        shown = list(_shown(told))
    except BadChain as bad:
        report.wrong(bad.file, bad.what)
        return
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        report.wrong("posts.json", f"cannot be read: {str(error)[:200]}")
        return
    named = set()
    for post_id, post, records in shown:
        if post.id != post_id:
            report.wrong("posts.json", f"post {post_id[:60]} is not the one that its id says")
        for record in records:
            uuid = uuid_of(str(record["record_id"])) or ""
            named.add(uuid)
            if record.get("missing"):
                report.notes.append(
                    f"post {post_id}: record {uuid} is not in the folder: {str(record['missing'])[:300]}"
                )
            elif uuid not in payloads:
                report.wrong(f"warc/{uuid}.warc.gz", f"is missing; post {post_id} was read from it", uuid)
            elif payloads[uuid] != record["sha256"]:
                report.wrong(
                    f"warc/{uuid}.warc.gz", f"its body is not the one from which post {post_id} was read", uuid
                )
    for uuid in sorted(payloads.keys() - named):
        report.wrong(f"warc/{uuid}.warc.gz", "no post of posts.json was read from it", uuid)


def _shown(told: Any) -> Iterator[tuple[str, Post, list[dict[str, Any]]]]:
    """Raises ValueError, KeyError, TypeError, AttributeError."""
    for one in told["posts"]:
        try:
            yield str(one["id"]), Post.model_validate(one["post"]), [dict(record) for record in one["records"]]
        except ValidationError as error:
            raise ValueError(explain(error)) from error
