"""Communities of Reddit's shape: the newest threads, and the comments of those that grew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ..pages.items import PostItem
from .timeline import Timeline
from .visit import Missed


class Reddit(Timeline):
    name = "reddit"
    page = "reddit"

    def onward(self, response: Any, posts: Sequence[PostItem]) -> Iterator[Any]:
        if not self.source.follow or "/comments/" in urlsplit(response.url).path:
            return
        here = urlsplit(response.url)
        for post in posts:
            replies = post.counts.get("replies", 0)
            key = f"replies:{post.platform}:{post.native_id}"
            if not replies or not post.url or self.errand.seen.get(key) == str(replies):
                continue
            path = urlsplit(post.url).path.rstrip("/") + ".json"
            url = urlunsplit((here.scheme, here.netloc, path, "limit=500&raw_json=1", ""))
            if request := self.to(url, self.comments, mark=(key, str(replies))):
                yield request

    async def comments(self, response: Any, mark: tuple[str, str]) -> None:
        fetch = self.fetch_of(response)
        items = await self.read("reddit", fetch)
        await self.keep_changed(fetch, items, marks=[mark] if any(isinstance(i, PostItem) for i in items) else [])

    async def instead(self, request: Any, missed: Missed) -> None:
        mark = request.cb_kwargs.get("mark")
        if mark and missed.for_good:
            await self.keep(None, [], marks=[mark])
