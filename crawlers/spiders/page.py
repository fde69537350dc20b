"""Sources that are one page: read as it is at each visit."""

from __future__ import annotations

from typing import Any, ClassVar

from ..pages.items import LinkItem
from .visit import Visit


class _OnePage(Visit):
    kind: ClassVar[str]

    async def listing(self, response: Any, **carried: Any) -> None:
        if await self.sighted(response):
            fetch = self.fetch_of(response)
            await self.keep(fetch, [i for i in self.read(self.kind, fetch) if not isinstance(i, LinkItem)])
            self.unchanged_next_time(response)


class ClaimPage(_OnePage):
    name = "claimreview"
    kind = "claimreview"


class ArticlePage(_OnePage):
    name = "article"
    kind = "article"
