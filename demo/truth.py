"""What every item of the small web is, and how an address found by a crawler is recognised."""

from __future__ import annotations

import re
from functools import cache
from typing import TypedDict
from urllib.parse import urlsplit

from demo.compose import compose
from demo.ugliness import FEED_TRAPS
from demo.world import HOSTS, Meaning


class Row(TypedDict):
    """One item. `alert` is true for the posts that make up a story which deserves an alert, never for
    those that correct, question or mock it, though these carry the same `narrative`. `claim` is the
    canonical address of the fact-check. `listing_only` marks feed items whose page cannot be had."""

    platform: str
    native_id: str
    kind: str
    narrative: str | None
    claim: str | None
    alert: bool
    site: str
    listing_only: bool


@cache
def _rows() -> tuple[Row, ...]:
    world = compose()
    rows = [_row("mastodon", status.uri, status.meaning, "mikro") for status in world.statuses]
    rows += [
        _row("discourse", topic.native_id(comment), comment.meaning, "forum")
        for topic in world.topics
        for comment in topic.comments
    ]
    rows += [
        _row("web", article.canonical, article.meaning, site)
        for site, articles in world.articles.items()
        for article in articles
    ]
    rows += [_row("web", trap.native_id, Meaning(), "wartapesisir", listing_only=True) for trap in FEED_TRAPS]
    return tuple(rows)


def truth() -> list[Row]:
    """One row for every served item, fresh copies."""
    return [row.copy() for row in _rows()]


def _row(platform: str, native_id: str, meaning: Meaning, site: str, *, listing_only: bool = False) -> Row:
    return Row(
        platform=platform,
        native_id=native_id,
        kind=meaning.kind,
        narrative=meaning.narrative,
        claim=meaning.claim,
        alert=meaning.alert,
        site=site,
        listing_only=listing_only,
    )


_TOPIC = re.compile(r"/t/(?:[a-z0-9-]*[a-z-][a-z0-9-]*/)?(\d+)(?:/(\d+))?/?$")


def canonical(native_id: str) -> str:
    """The address as `truth()` writes it, for an address under any port or under the invented public
    host.

    `http://127.0.0.1:8765/kabarnusa/2026/...?x#y` becomes `https://kabarnusa.example/2026/...`; a forum
    topic without a post number is its first post. What is no address of ours comes back unchanged.
    """
    parts = urlsplit(native_id)
    host, path = parts.netloc, parts.path
    prefix, _, rest = path.lstrip("/").partition("/")
    if host.startswith(("127.0.0.1", "localhost", "[::1]")) and prefix in HOSTS:
        host, path = HOSTS[prefix], "/" + rest
    if host == HOSTS["forum"] and (match := _TOPIC.search(path)):
        slug = _slugs().get(int(match[1]))
        return f"https://{host}/t/{slug}/{match[1]}/{match[2] or 1}" if slug else native_id
    if host in (HOSTS["cekfakta"], HOSTS["kabarnusa"], HOSTS["wartapesisir"]):
        return f"https://{host}{path.rstrip('/')}/"
    return native_id


@cache
def _slugs() -> dict[int, str]:
    return {topic.id: topic.slug for topic in compose().topics}
