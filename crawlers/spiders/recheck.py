"""One post's own page: is it there, and does it say what it said?"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError

from pipeline.contracts import Gap

from ..archive import Fetch
from ..mask import masked_post
from ..pages.items import GoneItem, Item, PostItem
from ..publish import Harvest, as_post
from ..recheck import Recheck
from ..seen import Mark
from .visit import Visit, explain, gone

log = logging.getLogger("jaga.crawl")

_READ_BY = {"web": "article", "mastodon": "mastodon", "bluesky": "bluesky"}
"""Platform -> page object of a single post's address. Of others only an answer of 404 or 410 says anything."""


class LookAgain(Visit):
    name = "recheck"
    watches = False
    source: Recheck

    @property
    def kept_as(self) -> str:
        return ""  # the post's own source is another; what holds for all holds for it

    async def listing(self, response: Any, **carried: Any) -> None:
        if not await self.sighted(response):
            return
        post = self.source.post
        fetch = self.fetch_of(response)
        kind = _READ_BY.get(post.platform)
        items = await self.items_of(kind, fetch) if kind else []
        ours = [
            i for i in items if isinstance(i, PostItem) and (i.platform, i.native_id) == (post.platform, post.native_id)
        ]
        if ours:
            await self.keep(fetch, [item for item in ours[:1] if self._edited(item, fetch)])
        elif post.platform == "bluesky" and _knows_none(response.body):
            await self._gone("not among the posts that the server has", fetch)
        elif kind:
            log.warning("%s: the answer does not show the post: %s", self.source.id, fetch.url)

    def _edited(self, item: PostItem, fetch: Fetch) -> bool:
        try:
            # Masked, as what was kept of it is.
            made = masked_post(as_post(item, fetched_at=fetch.fetched_at, source=None, region=None, evidence=None))
        except ValidationError:
            return True  # the publisher says what is wrong with it
        return made.revision != self.source.post.revision

    async def missed(self, failure: Any) -> Any:
        """No gap: this is no watching. What is not told for certain is a line for whoever asked."""
        if (answer := gone(failure)) is not None:
            fetch = self.fetch_of(answer)
            await self._gone(f"HTTP {fetch.status}", fetch)
            return
        self.failures += 1
        log.warning("%s: %s: %s", self.source.id, explain(failure.value).cause, self.source.url)

    async def _gone(self, how: str, fetch: Fetch) -> None:
        post = self.source.post
        await self.keep(fetch, [GoneItem(how, fetch.url, post.platform, post.native_id)])

    async def keep(
        self, fetch: Fetch | None, items: Iterable[Item], *, marks: Sequence[Mark] = (), gaps: Sequence[Gap] = ()
    ) -> None:
        """In the name of the source that gave the post."""
        await self.errand.publisher.room()
        post = self.source.post
        self.errand.publisher.put(Harvest(post.source or self.source.id, fetch, list(items), post.region, list(marks)))


def _knows_none(body: bytes) -> bool:
    """Whether it is a list of posts, and empty."""
    try:
        told = json.loads(body)
    except ValueError:
        return False
    return isinstance(told, dict) and told.get("posts") == []
