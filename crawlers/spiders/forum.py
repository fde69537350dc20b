"""Forums in HTML: the topics whose row in the list changed, and of each what came since its last known page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..pages import forum
from ..pages.items import LinkItem, PostItem
from .changed import Changed
from .visit import Missed, blindness


class Forum(Changed):
    name = "forum"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._asked: set[str] = set()
        self._met: set[str] = set()

    def first(self) -> Iterator[Any]:
        # A source that is one topic goes on where it was left.
        yield self.to(self.errand.seen.get(f"last:{self.source.url}") or self.source.url, self.listing, listing=True)

    async def listing(self, response: Any, **carried: Any) -> Any:
        fetch = self.fetch_of(response)
        items = await self.read("forum", fetch, listing=True) if response.status != 304 else []
        if why := blindness(items):
            await self.keep(fetch, items)
            await self.blinded(response.meta["asked"], why)
            return
        if not await self.sighted(response):
            return
        onward = next((i.url for i in items if isinstance(i, LinkItem) and i.why == "next page"), None)
        if any(isinstance(item, PostItem) for item in items):
            # The source is one topic.
            async for request in self._read_on(response, self.source.url, "", items):
                yield request
            return
        await self.keep_changed(fetch, items)
        states = forum.states(self.page_of(fetch))
        grown = False
        for item in items:
            if not isinstance(item, LinkItem) or item.why != "topic" or item.url in self._asked:
                continue
            state = states.get(item.url, "")
            if state and self.errand.seen.get(f"topic:{item.url}") == state:
                continue
            grown = True
            begin = self.errand.seen.get(f"last:{item.url}") or item.url
            if request := self._ask(begin, item.url, state):
                yield request
        if onward and grown and (request := self.to(onward, self.listing, listing=True)):
            yield request

    def _ask(self, url: str, topic: str, state: str) -> Any:
        self._asked |= {url, topic}
        return self.to(url, self.posts, topic=topic, state=state)

    async def posts(self, response: Any, topic: str, state: str) -> Any:
        items = await self.read("forum", self.fetch_of(response))
        async for request in self._read_on(response, topic, state, items):
            yield request

    async def _read_on(self, response: Any, topic: str, state: str, items: Any) -> Any:
        """Keep a page of a topic and ask for the next; after the last one the topic counts as seen in this state."""
        ids = {item.native_id for item in items if isinstance(item, PostItem)}
        # Some forums answer pages behind the last one with the last one.
        endless = bool(ids) and ids <= self._met
        self._met |= ids
        onward = next((i.url for i in items if isinstance(i, LinkItem) and i.why == "next page"), None)
        if onward and not endless and onward not in self._asked:
            await self.keep_changed(self.fetch_of(response), items)
            if request := self._ask(onward, topic, state):
                yield request
            return
        marks = [(f"last:{topic}", response.url)]
        if state and ids:
            marks.append((f"topic:{topic}", state))
        await self.keep_changed(self.fetch_of(response), items, marks=marks if ids else [])

    async def instead(self, request: Any, missed: Missed) -> None:
        topic, state = request.cb_kwargs.get("topic"), request.cb_kwargs.get("state")
        if topic and missed.for_good:
            marks = [(f"last:{topic}", "")]
            # A page that is gone need not be asked for again until the topic changes.
            await self.keep(None, [], marks=[*marks, (f"topic:{topic}", state)] if state else marks)
