"""Google's Fact Check Tools API: claims that publishers have checked, by words, publisher or language. Needs a key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from .. import places
from ..pages.address import with_query
from ..pages.items import LinkItem
from .changed import Changed
from .visit import blindness

SLACK_DAYS = 7
"""How long the API may take to list a review: each visit looks so far behind the last one."""


class FactCheckApi(Changed):
    name = "factcheck_api"
    asks_for_news = True

    async def start(self) -> AsyncIterator[Any]:
        url = places.first("factcheck_api", self.source.url)
        if self.errand.keys.belong_to(url) and not self.errand.keys.has("factcheck"):
            await self.blinded(url, f"needs {self.errand.keys.setting('factcheck')}")
            return
        if (last := self.errand.seen.get(f"whole:{self.source.id}")) and "claims:search" in url:
            # https://developers.google.com/fact-check/tools/api/reference/rest/v1alpha1/claims/search
            days = (datetime.now(UTC) - datetime.fromisoformat(last)).days + SLACK_DAYS
            yield self._ask(with_query(url, maxAgeDays=str(days)), url)
        else:
            yield self._ask(url, url)

    def _ask(self, url: str, gate: str) -> Any:
        request = self.to(url, self.listing, listing=True)
        if request is not None:
            # One gap, however many days and pages are asked for.
            request.meta["gate"] = gate
            self.errand.keys.lend("factcheck", request)
        return request

    async def listing(self, response: Any, **carried: Any) -> Any:
        gate = response.meta["gate"]
        fetch = self.fetch_of(response)
        items = await self.read("factcheck_api", fetch, listing=True)
        if why := blindness(items):
            await self.keep(fetch, items)
            await self.blinded(gate, why)
            return
        await self.seeing(gate)
        self.looked(response)
        await self.keep_changed(fetch, items)
        self.remember_at_end((f"whole:{self.source.id}", datetime.now(UTC).isoformat()))
        older = next((item.url for item in items if isinstance(item, LinkItem)), None)
        if older and (request := self._ask(older, gate)):
            yield request
