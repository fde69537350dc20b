"""Sitemaps, with those they lead to, and the articles that nobody fetched yet."""

from __future__ import annotations

from typing import Any

from ..pages.items import LinkItem, ProblemItem
from .visit import Missed, Visit


class Sitemap(Visit):
    name = "sitemap"
    depth_limit = 8

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sitemaps: set[str] = set()

    async def listing(self, response: Any, **carried: Any) -> Any:
        if not await self.sighted(response):
            return
        fetch = self.fetch_of(response)
        items = await self.read("sitemap", fetch)
        await self.keep(fetch, [item for item in items if isinstance(item, ProblemItem)])
        self.unchanged_next_time(response)
        for item in items:
            if not isinstance(item, LinkItem):
                continue
            request = None
            if item.why == "sitemap" and item.url not in self.errand.claimed:
                self.errand.claimed.add(item.url)
                self._sitemaps.add(item.url)
                request = self.to(item.url, self.listing, listing=True)
            elif item.why == "article" and not self.full(item.url) and self.claim_page(item.url):
                request = self.to(item.url, self.article, address=item.url)
            if request is not None:
                yield request

    def recall(self, url: str) -> Any:
        return self.to(url, self.article, address=url)

    async def article(self, response: Any, address: str) -> None:
        fetch = self.fetch_of(response)
        items = [item for item in await self.read("article", fetch) if not isinstance(item, LinkItem)]
        await self.keep(fetch, items, marks=[(f"page:{address}", "1")])

    async def instead(self, request: Any, missed: Missed) -> None:
        address = request.cb_kwargs.get("address")
        if address and missed.for_good:
            await self.keep(None, [], marks=[(f"page:{address}", "1")])

    def closed(self, reason: str) -> None:
        # Sitemaps are listings: the next visit asks for them again.
        self.errand.claimed -= self._sitemaps
        super().closed(reason)
