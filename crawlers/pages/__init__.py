"""Page objects: pure functions from a response to items, one file a kind of page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

from .items import Item, ProblemItem
from .page import Page

KINDS = (
    "feed", "sitemap", "article", "wordpress", "claimreview", "factcheck_api", "telegram", "mastodon", "bluesky", "jetstream",
    "discourse", "forum", "reddit", "youtube_feed", "youtube_comments", "export", "robots",
)  # fmt: skip
"""Every kind that `jaga parse` knows by name."""

BUILT = (
    "feed", "sitemap", "article", "wordpress", "claimreview", "mastodon", "discourse",
    "telegram", "bluesky", "jetstream", "reddit", "youtube_feed", "youtube_comments", "factcheck_api", "robots", "export", "forum",
)  # fmt: skip
"""Those that can be read today."""


class NotBuilt(LookupError):
    """A kind that is known by name and cannot be read yet."""


def reader(kind: str) -> Callable[[Page], Iterator[Item]]:
    """The page function of a kind. Raises NotBuilt, or LookupError for a name that nobody knows."""
    if kind not in KINDS:
        raise LookupError(f"unknown kind {kind!r}; known are {', '.join(KINDS)}")
    if kind not in BUILT:
        raise NotBuilt(f"not built yet: {kind}")
    function: Callable[[Page], Iterator[Item]] = import_module(f"{__name__}.{kind}").read
    return function


def read(kind: str, page: Page) -> list[Item]:
    """The items of a page. Whatever is wrong with the page is among them as a problem; only NotBuilt and LookupError are raised."""
    items: list[Item] = []
    function = reader(kind)
    try:
        for item in function(page):
            items.append(item)
    except Exception as error:  # a page is hostile input: one that breaks its reader is a problem of that page alone
        items.append(ProblemItem(f"page cannot be read further: {type(error).__name__}: {error}", page.url))
    return items
