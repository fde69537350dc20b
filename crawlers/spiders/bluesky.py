"""Bluesky by its public API: an author's feed, or a search."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from ..pages.address import with_query
from ..pages.items import Item, PostItem
from .timeline import Timeline


class Bluesky(Timeline):
    name = "bluesky"
    page = "bluesky"

    def older(self, url: str, items: Sequence[Item]) -> str | None:
        if not urlsplit(url).path.endswith("app.bsky.feed.searchPosts"):
            return super().older(url, items)
        # Without an account a search gives no second page by cursor, but earlier ones by time (atproto issue 2838).
        told = [item.published_at for item in items if isinstance(item, PostItem) and item.published_at]
        earliest = min(told, default=None)
        if earliest is None or f"until={earliest}" in url.replace("%3A", ":"):
            return None
        return with_query(url, until=earliest)
