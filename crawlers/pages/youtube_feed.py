"""YouTube's channel feeds (`feeds/videos.xml`) to posts. The native id is the video's.

The feed's own `yt:channelId` lacks `UC`; its entries' have it. The author is the channel's id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import lxml.etree

from .items import Item, PostItem
from .page import Page
from .problems import Notes
from .sitemap import _DECLARATION
from .text import clean, one_line, tidy, titled, unique
from .wall import instead, is_html

PLATFORM = "youtube"
_VIDEO = re.compile(r"[\w-]{1,64}\Z", re.A)


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    text = _DECLARATION.sub("", clean(page.text).strip(), count=1).strip()
    parser = lxml.etree.XMLParser(recover=True, resolve_entities=False, no_network=True, encoding="utf-8")
    try:
        root = lxml.etree.fromstring(text.encode(), parser) if text else None
    except lxml.etree.XMLSyntaxError:
        root = None
    if root is None or _name(root) != "feed":
        what = instead(text, "a feed") if is_html(text) else "shape changed: no YouTube feed"
        notes.add(what if text else "empty feed", page.url)
        yield from notes.drain()
        return
    if parser.error_log:
        notes.add(
            f"broken XML, read as far as it goes: {parser.error_log[0].message}", f"line {parser.error_log[0].line}"
        )
    entries = [child for child in root if _name(child) == "entry"]
    if not entries:
        notes.add("feed without entries", page.url)
    for number, entry in enumerate(entries, start=1):
        where = f"entry {number}"
        video = _text(entry, "videoId") or _text(entry, "id").rpartition(":")[2]
        if not _VIDEO.match(video):
            notes.add("entry without video id", where)
            continue
        channel = _text(entry, "channelId")
        if channel and not channel.startswith("UC"):
            channel = "UC" + channel
        published, updated = _text(entry, "published"), _text(entry, "updated")
        title = one_line(_text(entry, "title"))
        counts = {}
        for tag, attribute, name in (("statistics", "views", "views"), ("starRating", "count", "likes")):
            value = next((e.get(attribute) for e in entry.iter() if _name(e) == tag), None)
            if value and value.isdigit():
                counts[name] = int(value)
        yield PostItem(
            platform=PLATFORM,
            native_id=video,
            url=f"https://www.youtube.com/watch?v={video}",
            author=page.author(PLATFORM, channel or _text(entry, "name")),
            text=titled(title, tidy(_text(entry, "description"))),
            published_at=notes.when(published, f"{where}, published_at"),
            edited_at=notes.when(updated, f"{where}, edited_at") if updated and updated != published else None,
            media=unique(e.get("url") for e in entry.iter() if _name(e) == "thumbnail"),
            counts=counts,
        )
    yield from notes.drain()


def _name(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _text(entry: Any, name: str) -> str:
    return next(("".join(e.itertext()).strip() for e in entry.iter() if _name(e) == name), "")
