"""Mastodon's public, tag and account timelines, newest first, back to what was seen last time."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from .. import places
from ..pages.items import LinkItem
from .visit import Visit, blindness


class Mastodon(Visit):
    name = "mastodon"
    asks_for_news = True

    def first(self) -> Any:
        url = places.first("mastodon", self.source.url)
        if url.partition("?")[0].endswith("/accounts/lookup"):
            yield self.to(url, self.account, listing=True)
        else:
            yield self._timeline(url)

    def _timeline(self, url: str, since: str | None = None) -> Any:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        query.setdefault("limit", "40")
        if newest := since or self.errand.seen.get(f"newest:{self.source.id}"):
            query["since_id"] = newest
        return self.to(urlunsplit(parts._replace(query=urlencode(query))), self.listing, listing=True)

    async def account(self, response: Any) -> Any:
        """The server's number of an account: its statuses are asked for by it."""
        asked = response.meta["asked"]
        try:
            number = str(json.loads(response.body)["id"])
        except (ValueError, LookupError, TypeError):
            await self.blinded(asked, "shape changed: no account")
            return
        await self.seeing(asked)
        if number.isalnum() and (
            request := self._timeline(urljoin(response.url, f"/api/v1/accounts/{number}/statuses"))
        ):
            yield request

    async def listing(self, response: Any, **carried: Any) -> Any:
        fetch = self.fetch_of(response)
        items = await self.read("mastodon", fetch, listing=True) if response.status != 304 else []
        if why := blindness(items):
            await self.keep(fetch, items)
            await self.blinded(response.meta["asked"], why)
            return
        if not await self.sighted(response):
            return
        await self.keep(fetch, [item for item in items if not isinstance(item, LinkItem)])
        if "max_id" not in response.url and (newest := _first_id(response.body)):
            self.remember_at_end((f"newest:{self.source.id}", newest))
        for item in items:
            if (
                isinstance(item, LinkItem)
                and item.why == "next page"
                and (request := self.to(item.url, self.listing, listing=True))
            ):
                yield request


def _first_id(body: bytes) -> str | None:
    try:
        return str(json.loads(body)[0]["id"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
