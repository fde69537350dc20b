"""Sitemaps and sitemap indices (https://www.sitemaps.org/protocol.html) to links; plain lists of addresses too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import lxml.etree

from .address import resolve
from .items import Item, LinkItem
from .page import Page
from .problems import Notes
from .text import clean
from .wall import instead, is_html

_STRAY_AMPERSAND = re.compile(r"&(?!#?\w{1,10};)")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>", re.I)


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    text = _DECLARATION.sub("", clean(page.text).strip(), count=1).strip()
    if not text:
        notes.add("empty sitemap", page.url)
    elif is_html(text):
        notes.add(instead(text, "a sitemap"), page.url)
    elif text[0] != "<":
        yield from _lines(text, page, notes)
    else:
        yield from _xml(text, page, notes)
    yield from notes.drain()


def _xml(text: str, page: Page, notes: Notes) -> Iterator[Item]:
    parser = lxml.etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, huge_tree=True, encoding="utf-8"
    )
    try:
        root = lxml.etree.fromstring(_STRAY_AMPERSAND.sub("&amp;", text).encode(), parser)
    except lxml.etree.XMLSyntaxError as error:
        notes.add(f"broken XML: {error}", page.url)
        return
    if root is None or _name(root) not in ("urlset", "sitemapindex", "rss", "feed", "rdf"):
        notes.add(f"shape changed: <{_name(root) if root is not None else ''}> where a sitemap was expected", page.url)
        return
    if parser.error_log:
        notes.add(
            f"broken XML, read as far as it goes: {parser.error_log[0].message}", f"line {parser.error_log[0].line}"
        )
    # Feeds may stand for sitemaps (protocol, "Other Sitemap formats").
    kinds = ("item", "entry") if _name(root) in ("rss", "feed", "rdf") else ("url", "sitemap")
    seen = set()
    count = 0
    for entry in root.iter():
        kind = _name(entry)
        if kind not in kinds:
            continue
        count += 1
        url = resolve(page.url, _address(entry))
        if url is None:
            notes.add("loc is missing or no address", f"{kind} {count}")
        elif url not in seen:
            seen.add(url)
            yield LinkItem(url, "sitemap" if kind == "sitemap" else "article")
    if not count:
        notes.add("sitemap without addresses", page.url)


def _address(entry: Any) -> str | None:
    for child in entry:
        name = _name(child)
        if name == "loc" or (name == "link" and not child.get("href")):
            return "".join(child.itertext())
        if name == "link" and child.get("rel", "alternate") == "alternate":
            return str(child.get("href"))
    return None


def _lines(text: str, page: Page, notes: Notes) -> Iterator[Item]:
    """One address a line. Where there are any, other lines are remarks; where there are none it is no list."""
    found = False
    for line in text.splitlines():
        if line.strip().startswith(("http://", "https://")) and (url := resolve(page.url, line)):
            found = True
            yield LinkItem(url, "article")
    if not found:
        notes.add("shape changed: neither XML nor a list of addresses", "line 1")


def _name(element: object) -> str:
    tag = getattr(element, "tag", None)
    # A prefix that nobody declared stays in the name.
    return tag.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(tag, str) else ""
