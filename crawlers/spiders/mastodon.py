"""Mastodon's public and tag timelines, newest first, back to what was seen last time."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ..pages.items import LinkItem
from .visit import Visit


class Mastodon(Visit):
    name = "mastodon"

    def first(self) -> Any:
        parts = urlsplit(self.source.url)
        query = dict(parse_qsl(parts.query))
        query.setdefault("limit", "40")
        if newest := self.errand.seen.get(f"newest:{self.source.id}"):
            query["since_id"] = newest
        yield self.to(urlunsplit(parts._replace(query=urlencode(query))), self.listing, listing=True)

    async def listing(self, response: Any, **carried: Any) -> Any:
        if not await self.sighted(response):
            return
        fetch = self.fetch_of(response)
        items = self.read("mastodon", fetch)
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
