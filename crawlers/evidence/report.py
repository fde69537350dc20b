"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


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
