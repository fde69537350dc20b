"""snscrape's JSONL, https://github.com/JustAnotherArchivist/snscrape (and twscrape's, which is alike): `_type` names the class of an item."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from crawlers.pages.items import PostItem
from crawlers.pages.text import clean, tidy, titled, unique

from .row import NoPost, Row, Skipped, counts, first, ident, listed, obj, objects, unwritten, urls, words
from .tables import whole_id
from .x_api import SCRAPED_COUNTS, unescaped, without_self

_TELEGRAM = re.compile(r"t\.me/(?:s/)?([A-Za-z0-9_]{3,64}/\d+)")
_FACEBOOK = re.compile(r"/(?:posts|permalink|videos|photos)/(?:[^/?#]+/)*?(\d{5,})|[?&](?:story_fbid|fbid|v)=(\d+)")
_INSTAGRAM = re.compile(r"instagram\.com/(?:[^/]+/)?(?:p|reel|tv)/([\w-]+)")
_VK = re.compile(r"(wall-?\d+_\d+)")
_MASTODON = re.compile(r"^(https?://[^/]+)/@([^/@]+)/(\d+)$")
_TWEET = re.compile(r"(?:twitter|x)\.com/(\w+)/status/(\d+)")
_PRINTED = (("username", re.compile(r"\busername='(\w+)'")), ("id", re.compile(r"\bid=(\d+)")))
_KIND = re.compile(r"snscrape\.modules\.(\w+)\.(\w+)$")


def kind_of(told: dict[str, Any]) -> str:
    """`twitter.Tweet`, `telegram.TelegramPost` ...; older versions wrote no `_type`, so that a tweet is known by its fields."""
    match = _KIND.match(words(told.get("_type")))
    if match:
        return f"{match.group(1)}.{match.group(2)}"
    if {"renderedContent", "conversationId"} <= told.keys() or {"rawContent", "likeCount"} <= told.keys():
        return "twitter.Tweet"
    return ""


def is_table(header: Iterable[str]) -> bool:
    """Tweets that pandas has written as a table, their inner objects as Python prints them."""
    return {"renderedContent", "conversationId", "likeCount"} <= set(header)


def table_row(cells: Mapping[str, Any], row: Row) -> PostItem:
    told = {name: None if value in ("", "nan", "None") else unwritten(value) for name, value in cells.items()}
    user = told.get("user")
    if isinstance(user, str):
        # A dataclass as it prints itself: `User(username='a', id=1, ...)`.
        told["user"] = {name: match.group(1) for name, pattern in _PRINTED if (match := pattern.search(user))}
    name = obj(told["user"]).get("username") if "user" in told else told.get("username")
    if not name and (match := _TWEET.search(words(told.get("url")))):
        told["username"] = match.group(1)
    for column in ("retweetedTweet", "quotedTweet"):
        inner = told.get(column)
        if isinstance(inner, str) and (match := _TWEET.search(inner)):
            told[column] = {"id": match.group(2)}
    native = whole_id(told.get("id"), words(told.get("url")))
    return _tweet({**told, "id": native}, row)


def item(told: dict[str, Any], row: Row) -> PostItem:
    kind = kind_of(told)
    if kind not in _MAPPERS:
        if kind.endswith((".User", ".UserRef", ".Channel", ".Community", ".Trend", ".List", ".Tombstone", ".TweetRef")):
            raise Skipped(f"no post but a {kind}")
        raise NoPost(f"_type: {kind or words(told.get('_type'))[:60]!r} is not read; these are: {', '.join(_MAPPERS)}")
    return _MAPPERS[kind](told, row)


def _tweet(told: dict[str, Any], row: Row) -> PostItem:
    native = ident(first(told.get("id.str"), told.get("id_str"), told.get("id")))
    if not native:
        raise NoPost("id: tweet without id")
    user = obj(told.get("user"))
    if user.get("protected") is True:
        raise NoPost("not public: a protected account")
    name = words(first(user.get("username"), told.get("username")))
    repeated, quoted = obj(told.get("retweetedTweet")), obj(told.get("quotedTweet"))
    said = repeated or told
    links = urls(link.get("url") for link in objects(said.get("links")))
    links = links or urls(listed(said.get("outlinks")))
    return PostItem(
        platform="x",
        native_id=native,
        url=f"https://x.com/{name or 'i'}/status/{native}",
        author=row.author("x", ident(first(user.get("id.str"), user.get("id_str"), user.get("id"), name))),
        text=tidy(unescaped(first(said.get("rawContent"), said.get("content"), said.get("renderedContent")))),
        published_at=row.when(told.get("date")),
        reply_to=row.other_id(
            first(told.get("inReplyToTweetId.str"), told.get("inReplyToTweetIdStr"), told.get("inReplyToTweetId")),
            "reply_to",
        ),
        repost_of=row.other_id(
            first(repeated.get("id_str"), repeated.get("id"), quoted.get("id_str"), quoted.get("id")), "repost_of"
        ),
        links=without_self(links, native),
        media=urls(_media(said.get("media"))),
        counts=counts(told, SCRAPED_COUNTS),
    )


def _media(told: Any) -> list[Any]:
    """A list of pictures and videos, or (twscrape) an object with a list of each."""
    shown = objects(told)
    for name in ("photos", "videos", "animated"):
        shown += objects(obj(told).get(name))
    return [first(m.get("fullUrl"), m.get("url"), m.get("previewUrl"), m.get("thumbnailUrl")) for m in shown]


def _telegram(told: dict[str, Any], row: Row) -> PostItem:
    match = _TELEGRAM.search(words(told.get("url")))
    if not match:
        raise NoPost("url: no address of a Telegram message")
    native = match.group(1)
    forwarded = told.get("forwarded")
    forwarded = obj(forwarded).get("username") if isinstance(forwarded, dict) else forwarded
    origin = _TELEGRAM.search(words(told.get("forwardedUrl")))
    preview = obj(told.get("linkPreview"))
    outlinks = listed(told.get("outlinks"))
    links = urls(
        [*outlinks, *(x.get("href") or x.get("url") for x in objects(told.get("outlinks"))), preview.get("href")]
    )
    media = [
        first(m.get("url"), m.get("thumbnailUrl"))
        for m in [*objects(told.get("media")), *objects(told.get("images")), obj(told.get("video"))]
    ]
    media += listed(told.get("images"))
    return PostItem(
        platform="telegram",
        native_id=native,
        url=f"https://t.me/{native}",
        author=row.author("telegram", native.partition("/")[0]),
        text=tidy(words(told.get("content"))),
        published_at=row.when(told.get("date")),
        repost_of=(origin.group(1) if origin else row.author("telegram", forwarded)) or None,
        # Hashtags are searches within the channel.
        links=[link for link in links if "?q=%23" not in link and not link.endswith(f"t.me/{native}")],
        media=urls(media),
        counts=counts(told, {"views": "views"}),
    )


def _submission(told: dict[str, Any], row: Row) -> PostItem:
    native = words(told.get("id"))
    if not native:
        raise NoPost("id: item without id")
    return PostItem(
        platform="reddit",
        native_id=native if native.startswith("t3_") else f"t3_{native}",
        url=first(*urls([told.get("url")])),
        author=row.author("reddit", told.get("author")),
        text=titled(tidy(words(told.get("title"))), tidy(words(told.get("selftext")))),
        published_at=row.when(first(told.get("date"), told.get("created"))),
        links=urls([told.get("link")]),
    )


def _comment(told: dict[str, Any], row: Row) -> PostItem:
    native = words(told.get("id"))
    if not native:
        raise NoPost("id: item without id")
    return PostItem(
        platform="reddit",
        native_id=native if native.startswith("t1_") else f"t1_{native}",
        url=first(*urls([told.get("url")])),
        author=row.author("reddit", told.get("author")),
        text=tidy(words(told.get("body"))),
        published_at=row.when(first(told.get("date"), told.get("created"))),
        reply_to=words(told.get("parentId")) or None,
    )


def _toot(told: dict[str, Any], row: Row) -> PostItem:
    url = words(told.get("url"))
    if not url:
        raise NoPost("url: toot without address")
    user = obj(told.get("user"))
    poll = objects(obj(told.get("poll")).get("options"))
    warning, text = tidy(words(told.get("spoilerText"))), tidy(words(told.get("text")))
    return PostItem(
        platform="mastodon",
        native_id=_mastodon_uri(url),
        url=first(*urls([url])),
        author=row.author("mastodon", words(user.get("account")).lstrip("@")),
        text="\n".join(t for t in (warning, text, *(f"- {tidy(words(o.get('title')))}" for o in poll)) if t),
        published_at=row.when(told.get("date")),
        links=urls(listed(told.get("links"))),
        media=urls(a.get("url") for a in objects(told.get("attachments"))),
    )


def _mastodon_uri(url: str) -> str:
    """A status's `uri`, by which the crawlers know it, out of its page's address."""
    match = _MASTODON.match(url)
    return f"{match.group(1)}/users/{match.group(2)}/statuses/{match.group(3)}" if match else url


def _boost(told: dict[str, Any], row: Row) -> PostItem:
    made = _toot(obj(told.get("toot")), row)
    user = words(obj(told.get("user")).get("account")).lstrip("@")
    author = row.author("mastodon", user)
    made.repost_of, made.native_id, made.author = made.native_id, f"{made.native_id}#boost-{author or ''}", author
    return made


def _facebook(told: dict[str, Any], row: Row) -> PostItem:
    url = words(first(told.get("cleanUrl"), told.get("url"), told.get("dirtyUrl")))
    match = _FACEBOOK.search(url)
    if not url:
        raise NoPost("cleanUrl: post without address")
    parts = url.split("facebook.com/")[-1].split("/")
    return PostItem(
        platform="facebook",
        native_id=next((g for g in match.groups() if g), url) if match else url,
        url=first(*urls([url])),
        author=row.author("facebook", parts[0] if len(parts) > 1 and "?" not in parts[0] else None),
        text=tidy(words(told.get("content"))),
        published_at=row.when(told.get("date")),
        links=urls(listed(told.get("outlinks"))),
    )


def _instagram(told: dict[str, Any], row: Row) -> PostItem:
    url = words(first(told.get("url"), told.get("cleanUrl")))
    match = _INSTAGRAM.search(url)
    if not match:
        raise NoPost("url: no address of an Instagram post")
    return PostItem(
        platform="instagram",
        native_id=match.group(1),
        url=f"https://www.instagram.com/p/{match.group(1)}/",
        author=row.author("instagram", told.get("username")),
        text=tidy(words(told.get("content"))),
        published_at=row.when(told.get("date")),
        media=urls([first(told.get("displayUrl"), told.get("thumbnailUrl"))]),
        counts=counts(told, {"likes": "likes", "replies": "comments"}),
    )


def _vk(told: dict[str, Any], row: Row) -> PostItem:
    url = words(told.get("url"))
    match = _VK.search(url)
    if not match:
        raise NoPost("url: no address of a VK post")
    quoted = _VK.search(words(obj(told.get("quotedPost")).get("url")))
    pictures = [
        (objects(p.get("variants")) or [{}])[-1].get("url") or p.get("url") for p in objects(told.get("photos"))
    ]
    return PostItem(
        platform="vk",
        native_id=match.group(1),
        url=f"https://vk.com/{match.group(1)}",
        author=row.author("vk", match.group(1).removeprefix("wall").partition("_")[0]),
        text=tidy(words(told.get("content"))),
        published_at=row.when(told.get("date")),
        repost_of=quoted.group(1) if quoted else None,
        links=urls(listed(told.get("outlinks"))),
        media=urls([*pictures, obj(told.get("video")).get("thumbUrl")]),
    )


def _weibo(told: dict[str, Any], row: Row) -> PostItem:
    native = ident(told.get("id"))
    if not native:
        raise NoPost("id: item without id")
    user, repeated = obj(told.get("user")), obj(told.get("repostedPost"))
    return PostItem(
        platform="weibo",
        native_id=native,
        url=first(*urls([told.get("url")])),
        author=row.author("weibo", first(ident(user.get("uid")), user.get("screenname"))),
        text=tidy(words(told.get("text"))),
        published_at=row.when(told.get("createdAt")),
        repost_of=ident(repeated.get("id")) or None,
        links=unique(urls([told.get("link")])),
        media=urls([*listed(told.get("pictures")), told.get("video")]),
        counts=counts(told, {"likes": "likesCount", "reposts": "repostsCount", "replies": "commentsCount"}),
    )


_MAPPERS = {
    "twitter.Tweet": _tweet,
    "telegram.TelegramPost": _telegram,
    "reddit.Submission": _submission,
    "reddit.Comment": _comment,
    "mastodon.Toot": _toot,
    "mastodon.Boost": _boost,
    "facebook.FacebookPost": _facebook,
    "instagram.InstagramPost": _instagram,
    "vkontakte.VKontaktePost": _vk,
    "weibo.Post": _weibo,
}


def name_of(told: dict[str, Any]) -> str:
    return clean(kind_of(told).partition(".")[0]) or "unknown"
