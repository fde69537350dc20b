"""Feeds: the listing, then each new article; where an article cannot be had, its teaser stands in."""

from __future__ import annotations

from typing import Any

from ..archive import Fetch
from ..pages.items import LinkItem, PostItem, ProblemItem
from .visit import Missed, Visit, blindness


class Feed(Visit):
    name = "feed"

    async def listing(self, response: Any, **carried: Any) -> Any:
        fetch = self.fetch_of(response)
        items = await self.read("feed", fetch, listing=True) if response.status != 304 else []
        if why := blindness(items):
            await self.keep(fetch, items)
            await self.blinded(response.meta["asked"], why)
            return
        if not await self.sighted(response):
            return
        posts = [item for item in items if isinstance(item, PostItem)]
        new = [post for post in posts if self.claim_page(post.url or post.native_id)]
        led_to = {item.url for item in items if isinstance(item, LinkItem) and item.why == "article"}
        followed = [post for post in new if post.url in led_to and self.source.follow]
        at_once = [post for post in new if post not in followed]
        problems = [item for item in items if isinstance(item, ProblemItem)]
        await self.keep(fetch, [*at_once, *problems], marks=[_mark(post) for post in at_once])
        self.unchanged_next_time(response)
        for post in followed:
            request = self.to(post.url or "", self.article, teaser=post, feed=fetch)
            if request is None:
                await self.keep(fetch, [post])
            else:
                yield request
        for item in items:
            if (
                isinstance(item, LinkItem)
                and item.why == "next page"
                and new
                and (request := self.to(item.url, self.listing, listing=True))
            ):
                yield request

    def recall(self, url: str) -> Any:
        return self.to(url, self.recalled, address=url)

    async def recalled(self, response: Any, address: str) -> None:
        fetch = self.fetch_of(response)
        items = [item for item in await self.read("article", fetch) if not isinstance(item, LinkItem)]
        await self.keep(fetch, items, marks=[(f"page:{address}", "1")])

    async def article(self, response: Any, teaser: PostItem, feed: Fetch) -> None:
        fetch = self.fetch_of(response)
        items = [item for item in await self.read("article", fetch) if not isinstance(item, LinkItem)]
        posts = [item for item in items if isinstance(item, PostItem)]
        for post in posts:
            post.published_at = post.published_at or teaser.published_at
            post.counts = post.counts or teaser.counts
        if posts:
            await self.keep(fetch, items, marks=[_mark(teaser)])
        else:
            await self.keep(fetch, items)
            await self.keep(feed, [teaser], marks=[_mark(teaser)])

    async def instead(self, request: Any, missed: Missed) -> None:
        teaser = request.cb_kwargs.get("teaser")
        if (address := request.cb_kwargs.get("address")) and missed.for_good:
            await self.keep(None, [], marks=[(f"page:{address}", "1")])
        if teaser is None:
            return
        await self.keep(request.cb_kwargs["feed"], [teaser], marks=[_mark(teaser)] if missed.for_good else [])


def _mark(post: PostItem) -> tuple[str, str]:
    return f"page:{post.url or post.native_id}", "1"
