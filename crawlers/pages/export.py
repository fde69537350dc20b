"""Exports that analysts have, to posts: Zeeschuimer NDJSON (TikTok, Instagram, X), X API v2 as twarc writes it, 4CAT CSV of TikTok,
CrowdTangle's link checker.

The same line by line: a line that is damaged or cut is a problem of its own.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

from .address import resolve
from .items import Item, PostItem
from .page import Page
from .problems import Notes
from .text import clean, one_line, tidy, unique

_JS_DATE = re.compile(r"^[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{2}) (\d{4}) (\d{2}:\d{2}:\d{2}) GMT([+-]\d{4})")
_FACEBOOK_ID = re.compile(r"/(?:posts|permalink|videos|photos)/(?:[^/?#]+/)*?(\d{5,})|story_fbid=(\d+)")


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    text = clean(page.text)
    if not text.strip():
        notes.add("empty export", page.url)
    elif text.lstrip()[0] in "{[":
        yield from _lines(text, page, notes)
    elif text.lstrip().startswith("Link:"):
        yield from _crowdtangle(text, page, notes)
    else:
        yield from _table(text, page, notes)
    yield from notes.drain()


# ---------------------------------------------------------------- lines of JSON


def _lines(text: str, page: Page, notes: Notes) -> Iterator[Item]:
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"line {number}"
        try:
            told = json.loads(line, strict=False)
        except (ValueError, RecursionError):
            notes.add("cut line" if number == len(lines) else "line is no JSON", where)
            continue
        yield from of_line(told, page, notes, where)


def of_line(told: Any, page: Page, notes: Notes, where: str) -> Iterator[Item]:
    """The posts of one line, whatever export it is of."""
    try:
        if isinstance(told, list):
            for number, inner in enumerate(told, start=1):
                yield from of_line(inner, page, notes, f"{where}, item {number}")
        elif not isinstance(told, dict):
            notes.add("line is no object", where)
        elif "source_platform" in told and isinstance(told.get("data"), dict):
            yield from _zeeschuimer(told, page, notes, where)
        elif "data" in told and ("includes" in told or "meta" in told or "__twarc" in told):
            yield from _x_page(told, page, notes, where)
        elif isinstance(told.get("errors"), list):
            notes.add(f"the API's error: {one_line(str(told['errors'][0]))[:120] if told['errors'] else ''}", where)
        else:
            notes.add("line of no known export", where)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        notes.add(f"line cannot be read: {type(error).__name__}: {error}", where)


def _zeeschuimer(told: dict[str, Any], page: Page, notes: Notes, where: str) -> Iterator[Item]:
    """https://github.com/digitalmethodsinitiative/zeeschuimer: what the browser received, item by item."""
    platform, data = str(told["source_platform"]), told["data"]
    if "tiktok" in platform and "comment" not in platform:
        post = _tiktok(data, page, notes, where)
    elif "instagram" in platform:
        post = _instagram(data, page, notes, where)
    elif "twitter" in platform or platform in ("x.com", "x"):
        post = _x_graphql(data, page, notes, where)
    else:
        notes.add(f"platform {platform[:60]!r} is not read", where)
        return
    if post is not None:
        yield post


def _tiktok(data: dict[str, Any], page: Page, notes: Notes, where: str) -> PostItem | None:
    native, author = clean(data.get("id")), _object(data.get("author"))
    if not native:
        notes.add("item without id", where)
        return None
    name = clean(author.get("uniqueId") if author else data.get("author"))
    stickers = [clean(t) for s in data.get("stickersOnItem") or [] for t in _object(s).get("stickerText") or []]
    stats = _object(data.get("stats")) or _object(data.get("statsV2"))
    video = _object(data.get("video"))
    return PostItem(
        platform="tiktok",
        native_id=native,
        url=f"https://www.tiktok.com/@{name}/video/{native}" if name else None,
        author=page.author("tiktok", name or author.get("id")),
        text="\n".join(t for t in (tidy(data.get("desc")), *map(tidy, stickers)) if t),
        published_at=notes.when(data.get("createTime"), f"{where}, published_at"),
        media=unique([resolve(page.url, video.get("cover"))]),
        counts=_counts(
            stats, {"likes": "diggCount", "reposts": "shareCount", "replies": "commentCount", "views": "playCount"}
        ),
    )


def _instagram(data: dict[str, Any], page: Page, notes: Notes, where: str) -> PostItem | None:
    """Both shapes that Instagram sends: of its apps (`code`, `taken_at`) and of its older pages (`shortcode`, `edge_...`)."""
    code = clean(data.get("code") or data.get("shortcode"))
    native = code or clean(data.get("pk") or data.get("id"))
    if not native:
        notes.add("item without id", where)
        return None
    user = _object(data.get("user")) or _object(data.get("owner"))
    if user.get("is_private"):
        notes.add("not public: a private account", where)
        return None
    caption = data.get("caption")
    text = caption.get("text") if isinstance(caption, dict) else caption
    if not text:
        edges = _object(data.get("edge_media_to_caption")).get("edges") or []
        text = _object(_object(edges[0]).get("node")).get("text") if edges else ""
    candidates = _object(data.get("image_versions2")).get("candidates") or []
    slides = [
        _object(_object(s).get("image_versions2")).get("candidates") or [] for s in data.get("carousel_media") or []
    ]
    media = [resolve(page.url, _object(c[0]).get("url")) for c in (candidates, *slides) if c]
    media.append(resolve(page.url, data.get("display_url")))
    return PostItem(
        platform="instagram",
        native_id=native,
        url=f"https://www.instagram.com/p/{code}/" if code else None,
        author=page.author("instagram", user.get("pk") or user.get("id") or user.get("username")),
        text=tidy(text),
        published_at=notes.when(data.get("taken_at") or data.get("taken_at_timestamp"), f"{where}, published_at"),
        media=unique(media),
        counts=_counts(data, {"likes": "like_count", "replies": "comment_count", "views": "play_count"}),
    )


def _x_graphql(data: dict[str, Any], page: Page, notes: Notes, where: str) -> PostItem | None:
    """What X's own pages load. Some items have no `__typename`; some wrap the tweet once more."""
    data = _object(data.get("tweet")) or data
    legacy = _object(data.get("legacy"))
    native = clean(data.get("rest_id") or legacy.get("id_str") or data.get("id"))
    if not native or not legacy:
        notes.add("item without tweet (withheld, deleted or an advertisement)", where)
        return None
    user = _object(_object(_object(_object(data.get("core")).get("user_results")).get("result")))
    name = clean(_object(user.get("legacy")).get("screen_name") or _object(user.get("core")).get("screen_name"))
    note = _object(_object(_object(data.get("note_tweet")).get("note_tweet_results")).get("result"))
    repeated = _object(_object(_object(legacy.get("retweeted_status_result")).get("result")))
    entities = _object(legacy.get("entities"))
    views = _object(data.get("views")).get("count")
    counts = _counts(
        legacy,
        {"likes": "favorite_count", "reposts": "retweet_count", "replies": "reply_count", "quotes": "quote_count"},
    )
    if isinstance(views, str) and views.isdigit():
        counts["views"] = int(views)
    return PostItem(
        platform="x",
        native_id=native,
        url=f"https://x.com/{name or 'i'}/status/{native}",
        author=page.author("x", legacy.get("user_id_str") or user.get("rest_id") or name),
        text=tidy(one_entities(note.get("text") or legacy.get("full_text"))),
        published_at=notes.when(legacy.get("created_at"), f"{where}, published_at"),
        reply_to=clean(legacy.get("in_reply_to_status_id_str")) or None,
        repost_of=clean(repeated.get("rest_id") or legacy.get("quoted_status_id_str")) or None,
        links=unique(resolve(page.url, _object(u).get("expanded_url")) for u in entities.get("urls") or []),
        media=unique(resolve(page.url, _object(m).get("media_url_https")) for m in entities.get("media") or []),
        counts=counts,
    )


def _x_page(told: dict[str, Any], page: Page, notes: Notes, where: str) -> Iterator[Item]:
    """https://docs.x.com/x-api: one line is one answer, `data` a tweet or a list, what they refer to in `includes`.

    Included tweets are posts too: they are what was quoted, repeated or answered. A repetition carries its original's whole text.
    """
    includes = _object(told.get("includes"))
    users = {u.get("id"): u for u in includes.get("users") or [] if isinstance(u, dict)}
    media = {m.get("media_key"): m for m in includes.get("media") or [] if isinstance(m, dict)}
    included = [t for t in includes.get("tweets") or [] if isinstance(t, dict)]
    data = told["data"] if isinstance(told["data"], list) else [told["data"]]
    by_id = {t.get("id"): t for t in [*included, *(d for d in data if isinstance(d, dict))]}
    seen = set()
    for number, tweet in enumerate([*data, *included], start=1):
        place = where if len(data) == 1 and number == 1 else f"{where}, tweet {number}"
        if not isinstance(tweet, dict) or not tweet.get("id"):
            notes.add("tweet without id", place)
        elif tweet["id"] not in seen:
            seen.add(tweet["id"])
            yield _tweet(tweet, by_id, users, media, page, notes, place)
    for error in told.get("errors") or []:
        notes.add(
            f"not to be had: {one_line(_object(error).get('title'))} {clean(_object(error).get('resource_id'))}".strip(),
            where,
        )


def _tweet(
    tweet: dict[str, Any],
    by_id: dict[Any, Any],
    users: dict[Any, Any],
    media: dict[Any, Any],
    page: Page,
    notes: Notes,
    where: str,
) -> PostItem:
    native, text = clean(tweet["id"]), tweet.get("text")
    referred = {r.get("type"): r.get("id") for r in tweet.get("referenced_tweets") or [] if isinstance(r, dict)}
    original = by_id.get(referred.get("retweeted"))
    if original is not None:
        text = original.get("text")  # the repetition's own is cut after 140 characters
    user = _object(users.get(tweet.get("author_id")))
    urls = [_object(u) for u in _object(tweet.get("entities")).get("urls") or []]
    links = [resolve(page.url, u.get("unwound_url") or u.get("expanded_url")) for u in urls]
    keys = _object(tweet.get("attachments")).get("media_keys") or []
    shown = [_object(media.get(key)) for key in keys]
    return PostItem(
        platform="x",
        native_id=native,
        url=f"https://x.com/{clean(user.get('username')) or 'i'}/status/{native}",
        author=page.author("x", tweet.get("author_id")),
        text=tidy(one_entities(text)),
        published_at=notes.when(tweet.get("created_at"), f"{where}, published_at"),
        reply_to=clean(referred.get("replied_to")) or None,
        repost_of=clean(referred.get("retweeted") or referred.get("quoted")) or None,
        links=unique(link for link in links if link and f"/status/{native}/" not in link),
        media=unique(resolve(page.url, m.get("url") or m.get("preview_image_url")) for m in shown),
        counts=_counts(
            _object(tweet.get("public_metrics")),
            {
                "likes": "like_count",
                "reposts": "retweet_count",
                "replies": "reply_count",
                "quotes": "quote_count",
                "views": "impression_count",
            },
        ),
    )


def one_entities(text: Any) -> str:
    """X writes `&amp;`, `&lt;` and `&gt;` in texts."""
    import html

    return html.unescape(clean(text))


# ---------------------------------------------------------------- tables


def _table(text: str, page: Page, notes: Notes) -> Iterator[Item]:
    """4CAT's CSV of TikTok: known by its columns."""
    rows = csv.reader(io.StringIO(text))
    try:
        header = next(rows)
    except (csv.Error, StopIteration):
        notes.add("no table", page.url)
        return
    if not {"id", "url", "description", "digg_count"} <= set(header):
        notes.add(f"columns of no known export: {', '.join(header)[:200]}", "line 1")
        return
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            notes.add(f"row cannot be read: {error}", f"line {rows.line_num}")
            continue
        where = f"line {rows.line_num}"
        if not any(cells):
            continue
        if len(cells) != len(header):
            notes.add(f"cut line: {len(cells)} of {len(header)} columns", where)
            continue
        row = dict(zip(header, cells, strict=True))
        url = resolve(page.url, row["url"])
        name = re.search(r"/@([^/]+)/", url or "")
        yield PostItem(
            platform="tiktok",
            native_id=row["id"],
            url=url,
            author=page.author("tiktok", name.group(1) if name else row.get("author")),
            text=tidy(row["description"]),
            published_at=notes.when(row.get("timestamp") or row.get("create_time"), f"{where}, published_at"),
            counts=_counts(
                row,
                {"likes": "digg_count", "reposts": "share_count", "replies": "comment_count", "views": "play_count"},
            ),
        )


def _crowdtangle(text: str, page: Page, notes: Notes) -> Iterator[Item]:
    """The link checker's file: the link, a table of totals, and from the line that begins with `Source` the posts that shared it.

    It holds no texts: a post is the link that it shares.
    """
    rows = csv.reader(io.StringIO(text))
    shared: str | None = None
    header: list[str] | None = None
    for cells in rows:
        where = f"line {rows.line_num}"
        if cells and cells[0].startswith("Link:"):
            shared = resolve(page.url, cells[0].removeprefix("Link:").strip())
        elif cells and cells[0] == "Source":
            header = cells
        elif header and any(cells):
            if len(cells) != len(header):
                notes.add(f"cut line: {len(cells)} of {len(header)} columns", where)
                continue
            row = dict(zip(header, cells, strict=True))
            url = resolve(page.url, row.get("Link"))
            if url is None:
                notes.add("post without address", where)
                continue
            platform = re.sub(r"[^a-z0-9_]", "", row.get("Post Type", "").lower()) or "facebook"
            found = _FACEBOOK_ID.search(url)
            told = _JS_DATE.sub(r"\2 \1 \3 \4 \5", row.get("Date", ""))
            yield PostItem(
                platform=platform,
                native_id=next((g for g in found.groups() if g), url) if found else url,
                url=url,
                author=page.author(platform, row.get("Source")),
                published_at=notes.when(told, f"{where}, published_at"),
                links=[shared] if shared else [],
                # Reactions, shares and comments in one sum.
                counts=_counts(row, {"interactions": "Interactions"}),
            )
    if header is None:
        notes.add("no table of posts", page.url)


def _counts(told: dict[str, Any], names: dict[str, str]) -> dict[str, int]:
    found = {}
    for name, field in names.items():
        value = told.get(field)
        if isinstance(value, str) and value.strip().isdigit():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            found[name] = value
    return found


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
