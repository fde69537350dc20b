"""TikTok and Douyin, as their own pages load them: videos, comments, live streams."""

from __future__ import annotations

import json
from typing import Any

from crawlers.pages.items import PostItem
from crawlers.pages.text import clean, tidy

from .row import NoPost, Row, counts, first, ident, obj, objects, urls, words

_COUNTS = {"likes": "diggCount", "reposts": "shareCount", "replies": "commentCount", "views": "playCount"}
_DOUYIN_COUNTS = {
    "likes": ("digg_count", "diggCount", "like_count"),
    "reposts": ("share_count", "shareCount"),
    "replies": ("comment_count", "commentCount"),
    "views": ("play_count", "playCount"),
}


def video(data: dict[str, Any], row: Row) -> PostItem:
    native = ident(data.get("id"))
    if not native:
        raise NoPost("item without id")
    author = obj(data.get("author"))
    if data.get("privateItem") is True or data.get("forFriend") is True or author.get("privateAccount") is True:
        raise NoPost("not public: a private video or account")
    name = words(author.get("uniqueId") if author else data.get("author"))
    written = [t for s in objects(data.get("stickersOnItem")) for t in s.get("stickerText") or [] if isinstance(t, str)]
    shown = obj(data.get("video"))
    pictures = [
        next(iter(obj(p.get("imageURL")).get("urlList") or []), None)
        for p in objects(obj(data.get("imagePost")).get("images"))
    ]
    duet = ident(obj(data.get("duetInfo")).get("duetFromId"))
    found = counts(obj(data.get("statsV2")), _COUNTS) | counts(obj(data.get("stats")), _COUNTS)
    return PostItem(
        platform="tiktok",
        native_id=native,
        url=f"https://www.tiktok.com/@{name}/video/{native}" if name else None,
        author=row.author("tiktok", name or author.get("id")),
        text="\n".join(t for t in (tidy(words(data.get("desc"))), *map(tidy, written)) if t),
        published_at=row.when(data.get("createTime")),
        repost_of=duet if duet not in ("", "0") else None,
        media=urls([*pictures, first(shown.get("cover"), shown.get("originCover"))]),
        counts=found,
    )


def comment(data: dict[str, Any], row: Row) -> PostItem:
    native = ident(first(data.get("cid"), data.get("id")))
    if not native:
        raise NoPost("item without id")
    user = obj(data.get("user"))
    above = ident(data.get("reply_id"))
    return PostItem(
        platform="tiktok",
        native_id=native,
        url=first(*urls([obj(data.get("share_info")).get("url")])),
        author=row.author("tiktok", first(user.get("unique_id"), user.get("uid"))),
        text=tidy(words(data.get("text"))),
        published_at=row.when(data.get("create_time")),
        reply_to=(above if above not in ("", "0") else ident(data.get("aweme_id"))) or None,
        counts=counts(data, {"likes": "digg_count", "replies": "reply_comment_total"}),
    )


def douyin(data: dict[str, Any], row: Row) -> PostItem:
    """Both spellings: `aweme_id` from its API, `awemeId` out of its pages. A stream lies as JSON in `rawdata`."""
    native = ident(first(data.get("aweme_id"), data.get("awemeId")))
    raw = first(
        data.get("rawdata"), obj(data.get("cell_room")).get("rawdata"), obj(data.get("cellRoom")).get("rawdata")
    )
    stream = obj(_json(raw))
    author = obj(stream.get("owner")) or obj(data.get("author")) or obj(data.get("authorInfo"))
    if not native:
        raise NoPost("item without id")
    shown = obj(data.get("video"))
    cover = first(shown.get("cover"), shown.get("originCover"), obj(stream.get("video")).get("cover"))
    pictures = [i for p in objects(data.get("images")) for i in (_first_url(p),)]
    url = f"https://www.douyin.com/video/{native}"
    if stream:
        url = f"https://live.douyin.com/{clean(author.get('web_rid'))}" if author.get("web_rid") else url
    told = first(stream.get("create_time"), stream.get("createtime"), data.get("create_time"), data.get("createTime"))
    return PostItem(
        platform="douyin",
        native_id=native,
        url=url,
        author=row.author(
            "douyin", first(author.get("uid"), data.get("author_user_id"), data.get("authorUserId"), author.get("id"))
        ),
        text=tidy(words(first(stream.get("title"), data.get("desc")))),
        published_at=row.when(told),
        media=urls([*pictures, _first_url(cover)]),
        counts=counts(
            obj(stream.get("stats")) or obj(data.get("statistics")) or obj(data.get("stats")), _DOUYIN_COUNTS
        ),
    )


def _first_url(told: Any) -> Any:
    if isinstance(told, dict):
        listed = first(told.get("url_list"), told.get("urlList"))
        return listed[0] if isinstance(listed, list) else None
    return "https:" + told if isinstance(told, str) and told.startswith("//") else told


def _json(raw: Any) -> Any:
    if not isinstance(raw, str):
        return raw
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def research(data: dict[str, Any], row: Row) -> PostItem:
    """A video of TikTok's Research API, https://developers.tiktok.com/doc/research-api-specs-query-videos."""
    native, name = ident(first(data.get("id"), data.get("video_id"))), words(data.get("username"))
    if not native:
        raise NoPost("item without id")
    return PostItem(
        platform="tiktok",
        native_id=native,
        url=f"https://www.tiktok.com/@{name}/video/{native}" if name else None,
        author=row.author("tiktok", name),
        text=tidy(words(data.get("video_description"))),
        published_at=row.when(data.get("create_time")),
        counts=counts(
            data, {"likes": "like_count", "reposts": "share_count", "replies": "comment_count", "views": "view_count"}
        ),
    )
