"""Cursors: where a list goes on. Opaque to clients, checked when they come back."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from api.problems import bad_parameter
from pipeline.contracts import digest
from pipeline.ports import FIELDS, Filter, Hit, Kind, SearchStore

T = TypeVar("T")

MAX_CURSOR_CHARS = 2000
MAX_ID_CHARS = 1000


def page(
    store: SearchStore,
    kind: Kind,
    where: Filter,
    *,
    sort: str,
    limit: int,
    cursor: str | None,
) -> tuple[list[Hit], str | None]:
    """One page, the highest first, and the cursor of the next; None at the end.

    A document that comes or moves up while a client pages is not seen by it; none that stays in place is missed or doubled.
    Raises Problem (400) that names `cursor` if it belongs to another question.
    """
    check = digest(kind, sort, json.dumps(_plain(where), sort_keys=True))[:12]
    after = _decode(cursor, check, FIELDS[kind][sort]) if cursor is not None else None
    hits = store.search(kind, where, sort=sort, limit=limit + 1, after=after)
    if len(hits) <= limit:
        return hits, None
    return hits[:limit], _encode(check, hits[limit - 1].sort)


def slice_of(
    items: Sequence[T], key: Callable[[T], str], *, question: str, limit: int, cursor: str | None
) -> tuple[list[T], str | None]:
    """As `page`, of a list in hand, in the order of its keys. `question` tells one list from another."""
    check = digest("slice", question)[:12]
    after = _decode(cursor, check, "time")[1] if cursor is not None else ""
    left = sorted((item for item in items if key(item) > after), key=key)
    if len(left) <= limit:
        return left, None
    return left[:limit], _encode(check, (None, key(left[limit - 1])))


def _plain(where: Filter) -> Sequence[Any]:
    return [
        {name: sorted(values) for name, values in where.equals.items()},
        {name: at.isoformat() for name, at in where.since.items()},
        {name: at.isoformat() for name, at in where.before.items()},
        sorted(where.terms),
    ]


def _encode(check: str, sort: tuple[Any, str]) -> str:
    text = json.dumps([check, *sort], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def _decode(cursor: str, check: str, field: str) -> tuple[Any, str]:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        given, value, last_id = json.loads(raw.decode())
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise bad_parameter("cursor", "not a cursor of this API") from error
    # Beyond 2**53 a float is no longer exact and SQLite may refuse an integer.
    number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53
    known = value is None or number or (isinstance(value, str) and field == "time" and len(value) <= 64)
    if not isinstance(last_id, str) or len(last_id) > MAX_ID_CHARS or not known or not isinstance(given, str):
        raise bad_parameter("cursor", "not a cursor of this API")
    if given != check:
        raise bad_parameter("cursor", "made for other filters or another sort; begin again without it")
    return value, last_id
