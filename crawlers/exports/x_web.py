"""X in its other shapes: what its own pages load (GraphQL), API v1.1 and its streams, and the archive that X gives to an account."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from crawlers.pages.items import PostItem
from crawlers.pages.text import clean, tidy

from .row import NoPost, Row, Skipped, counts, first, ident, number, obj, objects, urls
from .x_api import PLATFORM, unescaped, without_self

_COUNTS = {"likes": "favorite_count", "reposts": "retweet_count", "replies": "reply_count", "quotes": "quote_count"}
_SCREEN_NAME = re.compile(r"^https?://(?:x|twitter)\.com/([A-Za-z0-9_]{1,20})/status/")


def graphql(data: dict[str, Any], row: Row) -> PostItem:
    """What X's own pages load. Some items have no `__typename`; some wrap the tweet once more; `adaptive` is the older form of it."""
    data = obj(data.get("tweet")) or data
    legacy = obj(data.get("legacy"))
    native = ident(first(data.get("rest_id"), legacy.get("id_str"), data.get("id")))
    if not native or not legacy:
        raise NoPost("item without tweet (withheld, deleted or an advertisement)")
    user = obj(data, "core", "user_results", "result")
    user_legacy = obj(user.get("legacy")) or obj(data.get("user"))
    if user_legacy.get("protected") is True or obj(user.get("privacy")).get("protected") is True:
        raise NoPost("not public: a protected account")
    repeated = obj(legacy, "retweeted_status_result", "result") or obj(data, "retweeted_status_result", "result")
    repeated = obj(repeated.get("tweet")) or repeated
    quoted = obj(data, "quoted_status_result", "result")
    quoted = obj(quoted.get("tweet")) or quoted
    said = repeated if obj(repeated.get("legacy")) else data
    said_legacy = obj(said.get("legacy"))
    note = obj(said, "note_tweet", "note_tweet_results", "result")
    entities = obj(note.get("entity_set")) or obj(said_legacy.get("entities"))
    shown = objects(obj(said_legacy.get("extended_entities")).get("media"))
    shown = shown or objects(obj(said_legacy.get("entities")).get("media"))
    name = clean(first(user_legacy.get("screen_name"), obj(user.get("core")).get("screen_name"))) or _name_in(legacy)
    found = counts(legacy, _COUNTS)
    if (
        views := number(first(obj(data.get("views")).get("count"), obj(data.get("ext_views")).get("count")))
    ) is not None:
        found["views"] = views
    return PostItem(
        platform=PLATFORM,
        native_id=native,
        url=f"https://x.com/{name or 'i'}/status/{native}",
        author=row.author(
            PLATFORM, first(legacy.get("user_id_str"), user.get("rest_id"), user_legacy.get("id_str"), name)
        ),
        text=tidy(unescaped(first(note.get("text"), said_legacy.get("full_text"), legacy.get("full_text")))),
        published_at=row.when(legacy.get("created_at")),
        reply_to=row.other_id(legacy.get("in_reply_to_status_id_str"), "reply_to"),
        repost_of=row.other_id(
            first(
                repeated.get("rest_id"),
                legacy.get("retweeted_status_id_str"),
                legacy.get("quoted_status_id_str"),
                quoted.get("rest_id"),
            ),
            "repost_of",
        ),
        links=without_self(urls(u.get("expanded_url") for u in objects(entities.get("urls"))), native),
        media=urls(m.get("media_url_https") for m in shown),
        counts=found,
    )


def _name_in(legacy: Mapping[str, Any]) -> str:
    """The author's name out of a picture's address, where the author's own record is missing."""
    for shown in objects(obj(legacy.get("entities")).get("media")):
        if match := _SCREEN_NAME.match(str(shown.get("expanded_url") or "")):
            return match.group(1)
    return ""


def v1(tweet: dict[str, Any], row: Row) -> PostItem:
    """API v1.1 and its streams. Long texts are in `extended_tweet`, those of repetitions in `retweeted_status`."""
    native = ident(first(tweet.get("id_str"), tweet.get("id")))
    if not native:
        raise NoPost("id: tweet without id")
    user = obj(tweet.get("user"))
    if user.get("protected") is True:
        raise NoPost("not public: a protected account")
    repeated, quoted = obj(tweet.get("retweeted_status")), obj(tweet.get("quoted_status"))
    said = repeated or tweet
    whole = obj(said.get("extended_tweet")) or said
    entities = obj(whole.get("entities"))
    shown = objects(obj(whole.get("extended_entities")).get("media")) or objects(entities.get("media"))
    shown = shown or objects(obj(said.get("extended_entities")).get("media"))
    name = clean(user.get("screen_name"))
    return PostItem(
        platform=PLATFORM,
        native_id=native,
        url=f"https://x.com/{name or 'i'}/status/{native}",
        author=row.author(PLATFORM, ident(first(user.get("id_str"), user.get("id"), tweet.get("user_id_str"), name))),
        text=tidy(
            unescaped(first(whole.get("full_text"), whole.get("text"), tweet.get("full_text"), tweet.get("text")))
        ),
        published_at=row.when(first(tweet.get("created_at"), tweet.get("timestamp_ms"))),
        reply_to=row.other_id(
            first(tweet.get("in_reply_to_status_id_str"), tweet.get("in_reply_to_status_id")), "reply_to"
        ),
        repost_of=row.other_id(
            first(
                repeated.get("id_str"),
                repeated.get("id"),
                tweet.get("quoted_status_id_str"),
                tweet.get("quoted_status_id"),
                quoted.get("id_str"),
            ),
            "repost_of",
        ),
        links=without_self(
            urls(obj(u.get("unwound")).get("url") or u.get("expanded_url") for u in objects(entities.get("urls"))),
            native,
        ),
        media=urls(first(m.get("media_url_https"), m.get("media_url")) for m in shown),
        counts=counts(tweet, _COUNTS),
    )


def archived(told: dict[str, Any], row: Row) -> PostItem:
    """`tweets.js` of the archive that an account can ask X for: the account's own posts, without its name."""
    return v1(obj(told.get("tweet")), row)


def notice(told: dict[str, Any], row: Row) -> PostItem:
    """What a stream says besides tweets: deletions, limits, disconnects."""
    raise Skipped(f"a notice of the stream ({next(iter(told))})")
