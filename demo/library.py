"""The hand-written texts of `content/*.md`, read into plain records.

A notebook is Markdown kept so simple that an editor without Python can add to it: `# head | column |
column` opens an entry, `name: value` lines are its fields (a repeated name makes a list), `## part` opens
a list of `- lines`, and a line that starts with `>` answers the line before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

CONTENT = Path(__file__).parent / "content"

_TAG = re.compile(r"^\[([a-z_=~][a-z0-9_=~:/-]*)\]\s*")


class NotebookError(ValueError):
    """A line of a notebook that means nothing; the message names file and line."""


@dataclass(frozen=True)
class Line:
    """One hand-written post: its text, the tag in `[...]` before it ('' for ordinary talk), whether it is
    a reply."""

    text: str
    tag: str = ""
    answers: bool = False


@dataclass
class Entry:
    """What stands under one `# head`: columns of the head, fields, and parts (lists of lines)."""

    head: str
    columns: list[str]
    fields: dict[str, list[str]] = field(default_factory=dict)
    parts: dict[str, list[Line]] = field(default_factory=dict)

    def one(self, name: str, default: str = "") -> str:
        """The first value of a field, or the default."""
        return self.fields.get(name, [default])[0]


@cache
def notebook(name: str) -> tuple[Entry, ...]:
    """The entries of `content/<name>.md` in written order."""
    path = CONTENT / f"{name}.md"
    entries: list[Entry] = []
    part = "lines"
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        text = raw.strip()
        if not text:
            continue
        if text.startswith("# "):
            head, *columns = (column.strip() for column in text[2:].split("|"))
            entries.append(Entry(head, columns))
            part = "lines"
            continue
        if not entries:
            raise NotebookError(f"{path.name}:{number}: text before the first '# head'")
        entry = entries[-1]
        if text.startswith("## "):
            part = text[3:].strip()
        elif text.startswith(("- ", "> ")):
            body = text[2:].strip()
            tag = _TAG.match(body)
            line = Line(body[tag.end() :] if tag else body, tag[1] if tag else "", text.startswith("> "))
            if line.answers and not entry.parts.get(part):
                raise NotebookError(f"{path.name}:{number}: a reply to nothing")
            entry.parts.setdefault(part, []).append(line)
        elif match := re.match(r"^([a-z_]+):\s*(.*)$", text):
            entry.fields.setdefault(match[1], []).append(match[2])
        else:
            raise NotebookError(f"{path.name}:{number}: neither head, field, part nor line: {text[:40]!r}")
    return tuple(entries)
