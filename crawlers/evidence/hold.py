"""Legal hold: what is on it stays, whatever the retention. Each hold and release is an entry of the chain; who and why lie in a file
of its own (`evidence/holds/NNNNNN.json`), which no export hands over."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .chain import BadChain, BadEvidence, Chain, Entry, read_small, sha256_of, told_at, write_whole

MAX_HOLD_BYTES = 100_000_000


@dataclass(frozen=True)
class Hold:
    """One act of holding or letting go."""

    act: str
    """`add` or `remove`"""
    id: str
    who: str
    why: str
    at: str
    records: tuple[str, ...] = ()
    """UUIDs that the id stood for then. What it stands for later is held, too."""
    entry: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "records": list(self.records)}


class Holds:
    def __init__(self, home: Path) -> None:
        self.home, self.chain = home, Chain(home)

    def events(self) -> list[Hold]:
        """Every hold and release, the first first. Raises BadChain."""
        return [self._read(entry) for entry in self.chain.entries() if entry.kind in ("hold", "release")]

    def in_force(self) -> dict[str, Hold]:
        """Id -> the hold on it. Raises BadChain."""
        found: dict[str, Hold] = {}
        for event in self.events():
            found.pop(event.id, None)
            if event.act == "add":
                found[event.id] = event
        return found

    def add(self, name: str, who: str, why: str, uuids: Sequence[str], at: datetime | None = None) -> Hold:
        """`uuids`: of the records that `name` stands for now. Raises BadEvidence if it is held already or a reason is wanting."""
        return self._append("add", name, who, why, tuple(sorted(uuids)), at)

    def remove(self, name: str, who: str, why: str, at: datetime | None = None) -> Hold:
        """Raises BadEvidence if it is not held or a reason is wanting."""
        return self._append("remove", name, who, why, (), at)

    def _append(self, act: str, name: str, who: str, why: str, uuids: tuple[str, ...], at: datetime | None) -> Hold:
        who, why, at = who.strip(), why.strip(), at or datetime.now(UTC)
        if not why:
            raise BadEvidence("--why: a hold, and its end, need a reason")
        if not who:
            raise BadEvidence("--by: the name of who decides is needed")
        with self.chain.locked():
            held = name in self.in_force()
            if held is (act == "add"):
                raise BadEvidence(f"{name}: {'is on hold already' if held else 'is not on hold'}")
            number = (self.chain.numbers() or [0])[-1] + 1
            hold = Hold(act, name, who, why, told_at(at), uuids, number)
            path = f"evidence/holds/{number:06d}.json"
            write_whole(self.home / path, json.dumps(hold.as_dict(), ensure_ascii=False).encode())
            self.chain.append("hold" if act == "add" else "release", {}, {path: sha256_of(self.home / path)}, at=at)
            return hold

    def _read(self, entry: Entry) -> Hold:
        path = f"evidence/holds/{entry.number:06d}.json"
        data = read_small(self.home, path, MAX_HOLD_BYTES)
        if entry.digests.get(path) != sha256_of(self.home / path):
            raise BadChain(path, f"is not what {entry.path} says")
        try:
            told = json.loads(data)
            return Hold(**{**told, "records": tuple(told["records"])})
        except (ValueError, TypeError, KeyError) as error:
            raise BadChain(path, f"cannot be read: {error}") from error
