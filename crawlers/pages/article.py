"""A news or blog article to one post: canonical address, title, body, author's pseudonym, times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from . import dates, jsonld
from .address import canonical, host_of, resolve
from .items import Item, LinkItem, PostItem
from .page import Page
from .problems import Notes
from .text import clean, document, one_line, read_element, tidy, titled, unique

PLATFORM = "web"
_ARTICLES = {
    "Article", "NewsArticle", "ReportageNewsArticle", "BlogPosting", "OpinionNewsArticle", "AnalysisNewsArticle", "LiveBlogPosting", "SocialMediaPosting", "TechArticle",
}  # fmt: skip
_WALL = re.compile(
    r"(just a moment\.\.\.|attention required|access denied|are you (a )?(human|robot)|verify you are human|enable javascript and cookies|captcha|please wait for verification|"
    r"pardon our interruption|over 18|akses ditolak|blocked by network security)",
    re.I,
)
_PUBLISHED = (
    "article:published_time",
    "datepublished",
    "og:published_time",
    "publishdate",
    "content_publisheddate",
    "dc.date",
    "dcterms.created",
    "date",
    "pubdate",
    "parsely-pub-date",
)
_MODIFIED = (
    "article:modified_time",
    "datemodified",
    "og:updated_time",
    "lastmod",
    "content_lastupdated",
    "dcterms.modified",
)
_LONGEST_CHARS = 800_000
"""Longer pages are read as they stand, without looking for the article in them: trafilatura takes seconds a megabyte on hostile
markup. The longest news pages seen have 360,000 characters."""
_SHORT_CHARS = 600
"""A page that says it blocks and has less text than this has no article."""


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    text = page.text
    root = document(text)
    if root is None or not one_line(root.text_content()):
        notes.add("empty page", page.url)
        yield from notes.drain()
        return
    metas = _metas(root)
    articles = [n for n in jsonld.nodes(jsonld.blocks(text, notes)) if jsonld.types(n) & _ARTICLES]
    data = next((n for n in articles if n.get("headline")), articles[0] if articles else {})
    url = _canonical(root, metas, page, notes)
    title = (
        one_line(jsonld.first(data.get("headline")))
        or one_line(metas.get("og:title"))
        or _first(root, "h1")
        or _first(root, "title")
    )
    body, links = _body(root, text, url)
    body = _without_title(body, title, _first(root, "h1"))
    if not body:
        body = tidy(jsonld.first(data.get("articleBody")) or "")
    if (not body or len(body) < _SHORT_CHARS) and _WALL.search(f"{title} {one_line(root.text_content())[:3000]}"):
        notes.add("blocked: the page is a wall, not an article", page.url)
        yield from notes.drain()
        return
    if not body:
        notes.add("no article text found (shape changed?)", page.url)
        if not title:
            yield from notes.drain()
            return
    published = jsonld.first(data.get("datePublished")) or _meta(metas, _PUBLISHED) or _time_element(root)
    name = _author(data) or one_line(metas.get("author") or metas.get("article:author"))
    yield PostItem(
        platform=PLATFORM,
        native_id=canonical(url),
        url=url,
        author=page.author(PLATFORM, f"{host_of(url)}/{name}") if name else None,
        text=titled(title, body),
        published_at=_published(published, root, page, notes),
        edited_at=_edited(jsonld.first(data.get("dateModified")) or _meta(metas, _MODIFIED), published, notes),
        links=links,
        media=unique([resolve(url, metas.get("og:image"))]),
    )
    for link in root.iter("link", "a"):
        if "next" in (link.get("rel") or "").split() and (following := resolve(page.url, link.get("href"))):
            yield LinkItem(following, "next page")
            break
    yield from notes.drain()


def _metas(root: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for meta in root.iter("meta"):
        name = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").strip().lower()
        if name and (meta.get("content") or "").strip():
            found.setdefault(name, clean(meta.get("content")).strip())
    return found


def _meta(metas: dict[str, str], names: tuple[str, ...]) -> str | None:
    return next((metas[name] for name in names if name in metas), None)


def _canonical(root: Any, metas: dict[str, str], page: Page, notes: Notes) -> str:
    for link in root.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split():
            if url := resolve(page.url, link.get("href")):
                return url
            notes.add(f"canonical {str(link.get('href'))[:100]!r} is no address", page.url)
    return resolve(page.url, metas.get("og:url")) or page.url


def _first(root: Any, tag: str) -> str:
    element = next(iter(root.iter(tag)), None)
    return one_line(element.text_content()) if element is not None else ""


def _body(root: Any, text: str, url: str) -> tuple[str, list[str]]:
    """The article without menus and teasers, as trafilatura finds it, and what it links to."""
    if len(text) > _LONGEST_CHARS:
        whole = next((e for tag in ("article", "main", "body") for e in root.iter(tag)), root)
        read_whole = read_element(whole, url)
        return read_whole.text, read_whole.links
    import trafilatura  # late: it takes a second to load, and most kinds do without

    try:
        found = trafilatura.bare_extraction(
            clean(text), url=url, include_comments=False, include_links=True, with_metadata=False, favor_recall=True
        )
    except Exception:  # it walks hostile markup; whatever breaks in it must cost this body alone
        return "", []
    if found is None or found.body is None:
        return "", []
    links = unique(resolve(url, ref.get("target")) for ref in found.body.iter("ref"))
    lines = []
    for element in found.body:
        line = (
            " ".join("".join(element.itertext()).split())
            if element.tag != "list"
            else "\n".join(" ".join("".join(item.itertext()).split()) for item in element)
        )
        if line:
            lines.append(line)
    return tidy("\n".join(lines)), links


def _without_title(body: str, *titles: str) -> str:
    """The body without the headline that stands above it on the page, though often in other quotation marks."""
    line, _, rest = body.partition("\n")
    bare = _letters(line)
    return rest.lstrip() if bare and any(bare == _letters(title) for title in titles) else body


def _letters(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()


def _author(data: dict[str, Any]) -> str:
    author = jsonld.first(data.get("author") or data.get("creator"))
    if isinstance(author, dict):
        author = jsonld.first(author.get("name"))
    return one_line(author) if isinstance(author, str) else ""


def _time_element(root: Any) -> str | None:
    for element in root.iter("time"):
        if element.get("datetime"):
            return str(element.get("datetime"))
    return None


def _published(told: Any, root: Any, page: Page, notes: Notes) -> str | None:
    if told:
        return notes.when(told, "published_at")
    # Indonesian sites often show the time in words alone: "Rabu, 27 November 2024 | 10:15 WIB".
    for element in root.iter("time", "span", "div", "p", "small"):
        words = element.text
        if words and len(words) < 120 and re.search(r"\d{4}", words) and re.search(r"\bWI(B|TA|T)\b", words):
            try:
                return dates.stamp(words, page.fetched_at)
            except dates.BadDate:
                continue
    return None


def _edited(told: Any, published: Any, notes: Notes) -> str | None:
    return notes.when(told, "edited_at") if told and told != published else None
