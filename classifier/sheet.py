"""A CSV file of a set, read so that what is wrong with it is named: the file, and the line or the column."""

import csv
from pathlib import Path
from typing import NoReturn


class BadSet(ValueError):
    """A set that cannot be used; the message names the file and what is wrong."""


class Row(dict[str, str]):
    """A row that names its file when it is asked for a column that the file has not."""

    def __init__(self, path: Path, cells: dict[str, str]) -> None:
        super().__init__(cells)
        self._path = path

    def __missing__(self, column: str) -> NoReturn:
        raise BadSet(f"{self._path}: column {column} is missing")


def read(path: Path, *columns: str) -> list[dict[str, str]]:
    """Return the rows of a file that has at least these columns.

    Raises FileNotFoundError with the path, and BadSet for a file that is not UTF-8, not CSV, without a row where
    columns are asked for, or without one of them. Asking a row for a column that is not there raises BadSet, too.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            found: list[dict[str, str]] = []
            for cells in reader:
                if None in cells or None in cells.values():
                    raise BadSet(f"{path}: line {reader.line_num}: not {len(reader.fieldnames or ())} cells")
                found.append(Row(path, cells))
    except UnicodeDecodeError as error:
        raise BadSet(f"{path}: not UTF-8 at byte {error.start} of a part read at once") from error
    except csv.Error as error:
        raise BadSet(f"{path}: line {reader.line_num}: {error}") from error
    if columns and not found:
        raise BadSet(f"{path}: no row")
    missing = [column for column in columns if column not in found[0]] if columns else []
    if missing:
        raise BadSet(f"{path}: column {', '.join(missing)} is missing")
    return found
