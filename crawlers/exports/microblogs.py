"""Gab, Truth Social, LinkedIn, Facebook and Bluesky, as Zeeschuimer and 4CAT have them from the platforms' own pages and APIs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from crawlers.pages.items import PostItem
from crawlers.pages.text import read_markup, tidy, unique

from .row import NoPost, Row, counts, first, ident, number, obj, objects, urls, words

_ACTIVITY = re.compile(r"urn:li:activity:(\d+)")
_AGO = re.compile(r"(\d+)\s*([a-z]+)", re.I)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "mo": 2_629_800, "yr": 31_557_600, "y": 31_557_600}


def gab(data: dict[str, Any], row: Row) -> PostItem:
    """Long names from its older API, short ones (`i`, `c`, `ca`) from the newer."""
    native = ident(first(data.get("i"), data.get("id")))
    if not native:
        raise NoPost("item without id")
    account = obj(data.get("author_info")) or obj(data.get("account"))
    group = obj(data.get("g")) or obj(data.get("group"))
    if group.get("is_private") is True:
        raise NoPost("not public: a private group")
    said = read_markup(words(first(data.get("c"), data.get("content"))), "")
    card = obj(data.get("card")) or obj(data.get("link"))
    shown = objects(first(data.get("image_info"), data.get("media_attachments")))
    reactions = first(data.get("rc"), data.get("reactions_counts"))
    told = {
        "likes": first(data.get("fbc"), data.get("favourites_count")),
        "reposts": first(data.get("rbc"), data.get("reblogs_count")),
        "replies": first(data.get("replies_count"), None if isinstance(reactions, dict) else reactions),
        "reactions": sum(number(n) or 0 for n in reactions.values())
        if isinstance(reactions, dict) and reactions
        else None,
    }
    repeated = first(data.get("reblog"), data.get("quote"))
    return PostItem(
        platform="gab",
        native_id=native,
        url=first(*urls([first(data.get("ul"), data.get("url"))])),
        author=row.author(
            "gab", first(account.get("i"), account.get("id"), account.get("un"), account.get("username"))
        ),
        text=said.text,
        published_at=row.when(first(data.get("ca"), data.get("created_at"))),
        edited_at=row.when(data.get("revised_at"), "edited_at"),
        reply_to=row.other_id(data.get("in_reply_to_id"), "reply_to"),
        repost_of=row.other_id(
            first(obj(repeated).get("id"), data.get("quote_of_id"), data.get("reblog_of_id")), "repost_of"
        ),
        links=unique([*said.links, *urls([card.get("url")])]),
        media=urls(first(m.get("u"), m.get("url"), m.get("smp4"), m.get("source_mp4")) for m in shown),
        counts=_told(told),
    )


def truth(data: dict[str, Any], row: Row) -> PostItem:
    """Mastodon's shape, with quotes."""
    native = ident(data.get("id"))
    if not native:
        raise NoPost("item without id")
    if data.get("visibility") not in (None, "public", "unlisted"):
        raise NoPost(f"not public: visibility {words(data.get('visibility'))[:20]!r}")
    account = obj(data.get("account"))
    repeated = obj(data.get("reblog"))
    said = read_markup(words(first(data.get("content"), repeated.get("content"))), "")
    card = obj(data.get("card"))
    shown = objects(data.get("media_attachments")) or objects(repeated.get("media_attachments"))
    return PostItem(
        platform="truthsocial",
        native_id=native,
        url=first(*urls([data.get("url"), data.get("uri")])),
        author=row.author("truthsocial", first(account.get("id"), account.get("username"))),
        text=said.text,
        published_at=row.when(data.get("created_at")),
        edited_at=row.when(data.get("edited_at"), "edited_at"),
        reply_to=row.other_id(first(data.get("in_reply_to_id"), obj(data.get("in_reply_to")).get("id")), "reply_to"),
        repost_of=row.other_id(
            first(repeated.get("id"), data.get("quote_id"), obj(data.get("quote")).get("id")), "repost_of"
        ),
        links=unique([*said.links, *urls([card.get("url")])]),
        media=urls(m.get("url") for m in shown),
        counts=counts(
            data,
            {
                "likes": "favourites_count",
                "reposts": "reblogs_count",
                "replies": "replies_count",
                "quotes": "quotes_count",
            },
        ),
    )


def linkedin(data: dict[str, Any], row: Row, collected_at: Any = None) -> PostItem:
    """A post says only how long ago it was written ("3d"): its time is reckoned back from when it was collected."""
    urn = _ACTIVITY.search(
        words(first(obj(data.get("updateMetadata")).get("urn"), data.get("preDashEntityUrn"), data.get("entityUrn")))
    )
    actor = obj(data.get("actor"))
    if not urn or not actor:
        raise NoPost("item without id or author")
    target = words(obj(actor.get("navigationContext")).get("actionTarget")).split("?")[0]
    content = obj(data.get("content"))
    article = obj(content.get("articleComponent"))
    detail = obj(data.get("*socialDetail"))
    totals = obj(detail.get("*totalSocialActivityCounts"))
    told = {
        "likes": first(totals.get("numLikes"), obj(detail, "likes", "paging").get("total")),
        "reposts": first(totals.get("numShares"), detail.get("totalShares")),
        "replies": first(totals.get("numComments"), obj(detail, "comments", "paging").get("total")),
    }
    return PostItem(
        platform="linkedin",
        native_id=urn.group(1),
        url=f"https://www.linkedin.com/feed/update/{urn.group(0)}",
        author=row.author("linkedin", first(target.rpartition("linkedin.com/")[2].strip("/"), actor.get("urn"))),
        text=tidy(words(obj(data, "commentary", "text").get("text"))),
        published_at=_reckoned(words(obj(actor.get("subDescription")).get("text")), collected_at, row),
        links=urls(
            [
                obj(content.get("navigationContext")).get("actionTarget"),
                obj(article.get("navigationContext")).get("actionTarget"),
            ]
        ),
        media=urls(_vectors(content)),
        counts=_told(told),
    )


def _reckoned(ago: str, collected_at: Any, row: Row) -> str | None:
    match = _AGO.match(ago.split("•")[0].strip())
    when = row.when(collected_at)
    if not match or when is None or match.group(2).lower() not in _UNITS:
        return None
    passed = timedelta(seconds=int(match.group(1)[:6]) * _UNITS[match.group(2).lower()])
    try:
        at = datetime.fromisoformat(when).astimezone(UTC) - passed
    except OverflowError:
        return None
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _vectors(content: dict[str, Any]) -> list[Any]:
    """Pictures lie in pieces: a root, and an end for each size."""
    images = objects(content.get("images"))
    images += objects(obj(content.get("imageComponent")).get("images"))
    images += [obj(obj(content.get("articleComponent")).get("largeImage"))]
    found = []
    for attribute in (a for image in images for a in objects(image.get("attributes"))):
        vector = obj(attribute.get("vectorImage")) or obj(attribute, "detailData", "vectorImage")
        sizes = sorted(objects(vector.get("artifacts")), key=lambda a: number(a.get("width")) or 0)
        if sizes and isinstance(vector.get("rootUrl"), str):
            found.append(vector["rootUrl"] + words(sizes[-1].get("fileIdentifyingUrlPathSegment")))
        found.append(obj(attribute.get("imageUrl")).get("url"))
    return found


def facebook(data: dict[str, Any], row: Row) -> PostItem:
    """A story of Facebook's feed (`comet_sections`)."""
    story = obj(data, "comet_sections", "content", "story")
    native = ident(first(story.get("post_id"), data.get("post_id")))
    if not native:
        raise NoPost("item without id")
    told = objects(obj(data, "comet_sections", "context_layout", "story", "comet_sections").get("metadata"))
    times = [obj(m.get("story")) for m in told]
    actors = objects(story.get("actors"))
    actor = actors[0] if actors else {}
    attachments = objects(story.get("attachments"))
    pictures = [obj(a.get("target")) for a in attachments]
    return PostItem(
        platform="facebook",
        native_id=native,
        url=first(*urls([story.get("wwwURL"), *(t.get("url") for t in times)])),
        author=row.author("facebook", first(actor.get("id"), actor.get("url"))),
        text=tidy(words(obj(story.get("message")).get("text"))),
        published_at=row.when(first(*(t.get("creation_time") for t in times))),
        media=urls(
            f"https://www.facebook.com/photo/?fbid={ident(p.get('id'))}"
            for p in pictures
            if p.get("__typename") == "Photo"
        ),
    )


def bluesky(data: dict[str, Any], row: Row) -> PostItem:
    """A post's view as the AppView answers it, with snake_case names as the Python SDK (and 4CAT) write it."""
    native, record = words(data.get("uri")), obj(data.get("record"))
    if not native.startswith("at://"):
        raise NoPost("uri: item without at:// address")
    author = obj(data.get("author"))
    handle = words(first(author.get("handle"), author.get("did")))
    embeds = [e for top in (data.get("embed"), record.get("embed")) for e in (obj(top), obj(obj(top).get("media")))]
    quoted = next((u for e in embeds if (u := _quoted(e))), None)
    features = [f for facet in objects(record.get("facets")) for f in objects(facet.get("features"))]
    return PostItem(
        platform="bluesky",
        native_id=native,
        url=f"https://bsky.app/profile/{handle}/post/{native.rpartition('/')[2]}" if handle else None,
        author=row.author("bluesky", first(author.get("did"), handle)),
        text=tidy(words(record.get("text"))),
        published_at=row.when(first(record.get("created_at"), record.get("createdAt"))),
        reply_to=words(obj(record, "reply", "parent").get("uri")) or None,
        repost_of=quoted,
        links=urls([*(f.get("uri") for f in features), *(obj(e.get("external")).get("uri") for e in embeds)]),
        media=urls(
            u
            for e in embeds
            for u in (e.get("thumbnail"), *(first(i.get("fullsize"), i.get("thumb")) for i in objects(e.get("images"))))
        ),
        counts=counts(
            data,
            {
                "likes": ("like_count", "likeCount"),
                "reposts": ("repost_count", "repostCount"),
                "replies": ("reply_count", "replyCount"),
                "quotes": ("quote_count", "quoteCount"),
            },
        ),
    )


def _quoted(embed: dict[str, Any]) -> str | None:
    record = obj(embed.get("record"))
    uri = words(first(record.get("uri"), obj(record.get("record")).get("uri")))
    return uri if uri.startswith("at://") else None


def _told(told: dict[str, Any]) -> dict[str, int]:
    return {name: n for name, value in told.items() if (n := number(value)) is not None}
