"""Spiders: where to go. What a page says is the page objects' business."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .visit import Visit

_PLACES = {
    "wordpress": "wordpress:WordPress",
    "feed": "feed:Feed",
    "sitemap": "sitemap:Sitemap",
    "telegram": "telegram:Telegram",
    "mastodon": "mastodon:Mastodon",
    "bluesky": "bluesky:Bluesky",
    "reddit": "reddit:Reddit",
    "youtube": "youtube:YouTube",
    "forum": "forum:Forum",
    "recipe": "recipe:ByRecipe",
    "factcheck_api": "factcheck_api:FactCheckApi",
    "discourse": "discourse:Discourse",
    "claimreview": "page:ClaimPage",
    "article": "page:ArticlePage",
    "mastodon_stream": "catch_up:CatchUp",  # what the stream itself did not bring; streams are held by crawlers/streams
    "recheck": "recheck:LookAgain",  # no kind of a source: crawlers/recheck.py makes them
}


def spider(kind: str) -> type[Visit]:
    """The spider of a source's kind."""
    module, _, name = _PLACES[kind].partition(":")
    found: type[Visit] = getattr(import_module(f"{__name__}.{module}"), name)
    return found
