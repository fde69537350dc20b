"""Claims of a fact-check page: schema.org ClaimReview in JSON-LD, wherever in it; else the verdict that opens a title.

https://schema.org/ClaimReview; what publishers really write is in docs/sources.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timezone
from typing import Any
from urllib.parse import urlsplit

from . import article, dates, jsonld
from .address import canonical, host_of, resolve, with_scheme
from .column import is_date
from .items import ClaimItem, Item
from .page import Page
from .problems import Notes
from .text import document, one_line
from .wall import is_wall

_VERDICT = re.compile(
    r"^[\[(]?\s*(keliru|sesat|menyesatkan|sebagian benar|sebagian keliru|sebagian salah|tidak terbukti|belum terbukti|belum ada bukti|tidak benar|benar|"
    r"salah|hoaks|hoax|disinformasi|misinformasi|cek fakta salah)\s*[\])]?\s*[,:\-–—]?\s+(?=\S)",
    re.I,
)
"""Words with which Indonesian fact-checkers open a title that has no ClaimReview."""

_BRACKETED = re.compile(
    r"^[\[(]\s*(penipuan|parodi|satire|klarifikasi|malinformasi|fitnah|hasut(?:an)?|manipulasi|(?:hoaks|hoax|disinformasi|misinformasi|malinformasi)"
    r"\s*[+&/]\s*\w+)\s*[\])]\s*[,:\-–—]?\s*(?=\S)",
    re.I,
)
"""Those that are verdicts in brackets alone: as the first word of a title they are news."""
_CARD_LEVELS = 4

_SHORT_CHARS = 60_000
"""Articles that speak of being blocked are longer, markup and all."""
_WHOLE_PAGES = {"NewsArticle", "Article", "BlogPosting", "ReportageNewsArticle", "WebPage"}
"""Whose date is the review's where that has none."""
_WORTH = re.compile(r"^-?\d+([.,]\d+)?$")


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    text = page.text
    if not text.strip():
        notes.add("empty page", page.url)
        yield from notes.drain()
        return
    blocks = jsonld.blocks(text, notes)
    claims = list(from_blocks(blocks, page, notes, _meta(text, "og:site_name"), _meta(text, "article:published_time")))
    if not claims:
        claims = list(_from_titles(text, page, notes))
        if not claims:
            blocked = len(text) < _SHORT_CHARS and is_wall(text)
            notes.add("blocked: the page is a wall" if blocked else "no ClaimReview on the page", page.url)
    yield from claims
    yield from notes.drain()


def from_blocks(
    blocks: list[Any], page: Page, notes: Notes, site: str | None = None, told_at: str | None = None
) -> Iterator[ClaimItem]:
    """One claim for each ClaimReview; the same one told twice counts once. `site` and `told_at` are what the page's head says of both."""
    everything = list(jsonld.nodes(blocks))
    by_id = {str(node["@id"]): node for node in everything if "@id" in node and len(node) > 1}
    organisation = _organisation(everything)
    page_date = next(
        (n["datePublished"] for n in everything if n.get("datePublished") and jsonld.types(n) & _WHOLE_PAGES), None
    )
    zone = dates.zone_among([told_at, jsonld.first(page_date)])
    seen: set[tuple[str, str]] = set()
    used: dict[str, int] = {}
    number = 0
    for node in everything:
        if "ClaimReview" not in jsonld.types(node):
            continue
        number += 1
        where = f"ClaimReview {number}"
        item = _claim(node, page, notes, where, by_id, organisation or site, page_date, zone)
        if item is None or (item.claim_id, item.text) in seen:
            continue
        seen.add((item.claim_id, item.text))
        nth = used[item.claim_id] = used.get(item.claim_id, 0) + 1
        if nth > 1:
            item.claim_id += f"#{nth}"
        yield item


def _claim(
    node: dict[str, Any],
    page: Page,
    notes: Notes,
    where: str,
    by_id: dict[str, Any],
    organisation: str | None,
    page_date: Any,
    zone: timezone,
) -> ClaimItem | None:
    reviewed = jsonld.first(node.get("itemReviewed"))
    reviewed = reviewed if isinstance(reviewed, dict) else {}
    text = ""
    for told in (
        node.get("claimReviewed"),
        reviewed.get("text"),
        reviewed.get("name"),
        node.get("headline"),
        node.get("name"),
    ):
        text = one_line(jsonld.first(told)) if isinstance(jsonld.first(told), str) else ""
        if text:
            break
    if not text:
        notes.add("claimReviewed is empty", where)
        return None
    told_url = jsonld.first(node.get("url")) or jsonld.first(node.get("mainEntityOfPage"))
    if isinstance(told_url, dict):
        told_url = told_url.get("@id") or told_url.get("url")
    url = with_scheme(page.url, told_url)
    if told_url and url is None:
        notes.add(f"url {str(told_url)[:100]!r} is no address", where)
    url = canonical(url or page.url)
    return ClaimItem(
        claim_id=url,
        text=text,
        rating=_rating(jsonld.first(node.get("reviewRating"))),
        publisher=_publisher(node, by_id, organisation) or host_of(url).removeprefix("www.") or None,
        url=url,
        date=notes.day(
            jsonld.first(node.get("datePublished") or node.get("dateCreated") or page_date or node.get("dateModified")),
            f"{where}, datePublished",
            zone,
        ),
    )


def _rating(rating: Any) -> str | None:
    """The words of the verdict; the number only where there are none, since 1 of 5 means other things to others."""
    if isinstance(rating, str):
        return one_line(rating) or None
    if not isinstance(rating, dict):
        return None
    value = one_line(jsonld.first(rating.get("ratingValue")))
    for told in (rating.get("alternateName"), rating.get("name"), value if value and not _WORTH.match(value) else None):
        words = one_line(jsonld.first(told))
        if words:
            return words
    best = one_line(jsonld.first(rating.get("bestRating")))
    if not value or value.startswith("-"):
        return None
    return f"{value}/{best}" if best and not best.startswith("-") else value


def _publisher(node: dict[str, Any], by_id: dict[str, Any], organisation: str | None) -> str | None:
    """An organisation's name. A person who signed it is not named: the site is."""
    person = False
    for told in (node.get("publisher"), node.get("author"), node.get("sdPublisher")):
        for value in told if isinstance(told, list) else [told]:
            if isinstance(value, str) and value.strip():
                return one_line(value)
            if not isinstance(value, dict):
                continue
            whole = by_id.get(str(value.get("@id")), {}) | value
            if "Person" in jsonld.types(whole) or "/author" in str(whole.get("url") or ""):
                person = True
                continue
            name = one_line(jsonld.first(whole.get("name")))
            if name:
                return name
    return organisation if person or organisation else None


def _organisation(everything: list[dict[str, Any]]) -> str | None:
    for node in everything:
        publisher = jsonld.first(node.get("publisher"))
        if (
            isinstance(publisher, dict)
            and isinstance(publisher.get("name"), str)
            and "Person" not in jsonld.types(publisher)
        ):
            return one_line(publisher["name"]) or None
    return None


def _meta(text: str, name: str) -> str | None:
    match = re.search(
        rf"""<meta\s[^<>]{{0,200}}?property=["']{name}["'][^<>]{{1,200}}?content=["']([^"'<>]{{1,300}})""", text, re.I
    )
    return one_line(match.group(1)) if match else None


def _from_titles(text: str, page: Page, notes: Notes) -> Iterator[ClaimItem]:
    """Pages without ClaimReview whose titles begin with the verdict (Tempo's Cek Fakta)."""
    root = document(text)
    if root is None:
        return
    seen = set()
    path = urlsplit(page.url).path
    for heading in root.iter("h1", "h2", "h3"):
        title = _shown_title(heading)
        match = _verdict(title)
        if not match or len(title) - match.end() < 15:
            continue
        links = [href for a in heading.iter("a") if (href := resolve(page.url, a.get("href")))]
        parent = heading.getparent()
        if not links and parent is not None and parent.tag == "a":
            links = [href for href in [resolve(page.url, parent.get("href"))] if href]
        # Without a link of its own the title can only be that of an article's page.
        if not links and (heading.tag != "h1" or path in ("", "/")):
            continue
        url = canonical(links[0] if links else page.url)
        if url in seen:
            continue
        seen.add(url)
        publisher = host_of(url).removeprefix("www.")
        date = _card_day(heading, url, page, notes) if links else article.shown_at(root, page, notes)
        yield ClaimItem(url, title[match.end() :], match.group(1).capitalize(), publisher, url, date)


def _verdict(title: str) -> re.Match[str] | None:
    return _VERDICT.match(title) or _BRACKETED.match(title)


def _shown_title(heading: Any) -> str:
    """Its words; the longer ones where it holds them twice, cut short for small screens."""
    told = [words for span in heading.iter("span") if _verdict(words := one_line(span.text_content()))]
    return max(told, key=len) if len(told) > 1 else one_line(heading.text_content())


def _card_day(heading: Any, url: str, page: Page, notes: Notes) -> str | None:
    """The day that stands in the same card of a list as the title that leads to `url`."""
    for card in list(heading.iterancestors())[:_CARD_LEVELS]:
        if any(
            canonical(told) != url
            for h in card.iter("h1", "h2", "h3")
            if h is not heading and (told := _led_to(h, page))
        ):
            return None
        for element in card.iter("span", "time", "div", "p", "small"):
            words = element.get("datetime") or one_line(element.text)
            if words and (element.get("datetime") or is_date(words)):
                return notes.day(dates.from_numbers(words) or words, f"{url}, date")
    return None


def _led_to(heading: Any, page: Page) -> str | None:
    link = next(heading.iter("a"), None)
    if link is None:
        link = next(heading.iterancestors("a"), None)
    return resolve(page.url, link.get("href")) if link is not None else None
