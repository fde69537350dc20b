"""Rows out of tables, one by one and with their characters: commas, semicolons, tabs or bars, line ends within quotes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_CHARS = 64_000_000
_END = "\ue000jaga-end\ue000"
"""A line put behind a file's last: if it turns up inside a field, that field's quotes were never closed."""
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_SEP = re.compile(r"sep=(.)\s*$", re.I)


@dataclass(slots=True)
class TableRow:
    """The cells of one row and its characters, or why it cannot be read."""

    line: int
    cells: list[str]
    raw: str
    why: str = ""
    unclosed: bool = False


def delimiter_of(start: str) -> tuple[str, bool]:
    """The character between cells, and whether the first line does nothing but name it (as Excel writes)."""
    lines = start.lstrip("\ufeff\r\n\0").splitlines() or [""]
    if told := _SEP.match(lines[0]):
        return told.group(1), True
    first = re.sub(r'"[^"]*"', "", lines[0])
    return max(",;\t|", key=first.count), False


def rows(text: io.TextIOBase, delimiter: str) -> Iterator[TableRow]:
    """Every row that holds anything. Lines count from 1; a row's is the one on which it begins."""
    csv.field_size_limit(MAX_CHARS)
    taken: list[str] = []

    def lines() -> Iterator[str]:
        began = True
        while line := text.readline(MAX_CHARS):
            taken.append(line)
            yield line.lstrip("\ufeff") if began else line
            began = False
        taken.append(_END)
        yield _END

    reader = csv.reader(lines(), delimiter=delimiter)
    began = 1
    while True:
        taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield TableRow(began, [], "".join(taken), f"row: {error}")
            began = reader.line_num + 1
            continue
        line, began = began, reader.line_num + 1
        if cells == [_END] or not cells or not any(cells):
            continue
        unclosed = _END in cells[-1]
        yield TableRow(line, cells, "".join(t for t in taken if t != _END), unclosed=unclosed)


def misshapen(row: TableRow, header: list[str]) -> str:
    """What is wrong with a row as a row of this table, by its column; empty if nothing is."""
    cells = row.cells
    if row.unclosed:
        column = header[min(len(cells), len(header)) - 1]
        lines = row.raw.count("\n") + (not row.raw.endswith("\n"))
        return f"{column}: the file ends inside quotes" + (
            f", {lines} lines after they were opened" if lines > 1 else ""
        )
    while len(cells) > len(header) and cells[-1] == "":
        cells.pop()
    if len(cells) != len(header):
        column = header[len(cells)] if len(cells) < len(header) else header[-1]
        return f"{column}: the row has {len(cells)} columns, the header {len(header)}"
    for name, cell in zip(header, cells, strict=True):
        if bad := _NOT_UTF8.search(cell):
            at = len(cell[: bad.start()].encode("utf-8", "surrogateescape")) + 1
            return f"{name}: not UTF-8, byte {at} of the field"
    return ""
