"""Tables: a known one is a declaration of which column is which; any other is mapped by the names of its columns, or as it is told."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, timezone
from typing import Any

from crawlers import pseudonym
from crawlers.pages import dates
from crawlers.pages.items import PostItem
from crawlers.pages.text import read_markup, tidy, titled, unique
from pipeline.contracts import MAX_TEXT_CHARS, digest

from .addresses import ROUNDED, platform_of, post_id, unrounded
from .row import NoPost, Row, counts, first, ident, joined_urls, number, spelled, urls, words

Cells = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A table that a tool writes. Each field names columns, the first of them that says something is taken."""

    name: str
    platform: str
    """Of rows that tell none, and whose address is of none that we know."""
    known_by: frozenset[str]
    """Columns that it has and other tables have not."""
    platform_in: tuple[str, ...] = ()
    """Where one table holds several platforms: columns that name it."""
    native_id: tuple[str, ...] = ("id",)
    url: tuple[str, ...] = ()
    id_in_url: bool = False
    """Where no column holds the id, the address shows it; where it shows none, it is the id."""
    url_form: str = ""
    """Where no column holds the address: made of the `{id}` and the `{author}`."""
    author: tuple[str, ...] = ("author_id", "author")
    author_in_url: str = ""
    """A pattern for the account's name in the address, where the column holds a name for people that anyone may take."""
    title: tuple[str, ...] = ()
    text: tuple[str, ...] = ("body",)
    markup: bool = False
    """The text is HTML."""
    published_at: tuple[str, ...] = ("unix_timestamp", "timestamp")
    edited_at: tuple[str, ...] = ()
    zone: timezone = UTC
    """Of times that tell none."""
    reply_to: tuple[str, ...] = ()
    repost_of: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    counts: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    def post(self, cells: Cells, row: Row) -> PostItem:
        url = first(*urls([_one(cells, self.url)])) or ""
        platform = self._platform(cells, url)
        column = (self.native_id or self.url)[0]
        native = whole_id(_one(cells, self.native_id), url, column)
        if not native and self.id_in_url:
            native = post_id(url) or url
        if not native:
            raise NoPost(f"{column}: empty")
        author = self._author(cells, url, row)
        text, links = tidy(words(_one(cells, self.text))), _many(cells, self.links)
        media = _many(cells, self.media)
        if platform == "x":
            text = html.unescape(text)
        if self.markup:
            said = read_markup(text, "")
            text, links, media = said.text, unique([*said.links, *links]), unique([*media, *said.media])
        return PostItem(
            platform=platform,
            native_id=native,
            url=url or self._made_url(native, words(_one(cells, self.author[-1:]))),
            author=row.author(platform, author),
            text=titled(tidy(words(_one(cells, self.title))), text),
            published_at=row.when(_one(cells, self.published_at), zone=self.zone),
            edited_at=row.when(_one(cells, self.edited_at), "edited_at", self.zone),
            reply_to=row.other_id(_shown(_one(cells, self.reply_to)), "reply_to"),
            repost_of=row.other_id(_shown(_one(cells, self.repost_of)), "repost_of"),
            links=links,
            media=media,
            counts=counts(cells, self.counts),
        )

    def _platform(self, cells: Cells, url: str) -> str:
        if not self.platform_in:
            return self.platform
        told = re.sub(r"[^a-z0-9]", "", words(_one(cells, self.platform_in)).lower())
        return PLATFORM_NAMES.get(told) or platform_of(url) or self.platform

    def _author(self, cells: Cells, url: str, row: Row) -> str | None:
        """The account's number or, where a spreadsheet has rounded it, its name."""
        if self.author_in_url and (named := re.search(self.author_in_url, url)):
            return named.group(1)
        told = [cells.get(name) for name in self.author if cells.get(name) not in (None, "")]
        whole = [value for value in told if not ROUNDED.fullmatch(str(value).strip())]
        author = row.other_id(first(*whole, *told), "author")
        if author and _A_POST.search(author):
            raise NoPost(f"{self.author[0]}: a post's address in place of an account: the row's cells are shifted")
        return author

    def _made_url(self, native: str, author: str) -> str | None:
        if not self.url_form or ("{author}" in self.url_form and not author):
            return None
        return self.url_form.format(id=native, author=author.lstrip("@"))


def _one(cells: Cells, names: Iterable[str]) -> Any:
    return first(*(cells.get(name) for name in names))


def _shown(value: Any) -> Any:
    """Another post's id, also where the table has its address."""
    return post_id(value) or value if isinstance(value, str) else value


def _many(cells: Cells, names: Iterable[str]) -> list[str]:
    return unique(url for name in names for url in joined_urls(cells.get(name)))


def whole_id(value: Any, url: str, column: str = "id") -> str:
    """An id; one that a spreadsheet has rounded is taken out of the post's address, which has it whole. Raises NoPost."""
    return unrounded(value, url) or ident(value, column)


# ---------------------------------------------------------------- any table

ALIASES: Mapping[str, tuple[str, ...]] = {
    "text": (
        "text",
        "full_text",
        "content",
        "raw_content",
        "body",
        "tweet",
        "tweet_text",
        "message",
        "caption",
        "post",
        "post_text",
        "description",
        "teks",
        "isi",
        "cuitan",
        "komentar",
        "comment",
        "comment_text",
        "title",
        "judul",
    ),
    "native_id": (
        "native_id",
        "id",
        "id_str",
        "post_id",
        "tweet_id",
        "status_id",
        "message_id",
        "comment_id",
        "video_id",
    ),
    "published_at": (
        "published_at",
        "created_at",
        "date",
        "timestamp",
        "datetime",
        "time",
        "created",
        "create_time",
        "created_time",
        "published",
        "tanggal",
        "waktu",
    ),
    "edited_at": ("edited_at", "modified_time", "updated_at"),
    "author": ("author", "user", "username", "user_name", "screen_name", "account", "akun", "author_id", "user_id"),
    "url": ("url", "link", "permalink", "post_url", "tweet_url"),
    "platform": ("platform",),
    "reply_to": ("reply_to", "in_reply_to_id", "in_reply_to_status_id"),
    "repost_of": ("repost_of", "retweeted_status_id"),
    "links": ("links", "urls", "outlinks"),
    "media": ("media", "media_urls", "image_urls", "image_url"),
    "likes": ("likes", "like_count", "likes_count", "favorite_count", "favourites_count", "digg_count"),
    "reposts": (
        "reposts",
        "retweet_count",
        "retweets",
        "retweets_count",
        "reblogs_count",
        "shares",
        "share_count",
        "repost_count",
    ),
    "replies": ("replies", "reply_count", "replies_count", "comments", "comment_count", "comments_count"),
    "quotes": ("quotes", "quote_count"),
    "views": ("views", "view_count", "views_count", "play_count", "impression_count"),
    "reactions": ("reactions", "reaction_count"),
}
"""Field -> names of columns that are taken for it without being told, the likeliest first; case, blanks and dashes do not matter."""

COUNTS = ("likes", "reposts", "replies", "quotes", "views", "reactions")
FIELDS = tuple(ALIASES)
_DAMAGE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Characters that a post may not hold. Of a known export they are dropped, for there its tool put them in; here somebody must look."""
_PLATFORM = re.compile(r"[a-z0-9_]{1,32}")
_A_POST = re.compile(r"https?://\S+/(?:status|video|posts)/")
PLATFORM_NAMES: Mapping[str, str] = {
    "twitter": "x",
    "x": "x",
    "xtwitter": "x",
    "facebook": "facebook",
    "facebookpublic": "facebook",
    "instagram": "instagram",
    "instagrampublic": "instagram",
    "tiktok": "tiktok",
    "youtube": "youtube",
    "threads": "threads",
    "telegram": "telegram",
    "reddit": "reddit",
    "linkedin": "linkedin",
    "bluesky": "bluesky",
    "tumblr": "tumblr",
    "pinterest": "pinterest",
    "vk": "vk",
    "truthsocial": "truthsocial",
    "gab": "gab",
}
"""How tools of many platforms name each, without blanks and case -> our name."""


def mapping(names: Iterable[Any], told: Mapping[str, str]) -> dict[str, str]:
    """Field -> column. A column is taken once; those told come first."""
    by_name: dict[str, str] = {}
    for name in names:
        by_name.setdefault(_plain(str(name)), name)
    found = dict(told)
    for ours, aliases in ALIASES.items():
        if ours not in found:
            fits = (by_name[a] for a in map(_plain, aliases) if a in by_name and by_name[a] not in found.values())
            if (column := next(fits, None)) is not None:
                found[ours] = column
    return found


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-.]+", "", name.strip().lower())


def picked(row: Mapping[str, Any], column: str) -> Any:
    """A field by its name, or by its path in nested objects (`data.desc`)."""
    if column in row:
        return row[column]
    value: Any = row
    for part in column.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def plain(fields: Mapping[str, Any], row: Row, platform: str) -> PostItem:
    """A row of any table, its fields by our names. Here a field that cannot be read rejects the row: nobody knows what it means."""
    text = fields.get("text")
    if text is not None and not isinstance(text, str):
        raise NoPost(f"text: {type(text).__name__} instead of words")
    if not text or not text.strip():
        raise NoPost("text: empty")
    for name in ("text", "native_id", "url", "reply_to", "repost_of"):
        if isinstance(value := fields.get(name), str) and (bad := _DAMAGE.search(value)):
            raise NoPost(f"{name}: control character U+{ord(bad.group()):04X} at position {bad.start()}")
    if len(text) > MAX_TEXT_CHARS:
        raise NoPost(f"text: {len(text)} characters, at most {MAX_TEXT_CHARS} are taken")
    platform = str(fields.get("platform") or platform).strip().lower()
    if not _PLATFORM.fullmatch(platform):
        raise NoPost(f"platform: {platform[:40]!r} has more than lower-case letters, digits and _")
    times = {}
    for name in ("published_at", "edited_at"):
        try:
            times[name] = dates.stamp(spelled(fields.get(name)), row.page.fetched_at)
        except dates.BadDate as error:
            raise NoPost(f"{name}: {error}") from error
    author, url = _word("author", fields.get("author")), _word("url", fields.get("url"))
    native = whole_id(_word("id", fields.get("native_id")), url or "")
    if not native:
        at = dates.instant(spelled(fields.get("published_at")), row.page.fetched_at)
        native = "row-" + digest(platform, author or "", at.isoformat() if at else "", url or "", text)[:24]
    return PostItem(
        platform=platform,
        native_id=native,
        url=url,
        author=author if author and pseudonym.MADE.match(author) else row.author(platform, author),
        text=text,
        published_at=times["published_at"],
        edited_at=times["edited_at"],
        reply_to=ident(_word("reply_to", fields.get("reply_to")), "reply_to") or None,
        repost_of=ident(_word("repost_of", fields.get("repost_of")), "repost_of") or None,
        links=_addresses(fields.get("links")),
        media=_addresses(fields.get("media")),
        counts={name: _count(name, fields[name]) for name in COUNTS if fields.get(name) not in (None, "")},
    )


def _addresses(value: Any) -> list[str]:
    if not value:
        return []
    return urls(value) if isinstance(value, list) else joined_urls(value)


def _word(name: str, value: Any) -> Any:
    if isinstance(value, (dict, list)):
        named = {_plain(str(key)): inner for key, inner in value.items()} if isinstance(value, dict) else {}
        for inner in ("username", "screenname", "uniqueid", "name", "id"):
            if isinstance(named.get(inner), (str, int)):
                return str(named[inner])
        raise NoPost(f"{name}: {type(value).__name__} instead of a word")
    if isinstance(value, str):
        return value.strip() or None
    return value if isinstance(value, float) else str(value) if value is not None else None


def _count(name: str, value: Any) -> int:
    found = number(value)
    if found is None:
        try:
            below = float(str(value).replace(",", "")) < 0
        except ValueError:
            below = False
        raise NoPost(f"{name}: {str(value)[:40]} is below 0" if below else f"{name}: {str(value)[:40]!r} is no number")
    return found
