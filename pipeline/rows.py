"""Rows of CSV and NDJSON files, one at a time, each with its line; a bad row is told and the others go on."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_FIELD_CHARS = 64_000_000
"""Beyond this a CSV field is a quotation mark that was never closed, not a text."""


class Unreadable(Exception):
    """The file as a whole cannot be used; says which file and why."""


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    """Line of the file where the row begins, from 1."""
    number: int
    """Number of the row, from 0; a CSV's heading is no row."""
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BadRow:
    line: int
    number: int
    problem: str

    def said_of(self, path: Path) -> str:
        return f"{path}:{self.line}: {self.problem}"


def read_rows(path: Path, needed: Sequence[str]) -> Iterator[Row | BadRow]:
    """Every row that has the needed fields as text, and a BadRow for every one that has not. Raises Unreadable.

    NDJSON if the name ends in .ndjson, .jsonl or .json, else CSV with a heading.
    """
    try:
        lines = path.open("rb")
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from error
    with lines:
        try:
            rows = (
                _ndjson(lines) if path.suffix.lower() in (".ndjson", ".jsonl", ".json") else _csv(path, lines, needed)
            )
            for row in rows:
                yield _checked(row, needed) if isinstance(row, Row) else row
        except OSError as error:
            raise Unreadable(f"{path}: {error.strerror}") from error


def _checked(row: Row, needed: Sequence[str]) -> Row | BadRow:
    for name in needed:
        value = row.fields.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            row.fields[name] = value = str(value)
        if not isinstance(value, str):
            what = "is missing" if value is None else f"is {type(value).__name__}, not text"
            return BadRow(row.line, row.number, f"{name}: {what}")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            return BadRow(row.line, row.number, f"{name}: is not valid Unicode at position {error.start}")
    return row


def _ndjson(lines: Iterator[bytes]) -> Iterator[Row | BadRow]:
    number = 0
    for line, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        try:
            fields = json.loads(raw.decode("utf-8-sig" if line == 1 else "utf-8"))
        except UnicodeDecodeError as error:
            yield BadRow(line, number, f"not UTF-8 at byte {error.start}")
        except (ValueError, RecursionError) as error:
            yield BadRow(line, number, f"not JSON: {error}")
        else:
            yield Row(line, number, fields) if isinstance(fields, dict) else BadRow(line, number, "not a JSON object")
        number += 1


def _csv(path: Path, lines: Iterator[bytes], needed: Sequence[str]) -> Iterator[Row | BadRow]:
    csv.field_size_limit(MAX_FIELD_CHARS)
    # Bytes that are not UTF-8 come through as lone surrogates, so that only their own row is refused.
    decoded = (
        raw.decode("utf-8-sig" if number == 0 else "utf-8", "surrogateescape").replace("\0", "�")
        for number, raw in enumerate(lines)
    )
    reader = csv.reader(decoded, strict=True)
    try:
        heading = next(reader)
    except StopIteration:
        raise Unreadable(f"{path}: is empty") from None
    except csv.Error as error:
        raise Unreadable(f"{path}:1: {error}") from error
    missing = [name for name in needed if name not in heading]
    if missing:
        raise Unreadable(f"{path}:1: no column {missing[0]}; there are {', '.join(heading)}")
    number, begins = 0, reader.line_num + 1
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(begins, number, str(error))
        else:
            if not values:
                begins = reader.line_num + 1
                continue
            if len(values) != len(heading):
                yield BadRow(begins, number, f"{len(values)} fields, the heading has {len(heading)}")
            else:
                yield Row(begins, number, dict(zip(heading, values, strict=True)))
        number, begins = number + 1, reader.line_num + 1
