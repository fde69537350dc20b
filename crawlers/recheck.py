"""Looking again at single posts where they were published: edited, deleted, or as they were.

Each post is a source of one page for one visit, through the guard, robots.txt and the pauses of hosts like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pipeline.contracts import Post
from pipeline.ports import Broker
from pipeline.settings import Settings

from .places import BLUESKY
from .sources import Source

_STATUS = re.compile(r"(https?://[^/?#]+)/@[^/?#]+/(\d+)")
_RECORD = re.compile(r"at://[^/]+/app\.bsky\.feed\.post/[^/]+")


class Recheck(Source):
    """One post's own page. Never in a file: made for one visit."""

    post: Post


@dataclass
class Rechecked:
    asked: int = 0
    edited: int = 0
    deleted: int = 0
    unasked: int = 0
    """Posts without an address of their own."""
    unpublished: int = 0

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self))


def address_of(post: Post) -> str | None:
    """Where the platform answers about this one post; None where it has no such place."""
    if post.platform == "bluesky":
        return (
            f"{BLUESKY}/xrpc/app.bsky.feed.getPosts?uris={quote(post.native_id, safe='')}"
            if _RECORD.fullmatch(post.native_id)
            else None
        )
    url = (post.url or "").partition("#")[0]
    if post.platform == "mastodon" and (found := _STATUS.fullmatch(url)):
        return f"{found[1]}/api/v1/statuses/{found[2]}"
    return url if url.startswith(("http://", "https://")) else None


def recheck(
    settings: Settings,
    posts: Sequence[Post],
    open_broker: Callable[[], Broker],
    say: Callable[[str], None] = lambda line: None,
) -> Rechecked:
    """Ask once for each; what is found goes to the log. Once per process. Raises OSError."""
    from .crawl import crawl

    done = Rechecked()
    sources = []
    for post in posts:
        url = address_of(post)
        if url is None:
            done.unasked += 1
        else:
            sources.append(Recheck(id=f"recheck.{post.id}", kind="article", url=url, post=post))
    if sources:
        tally = crawl(settings, sources, open_broker, say=say)
        done.asked = len(sources)
        done.edited, done.deleted, done.unpublished = tally.counts.posts, tally.counts.deletions, tally.unpublished
    return done
