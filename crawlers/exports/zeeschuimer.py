"""Zeeschuimer, https://github.com/digitalmethodsinitiative/zeeschuimer: what a browser received of a platform's page, item by item.

A line is `{item_id, timestamp_collected, source_platform, data, ...}`. 4CAT keeps the same items with all but `data` under `__import_meta`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from crawlers.pages.items import PostItem

from . import boards, instagram, microblogs, tiktok, x_web
from .row import NoPost, Row, words

Mapper = Callable[[dict[str, Any], Row], PostItem]

PLATFORMS: Mapping[str, tuple[str, Mapper]] = {
    "tiktok.com": ("TikTok", tiktok.video),
    "tiktok-comments": ("TikTok comments", tiktok.comment),
    "instagram.com": ("Instagram", instagram.post),
    "threads.net": ("Threads", instagram.thread),
    "threads.com": ("Threads", instagram.thread),
    "twitter.com": ("X", x_web.graphql),
    "x.com": ("X", x_web.graphql),
    "douyin.com": ("Douyin", tiktok.douyin),
    "9gag.com": ("9GAG", boards.ninegag),
    "imgur.com": ("Imgur", boards.imgur),
    "pinterest.com": ("Pinterest", boards.pinterest),
    "xiaohongshu.com": ("RedNote", boards.rednote),
    "rednote.com": ("RedNote", boards.rednote),
    "rednote-comments": ("RedNote comments", boards.rednote_comment),
    "gab.com": ("Gab", microblogs.gab),
    "truthsocial.com": ("Truth Social", microblogs.truth),
    "truth.social": ("Truth Social", microblogs.truth),
    "linkedin.com": ("LinkedIn", microblogs.linkedin),
    "facebook.com": ("Facebook", microblogs.facebook),
    "bsky.app": ("Bluesky", microblogs.bluesky),
}
"""`source_platform` -> its name for people, and its mapper."""
_OTHER_NAMES = {
    "xiaohongshu-comments": "rednote-comments",
    "xiaohongshu.com-comments": "rednote-comments",
    "tiktok.com-comments": "tiktok-comments",
    "tiktok_comments": "tiktok-comments",
    "twitter": "x.com",
    "x": "x.com",
}


def platform_of(told: Mapping[str, Any]) -> str:
    """The key in PLATFORMS, from the name or, failing that, from the page's address."""
    name = words(told.get("source_platform")).strip().lower().removeprefix("www.")
    name = _OTHER_NAMES.get(name, name)
    if name in PLATFORMS:
        return name
    if f"{name}.com" in PLATFORMS:
        return f"{name}.com"
    try:
        host = urlsplit(words(told.get("source_platform_url"))).hostname or ""
    except ValueError:
        host = ""
    return next((known for known in PLATFORMS if host == known or host.endswith("." + known)), name)


def name_of(told: Mapping[str, Any]) -> str:
    platform = platform_of(told)
    return PLATFORMS[platform][0] if platform in PLATFORMS else platform[:60]


def item(told: dict[str, Any], row: Row) -> PostItem:
    """A line as Zeeschuimer writes it."""
    return _mapped(told, told["data"], row)


def imported(told: dict[str, Any], row: Row) -> PostItem:
    """A line as 4CAT writes it."""
    return _mapped(told["__import_meta"], told, row)


def _mapped(meta: Mapping[str, Any], data: dict[str, Any], row: Row) -> PostItem:
    platform = platform_of(meta)
    if platform not in PLATFORMS:
        known = ", ".join(sorted({name for name, _ in PLATFORMS.values()}))
        raise NoPost(f"source_platform: {platform[:60]!r} is not read; these are: {known}")
    mapper = PLATFORMS[platform][1]
    if mapper is microblogs.linkedin:
        return microblogs.linkedin(data, row, meta.get("timestamp_collected"))
    return mapper(data, row)
