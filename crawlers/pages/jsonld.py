"""JSON-LD blocks of an HTML page, as damaged as they come."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

from .problems import Notes

# Bounded, and ended by a search of its own: a page of opening tags alone must not cost the square of its length.
_OPENING = re.compile(r"<script\b[^>]{0,500}?application/ld\+json[^>]{0,500}>", re.I)
_CLOSING = re.compile(r"</script", re.I)
MOST_BLOCKS = 200
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_WRAPPING = re.compile(
    r"^\s*(?:<!--|//\s*<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/|<!\[CDATA\[)|(?:-->|//\s*\]\]>|/\*\s*\]\]>\s*\*/|\]\]>)\s*;?\s*$"
)
MAX_DEPTH = 30


def blocks(text: str, notes: Notes) -> list[Any]:
    """Every block that can be read; each of the others becomes a problem with its number."""
    found = []
    for number, body in enumerate(_bodies(text), start=1):
        raw = _WRAPPING.sub("", body).strip().rstrip(";")
        if not raw:
            continue
        try:
            found.append(_load(raw))
        except (ValueError, RecursionError) as error:
            notes.add(f"JSON-LD cannot be read: {str(error)[:120]}", f"JSON-LD block {number}")
    return found


def _bodies(text: str) -> Iterator[str]:
    position = 0
    for _ in range(MOST_BLOCKS):
        opening = _OPENING.search(text, position)
        closing = _CLOSING.search(text, opening.end()) if opening else None
        if opening is None or closing is None:
            return
        yield text[opening.end() : closing.start()]
        position = closing.end()


def _load(raw: str) -> Any:
    attempts = (raw, _TRAILING_COMMA.sub(r"\1", raw), _TRAILING_COMMA.sub(r"\1", html.unescape(raw)))
    for attempt in attempts[:-1]:
        try:
            return json.loads(attempt, strict=False)
        except ValueError:
            continue
    return json.loads(attempts[-1], strict=False)


def nodes(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Every object in it, outer ones first."""
    if depth > MAX_DEPTH:
        return
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            if isinstance(inner, (dict, list)):
                yield from nodes(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner, depth + 1)


def types(node: dict[str, Any]) -> set[str]:
    """The names of its types, without the schema.org prefix."""
    told = node.get("@type")
    names = told if isinstance(told, list) else [told]
    return {str(name).rsplit("/", 1)[-1].removeprefix("schema:") for name in names if name}


def first(value: Any) -> Any:
    """The value, or the first of a list."""
    while isinstance(value, list):
        value = value[0] if value else None
    return value
