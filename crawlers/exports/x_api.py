"""X API v2, https://docs.x.com/x-api: answers as they came (`data`, `includes`, `errors`), streams, and single tweets as twarc flattens them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

from crawlers.pages.items import PostItem
from crawlers.pages.text import clean, one_line, tidy, unique

from .row import Made, NoPost, Row, Skipped, counts, first, ident, obj, objects, urls, words

PLATFORM = "x"
_ITS_OWN_MEDIA = re.compile(r"^https?://(?:twitter|x)\.com/[^/]+/status/\d+/(?:photo|video)/\d+$")
_OTHER_RECORDS = {"username", "name", "tweet_count", "owner_id"}
_COUNTS = {
    "likes": "like_count",
    "reposts": "retweet_count",
    "replies": "reply_count",
    "quotes": "quote_count",
    "views": "impression_count",
}
SCRAPED_COUNTS = {
    "likes": "likeCount",
    "reposts": "retweetCount",
    "replies": "replyCount",
    "quotes": "quoteCount",
    "views": "viewCount",
}
"""As tools name them that read X's own pages."""


def page(told: dict[str, Any], row: Row) -> Iterator[Made]:
    """One answer: `data` is a tweet or a list. Included tweets are posts too: they are what was quoted, repeated or answered."""
    includes = obj(told.get("includes"))
    users = {u.get("id"): u for u in objects(includes.get("users"))}
    media = {m.get("media_key"): m for m in objects(includes.get("media"))}
    included = objects(includes.get("tweets"))
    data = told.get("data")
    data = data if isinstance(data, list) else [] if data is None else [data]
    by_id = {t.get("id"): t for t in [*included, *(d for d in data if isinstance(d, dict))]}
    seen: set[Any] = set()
    for nth, found in enumerate([*data, *included], start=1):
        place = "" if len(data) == 1 and nth == 1 else f"tweet {nth}"
        if isinstance(found, dict) and "text" not in found and _OTHER_RECORDS & found.keys():
            yield Skipped("an account's, a list's or a count's record")
        elif not isinstance(found, dict) or not ident(found.get("id")):
            yield NoPost("id: tweet without id", place)
        elif found["id"] not in seen:
            seen.add(found["id"])
            try:
                yield _tweet(found, by_id, users, media, row)
            except NoPost as error:
                yield NoPost(str(error), place)
    for refusal in objects(told.get("errors")):
        named = words(first(refusal.get("resource_id"), refusal.get("value")))
        named = named if named.isdigit() else ""  # an account's name is nobody's business
        yield NoPost(f"not to be had: {one_line(refusal.get('title') or refusal.get('message'))} {named}".strip())


def flat(tweet: dict[str, Any], row: Row) -> PostItem:
    """One tweet that carries its author, its media and the tweets that it refers to, as `twarc2 flatten` and 4CAT write it."""
    by_id = {r.get("id"): r for r in objects(tweet.get("referenced_tweets")) if r.get("text")}
    keys = obj(tweet.get("attachments")).get("media_keys")
    media = {m.get("media_key"): m for m in [*objects(obj(tweet.get("attachments")).get("media")), *objects(keys)]}
    author = obj(tweet.get("author")) or obj(tweet.get("author_user"))
    told_name = clean(tweet.get("author_username"))
    users = {tweet.get("author_id"): author or ({"username": told_name} if told_name else {})}
    return _tweet(tweet, by_id, users, media, row)


def _tweet(
    tweet: dict[str, Any], by_id: dict[Any, Any], users: dict[Any, Any], media: dict[Any, Any], row: Row
) -> PostItem:
    native = ident(tweet.get("id"))
    user = obj(users.get(tweet.get("author_id")))
    if user.get("protected") is True:
        raise NoPost("not public: a protected account")
    referred = {r.get("type"): r.get("id") for r in objects(tweet.get("referenced_tweets"))}
    # A repetition's own text and links are cut after 140 characters.
    said = obj(by_id.get(referred.get("retweeted"))) or tweet
    note = obj(said.get("note_tweet"))
    entities = obj(note.get("entities")) or obj(said.get("entities"))
    links = urls(u.get("unwound_url") or u.get("expanded_url") for u in objects(entities.get("urls")))
    return PostItem(
        platform=PLATFORM,
        native_id=native,
        url=f"https://x.com/{clean(user.get('username')) or 'i'}/status/{native}",
        author=row.author(PLATFORM, tweet.get("author_id") or user.get("id")),
        text=tidy(unescaped(note.get("text") or said.get("text"))),
        published_at=row.when(tweet.get("created_at")),
        reply_to=row.other_id(referred.get("replied_to"), "reply_to"),
        repost_of=row.other_id(first(referred.get("retweeted"), referred.get("quoted")), "repost_of"),
        links=without_self(links, native),
        media=_media(first(obj(tweet.get("attachments")), obj(said.get("attachments"))), media),
        counts=counts(obj(tweet.get("public_metrics")), _COUNTS),
    )


def _media(attachments: Any, known: dict[Any, Any]) -> list[str]:
    keys = obj(attachments).get("media_keys")
    shown = []
    for key in keys if isinstance(keys, list) else []:
        shown.append(obj(key if isinstance(key, dict) else known.get(key)))
    return urls(m.get("url") or m.get("preview_image_url") for m in shown)


def without_self(links: list[str], native: str) -> list[str]:
    """Without the links that X adds to show a post's own pictures, or its own rest."""
    own = re.compile(rf"/status/{re.escape(native)}(?:[/?#]|$)")
    return unique(link for link in links if not own.search(link) and not _ITS_OWN_MEDIA.match(link))


def unescaped(text: Any) -> str:
    """X writes `&amp;`, `&lt;` and `&gt;` in texts."""
    return html.unescape(clean(text)) if isinstance(text, str) else ""
