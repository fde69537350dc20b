"""A news or blog article to one post: canonical address, title, body, author's pseudonym, times."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from copy import copy, deepcopy
from dataclasses import dataclass
from datetime import timezone
from functools import cache
from typing import Any

import lxml.etree

from . import app_state, column, dates, jsonld
from .address import canonical, host_of, resolve
from .byline import signed
from .column import is_aside, is_date
from .items import Item, LinkItem, PostItem
from .page import Page
from .paging import next_page
from .problems import Notes
from .text import clean, document, fragment, one_line, read_element, tidy, titled, unique
from .wall import is_missing, is_wall

PLATFORM = "web"
_ARTICLES = {
    "Article", "NewsArticle", "ReportageNewsArticle", "BlogPosting", "OpinionNewsArticle", "AnalysisNewsArticle", "LiveBlogPosting", "SocialMediaPosting", "TechArticle",
}  # fmt: skip
_PAGES = {"WebPage", "ItemPage", "ClaimReview"}
_WRITERS = (
    "author",
    "content_author",
    "dtk:author",
    "jpnncom_news_author",
    "dc.creator",
    "parsely-author",
    "article:author",
)
_PUBLISHED = (
    "article:published_time",
    "datepublished",
    "og:published_time",
    "og:article:published_time",
    "publishdate",
    "dtk:publishdate",
    "publish_date",
    "publication_date",
    "content_publisheddate",
    "jpnncom_news_pubdate",
    "dc.date.issued",
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
"""Longer pages, scripts apart, are read as they stand, without looking for the article in them: trafilatura takes seconds a megabyte on hostile
markup. The longest news pages seen have 360,000 characters."""
_MAIN_SHARE = 0.65
"""Of the text found, so much must stand in the main part for the rest to be dropped."""
_INTRODUCTION_CHARS = 100
_LEAST_COLUMN_CHARS = 500
"""A column of so much running text is the article even where the extractor found something else."""
_PIECE_LETTERS = 12
"""A line so long that the extractor has within another is a piece of that; shorter ones may stand in it by chance."""
_MOST_PIECES = 1000
_LABEL_CHARS = 20
"""A pointer so short says only what follows: "Baca juga:"."""
_BREAKS = {"lb", "p", "item", "head", "row", "list", "quote", "table"}
_MOST_MISSES = 300
"""Lines looked for in the whole main part before only its own lines are compared: each costs its length."""
_WHOLE_PAGE = re.compile(r"\s*<(html|!doctype)", re.I)
_ZONED = re.compile(r"\bWI(B|TA|T)\b")
_MOST_DAYS = 20
_HOUR = re.compile(r"\d{1,2}[.:]\d{2}\s*$")
_DATED = re.compile(r"(^|[-_\s])(date|time|tanggal|waktu|tgl|published)([-_\s]|$)", re.I)
"""Classes of what shows when an article was published."""
_SHORT_CHARS = 600
"""A page that says it blocks and has less text than this has no article."""


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    text = page.text
    root = document(text)
    if root is None or not any(one_line(words) for words in root.itertext()):
        notes.add("empty page", page.url)
        yield from notes.drain()
        return
    metas = _metas(root)
    everything = list(jsonld.nodes(jsonld.blocks(text, notes)))
    articles = [n for n in everything if jsonld.types(n) & _ARTICLES]
    data = next((n for n in articles if n.get("headline")), articles[0] if articles else {})
    url = _canonical(root, metas, page, notes)
    title = _title(root, data, metas, url)
    body, links = _body(root, text, url)
    body = _without_title(body, title, _first(root, "h1"))
    drawn = app_state.article(root, title) if not body else None
    if drawn is not None:
        body, links = _drawn(drawn.markup, url)
    if not body:
        body = tidy(jsonld.first(data.get("articleBody")) or "")
    begins = f"{title}\n{body[:300]}" if len(body) < 3 * _SHORT_CHARS else ""
    if is_wall(begins) or (len(body) < _SHORT_CHARS and is_wall(text)):
        notes.add("blocked: the page is a wall, not an article", page.url)
        yield from notes.drain()
        return
    if len(body) < _SHORT_CHARS and not data and any(map(is_missing, (title, _first(root, "title")))):
        notes.add("no such page, says the page", page.url)
        yield from notes.drain()
        return
    if not body:
        notes.add("no article text found (shape changed?)", page.url)
        if not title:
            yield from notes.drain()
            return
        # Videos, galleries and infographics have their words there alone.
        body = one_line(metas.get("og:description") or metas.get("description"))
    whole = next((n for n in everything if n.get("datePublished") and jsonld.types(n) & _PAGES), {})
    published = (
        jsonld.first(data.get("datePublished"))
        or _meta(metas, _PUBLISHED)
        or jsonld.first(whole.get("datePublished"))
        or (drawn.published if drawn else None)
        or _time_element(root)
    )
    # Some write the time twice, and its zone once.
    zone = dates.zone_among([published, _meta(metas, _PUBLISHED), whole.get("datePublished"), _meta(metas, _MODIFIED)])
    published_at = _published(published, root, page, notes, zone)
    modified = (
        jsonld.first(data.get("dateModified")) or _meta(metas, _MODIFIED) or jsonld.first(whole.get("dateModified"))
    )
    name = (
        _author(data, everything)
        or _named_author(metas)
        or (drawn and drawn.author)
        or _marked_author(root)
        or signed(root)
    )
    yield PostItem(
        platform=PLATFORM,
        native_id=canonical(url),
        url=url,
        author=page.author(PLATFORM, f"{host_of(url)}/{name}") if name else None,
        text=titled(title, body),
        published_at=published_at,
        edited_at=_edited(modified, published, published_at, page, notes, zone),
        links=links,
        media=unique([resolve(url, metas.get("og:image"))]),
    )
    if following := next_page(root, url, page.url):
        yield LinkItem(following, "next page")
    yield from notes.drain()


def _title(root: Any, data: dict[str, Any], metas: dict[str, str], url: str) -> str:
    """The headline as the page shows it: those for machines are cut at 110 characters, or have the site's name behind them."""
    shown = [words for h1 in root.iter("h1") if (words := one_line(h1.text_content()))]
    told = one_line(jsonld.first(data.get("headline"))) or one_line(metas.get("og:title"))
    if told and len(shown) == 1:
        short, long = sorted((_letters(told), _letters(shown[0])), key=len)
        if short and short != long and long.startswith(short) and len(short) > len(long) // 3:
            return shown[0]
    return _without_site(
        told or next(iter(shown), "") or _first(root, "title"), shown, one_line(metas.get("og:site_name")), url
    )


def _without_site(title: str, shown: list[str], site: str, url: str) -> str:
    """A title without the name of the site behind it, as far as that is told by the page, its address, or the headline that it shows."""
    if head := next(
        (words for words in shown if len(words) >= 10 and re.match(re.escape(words) + r"\s*[-–—|:»]", title, re.I)),
        None,
    ):
        return head
    match = re.fullmatch(r"(.{10,}?)(?:\s+[-–—:»]\s+|\s*[|]\s*)([^|–—»]{2,40})", title)
    if match is None:
        return title
    behind = _letters(match.group(2))
    labels = [
        label
        for label in host_of(url).split(":")[0].split(".")
        if label not in ("www", "com", "co", "id", "net", "org", "go")
    ]
    names = [_letters(site), *(label for label in labels[-1:] if len(label) > 3)]
    return match.group(1) if any(name and (behind == name or behind.startswith(name)) for name in names) else title


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
    told = []
    for link in root.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split():
            if url := resolve(page.url, link.get("href")):
                told.append(url)
            else:
                notes.add(f"canonical {str(link.get('href'))[:100]!r} is no address", page.url)
    # Pages that tell several disagree in the scheme at most: the one that was fetched is surely theirs.
    own = canonical(page.url)
    return next((url for url in told if canonical(url) == own), None) or (
        told[0] if told else resolve(page.url, metas.get("og:url")) or page.url
    )


def _first(root: Any, tag: str) -> str:
    element = next(iter(root.iter(tag)), None)
    return one_line(element.text_content()) if element is not None else ""


def _body(root: Any, text: str, url: str) -> tuple[str, list[str]]:
    """The article without menus and teasers, as trafilatura finds it, and what it links to."""
    unseen = sum(len(element.text or "") for element in root.iter("script", "style", "noscript"))
    if len(text) - unseen > _LONGEST_CHARS:
        whole = column.of(root)
        if whole is None:
            whole = next((e for tag in ("article", "main", "body") for e in root.iter(tag)), root)
        read_whole = read_element(whole, url)
        return read_whole.text, read_whole.links
    import trafilatura  # late: it takes a second to load, and most kinds do without

    trimmed = column.without_boxes(deepcopy(root))
    # It copies a tree it is given. What does not begin as a page it takes for a piece of one, and reads its own way.
    given = trimmed if _WHOLE_PAGE.match(text) else clean(text)
    try:
        found = trafilatura.bare_extraction(given, options=_options(url))
    except Exception:  # it walks hostile markup; whatever breaks in it must cost this body alone
        return "", []
    if found is None or found.body is None:
        return "", []
    told = [_Found(line, element, _linked(element)) for element in found.body for line in _lines(element)]
    part = column.of(trimmed)
    lines = told if part is None else _inside(told, part, url)
    lines = list(_without_asides(lines))
    links = unique(link for line in lines for link in line.links(url))
    return tidy("\n".join(line.text for line in lines)), links


def _drawn(markup: str, url: str) -> tuple[str, list[str]]:
    """The same of an article that came as a piece of HTML, or as plain text."""
    piece = fragment(markup) if "<" in markup else None
    if piece is None:
        return tidy(html.unescape(markup)), []
    own = [_Found(line.text, line.links, line.linked) for line in column.lines(column.without_boxes(piece), url)]
    lines = list(_without_asides(own))
    return tidy("\n".join(line.text for line in lines)), unique(link for line in lines for link in line.links(url))


@cache
def _asked() -> Any:
    from trafilatura.settings import Extractor

    # "txt" rather than "python": what it finds is read from its tree, and the text that it would make of it besides is not.
    return Extractor(output_format="txt", comments=False, links=True, recall=True)


def _options(url: str) -> Any:
    """What is asked of trafilatura. It reads its settings from a file anew for each that is made: one is, and copied."""
    options = copy(_asked())
    options.url, options.source = url, url.encode("utf-8", "replace").decode()
    return options


@dataclass(slots=True)
class _Found:
    """A line of the article, and the element that it is of or what that links to."""

    text: str
    origin: Any
    linked: int = 0
    """Characters of it that are a link."""

    def links(self, base: str) -> list[str]:
        if isinstance(self.origin, list):
            return self.origin
        told = (ref for ref in self.origin.iter("ref") if " ".join("".join(ref.itertext()).split()) in self.text)
        return unique(resolve(base, ref.get("target")) for ref in told)


def _linked(element: Any) -> int:
    return sum(len(" ".join("".join(ref.itertext()).split())) for ref in element.iter("ref"))


def _lines(element: Any) -> list[str]:
    """What trafilatura holds for one paragraph, broken where the page breaks it."""
    parts = []
    for event, inner in lxml.etree.iterwalk(element, events=("start", "end")):
        if inner is not element and inner.tag in _BREAKS:
            parts.append("\n")
        parts.append((inner.text if event == "start" else inner.tail if inner is not element else None) or "")
    return [line for part in "".join(parts).split("\n") if (line := " ".join(part.split()))]


def _inside(told: list[_Found], part: Any, base: str) -> list[_Found]:
    """Those that stand in the part of the page with most running text, and an introduction above it. Teasers, "most read" and
    address lists go, which the extractor keeps where a page has many; running lines of that part that it left out come. Untouched where
    that part holds too little of what was found.

    Of 258 recorded news pages with known texts (fundus) all this makes precision 0.953 and recall 0.978, where the extractor with the
    part of most paragraphs alone gave 0.947 and 0.970.
    """
    own = column.lines(part, base)
    known = {_letters(line.text) for line in own}
    whole = None
    misses, inside = 0, []
    for line in told:
        letters = _letters(line.text)
        found = letters in known
        if not found and misses < _MOST_MISSES:
            whole = _letters(part.text_content()) if whole is None else whole
            found = letters in whole
        misses += not found
        inside.append(bool(letters) and found)
    ran = [
        (len(line.text), kept) for line, kept in zip(told, inside, strict=True) if column.runs(line.text, line.linked)
    ]
    everything, share = sum(length for length, _ in ran), sum(length for length, kept in ran if kept)
    running = sum(len(line.text) for line in own if line.running)
    sure = share >= _MAIN_SHARE * everything or running >= max(_LEAST_COLUMN_CHARS, _MAIN_SHARE * everything)
    if not running or not (sure or (running >= _LEAST_COLUMN_CHARS and _is_elsewhere(told, column.titled(part)))):
        return told
    start = inside.index(True) if True in inside else 0
    above = [line for line in told[:start] if len(line.text) >= _INTRODUCTION_CHARS]
    if not above and (lead := column.introduction(part, base)) is not None:
        above = [_Found(lead.text, lead.links, lead.linked)]
    kept = [line for line, is_in in zip(told, inside, strict=True) if is_in]
    return above + _whole(kept, own)


def _is_elsewhere(told: list[_Found], article: Any) -> bool:
    """Whether most of what was found is of another article than the one that has the page's title."""
    if article is None:
        return False
    letters = _letters(article.text_content())
    ran = [line.text for line in told[:_MOST_MISSES] if column.runs(line.text, line.linked)]
    return sum(len(line) for line in ran if _letters(line) in letters) < _MAIN_SHARE * sum(len(line) for line in ran)


def _whole(kept: list[_Found], own: list[column.Line]) -> list[_Found]:
    """As the page breaks them, with running lines that the extractor left out and headings before lines that stay, where it left any
    out or made one line of several."""
    said = {_letters(line.text) for line in kept}
    joined = "\n".join(said)
    letters = [_letters(line.text) for line in own]
    checks = 0
    is_said = []
    for told in letters:
        there = told in said
        if not there and len(told) >= _PIECE_LETTERS and checks < _MOST_PIECES:
            checks += 1
            there = told in joined
        is_said.append(there)
    places = {line.place for line, is_in in zip(own, is_said, strict=True) if is_in and line.running}
    if not places:
        # The extractor found another part of the page. Of this one the text is what most of it is like.
        lengths: dict[tuple[str, ...], int] = {}
        for line in own:
            lengths[line.place] = lengths.get(line.place, 0) + len(line.text) * line.running
        places = {max(lengths, key=lambda place: lengths[place])}
    stays = [
        is_in or (line.running and line.place in places and not is_aside(line.text))
        for line, is_in in zip(own, is_said, strict=True)
    ]
    first = stays.index(True) if True in stays else 0
    for number in range(first):
        # The lead, which is often set in another way than what follows it.
        lead = own[number]
        stays[number] = (
            lead.running and len(lead.text) >= _INTRODUCTION_CHARS and not lead.captioning and not is_aside(lead.text)
        )
    first = stays.index(True) if True in stays else 0
    for number in range(len(own) - 2, first, -1):
        # A heading stays where the text goes on under it.
        stays[number] |= own[number].heading and stays[number + 1] and not own[number].linked
    lost = any(stay and not was for stay, was in zip(stays, is_said, strict=True))
    pieces = sum(
        line.running and was and told not in said for line, was, told in zip(own, is_said, letters, strict=True)
    )
    if not lost and pieces < 2:
        return kept
    return [_Found(line.text, line.links, line.linked) for line, stay in zip(own, stays, strict=True) if stay]


def _without_asides(lines: list[_Found]) -> Iterator[_Found]:
    """Of a pointer that stands alone in its line, the links under it go with it."""
    pointing = False
    for line in lines:
        if is_aside(line.text):
            pointing = len(line.text) < _LABEL_CHARS
        elif not (pointing and line.linked >= len(line.text) - 3):
            pointing = False
            yield line


def _without_title(body: str, *titles: str) -> str:
    """The body without the headline that stands above it on the page, though often in other quotation marks."""
    line, _, rest = body.partition("\n")
    bare = _letters(line)
    return rest.lstrip() if bare and any(bare == _letters(title) for title in titles) else body


def _letters(text: str) -> str:
    if text.isascii():
        return text.encode().translate(None, _NO_LETTERS).decode().lower()
    return _NO_WORD.sub("", text).casefold()


_NO_WORD = re.compile(r"\W+")
_NO_LETTERS = bytes(n for n in range(128) if not (chr(n).isalnum() or n == 95))


def _author(data: dict[str, Any], everything: list[dict[str, Any]]) -> str:
    author = jsonld.first(data.get("author") or data.get("creator"))
    if isinstance(author, dict):
        if not author.get("name") and (told := author.get("@id")):
            # Yoast's graph tells the person elsewhere.
            author = next((n for n in everything if n.get("@id") == told and n.get("name")), author)
        author = jsonld.first(author.get("name"))
    return one_line(author) if isinstance(author, str) else ""


def _marked_author(root: Any) -> str:
    """The name that the page's markup calls its author's."""
    for element in root.iter("a", "span", "div", "p", "address"):
        marks = f"{element.get('rel') or ''} {element.get('itemprop') or ''}".casefold().split()
        if "author" in marks:
            inner = next((e for e in element.iter() if e.get("itemprop") == "name"), element)
            name = one_line(inner.get("content") or inner.text_content())
            if 2 < len(name) < 80:
                return name
    return ""


def _named_author(metas: dict[str, str]) -> str:
    """From the page's head. Some sites put an address of a page on a social network there."""
    told = (one_line(metas.get(name)) for name in _WRITERS)
    return next((name for name in told if name and not name.startswith(("http://", "https://"))), "")


def _time_element(root: Any) -> str | None:
    """The time that the page's own markup marks as its publication, else the first that is marked as a time at all."""
    for element in root.iter():
        if not isinstance(element.tag, str) or element.tag == "meta":
            continue
        published = "published" in (element.get("class") or "").split()
        if published or "datepublished" in (element.get("itemprop") or "").casefold().split():
            told = element.get("datetime") or element.get("content") or element.get("title")
            if told and re.search(r"\d{4}", told):
                return str(told)
    return next((str(e.get("datetime")) for e in root.iter("time") if e.get("datetime")), None)


def shown_at(root: Any, page: Page, notes: Notes) -> str | None:
    """When the article of a page was published, as far as its markup and its words tell."""
    return _published(_meta(_metas(root), _PUBLISHED) or _time_element(root), root, page, notes)


def _published(told: Any, root: Any, page: Page, notes: Notes, zone: timezone = dates.WIB) -> str | None:
    if told:
        return notes.when(told, "published_at", zone)
    # Indonesian sites often show the time in words alone: "Rabu, 27 November 2024 | 10:15 WIB".
    days: list[tuple[str, Any]] = []
    for element in root.iter("time", "span", "div", "p", "small", "li", "td", "h3", "h4", "h5", "h6"):
        words = " ".join(filter(None, (element.text, *(inner.tail for inner in element))))
        if not words or len(words) > 160 or not re.search(r"\d{4}", words):
            continue
        if (
            _ZONED.search(words)
            or _DATED.search(element.get("class") or "")
            or (_HOUR.search(words) and is_date(words))
        ):
            if (told := _stamped(words, page)) is not None:
                return told
            continue
        if len(days) < _MOST_DAYS and is_date(words):
            days.append((words, element))
    # A day alone may be today's, in the page's head; beside the title it is the article's.
    for words, element in days:
        if column.titled(element) is not None and (told := _stamped(words, page)) is not None:
            return told
    return _guessed(page)


def _stamped(words: str, page: Page) -> str | None:
    try:
        return dates.stamp(dates.from_numbers(words) or words, page.fetched_at)
    except dates.BadDate:
        return None


def _guessed(page: Page) -> str | None:
    """The day that the address or the page's text tells, as htmldate finds it with its cautious rules."""
    if len(page.text) > _LONGEST_CHARS:
        return None
    import htmldate  # late, as trafilatura, which brings it

    try:
        day = htmldate.find_date(page.text, extensive_search=False, original_date=True, url=page.url)
        return dates.stamp(day, page.fetched_at)
    except Exception:  # as with trafilatura: whatever breaks in it must cost this date alone
        return None


def _edited(
    told: Any, published: Any, published_at: str | None, page: Page, notes: Notes, zone: timezone
) -> str | None:
    """When it was changed after it was published: a site's own last touch before that is no edit."""
    if not told or told == published:
        return None
    edited = notes.when(told, "edited_at", zone)
    first = dates.instant(published_at, page.fetched_at) if published_at else None
    last = dates.instant(edited, page.fetched_at) if edited else None
    return edited if last and (first is None or last > first) else None
