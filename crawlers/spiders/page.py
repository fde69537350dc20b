"""Sources that are one page: read as it is at each visit. If it is gone, so is the post it gave, and that is told."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from ..pages.items import GoneItem, LinkItem, PostItem
from .visit import Visit, gone


class _OnePage(Visit):
    kind: ClassVar[str]

    async def listing(self, response: Any, **carried: Any) -> None:
        if await self.sighted(response):
            fetch = self.fetch_of(response)
            items = [i for i in await self.read(self.kind, fetch) if not isinstance(i, LinkItem)]
            gave = [(i.platform, i.native_id) for i in items if isinstance(i, PostItem)]
            await self.keep(fetch, items, marks=[(self._gave, json.dumps(gave))] if gave else [])
            self.unchanged_next_time(response)

    @property
    def _gave(self) -> str:
        return f"gave:{self.source.id}"

    async def missed(self, failure: Any) -> Any:
        await super().missed(failure)
        gave = json.loads(self.errand.seen.get(self._gave) or "[]")
        if gave and (answer := gone(failure)) is not None:
            fetch = self.fetch_of(answer)
            how = f"HTTP {fetch.status}"
            items = [GoneItem(how, fetch.url, platform, native_id) for platform, native_id in gave]
            await self.keep(fetch, items, marks=[(self._gave, "[]")])


class ClaimPage(_OnePage):
    name = "claimreview"
    kind = "claimreview"


class ArticlePage(_OnePage):
    name = "article"
    kind = "article"
