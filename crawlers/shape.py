"""What a source's pages usually hold, so that one whose shape has changed is told from one that is quiet.

Page objects say themselves when a page shows nothing that they know. Here is what they cannot see: that a page which still reads well no
longer has what it had, because a field or all of its items moved to where no one looks for them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from .pages.items import ClaimItem, Item, LinkItem, PostItem

FIELDS = {"post": ("text", "author", "published_at", "counts"), "claim": ("rating", "publisher", "date")}
"""What is expected of an item if most of its source's have it."""
USUAL = 0.9
"""Share of items that have a field which the source usually has. Most platforms show 1.0 or 0."""
KNOWN_ITEMS = 20
"""Items seen before anything is expected."""
MISSING_ITEMS = 5
"""Items without the field before it is missing: a visit or several. Of a field that nine in ten have, five lack it by chance once in 1e5."""
EMPTY_VISITS = 3
EMPTY_EXPECTED = 5.0
"""Visits in a row without anything, whose pages would have held so many: then they show nothing."""
REMEMBERED = 300
"""Items and pages that the memory weighs; older ones fade."""
SETTLED = timedelta(days=14)
"""A field that stays away so long is not expected any more: the site is so now."""


@dataclass
class Memory:
    """Of one kind of page of one source, as kept in `crawl.db` under `shape:SOURCE`."""

    pages: float = 0.0
    items: float = 0.0
    filled: dict[str, list[float]] = field(default_factory=dict)
    """Field -> [items that had it, items]"""
    lacking: dict[str, int] = field(default_factory=dict)
    """Field -> items in a row without it."""
    missing: dict[str, float] = field(default_factory=dict)
    """Field -> since when it is told as missing (seconds since 1970)."""
    empty_visits: int = 0
    empty_pages: int = 0
    empty: bool = False
    """Whether the kind is told as showing nothing."""


@dataclass(frozen=True)
class Finding:
    """`cause` for a gap that begins; None for one that ends. `key` names it within the source."""

    key: str
    cause: str | None


class Shapes:
    """One visit's look at one source."""

    def __init__(self, kept: str | None, *, may_be_empty: bool = False) -> None:
        self._may_be_empty = may_be_empty
        try:
            self.memory = {kind: Memory(**told) for kind, told in json.loads(kept or "{}").items()}
        except (TypeError, ValueError, AttributeError):
            self.memory = {}  # of another version
        self._pages: dict[str, int] = {}
        self._items: dict[str, list[PostItem | ClaimItem]] = {}
        self._others: dict[str, int] = {}

    def look(self, kind: str, items: Sequence[Item]) -> None:
        """A page that could be read gave these."""
        self._pages[kind] = self._pages.get(kind, 0) + 1
        self._items.setdefault(kind, []).extend(item for item in items if isinstance(item, (PostItem, ClaimItem)))
        led = sum(isinstance(item, LinkItem) and item.why != "next page" for item in items)
        self._others[kind] = self._others.get(kind, 0) + led

    def settle(self, now: datetime) -> list[Finding]:
        """What this visit shows against what was usual; it is remembered then."""
        found: list[Finding] = []
        for kind, pages in self._pages.items():
            memory = self.memory.setdefault(kind, Memory())
            items = self._items[kind]
            if not self._may_be_empty:
                found += _nothing(kind, memory, pages, len(items) + self._others[kind])
            for type_, names in FIELDS.items():
                of_type = [item for item in items if item.type == type_]
                for name in names:
                    found += _field(kind, memory, name, type_, [bool(getattr(item, name)) for item in of_type], now)
        return found

    def mark(self) -> str:
        return json.dumps({kind: asdict(memory) for kind, memory in self.memory.items()}, separators=(",", ":"))


def _nothing(kind: str, memory: Memory, pages: int, items: int) -> Iterable[Finding]:
    key = f"shape:{kind}"
    if items:
        if memory.empty:
            yield Finding(key, None)
        memory.empty, memory.empty_visits, memory.empty_pages = False, 0, 0
        fade = min(1.0, REMEMBERED / (memory.pages + pages))
        memory.pages, memory.items = (memory.pages + pages) * fade, (memory.items + items) * fade
        return
    memory.empty_visits += 1
    memory.empty_pages += pages
    usual = memory.items / memory.pages if memory.pages else 0.0
    expected = usual * memory.empty_pages
    known = memory.items >= KNOWN_ITEMS
    if not memory.empty and known and memory.empty_visits >= EMPTY_VISITS and expected >= EMPTY_EXPECTED:
        memory.empty = True
        yield Finding(
            key,
            f"shape changed, or all gone: nothing in {memory.empty_visits} visits ({kind}), where a page had {usual:.1f}",
        )


def _field(kind: str, memory: Memory, name: str, type_: str, has: Sequence[bool], now: datetime) -> Iterable[Finding]:
    if not has:
        return
    key = f"shape:{kind}.{name}"
    had, of = memory.filled.get(name, [0.0, 0.0])
    since = memory.missing.get(name)
    if any(has):
        memory.lacking.pop(name, None)
        if since is not None:
            del memory.missing[name]
            yield Finding(key, None)
    else:
        lacking = memory.lacking[name] = memory.lacking.get(name, 0) + len(has)
        if since is not None:
            if now.timestamp() - since < SETTLED.total_seconds():
                return  # not taken for usual while it is told
            del memory.missing[name], memory.lacking[name]
            memory.filled.pop(name)
            yield Finding(key, None)
            return
        if of >= KNOWN_ITEMS and had / of >= USUAL:
            if lacking >= MISSING_ITEMS:
                memory.missing[name] = now.timestamp()
                what = f"no {name} in any of {lacking} {type_}s ({kind})"
                yield Finding(key, f"shape changed: {what}, where {had / of:.0%} had one")
            return
    fade = min(1.0, REMEMBERED / (of + len(has)))
    memory.filled[name] = [(had + sum(has)) * fade, (of + len(has)) * fade]
