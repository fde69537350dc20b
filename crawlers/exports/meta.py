"""Facebook and Instagram as Meta gives them out: CrowdTangle's tables and API, the Meta Content Library's; and 4CAT's Telegram table.

CrowdTangle (until 2024): `2021-03-04 10:11:12 EST`, the zone of the dashboard's owner. Its link checker's file holds three tables.
The Content Library (its data dictionary is on developers.facebook.com): ids are its own, times are UTC.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from crawlers.pages.items import PostItem
from crawlers.pages.text import tidy, titled, unique

from .addresses import post_id
from .instagram import unwrapped
from .row import NoPost, Row, Skipped, counts, first, ident, joined_urls, number, obj, objects, urls, words

_FACEBOOK_HOST = re.compile(r"https?://(?:[\w-]+\.)?facebook\.com/", re.I)
_LENGTHENED = re.compile(r":=:(https?://\S+)")
_REACTIONS = ("Likes", "Love", "Wow", "Haha", "Sad", "Angry", "Thankful", "Care")


def is_crowdtangle(header: list[str]) -> bool:
    """A list of posts: `Post Created` (older: `Created`) and `URL`, with `Message` (Facebook) or `Description` (Instagram)."""
    names = set(header)
    return "URL" in names and bool({"Post Created", "Created"} & names) and bool({"Message", "Description"} & names)


def crowdtangle(cells: Mapping[str, Any], row: Row) -> PostItem:
    url = words(cells.get("URL")).strip()
    if not urls([url]):
        raise NoPost("URL: post without address")
    platform = "instagram" if "instagram.com/" in url else "facebook"
    found = counts(
        cells,
        {"likes": "Likes", "reposts": "Shares", "replies": "Comments", "views": ("Post Views", "Views", "Video Views")},
    )
    reactions = [n for name in _REACTIONS if (n := number(cells.get(name))) is not None]
    if len(reactions) > 1:
        found["reactions"] = sum(reactions)
    if not {"likes", "reposts", "replies"} & found.keys():
        found |= counts(cells, {"interactions": "Total Interactions"})
    links: list[str] = []
    if platform == "instagram":
        account = first(cells.get("User Name"), cells.get("Account"))
        text, media = words(cells.get("Description")), urls([cells.get("Photo")])
    else:
        account = first(
            row.other_id(cells.get("Facebook Id"), "author"),
            cells.get("User Name"),
            cells.get("Page Name"),
            cells.get("Group Name"),
        )
        text, links = _lengthened(words(cells.get("Message")))
        shown = urls([unwrapped(first(cells.get("Final Link"), cells.get("Link")))])
        # What Facebook itself holds is the post's own picture or video; of a link alone it would be another's post.
        own = [u for u in shown if _FACEBOOK_HOST.match(u) and words(cells.get("Type")) != "Link"]
        links, media = unique([*(u for u in shown if u not in own), *links]), [u for u in own if u != url]
        text = text if text.strip() else titled(tidy(words(cells.get("Link Text"))), words(cells.get("Description")))
    return PostItem(
        platform=platform,
        native_id=_native(url),
        url=url,
        author=row.author(platform, account),
        text=tidy(text),
        published_at=row.when(first(cells.get("Post Created"), cells.get("Created"))),
        links=links,
        media=media,
        counts=found,
    )


def _lengthened(text: str) -> tuple[str, list[str]]:
    """A text without the long addresses that CrowdTangle puts behind short ones (`short:=:long`), and those."""
    return _LENGTHENED.sub("", text), urls(_LENGTHENED.findall(text))


def is_score_history(header: list[str]) -> bool:
    """What one post had at one time after another; its address and its time are the last two names of columns."""
    return {"ID", "Score Date (GMT)", "Timestep"} <= set(header) and bool(urls(header[-1:]))


def score_history(header: list[str]) -> Callable[[Mapping[str, Any], Row], PostItem]:
    """The post with its newest counts, which stand first."""
    seen: set[str] = set()
    url = first(*urls(header[-1:]))

    def post(cells: Mapping[str, Any], row: Row) -> PostItem:
        native = _native(url)
        if native in seen:
            raise Skipped("an older score of the same post")
        seen.add(native)
        return PostItem(
            platform="instagram" if "instagram.com/" in url else "facebook",
            native_id=native,
            url=url,
            published_at=row.when(header[-2]),
            counts=counts(
                cells,
                {
                    "likes": "Likes",
                    "reposts": "Shares",
                    "replies": "Comments",
                    "reactions": "Reactions",
                    "views": "Post Views",
                },
            ),
        )

    return post


def _native(url: str) -> str:
    """The post's id within its platform; the address itself where it shows none."""
    return post_id(url) or url


def crowdtangle_api(told: dict[str, Any], row: Row) -> PostItem:
    """https://github.com/CrowdTangle/API/wiki/Post"""
    account, statistics = obj(told.get("account")), obj(told, "statistics", "actual")
    url = words(told.get("postUrl"))
    platform = words(first(told.get("platform"), account.get("platform"), "facebook")).lower()
    native = _native(url) if url else ident(told.get("platformId"))
    if not native:
        raise NoPost("platformId: post without id")
    found = counts(
        statistics,
        {
            "likes": ("likeCount", "favoriteCount"),
            "reposts": "shareCount",
            "replies": "commentCount",
            "views": ("viewCount", "videoPostViewCount"),
        },
    )
    reactions = [
        n
        for name in ("like", "love", "wow", "haha", "sad", "angry", "thankful", "care")
        if (n := number(statistics.get(f"{name}Count"))) is not None
    ]
    if len(reactions) > 1:
        found["reactions"] = sum(reactions)
    text = first(told.get("message"), told.get("description"), told.get("title"))
    return PostItem(
        platform=platform if re.fullmatch(r"[a-z0-9_]{1,32}", platform) else "facebook",
        native_id=native,
        url=first(*urls([url])),
        author=row.author(
            platform,
            first(ident(account.get("platformId")), account.get("handle"), account.get("name"), account.get("id")),
        ),
        text=tidy(words(text)),
        published_at=row.when(told.get("date")),
        edited_at=None,
        links=urls(
            [
                *(link.get("expanded") or link.get("original") for link in objects(told.get("expandedLinks"))),
                *([] if told.get("expandedLinks") else [told.get("link")]),
            ]
        ),
        media=urls(first(m.get("full"), m.get("url")) for m in objects(told.get("media")) if m.get("type") != "video"),
        counts=found,
    )


def link_checker(rows: Iterator[list[str]], context: Callable[[], Row]) -> Iterator[tuple[Row, PostItem | NoPost]]:
    """The link checker's file: the link, a table of totals, and from the line that begins with `Source` the posts that shared it.

    It holds no texts: a post is the link that it shares. `context` makes a row's context.
    """
    shared: str | None = None
    header: list[str] | None = None
    for cells in rows:
        if cells[0].startswith("Link:"):
            shared, header = first(*urls([cells[0].removeprefix("Link:").strip()])), None
        elif cells[0] == "Source":
            header = [name.strip() for name in cells]
        elif header:
            row = context()
            if len(cells) != len(header):
                yield row, NoPost(f"the row has {len(cells)} columns, the header {len(header)}", cut=True)
                continue
            try:
                yield row, _sharing(dict(zip(header, cells, strict=True)), shared, row)
            except NoPost as error:
                yield row, error


def _sharing(cells: Mapping[str, str], shared: str | None, row: Row) -> PostItem:
    url = first(*urls([cells.get("Link")]))
    if url is None:
        raise NoPost("Link: post without address")
    platform = re.sub(r"[^a-z0-9_]", "", cells.get("Post Type", "").lower())[:32] or "facebook"
    platform = "x" if platform == "twitter" else platform
    return PostItem(
        platform=platform,
        native_id=_native(url),
        url=url,
        author=row.author(platform, cells.get("Source")),
        published_at=row.when(cells.get("Date")),
        links=[shared] if shared else [],
        # Reactions, shares and comments in one sum.
        counts=counts(cells, {"interactions": "Interactions"}),
    )


# ---------------------------------------------------------------- Content Library


def is_content_library(names: Any) -> bool:
    names = {str(name) for name in names}
    owned = any(name == "post_owner" or name.startswith("post_owner.") for name in names)
    return owned and bool({"creation_time", "mcl_url"} & names)


def content_library(told: Mapping[str, Any], row: Row) -> PostItem:
    """A row of its CSV (`post_owner.id`, `statistics.like_count`) or an object of its API (nested)."""
    flat = _flattened(told)
    native = ident(flat.get("id"), "id")
    if not native:
        raise NoPost("id: empty")
    platform = _surface(flat)
    owner = first(
        row.other_id(first(flat.get("post_owner.id"), flat.get("post_owner.data.id"), flat.get("owner.id")), "author"),
        flat.get("post_owner.username"),
        flat.get("post_owner.name"),
    )
    found = counts(
        flat,
        {
            "reactions": ("statistics.reaction_count", "statistics.reactions"),
            "likes": ("statistics.like_count", "statistics.likes", "like_count"),
            "reposts": ("statistics.share_count", "statistics.repost_count", "statistics.shares", "share_count"),
            "replies": ("statistics.comment_count", "statistics.reply_count", "statistics.comments", "comment_count"),
            "quotes": "statistics.quote_count",
            "views": ("statistics.views", "statistics.view_count", "view_count", "views"),
        },
    )
    return PostItem(
        platform=platform,
        native_id=native,
        url=first(*urls([flat.get("url"), flat.get("post_url"), flat.get("mcl_url")])),
        author=row.author(platform, owner),
        text=tidy(words(flat.get("text"))),
        published_at=row.when(flat.get("creation_time")),
        edited_at=_edited(flat, row),
        reply_to=row.other_id(first(flat.get("parent_id"), flat.get("replied_to_id")), "reply_to"),
        repost_of=row.other_id(first(flat.get("shared_post_id"), flat.get("quoted_post_id")), "repost_of"),
        links=unique(
            [
                *joined_urls(first(flat.get("link_attachment.link"), flat.get("link_attachment_fields.link"))),
                *urls([flat.get("link_attachment.url")]),
            ]
        ),
        media=_multimedia(flat.get("multimedia")),
        counts=found,
    )


def _edited(flat: Mapping[str, Any], row: Row) -> str | None:
    """`modified_time` is told of every post; only one that lies behind the post's own time says that it was edited."""
    modified = flat.get("modified_time")
    return row.when(modified, "edited_at") if modified and modified != flat.get("creation_time") else None


def _flattened(told: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in told.items():
        if isinstance(value, dict) and len(prefix) < 200:
            flat |= _flattened(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _surface(flat: Mapping[str, Any]) -> str:
    """Facebook, Instagram or Threads: by what the row says of it, by its address, by what only one of them has."""
    told = " ".join(words(flat.get(name)).lower() for name in ("surface", "platform", "mcl_url", "url", "post_url"))
    for name in ("threads", "instagram", "facebook"):
        if name in told:
            return name
    kind = words(first(flat.get("post_owner.type"), flat.get("post_owner.data.type"))).lower()
    only_facebook = ("statistics.share_count", "statistics.love_count", "statistics.reaction_count")
    if kind in ("business", "creator", "personal") or (
        "post_owner.username" in flat and not any(name in flat for name in only_facebook)
    ):
        return "instagram"
    return "facebook"


def _multimedia(told: Any) -> list[str]:
    if isinstance(told, str):
        return joined_urls(told)
    return urls(first(m.get("url"), m.get("image_url")) for m in objects(told))


# ---------------------------------------------------------------- 4CAT's Telegram table


def fourcat_telegram(cells: Mapping[str, Any], row: Row) -> PostItem:
    chat = words(first(cells.get("chat"), cells.get("thread_id")))
    number_ = words(cells.get("id")).removeprefix(f"{chat}-").rpartition("-")[2]
    if not chat or not number_:
        raise NoPost("id: empty")
    native = f"{chat}/{number_}"
    above = ident(cells.get("reply_to"))
    origin = first(cells.get("author_forwarded_from_username"), cells.get("author_forwarded_from_id"))
    return PostItem(
        platform="telegram",
        native_id=native,
        url=f"https://t.me/{'c/' if chat.isdigit() else ''}{native}",
        author=row.author("telegram", first(cells.get("author_username"), cells.get("author"), chat)),
        text=tidy(words(cells.get("body"))),
        published_at=row.when(first(cells.get("unix_timestamp"), cells.get("timestamp"))),
        edited_at=row.when(first(cells.get("unix_timestamp_edited"), cells.get("timestamp_edited")), "edited_at"),
        reply_to=f"{chat}/{above}" if above else None,
        repost_of=row.author("telegram", origin) if origin else None,
        links=urls([cells.get("link_attached")]),
        counts=counts(cells, {"views": "views"}),
    )
