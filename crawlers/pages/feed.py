"""RSS, Atom and JSON Feed to posts, with a link to each article and to the next page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import feedparser

from pipeline.contracts import digest

from . import dates
from .address import canonical, host_of, resolve
from .items import Item, LinkItem, PostItem
from .page import Page
from .problems import Notes
from .text import Markup, clean, one_line, read_markup, titled, unique
from .wall import instead, is_html

PLATFORM = "web"
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>", re.I)
MOST_ENTRIES = 1000
"""Of a feed that has more, the first are read: real ones hold at most some hundred, and each costs a millisecond."""
_ENTRY = re.compile(r"<(?:item|entry)\b", re.I)
_ITEM = re.compile(r"<item\b", re.I)
MOST_DEEP = 2000
"""Elements within elements. feedparser's time grows with the square of it: 100,000 take 10 s. Real feeds have less than 20."""
_LONG_TAG = re.compile(r"<([\w:.-]+)[^<>]{6000,}>")
"""Tags whose attributes are dropped, for the same reason: 30,000 attributes take 12 s. Real ones that are so long hold pictures."""
_ROOT = re.compile(r"<(?:[\w.-]{1,40}:)?(rss|feed|rdf|channel|item|entry)\b", re.I)
_HEAD_CHARS = 100_000
_OPEN_TAG = re.compile(r"<(?![a-zA-Z/!?])|<[a-zA-Z/][^<>]*(?=<)")
"""Tags that are never closed, and signs that open none: feedparser's time grows with the square of their number, too."""
_MOST_OPEN_TAGS = 2000
_MOST_OPEN_SECTIONS = 20
"""CDATA and comments without an end: each is looked for to the end of the feed. A feed that is cut has one."""
_CDATA = re.compile(r"<!\[CDATA\[.*?\]\]>", re.S)
_TAG = re.compile(r"<(/?)[a-zA-Z][^<>]*?(/?)>")
_PERMALINK = re.compile(
    r"""<guid\b(?![^<>]{0,200}ispermalink\s*=\s*["']false)[^<>]{0,200}>\s*(?:<!\[CDATA\[\s*)?(https?://[^\s<\]]+)""",
    re.I,
)
_REDIRECTORS = (
    "feedsportal.com",
    "feedburner.com",
    "feedproxy.google.com",
    "news.google.com",
    "feedpress.it",
    "feedpress.me",
    "doubleclick.net",
)
"""Hosts whose links lead elsewhere and die first; the guid beside them is the article's own address. Buttons and counters of theirs
in a text are nobody's links and pictures."""
_URI = re.compile(r"^(tag|urn|https?):\S+$", re.I)


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    text = clean(page.text).strip()
    if not text:
        notes.add("empty feed", page.url)
    elif text[0] == "{":
        yield from _json_feed(text, page, notes)
    else:
        yield from _xml_feed(text, page, notes)
    yield from notes.drain()


def _xml_feed(text: str, page: Page, notes: Notes) -> Iterator[Item]:
    starts = [match.start() for match in _ENTRY.finditer(text)]
    if len(starts) > MOST_ENTRIES:
        notes.add(f"{len(starts)} entries, the first {MOST_ENTRIES} are read", page.url)
        text = text[: starts[MOST_ENTRIES]]
    if is_html(text):
        notes.add(instead(text, "a feed"), page.url)
        return
    if not _ROOT.search(text, 0, _HEAD_CHARS):
        notes.add("shape changed: no feed", page.url)
        return
    if not starts:
        text = text[:_HEAD_CHARS]  # whatever follows is no entry
    if (
        text.count("<![CDATA[") > text.count("]]>") + _MOST_OPEN_SECTIONS
        or text.count("<!--") > text.count("-->") + _MOST_OPEN_SECTIONS
    ):
        notes.add("shape changed: sections that never end", page.url)
        return
    text = _LONG_TAG.sub(r"<\1>", text)
    if sum(1 for _ in _OPEN_TAG.finditer(text)) > _MOST_OPEN_TAGS:
        text = _OPEN_TAG.sub("", text)
    if _depth(text) > MOST_DEEP:
        notes.add(f"shape changed: elements nested deeper than {MOST_DEEP}", page.url)
        return
    # Links within an entry's HTML are made whole by `read_markup`: feedparser's own way costs 0.2 ms a tag.
    # Characters are right already: whatever the declaration says of them is now wrong.
    body = '<?xml version="1.0" encoding="utf-8"?>' + _DECLARATION.sub("", text, count=1)
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": page.url}
    feed = feedparser.parse(body.encode(), response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
    if not feed.version and not feed.entries:
        notes.add("shape changed: no feed", page.url)
        return
    if feed.bozo and feed.get("bozo_exception") is not None:
        notes.add(f"broken XML, read as far as it goes: {str(feed.bozo_exception)[:120]}", page.url)
    if not feed.entries:
        notes.add("feed without entries", page.url)
    rows = _ITEM.split(text)[1:]
    told = [match.group(1) if (match := _PERMALINK.search(row)) else None for row in rows]
    permalinks = told if len(told) == len(feed.entries) else [None] * len(feed.entries)
    for number, (entry, permalink) in enumerate(zip(feed.entries, permalinks, strict=True), start=1):
        where = f"entry {number}"
        try:
            yield from _entry(entry, permalink, feed, page, notes, where)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            notes.add(f"entry cannot be read: {error}", where)
    for link in feed.feed.get("links", []):
        if link.get("rel") == "next" and (url := resolve(page.url, link.get("href"))):
            yield LinkItem(url, "next page")


_COMMENT = re.compile(r"#comment-\d+$")
_COMMENT_PAGE = re.compile(r"/comment-page-\d+/?$")
_ANSWER = re.compile(r"(sebagai balasan untuk|membalas|menanggapi|in reply to)\b", re.I)
_ANSWER_WHOLE = re.compile(r"^(sebagai balasan untuk|membalas|menanggapi|in reply to)\b.{1,100}?\.(\s+|$)", re.I)


def _depth(text: str) -> int:
    """How deep elements are nested at most, roughly."""
    if text.count("<") < MOST_DEEP:
        return 0
    depth = deepest = 0
    for tag in _TAG.finditer(_CDATA.sub("", text)):
        depth += -1 if tag.group(1) else 0 if tag.group(2) else 1
        deepest = max(deepest, depth)
    return deepest


def _entry(entry: Any, permalink: str | None, feed: Any, page: Page, notes: Notes, where: str) -> Iterator[Item]:
    base = next(
        (d.get("base") for d in (entry.get("title_detail"), entry.get("summary_detail")) if d and d.get("base")), ""
    )
    base = resolve(page.url, base) or page.url
    told = entry.get("feedburner_origlink") or entry.get("link")
    url = resolve(base, told)
    guid = clean(entry.get("id")).strip()
    if url is None and guid.startswith(("http://", "https://")):
        url = resolve(base, guid)
    if url and guid.startswith(("http://", "https://")) and host_of(url).endswith(_REDIRECTORS):
        permalink = guid
    lasting = resolve(base, permalink)
    # A link to another site than the feed's is what the entry speaks of; where it stands is its guid's address.
    elsewhere = url is None or host_of(url) not in (host_of(lasting or url), host_of(page.url))
    own = lasting if lasting and elsewhere else url
    spoken_of = [url] if url and own != url and not _redirects(url) else []
    title = one_line(entry.get("title"))
    markup, markup_base = "", None
    for content in entry.get("content", []):
        if len(content.get("value") or "") > len(markup):
            markup, markup_base = content["value"], content.get("base")
    if not markup:
        markup, markup_base = entry.get("summary") or "", (entry.get("summary_detail") or {}).get("base")
    body = read_markup(markup, resolve(page.url, markup_base) or page.url)
    comment = _COMMENT.search(own or "")
    reply_to = None
    if comment:
        # Its title only names who wrote it, and the article.
        title = ""
        body, reply_to = _answered(body, own or "")
    text = titled(title, body.text)
    if not text:
        notes.add("entry without title and text", where)
        return
    media = [resolve(base, e.get("href")) for e in entry.get("enclosures", [])]
    media += [resolve(base, m.get("url")) for m in entry.get("media_content", []) + entry.get("media_thumbnail", [])]
    account = _account(entry, feed)
    published = notes.when(_raw_date(entry, "published") or _raw_date(entry, "updated"), f"{where}, published_at")
    counts = {}
    if str(entry.get("slash_comments", "")).isdigit():
        counts["replies"] = int(entry["slash_comments"])
    yield PostItem(
        platform=PLATFORM,
        native_id=_comment_id(own or "") if comment else _native(own, guid, text, page),
        url=own,
        author=page.author(PLATFORM, f"{host_of(own or page.url)}/{account}") if account else None,
        text=text,
        published_at=published,
        edited_at=_edited(published, _raw_date(entry, "updated"), page, notes, where),
        reply_to=reply_to,
        links=_links([*spoken_of, *body.links], own, page),
        media=[m for m in unique([*media, *body.media]) if not _redirects(m)],
        counts=counts,
    )
    if own and not comment:
        yield LinkItem(own, "article")


def _comment_id(url: str) -> str:
    """A comment's address whatever page of the comments it stood on: the article's with the comment's number."""
    base, _, number = url.partition("#")
    return f"{canonical(_COMMENT_PAGE.sub('/', base))}#{number}"


def _answered(body: Markup, url: str) -> tuple[Markup, str | None]:
    """A comment without WordPress's first line that tells whom it answers, and the native id of what it answers: that comment, else the article."""
    first, _, rest = body.text.partition("\n")
    if _ANSWER.match(first):
        told = next((link for link in body.links if _COMMENT.search(link)), None)
        if told:
            words = rest.strip() or _ANSWER_WHOLE.sub("", first).strip()
            return Markup(words, [link for link in body.links if link != told], body.media), _comment_id(told)
    return body, _comment_id(url).partition("#")[0]


def _native(url: str | None, guid: str, text: str, page: Page) -> str:
    if url:
        return canonical(url)
    return guid if _URI.match(guid) else f"{canonical(page.url)}#{digest(guid or text)[:16]}"


def _redirects(url: str) -> bool:
    return host_of(url).endswith(_REDIRECTORS)


def _links(links: list[str], own: str | None, page: Page) -> list[str]:
    """But for those to the entry and to the feed itself, which relative ones lead to."""
    own_pages = {page.url, own}
    return [link for link in unique(links) if link.partition("#")[0] not in own_pages and not _redirects(link)]


def _account(entry: Any, feed: Any) -> str:
    """The name without the address of mail behind it; an Atom entry without an author has that of its feed (RFC 4287, 4.2.1)."""
    for told in (entry, feed.feed if feed.version.startswith("atom") else {}):
        detail = told.get("author_detail") or {}
        if name := one_line(detail.get("name") or told.get("author") or detail.get("email")):
            return name
    return ""


def _raw_date(entry: Any, name: str) -> str | None:
    # Item access on purpose: `entry.published` falls back to `updated` with a warning in some releases.
    return str(entry[name]) if dict.__contains__(entry, name) else None


def _edited(published: str | None, updated: Any, page: Page, notes: Notes, where: str) -> str | None:
    """When it was changed after it was published; many feeds tell the same time twice, some an earlier one."""
    edited = notes.when(updated, f"{where}, edited_at") if published and updated else None
    if edited is None:
        return None
    first, last = (dates.instant(told, page.fetched_at) for told in (published, edited))
    return edited if first and last and last > first else None


def _json_feed(text: str, page: Page, notes: Notes) -> Iterator[Item]:
    """https://www.jsonfeed.org/version/1.1/"""
    try:
        feed = json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        notes.add(f"not JSON: {error}", page.url)
        return
    if isinstance(feed, dict) and isinstance(feed.get("rss"), dict):
        feed = _rss_in_json(feed["rss"])
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list):
        notes.add("shape changed: JSON without items", page.url)
        return
    for number, entry in enumerate(items, start=1):
        where = f"item {number}"
        if not isinstance(entry, dict):
            notes.add("item is no object", where)
            continue
        url = resolve(page.url, entry.get("url")) or resolve(page.url, entry.get("external_url"))
        outside = resolve(page.url, entry.get("external_url"))
        body = read_markup(str(entry.get("content_html") or ""), url or page.url)
        plain = clean(entry.get("content_text") or "").strip() or body.text or one_line(entry.get("summary"))
        post = titled(one_line(entry.get("title")), plain)
        if not post:
            notes.add("item without title and text", where)
            continue
        name = _json_author(entry) or _json_author(feed)
        published = notes.when(entry.get("date_published"), f"{where}, published_at")
        attachments = entry.get("attachments")
        attached = [a.get("url") for a in attachments if isinstance(a, dict)] if isinstance(attachments, list) else []
        media = [resolve(page.url, m) for m in (entry.get("image"), *attached)]
        yield PostItem(
            platform=PLATFORM,
            native_id=_native(url, clean(entry.get("id")).strip(), post, page),
            url=url,
            author=page.author(PLATFORM, f"{host_of(url or page.url)}/{name}") if name else None,
            text=post,
            published_at=published,
            edited_at=_edited(published, entry.get("date_modified"), page, notes, where),
            links=_links([*([outside] if outside else []), *body.links], url, page),
            media=unique([*media, *body.media]),
        )
        if url:
            yield LinkItem(url, "article")
    if following := resolve(page.url, feed.get("next_url")):
        yield LinkItem(following, "next page")


def _json_author(told: dict[str, Any]) -> str:
    """`author` of version 1, the first of `authors` of 1.1; a feed's own is that of its items."""
    authors = told.get("authors")
    first = authors[0] if isinstance(authors, list) and authors else told.get("author")
    return one_line(first.get("name")) if isinstance(first, dict) else ""


def _rss_in_json(rss: dict[str, Any]) -> dict[str, Any]:
    """RSS written as JSON (https://cyber.harvard.edu/rss/rss.html, "rss-in-json") in the form of a JSON Feed."""
    channel = rss.get("channel")
    rows = channel.get("item") if isinstance(channel, dict) else None
    items = []
    for row in rows if isinstance(rows, list) else [rows]:
        if not isinstance(row, dict):
            items.append(row)
            continue
        guid = row.get("guid")
        guid = guid.get("#value") if isinstance(guid, dict) else guid
        link = row.get("link") or (guid if isinstance(guid, str) and guid.startswith("http") else None)
        told = {"id": guid, "url": link, "title": row.get("title"), "content_html": row.get("description")}
        items.append({**told, "date_published": row.get("pubDate"), "author": {"name": row.get("author")}})
    return {"items": items}
