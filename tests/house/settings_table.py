"""The table of docs/settings.md, made from the settings themselves: `make settings-table`."""

from __future__ import annotations

import sys
from typing import Any

from pydantic.fields import FieldInfo

from pipeline.settings import PREFIX, Settings
from tests.house.repository import ROOT

PAPER = ROOT / "docs/settings.md"
BEGIN = "<!-- settings: made by `make settings-table` -->\n"
END = "<!-- end of settings -->\n"

BOUNDS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}", "pattern": "`{}`"}


def default_of(field: FieldInfo) -> str:
    """As one would write it in the environment."""
    return f"`{field.default}`" if field.default not in (None, "") else "(empty)"


def bounds_of(field: FieldInfo) -> str:
    found: list[tuple[str, Any]] = [(name, getattr(rule, name, None)) for rule in field.metadata for name in BOUNDS]
    return ", ".join(BOUNDS[name].format(value) for name, value in found if value is not None)


def table() -> str:
    """Every setting with its default, its bounds and what it is, in the order of the code."""
    rows = ["| setting | default | bounds | what it is |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        rows.append(f"| `{PREFIX}{name.upper()}` | {default_of(field)} | {bounds_of(field)} | {field.description} |")
    return "\n".join(rows) + "\n"


def written(paper: str) -> str:
    """The table that stands in the paper. Raises ValueError if its marks are missing."""
    start = paper.index(BEGIN) + len(BEGIN)
    return paper[start : paper.index(END, start)]


def main() -> None:
    if "--write" not in sys.argv[1:]:
        print(table(), end="")
        return
    paper = PAPER.read_text()
    PAPER.write_text(paper.replace(BEGIN + written(paper) + END, BEGIN + table() + END))


if __name__ == "__main__":
    main()
