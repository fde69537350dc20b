"""Who did what that people must be able to ask about later: an append-only file, each line chained to the one before.

Nothing in it can be changed, moved or taken out without `verify` telling, except at its end; whoever keeps the last entry's hash
elsewhere sees that, too.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

FIRST = "0" * 64
"""What the first entry follows."""


class Tampered(Exception):
    """The file is not as it was written; names the line."""


@dataclass(frozen=True)
class Entry:
    number: int
    at: datetime
    who: str
    act: str
    """What was done, e.g. `keys rotate`."""
    what: str
    """To what: an id, a name."""
    why: str
    details: dict[str, Any]
    before: str
    """Hash of the entry before."""
    hash: str


class Audit:
    """One file. Safe for several processes; each entry is on the disk when `record` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(self, *, who: str, act: str, what: str, why: str, at: datetime | None = None, **details: Any) -> Entry:
        """Append. Raises ValueError without a name or a reason, Tampered if the last line is none, OSError."""
        who, why = who.strip(), why.strip()
        if not who or not why:
            raise ValueError("an entry needs the name of who does it, and why")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            last = _last(self._read(file))
            size = file.seek(0, os.SEEK_END)
            # A line that a power cut left half was never acknowledged; the next begins behind it.
            torn = b"\n" if size and not self._ends(file) else b""
            told = {
                "number": last.number + 1 if last else 1,
                "at": (at or datetime.now(UTC)).astimezone(UTC).isoformat(),
                "who": who,
                "act": act,
                "what": what,
                "why": why,
                "details": details,
                "before": last.hash if last else FIRST,
            }
            line = _line(told)
            file.seek(0, os.SEEK_END)
            file.write(torn + line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return _entry(line)

    def entries(self) -> Iterator[Entry]:
        """All, the first one first. Raises Tampered where one does not follow the one before."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            yield from self._read(file)

    def verify(self) -> tuple[int, str]:
        """(how many entries, hash of the last). Raises Tampered."""
        last = _last(self.entries())
        return (last.number, last.hash) if last else (0, FIRST)

    def _read(self, file: BinaryIO) -> Iterator[Entry]:
        file.seek(0)
        before, number = FIRST, 0
        for nth, raw in enumerate(file, start=1):
            try:
                entry = _entry(raw.rstrip(b"\n"))
            except (ValueError, KeyError, TypeError):
                continue  # torn; had it been an entry, the next one would not follow
            if entry.before != before or entry.number != number + 1:
                raise Tampered(f"{self.path}:{nth}: does not follow entry {number}")
            before, number = entry.hash, entry.number
            yield entry

    @staticmethod
    def _ends(file: BinaryIO) -> bool:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _last(entries: Iterator[Entry]) -> Entry | None:
    return next(iter(deque(entries, maxlen=1)), None)


def _line(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _entry(line: bytes) -> Entry:
    told = json.loads(line)
    return Entry(
        told["number"],
        datetime.fromisoformat(told["at"]),
        told["who"],
        told["act"],
        told["what"],
        told["why"],
        told["details"],
        told["before"],
        hashlib.sha256(line).hexdigest(),
    )
