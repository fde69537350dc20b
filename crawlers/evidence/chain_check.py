"""Whether a chain is whole: its entries, its head, its stamps. Of the archive and of a folder alike."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509

from .chain import MAX_ENTRY_BYTES, BadChain, Chain, Entry, Head, read_small, sha256_of, told_at
from .report import Report
from .stamp import MAX_BYTES, NoStamp, read_stamp

CHANGED = "has another SHA-256 than the chain says"


def check_chain(home: Path, report: Report, head: str) -> dict[int, Entry]:
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


def _head(last: Entry, found: Mapping[int, Entry], told: Head | None, report: Report) -> None:
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


def differs(home: Path, path: str, sha256: str) -> str | None:
    try:
        if not stat.S_ISREG(os.lstat(home / path).st_mode):
            return "is no plain file"
        return None if sha256_of(home / path) == sha256 else CHANGED
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def check_stamps(home: Path, entries: Mapping[int, Entry], report: Report, trusted: list[x509.Certificate]) -> None:
    named = {p: s for entry in entries.values() for p, s in entry.digests.items() if p.endswith(".tsr")}
    try:
        covered = {**named, **Chain(home).head().stamps}
    except BadChain:
        covered = named
    there = {f"evidence/{path.name}" for path in (home / "evidence").glob("*.tsr")}
    for path in sorted(covered.keys() | there):
        number = int(path[9:-4]) if path[9:-4].isdigit() else 0
        entry = entries.get(number)
        if path in covered and (why := differs(home, path, covered[path])) is not None:
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
