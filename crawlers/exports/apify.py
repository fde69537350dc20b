"""What actors on https://apify.com give of X, TikTok, Instagram and Facebook: objects, or the same laid flat in a table (`author/userName`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from crawlers.pages.items import PostItem
from crawlers.pages.text import tidy, unique

from .row import NoPost, Row, counts, first, ident, obj, urls, words
from .x_api import SCRAPED_COUNTS, unescaped, without_self


def kind_of(names: Iterable[str]) -> str:
    """`x`, `tiktok`, `instagram` or `facebook`, by names that only that actor has; empty if by none."""
    tops = {name.split("/")[0].split(".")[0] for name in names}
    for kind, own in _KNOWN_BY:
        if own <= tops:
            return kind
    return ""


def item(told: Mapping[str, Any], row: Row) -> PostItem:
    return _MAPPERS[kind_of(told)](_deep(told), row)


def _deep(told: Mapping[str, Any]) -> dict[str, Any]:
    """Objects again of names with a path (`author/userName`); a list becomes an object of its numbers."""
    deep: dict[str, Any] = {}
    for name, value in told.items():
        at = deep
        *path, last = name.replace(".", "/").split("/")
        for part in path:
            inner = at.setdefault(part, {})
            at = inner if isinstance(inner, dict) else {}
        if value not in (None, ""):
            at[last] = value
    return deep


def _list(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _native(told: Mapping[str, Any], *names: str) -> str:
    native = ident(first(*(told.get(name) for name in names)))
    if not native:
        raise NoPost("item without id")
    return native


def _x(told: dict[str, Any], row: Row) -> PostItem:
    native, user = _native(told, "id"), obj(told.get("author"))
    if user.get("protected") in (True, "true"):
        raise NoPost("not public: a protected account")
    repeated, quoted = obj(told.get("retweet")), obj(told.get("quote"))
    said = repeated or told
    entities = obj(said.get("entities"))
    shown = _list(obj(said.get("extendedEntities")).get("media")) or _list(said.get("media"))
    return PostItem(
        platform="x",
        native_id=native,
        url=f"https://x.com/{words(user.get('userName')) or 'i'}/status/{native}",
        author=row.author("x", row.other_id(first(user.get("id"), user.get("userName")), "author")),
        text=tidy(unescaped(first(said.get("fullText"), said.get("text")))),
        published_at=row.when(told.get("createdAt")),
        reply_to=row.other_id(told.get("inReplyToId"), "reply_to"),
        repost_of=row.other_id(
            first(repeated.get("id"), told.get("retweetId"), quoted.get("id"), told.get("quoteId")), "repost_of"
        ),
        links=without_self(urls(obj(u).get("expanded_url") for u in _list(entities.get("urls"))), native),
        media=urls(first(m.get("media_url_https"), m.get("url")) if isinstance(m, dict) else m for m in shown),
        counts=counts(told, SCRAPED_COUNTS),
    )


def _tiktok(told: dict[str, Any], row: Row) -> PostItem:
    native, user = _native(told, "id"), obj(told.get("authorMeta"))
    if user.get("privateAccount") in (True, "true"):
        raise NoPost("not public: a private account")
    slides = [obj(s).get("tiktokLink") or obj(s).get("downloadLink") for s in _list(told.get("slideshowImageLinks"))]
    shown = obj(told.get("videoMeta"))
    return PostItem(
        platform="tiktok",
        native_id=native,
        url=first(*urls([told.get("webVideoUrl")])),
        author=row.author("tiktok", first(user.get("name"), user.get("id"))),
        text=tidy(words(told.get("text"))),
        published_at=row.when(first(told.get("createTime"), told.get("createTimeISO"))),
        media=urls([*slides, first(shown.get("coverUrl"), shown.get("originalCoverUrl"))]),
        counts=counts(
            told, {"likes": "diggCount", "reposts": "shareCount", "replies": "commentCount", "views": "playCount"}
        ),
    )


def _instagram(told: dict[str, Any], row: Row) -> PostItem:
    code = words(told.get("shortCode"))
    if not code:
        raise NoPost("item without shortCode")
    slides = [obj(child).get("displayUrl") for child in _list(told.get("childPosts"))]
    return PostItem(
        platform="instagram",
        native_id=code,
        url=f"https://www.instagram.com/p/{code}/",
        author=row.author(
            "instagram", first(row.other_id(told.get("ownerId"), "author"), words(told.get("ownerUsername")))
        ),
        text=tidy(words(told.get("caption"))),
        published_at=row.when(told.get("timestamp")),
        media=urls([told.get("displayUrl"), *_list(told.get("images")), *slides]),
        # -1 stands for likes that the account hides; `number` takes none below 0.
        counts=counts(
            told,
            {"likes": "likesCount", "replies": "commentsCount", "views": ("videoPlayCount", "videoViewCount")},
        ),
    )


def _facebook(told: dict[str, Any], row: Row) -> PostItem:
    native, user = _native(told, "postId", "postFacebookId", "id"), obj(told.get("user"))
    shown = [obj(m) for m in _list(told.get("media"))]
    pictures = [
        first(obj(m.get("photo_image")).get("uri"), obj(m.get("image")).get("uri"), m.get("thumbnail")) for m in shown
    ]
    found = counts(
        told,
        {
            "likes": "reactionLikeCount",
            "reactions": ("topReactionsCount", "likes"),
            "reposts": "shares",
            "replies": "comments",
            "views": "viewsCount",
        },
    )
    shared = obj(told.get("sharedPost"))
    return PostItem(
        platform="facebook",
        native_id=native,
        url=first(*urls([told.get("url"), told.get("topLevelUrl")])),
        author=row.author(
            "facebook",
            first(row.other_id(user.get("id"), "author"), words(told.get("pageName")), words(user.get("name"))),
        ),
        text=tidy(words(told.get("text"))),
        published_at=row.when(first(told.get("timestamp"), told.get("time"))),
        repost_of=row.other_id(first(shared.get("postId"), shared.get("id")), "repost_of"),
        links=unique(urls([told.get("link")])),
        media=urls(pictures),
        counts=found,
    )


_KNOWN_BY: tuple[tuple[str, frozenset[str]], ...] = (
    ("x", frozenset({"twitterUrl", "createdAt", "author"})),
    ("x", frozenset({"createdAt", "likeCount", "retweetCount", "author", "isRetweet"})),
    ("tiktok", frozenset({"webVideoUrl", "authorMeta"})),
    ("instagram", frozenset({"shortCode", "ownerUsername"})),
    ("facebook", frozenset({"facebookUrl", "postId"})),
)
_MAPPERS: Mapping[str, Callable[[dict[str, Any], Row], PostItem]] = {
    "x": _x,
    "tiktok": _tiktok,
    "instagram": _instagram,
    "facebook": _facebook,
}
NAMES = {"x": "X", "tiktok": "TikTok", "instagram": "Instagram", "facebook": "Facebook"}
"""For people."""
