"""What platforms show again at each visit, told only when it is new or reads otherwise than last time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.contracts import digest

from ..archive import Fetch
from ..pages.items import ClaimItem, Item, LinkItem, PostItem
from ..seen import Mark
from .visit import Visit


class Changed(Visit):
    """Base of spiders of places that show old and new together."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._told: dict[str, str] = {}

    async def keep_changed(
        self, fetch: Fetch, items: Iterable[Item], *, marks: Sequence[Mark] = ()
    ) -> list[PostItem | ClaimItem]:
        """Publish what is new or other than it was, and every problem; returns the new."""
        new: list[PostItem | ClaimItem] = []
        self.found = self.found or 0
        kept: list[Item] = []
        remembered = list(marks)
        for item in items:
            if isinstance(item, (PostItem, ClaimItem)):
                key, state = mark_of(item)
                # The publisher writes marks later: what this visit has told already is known here.
                before = self._told.get(key, self.errand.seen.get(key))
                if before == state:
                    continue
                self.found += before is None
                self._told[key] = state
                remembered.append((key, state))
                new.append(item)
            if not isinstance(item, LinkItem):
                kept.append(item)
        await self.keep(fetch, kept, marks=remembered)
        return new

    def knows(self, item: PostItem | ClaimItem) -> bool:
        """Whether an earlier visit told of it, in whatever wording."""
        return self.errand.seen.get(mark_of(item)[0]) is not None


def mark_of(item: PostItem | ClaimItem) -> Mark:
    """(which one, how it reads). New likes and replies count as a change, since reach decides on alerts; views alone do not."""
    if isinstance(item, ClaimItem):
        return f"claim:{item.claim_id}", digest(item.text, item.rating or "", item.date or "")[:16]
    acts = sorted(f"{name}={n}" for name, n in item.counts.items() if name != "views")
    # Telegram names the same picture otherwise at each visit.
    media = [str(len(item.media))] if item.platform == "telegram" else item.media
    state = digest(item.text, item.edited_at or "", *item.links, "|", *media, "|", *acts)[:16]
    return f"post:{item.platform}:{item.native_id}", state
