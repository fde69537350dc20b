"""Fact-check sites on WordPress: posts by the REST API, claims from the ClaimReview of each page."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ..pages.items import LinkItem, PostItem, ProblemItem
from .visit import Missed, Visit

ROUTE = "/wp-json/wp/v2/posts"
PER_PAGE = 100
"""Most posts that WordPress gives at once."""


class WordPress(Visit):
    name = "wordpress"

    def first(self) -> Any:
        yield self.to(self._page(1), self.listing, listing=True, number=1)

    def _page(self, number: int) -> str:
        parts = urlsplit(self.source.url)
        path = parts.path if "/wp-json/" in parts.path else parts.path.rstrip("/") + ROUTE
        query = dict(parse_qsl(parts.query))
        query.setdefault("per_page", str(PER_PAGE))
        if number > 1:
            query["page"] = str(number)
        return urlunsplit(parts._replace(path=path, query=urlencode(query)))

    async def listing(self, response: Any, number: int = 1, **carried: Any) -> Any:
        if not await self.sighted(response):
            return
        fetch = self.fetch_of(response)
        items = await self.read("wordpress", fetch)
        posts = [item for item in items if isinstance(item, PostItem)]
        new = [post for post in posts if self.claim_page(post.url or post.native_id)]
        kept = [item for item in items if not isinstance(item, (LinkItem, PostItem))]
        await self.keep(fetch, [*new, *kept])
        self.unchanged_next_time(response)
        for post in new:
            if post.url and (request := self.to(post.url, self.article, address=post.url)):
                yield request
        for following in self._following(response, number, bool(new)):
            if request := self.to(self._page(following), self.listing, listing=True, number=following):
                yield request

    def _following(self, response: Any, number: int, something_new: bool) -> list[int]:
        """All further pages at once where none was seen before, else one by one until nothing is new."""
        told = (response.headers.get(b"X-WP-TotalPages") or b"").decode("latin-1")
        pages = int(told) if told.isascii() and told.isdigit() else 1
        if not something_new or number >= pages:
            return []
        seen_before = self.errand.seen.get(f"visited:{self.source.id}") is not None
        if seen_before:
            return [number + 1]
        if number > 1:
            return []
        self.remember_at_end((f"visited:{self.source.id}", "1"))
        return list(range(2, min(pages, self.source.max_pages) + 1))

    def recall(self, url: str) -> Any:
        return self.to(url, self.article, address=url)

    async def article(self, response: Any, address: str) -> None:
        fetch = self.fetch_of(response)
        await self.keep(fetch, await self.read("claimreview", fetch), marks=[(f"page:{address}", "1")])

    async def instead(self, request: Any, missed: Missed) -> None:
        address = request.cb_kwargs.get("address")
        if address and missed.for_good:
            await self.keep(
                None, [ProblemItem("fact-check without its page: no claim", address)], marks=[(f"page:{address}", "1")]
            )
