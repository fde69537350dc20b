"""Discourse forums: the latest topics, and of each what came since the last visit."""

from __future__ import annotations

import json
from typing import Any

from ..archive import Fetch
from ..pages.items import LinkItem, ProblemItem
from .visit import Missed, Visit


class Discourse(Visit):
    name = "discourse"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: dict[str, int] = {}
        self._broken: set[str] = set()

    async def listing(self, response: Any, **carried: Any) -> Any:
        if not await self.sighted(response):
            return
        fetch = self.fetch_of(response)
        items = await self.read("discourse", fetch)
        await self.keep(fetch, [item for item in items if isinstance(item, ProblemItem)])
        heights = _heights(response.body)
        grown = False
        for item in items:
            if not isinstance(item, LinkItem) or item.why != "topic":
                continue
            topic = item.url.rsplit("/", 1)[-1].removesuffix(".json")
            key, height = f"topic:{self.source.id}:{topic}", heights.get(topic, "")
            if key in self._waiting or (height and self.errand.seen.get(key) == height):
                continue
            grown = True
            if request := self.to(item.url, self.posts, topic=key, height=height):
                self._waiting[key] = 1
                yield request
        for item in items:
            if (
                isinstance(item, LinkItem)
                and item.why == "next page"
                and grown
                and (request := self.to(item.url, self.listing, listing=True))
            ):
                yield request

    async def posts(self, response: Any, topic: str, height: str) -> Any:
        fetch = self.fetch_of(response)
        items = await self.read("discourse", fetch)
        for item in items:
            if isinstance(item, LinkItem) and item.why == "next page":
                if request := self.to(item.url, self.posts, topic=topic, height=height):
                    self._waiting[topic] += 1
                    yield request
                else:
                    self._broken.add(topic)
        await self._settle(topic, height, fetch, items)

    async def _settle(self, topic: str, height: str, fetch: Fetch | None, items: Any) -> None:
        """The topic counts as seen when the last of its pages was had, and none failed."""
        self._waiting[topic] -= 1
        whole = self._waiting[topic] == 0 and topic not in self._broken and height
        await self.keep(
            fetch, [i for i in items if not isinstance(i, LinkItem)], marks=[(topic, height)] if whole else []
        )

    async def instead(self, request: Any, missed: Missed) -> None:
        topic = request.cb_kwargs.get("topic")
        if topic:
            if not missed.for_good:
                self._broken.add(topic)
            await self._settle(topic, request.cb_kwargs["height"], None, [])


def _heights(body: bytes) -> dict[str, str]:
    """Topic id -> highest post number with the time of the last change, as the listing tells it."""
    try:
        topics = json.loads(body)["topic_list"]["topics"]
        return {
            str(t["id"]): f"{t.get('highest_post_number')} {t.get('bumped_at') or t.get('last_posted_at')}"
            for t in topics
            if "id" in t
        }
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}
