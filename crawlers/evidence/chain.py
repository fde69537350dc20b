"""The chain: numbered text files, each with the SHA-256 of the one before and of what it speaks of.

An entry is one line of JSON behind `#`, and lines as `sha256sum` writes them, with paths from JAGA_HOME:

    # jaga-evidence 1 {"number": 2, "kind": "day", "made_at": "2026-11-28T00:05:00Z", "day": "2026-11-27", "files": {...}}
    3a6e...  evidence/000001.txt
    90f1...  evidence/records/20261127-4711.txt
    c0de...  warc/20261127-4711.warc.gz

so that `sha256sum --check` and `grep` suffice to follow it. Kinds: `day` (a manifest), `removal`, `hold`, `release`, `opening`. Entries are only added.
`HEAD` has the last entry, and the time stamps that no entry covers yet. An entry holds once its file is there; a `HEAD` that a crash
left one behind is mended by the next that adds.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FORM = "# jaga-evidence 1 "
MAX_ENTRY_BYTES = 50_000_000
"""A day of 250,000 WARC files; a longer one is not ours."""
KINDS = ("day", "removal", "hold", "release", "opening")
_ENTRY = re.compile(r"(\d{6,9})\.txt")
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*)")
_CHUNK = 1 << 20


class BadChain(Exception):
    """An entry that is missing, or not what the chain says; names the file."""

    def __init__(self, file: str, what: str) -> None:
        super().__init__(f"{file}: {what}")
        self.file, self.what = file, what


class BadEvidence(Exception):
    """What was asked for cannot be done; says why."""


@dataclass(frozen=True)
class Entry:
    number: int
    kind: str
    made_at: str
    about: Mapping[str, Any]
    """The JSON of its first line."""
    digests: Mapping[str, str]
    """Path from JAGA_HOME -> SHA-256."""
    sha256: str
    """Of the entry itself."""

    @property
    def path(self) -> str:
        return f"evidence/{self.number:06d}.txt"

    @property
    def files(self) -> Mapping[str, Mapping[str, Any]]:
        """WARC file -> what a manifest or a removal says of it."""
        return dict(self.about.get("files", {}))


@dataclass(frozen=True)
class Head:
    """What `HEAD` says. `number` 0: there is no chain."""

    number: int = 0
    sha256: str = ""
    stamps: Mapping[str, str] = field(default_factory=dict)
    """Time stamps that no entry covers yet: path -> SHA-256."""


class Chain:
    """The chain under `home` (JAGA_HOME, or an exported folder)."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "evidence"

    # -- reading

    def numbers(self) -> list[int]:
        """Of the entries that are there."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        return sorted(int(found[1]) for name in names if (found := _ENTRY.fullmatch(name)))

    def entry(self, number: int) -> Entry:
        """Raises BadChain if it is not there or not in form."""
        path = f"evidence/{number:06d}.txt"
        data = read_small(self.home, path, MAX_ENTRY_BYTES)
        entry = parse(path, data)
        if entry.number != number:
            raise BadChain(path, f"says that it is number {entry.number}")
        return entry

    def entries(self) -> Iterator[Entry]:
        """From the first on, each checked against the one before. Raises BadChain at the first that does not fit."""
        before: Entry | None = None
        for number in range(1, (self.numbers() or [0])[-1] + 1):
            entry = self.entry(number)
            if before is not None and entry.digests.get(before.path) != before.sha256:
                raise BadChain(entry.path, f"{before.path} is not the one that it was made after")
            yield entry
            before = entry

    def head(self) -> Head:
        """Raises BadChain if `HEAD` is not in form."""
        if not (self.folder / "HEAD").exists():
            return Head()
        lines = dict_of(
            "evidence/HEAD", read_small(self.home, "evidence/HEAD", MAX_ENTRY_BYTES).decode("utf-8", "replace")
        )
        entries = [path for path in lines if _ENTRY.fullmatch(path.removeprefix("evidence/"))]
        if len(entries) != 1:
            raise BadChain("evidence/HEAD", "does not name one entry")
        sha256 = lines.pop(entries[0])
        return Head(int(entries[0][9:-4]), sha256, lines)

    # -- writing

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One that seals, stamps, holds or removes at a time. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def append(
        self, kind: str, about: Mapping[str, Any], digests: Mapping[str, str], *, at: datetime | None = None
    ) -> Entry:
        """Add an entry; it is durable on return. Only under `locked`. Raises OSError (nothing was added), BadChain."""
        last = self.last()
        number = last.number + 1 if last else 1
        lines = dict(digests)
        if last is not None:
            lines[last.path] = last.sha256
            lines |= self._stamps_after(last)
        told = {"number": number, "kind": kind, "made_at": told_at(at or datetime.now(UTC)), **about}
        text = FORM + json.dumps(told, ensure_ascii=True, separators=(", ", ": ")) + "\n" + lines_of(lines)
        entry = parse(f"evidence/{number:06d}.txt", text.encode())
        write_whole(self.home / entry.path, text.encode())
        self.set_head(entry)
        return entry

    def last(self) -> Entry | None:
        """The entry to go on from. A `HEAD` that a crash left one behind is mended. Only under `locked`.

        Raises BadChain if `HEAD` knows of another: going on would hide that entries were taken away.
        """
        numbers, head = self.numbers(), self.head()
        if not numbers and not head.number:
            return None
        if head.number > (numbers or [0])[-1]:
            raise BadChain(f"evidence/{head.number:06d}.txt", "is missing: evidence/HEAD names it")
        last = self.entry(numbers[-1])
        if head.number == last.number and head.sha256 == last.sha256:
            return last
        if head.number != last.number - 1 or (head.number and head.sha256 != self.entry(head.number).sha256):
            raise BadChain("evidence/HEAD", f"does not fit {last.path}")
        self.set_head(last)
        return last

    def set_head(self, entry: Entry) -> None:
        lines = {entry.path: entry.sha256, **self._stamps_after(entry)}
        write_whole(self.folder / "HEAD", lines_of(lines).encode())

    def _stamps_after(self, last: Entry) -> dict[str, str]:
        """Stamps that came since the last entry was made: of it, or of one before."""
        found = {}
        for path in sorted(self.folder.glob("*.tsr")):
            name = f"evidence/{path.name}"
            if name not in last.digests and not self._covered(name, last.number):
                found[name] = sha256_of(path)
        return found

    def _covered(self, name: str, last: int) -> bool:
        """Whether an entry between the stamped one and the last has the stamp."""
        stamped = int(Path(name).stem) if Path(name).stem.isdigit() else 0
        return any(name in self.entry(number).digests for number in range(max(1, stamped + 1), last + 1))


def stamp_path(entry: Entry) -> str:
    return entry.path.removesuffix(".txt") + ".tsr"


def unstamped(home: Path) -> bool:
    """Whether the newest entry has no time stamp. Raises BadChain."""
    chain = Chain(home)
    numbers = chain.numbers()
    return bool(numbers) and not (home / stamp_path(chain.entry(numbers[-1]))).exists()


def parse(path: str, data: bytes) -> Entry:
    """Raises BadChain."""
    try:
        first, _, rest = data.decode("ascii").partition("\n")
        if not first.startswith(FORM):
            raise ValueError("does not begin as an entry does")
        about = json.loads(first[len(FORM) :])
        number, kind, made_at = about["number"], about["kind"], about["made_at"]
        if type(number) is not int or kind not in KINDS or not isinstance(made_at, str):
            raise ValueError("number, kind or made_at is not as it should be")
        if not isinstance(about.get("files", {}), dict) or not all(
            isinstance(told, dict) for told in about.get("files", {}).values()
        ):
            raise ValueError("files is no table")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadChain(path, f"is no entry of a chain: {str(error)[:200]}") from error
    return Entry(number, kind, made_at, about, dict_of(path, rest), hashlib.sha256(data).hexdigest())


def dict_of(file: str, text: str) -> dict[str, str]:
    """Lines as sha256sum writes them: path -> SHA-256. Raises BadChain naming the line; paths that lead elsewhere are refused."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.split("\n")[:-1] if text else [], start=1):
        fits = _LINE.fullmatch(line)
        if fits is None or fits[2] in found:
            raise BadChain(file, f"line {number} of its digests is not in form")
        found[fits[2]] = fits[1]
    if text and not text.endswith("\n"):
        raise BadChain(file, "its last line is cut")
    return found


def lines_of(digests: Mapping[str, str]) -> str:
    return "".join(f"{sha256}  {path}\n" for path, sha256 in sorted(digests.items()))


def sha256_of(path: Path) -> str:
    """Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(_CHUNK):
            digest.update(data)
    return digest.hexdigest()


def read_small(home: Path, path: str, limit: int) -> bytes:
    """A file's bytes. Raises BadChain if it is not there, no plain file, or longer than `limit`."""
    try:
        with os.fdopen(os.open(home / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise BadChain(path, "is missing") from None
    except OSError as error:
        raise BadChain(path, f"cannot be read: {error.strerror}") from error
    if len(data) > limit:
        raise BadChain(path, f"is longer than {limit} bytes")
    return data


def write_whole(path: Path, data: bytes) -> None:
    """All of it, durable, or nothing. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def told_at(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
