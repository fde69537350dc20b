"""What was removed, by the chain: `evidence/removed/NNNNNN.txt` has a line `WARC-FILE UUID` for each record that entry NNNNNN took out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from .chain import BadChain, Entry, read_small

MAX_REMOVED_BYTES = 500_000_000
_LINE = re.compile(r"(\d{8}-[0-9A-Za-z-]{1,60}\.warc\.gz) ([0-9a-f-]{36})")


def removed_path(number: int) -> str:
    return f"evidence/removed/{number:06d}.txt"


def removed_by(home: Path, entry: Entry) -> dict[str, set[str]]:
    """WARC file -> UUIDs that the entry took out. Raises BadChain."""
    path = removed_path(entry.number)
    if path not in entry.digests:
        raise BadChain(entry.path, f"does not name {path}")
    found: defaultdict[str, set[str]] = defaultdict(set)
    for number, line in enumerate(read_small(home, path, MAX_REMOVED_BYTES).decode("ascii", "replace").splitlines(), 1):
        fits = _LINE.fullmatch(line)
        if fits is None:
            raise BadChain(path, f"line {number} is not in form")
        found[fits[1]].add(fits[2])
    return dict(found)


def removed_of(home: Path, entries: Iterable[Entry]) -> dict[str, set[str]]:
    """WARC file -> UUIDs that were taken out of it at any time. Raises BadChain."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for entry in entries:
        if entry.kind == "removal":
            for name, uuids in removed_by(home, entry).items():
                found[name] |= uuids
    return dict(found)
