"""Timelines: pages of posts, the newest page first, read back to where the last whole visit began."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from pipeline.contracts import Gap

from .. import places
from ..pages import dates
from ..pages.items import Item, LinkItem, PostItem
from .changed import Changed
from .visit import blindness

MOST_REMEMBERED = 100
"""Posts of the newest page that are remembered: whichever of them still stands next time ends the way back."""


class Timeline(Changed):
    """A subclass names the page object; it may say where the older page is and what else to fetch."""

    page: ClassVar[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = json.loads(self.errand.seen.get(f"top:{self.source.id}") or "{}")
        self._known_top: set[str] = set(kept.get("ids", ()))
        self._whole_at: str | None = kept.get("at")

    def first(self) -> Iterator[Any]:
        yield self.to(places.first(self.source.kind, self.source.url), self.listing, listing=True, newest=True)

    def older(self, url: str, items: Sequence[Item]) -> str | None:
        """The address of the page before this one in time."""
        return next((item.url for item in items if isinstance(item, LinkItem) and item.why == "next page"), None)

    def onward(self, response: Any, posts: Sequence[PostItem]) -> Iterator[Any]:
        """Requests for what the posts lead to."""
        return iter(())

    async def listing(self, response: Any, newest: bool = False, **carried: Any) -> Any:
        if response.status == 304:
            await self.sighted(response)
            return
        fetch = self.fetch_of(response)
        items = await self.read(self.page, fetch, listing=newest)
        if newest and (why := blindness(items)):
            await self.keep(fetch, items)
            await self.blinded(response.meta["asked"], why)
            return
        await self.sighted(response)
        posts = [item for item in items if isinstance(item, PostItem)]
        # Before anything of this page is marked: what counts is what earlier visits knew.
        back_at_known = self._reached(posts)
        await self.keep_changed(fetch, items)
        if newest:
            self.unchanged_next_time(response)
            top = [post.native_id for post in self._newest_first(posts)][:MOST_REMEMBERED]
            now = datetime.now(UTC).isoformat()
            if top:
                self.remember_at_end((f"top:{self.source.id}", json.dumps({"ids": top, "at": now})))
        for request in self.onward(response, posts):
            yield request
        url = self.older(response.url, items)
        if url is None or back_at_known or not posts:
            return
        if request := self.to(url, self.listing, listing=True):
            yield request
        elif self.taken >= self.source.max_pages:
            # Told here, with the time from which on posts were missed; what lies before a first visit is no gap.
            self.left -= 1
            if self._known_top:
                await self._too_much(posts)

    def _newest_first(self, posts: Sequence[PostItem]) -> Sequence[PostItem]:
        return posts

    def _reached(self, posts: Sequence[PostItem]) -> bool:
        """Whether the page lies where the last whole visit began: it shows a post of that visit's newest page, and its oldest post
        is known (a pinned post alone ends nothing)."""
        if not posts or not any(post.native_id in self._known_top for post in posts):
            return False
        return self.knows(self._newest_first(posts)[-1])

    async def _too_much(self, posts: Sequence[PostItem]) -> None:
        """More came since the last visit than one visit may take."""
        began = datetime.fromisoformat(self._whole_at) if self._whole_at else datetime.now(UTC)
        try:
            ended = dates.instant(self._newest_first(posts)[-1].published_at, datetime.now(UTC))
        except dates.BadDate:
            ended = None
        cause = f"more than {self.source.max_pages} pages of new posts: {self.source.url}"
        await self.keep(
            None,
            [],
            gaps=[Gap(source=self.source.id, began_at=began, ended_at=max(began, ended or began), cause=cause)],
        )
