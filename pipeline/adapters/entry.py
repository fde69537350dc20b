"""What of a document can be searched: the same reading for every store, so that all find, refuse and sort the same."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from pipeline.ports import FIELDS, Document, FieldType, Filter, Kind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MAX_ID_BYTES = 512
"""Elasticsearch takes no longer id."""

MAX_WORD_BYTES = 32_766
"""Lucene takes no longer term."""

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


class Unfit(ValueError):
    """A document that no store can take; says which field and why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as stores keep it: its JSON text and the values that can be searched."""

    id: str
    body: str
    sortable: dict[str, int | float]
    """Times as microseconds since 1970, numbers as floats; fields that are missing or null are left out."""
    words: dict[str, tuple[str, ...]]
    """Keywords and flags by field, sorted, each once."""
    terms: tuple[str, ...]


def read_entry(kind: Kind, id_: str, document: Document) -> Entry:
    """Raises Unfit with the field and the cause."""
    check_id(id_)
    if not isinstance(document, dict):
        raise Unfit(f"document: not an object but {type(document).__name__}")
    sortable: dict[str, int | float] = {}
    words: dict[str, tuple[str, ...]] = {}
    terms: tuple[str, ...] = ()
    for name, type_ in FIELDS[kind].items():
        value = document.get(name)
        if value is None:
            continue
        if type_ == "time":
            sortable[name] = _time(name, value)
        elif type_ == "number":
            sortable[name] = _number(name, value)
        elif type_ == "terms":
            terms = _words(name, value)
        elif type_ == "flag":
            if not isinstance(value, bool):
                _refuse(name, value, "true or false")
            words[name] = ("true" if value else "false",)
        else:
            words[name] = _words(name, [value] if isinstance(value, str) else value)
    try:
        # Escaped to ASCII, so that even lone surrogates come back as they went in.
        body = json.dumps(document, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise Unfit(f"document: not JSON: {error}") from error
    return Entry(id_, body, sortable, words, terms)


def is_later(held: Entry, came: Entry, field: str) -> bool:
    """Whether the one held is newer by this time field; one without the field is newer than none."""
    return field in came.sortable and held.sortable.get(field, came.sortable[field]) > came.sortable[field]


def sort_value(kind: Kind, sort: str, document: Document) -> int | float | None:
    """What a stored document is sorted by: as in `Entry.sortable`, None where the field is missing."""
    value = document.get(sort)
    if value is None:
        return None
    return _time(sort, value) if FIELDS[kind][sort] == "time" else _number(sort, value)


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // timedelta(microseconds=1)


def instant(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def need_field(kind: Kind, name: str, *types: FieldType) -> None:
    """Raises LookupError for a field that cannot be used so: an error of the program, not of the data."""
    if FIELDS[kind].get(name) not in types:
        raise LookupError(f"{kind} has no field {name!r} of type {' or '.join(types)}")


def check_filter(kind: Kind, where: Filter) -> None:
    for name in where.equals:
        need_field(kind, name, "keyword", "flag")
    for name in (*where.since, *where.before):
        need_field(kind, name, "time")
    if where.terms or where.any_terms:
        need_field(kind, "terms", "terms")


def check_id(id_: str) -> None:
    """Raises Unfit for what cannot be an id."""
    try:
        size = len(id_.encode())
    except UnicodeEncodeError as error:
        raise Unfit(f"id: {id_!r} holds a lone surrogate") from error
    if not 1 <= size <= MAX_ID_BYTES:
        raise Unfit(f"id: must have 1 to {MAX_ID_BYTES} bytes, has {size}")
    if "\0" in id_:
        raise Unfit("id: holds a NUL")


def _time(name: str, value: Any) -> int:
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        _refuse(name, value, "an RFC 3339 time with a zone")
    try:
        return micros(datetime.fromisoformat(value.upper()))
    except (ValueError, OverflowError):
        _refuse(name, value, "an RFC 3339 time with a zone")


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(name, value, "a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        _refuse(name, value, "a finite number")
    return number + 0.0  # -0.0 becomes 0.0: some stores tell them apart


def _words(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        _refuse(name, value, "a string, a list of strings or null")
    for word in value:
        if not isinstance(word, str):
            _refuse(name, word, "a string")
    together = "\n".join(value)
    try:
        longest = len(together.encode())
    except UnicodeEncodeError as error:
        raise Unfit(f"{name}: {_show(together)} holds a lone surrogate") from error
    if longest > MAX_WORD_BYTES:  # seldom; only then one by one
        for word in value:
            if (size := len(word.encode())) > MAX_WORD_BYTES:
                raise Unfit(f"{name}: a word of {size} bytes is too long, at most {MAX_WORD_BYTES}")
    if "\0" in together:
        raise Unfit(f"{name}: {_show(together)} holds a NUL")
    return tuple(sorted(set(value)))


def _refuse(name: str, value: Any, wanted: str) -> NoReturn:
    raise Unfit(f"{name}: {_show(value)} is not {wanted}")


def _show(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
