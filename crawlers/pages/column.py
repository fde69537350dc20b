"""The column of a page: the part in which its running text stands, the lines in it, and the boxes set among them that belong to others.

Written after what public scrapers take off the pages of Indonesian news sites, and after recorded pages of twelve of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import lxml.etree

from .address import resolve

_BESIDE = re.compile(
    r"(.*[-_])?(baca[-_]*juga|lihat[-_]*juga|simak[-_]*juga|lihatjg|linksisip|read[-_]*(more|also)|also[-_]*read|baca[-_]holder|berita[-_]*(terkait|lain\w*)|"
    r"artikel[-_]*(terkait|lain\w*)|rekomendasi|recommend\w*|related|picked|terpopuler|newsletter|sisip|noncontent|subscri\w+|(adv|advert\w*|ads|iklan)|adsbygoogle|parallax\w*|"
    r"paradetail|para_caption|staticdetail|tagcloud\d*|tags)([-_].*)?|baca|ad([-_](slot|placeholder|container|wrap\w*|box|unit|banner))?|(.*[-_])?(tag|ad)",
    re.I,
)
"""Classes and ids of what a page sets beside or between an article's paragraphs. `tag-NAME` is WordPress's mark of a post with that tag, and stays."""
_ASIDE = re.compile(
    r"[\s>\[(•*-]*((baca|simak|lihat|tonton|saksikan)\s+(juga|pula|selengkapnya|artikel|berita|video|live)\b|baca berita tanpa iklan|\[?gambas:|pilihan editor\s*:|"
    r"(advertisement|iklan|loading\W*|daftar isi|tags?|topik (artikel|terkait)|(berita|artikel|video|foto) (terkait|lainnya|terbaru|terpopuler)|share|bagikan)\W*$|"
    r"scroll (to (continue|resume)|ke bawah)|halaman\s*:|halaman \d+\s*(/|dari)|halaman selanjutnya|rekomendasi untuk anda|lanjutkan membaca artikel|"
    r"(gabung|yuk,? gabung|jadilah) .{0,40}(kompas\.com|whatsapp|telegram)|cek berita dan artikel|artikel ini (telah|sudah) (tayang|terbit|dimuat)|"
    r"(ikuti|follow|dapatkan|simak|temukan|cek|update) .{0,80}(google news|whatsapp|telegram|di sini\W*$|disini\W*$)|dapatkan (update|berita|informasi) |"
    r"add as a preferred source|jadikan .{0,40} sumber|copyright\b|©|dilarang keras mengambil|(pewarta|penulis|reporter|editor|redaktur|uploader|penerjemah)\s*:.{0,120}$|"
    r"(editor|redaktur) .{0,40}copyright|anda bisa membaca artikel)",
    re.I,
)
"""How lines begin that Indonesian news sites set between an article's paragraphs: pointers to others, advertisements, who signed it."""
_DAYS = r"(senin|selasa|rabu|kamis|jum'?at|jum[’`]at|sabtu|minggu|ahad)"
_DATE_ALONE = re.compile(
    rf"\W*((diterbitkan|dipublikasikan|diperbarui|terbit|tayang|publikasi|kompas\.com|tribunnews\.com)\b[\s,:|-]*)?({_DAYS}[\s,]*)?\d{{1,2}}[\s/-]([a-z]{{3,9}}|\d{{1,2}})[\s/-]\d{{4}}\b"
    r"(.{0,15}\d{1,2}[.:]\d{2})?(\s*(wib|wita|wit))*(\W+[\d.,]+\s*(views?|kali|pembaca|komentar))?\W*",
    re.I,
)
_CONSENT = re.compile(r"(.*[-_])?(onetrust|cookies?|consent|gdpr|ccpa|didomi|cmp|ot-sdk)([-_].*)?", re.I)
"""Boxes that ask leave to store cookies: texts as long as an article's."""
_PICTURE = re.compile(
    r"(?:^|[-_\s])(figure|.*caption|.*images?|img|.*photos?|foto|pict?(ture)?s?|gallery|galeri|slide\w*|keterangan|media|video)(?:[-_\s]|$)",
    re.I,
)
_MAY_BE_BESIDE = {
    "div",
    "p",
    "ul",
    "ol",
    "table",
    "aside",
    "section",
    "nav",
    "span",
    "strong",
    "em",
    "b",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ins",
    "a",
}
_LONGEST_BESIDE_CHARS = 350
"""A paragraph longer than this is no teaser: what holds one stays, whatever its class."""
_INLINE = {
    "a",
    "b",
    "strong",
    "i",
    "em",
    "u",
    "span",
    "font",
    "br",
    "small",
    "mark",
    "sub",
    "sup",
    "big",
    "abbr",
    "cite",
    "code",
    "q",
    "s",
    "tt",
    "wbr",
    "img",
}
_UNREAD = {
    "script", "style", "noscript", "template", "svg", "iframe", "button", "select", "textarea", "option", "head", "title", "figcaption", "nav", "footer",
    "aside", "form", "header",
}  # fmt: skip
_HEADINGS = {"h2", "h3", "h4", "h5"}
_RUNNING_CHARS = 40
"""Shorter pieces of text are dates, names, menus: no page is found by them."""
_LINE_CHARS = 60
"""A line of the column that an extractor left out counts from here as part of the article."""
_LINKED_SHARE = 0.4
_UPWARD = 3
_ENOUGH_CHARS = 400
_LEAD_CHARS = 100
_COUSIN_SHARE = 0.12
"""So much of the main part's score another of the same class has, where one article is cut into several."""
_LONG_TEXT = lxml.etree.XPath(f"//body//text()[string-length(.) >= {_RUNNING_CHARS}]")


@dataclass(slots=True)
class Line:
    text: str
    links: list[str] = field(default_factory=list)
    linked: int = 0
    """Characters of it that are a link."""
    heading: bool = False
    place: tuple[str, ...] = ()
    """Tag and classes of its block and of what holds that: paragraphs of one text share them."""

    @property
    def captioning(self) -> bool:
        """Whether it stands under a picture, as its block's classes say."""
        return any(_PICTURE.search(mark) for mark in self.place)

    @property
    def running(self) -> bool:
        return not self.heading and runs(self.text, self.linked)


def runs(line: str, linked: int) -> bool:
    """Whether a line is long enough to be of a text and not for the most part a link."""
    return len(line) >= _LINE_CHARS and linked <= _LINKED_SHARE * len(line)


def is_aside(line: str) -> bool:
    """Whether a line is none of the article's: a pointer to another, an advertisement's mark, a credit, the date alone."""
    return bool(_ASIDE.match(line)) or is_date(line)


def is_date(line: str) -> bool:
    """Whether it is a day, with its hour or not, and nothing else."""
    return len(line) < 90 and _DATE_ALONE.fullmatch(line) is not None


def without_boxes(root: Any) -> Any:
    """The tree, which is changed, without what its classes call advertisements, tags and pointers to other articles."""
    widths: dict[Any, int] = {}
    for element in list(root.iter(*_MAY_BE_BESIDE)):
        marks = f"{element.get('class') or ''} {element.get('id') or ''}".split()
        if not marks or element.getparent() is None:
            continue
        if any(_is_beside(mark) for mark in marks):
            is_box = not _is_word(element, widths) and _is_small(element)
        else:
            is_box = (
                element.tag == "div"
                and any(len(mark) < 100 and _CONSENT.fullmatch(mark) for mark in marks)
                and _holds_no_article(element)
            )
        if is_box:
            element.drop_tree()
    return root


@lru_cache(10_000)
def _is_beside(mark: str) -> bool:
    return len(mark) < 100 and _BESIDE.fullmatch(mark) is not None


def _is_word(element: Any, widths: dict[Any, int]) -> bool:
    """Whether it stands in a sentence. `widths` keeps what was counted: a paragraph may have thousands of them."""
    if element.tag not in _INLINE:
        return False
    holder = element.getparent()
    if holder not in widths:
        widths[holder] = _width(holder)
    return widths[holder] > _width(element)


def _is_small(element: Any) -> bool:
    """Whether it may be a box: no title of the page and no long paragraph is in it."""
    return _holds_no_article(element) and all(
        len(" ".join(words.split())) <= _LONGEST_BESIDE_CHARS for words in element.itertext()
    )


def _holds_no_article(element: Any) -> bool:
    return next(element.iter("h1", "main", "article", "body"), None) is None


def _width(element: Any) -> int:
    return len("".join("".join(element.itertext()).split()))


def of(root: Any) -> Any:
    """The element under which most text runs, in paragraphs or between line breaks; nearer ones count more. One that has others of
    its class beside it, where pages cut an article into pieces, gives way to what holds them all. None where no text runs."""
    scores: dict[Any, float] = {}

    def count(element: Any, length: int) -> None:
        weight = 1.0
        for _ in range(3):
            if element is None or element.tag in ("body", "html"):
                break
            scores[element] = scores.get(element, 0.0) + length * weight
            element, weight = element.getparent(), weight * 0.8

    for paragraph in root.iter("p"):
        length = len(" ".join(paragraph.text_content().split()))
        if length >= _RUNNING_CHARS:
            count(paragraph.getparent(), length)
    for words in _LONG_TEXT(root):
        holder = words.getparent()
        if words.is_tail:
            holder = holder.getparent()
        while holder is not None and holder.tag in _INLINE and holder.tag != "a":
            holder = holder.getparent()
        length = len(" ".join(words.split()))
        if (
            length >= _RUNNING_CHARS
            and holder is not None
            and holder.tag in ("div", "td", "article", "section", "main", "blockquote")
        ):
            count(holder, length)
    if not scores:
        return None
    best = max(_beside_the_title(root, scores), key=lambda element: scores[element])
    return _with_cousins(best, scores)


def _beside_the_title(root: Any, scores: dict[Any, float]) -> list[Any]:
    """Those in the `article` that has the title, where enough text runs in it: some pages go on with other articles under their own."""
    title = next(root.iter("h1"), None)
    around = next(title.iterancestors("article"), None) if title is not None else None
    inside = (
        [element for element in scores if element is around or _holds(around, element)] if around is not None else []
    )
    return inside if inside and max(scores[element] for element in inside) >= _ENOUGH_CHARS else list(scores)


def titled(part: Any) -> Any:
    """The `article` around it that has the page's title; None where it stands in none."""
    return next(
        (
            around
            for around in (part, *part.iterancestors("article"))
            if around.tag == "article" and next(around.iter("h1"), None) is not None
        ),
        None,
    )


def introduction(part: Any, base: str) -> Line | None:
    """The running line nearest above the column and under the title: a lead that is set apart. What stands by a picture is a caption."""
    element = part
    for _ in range(_UPWARD):
        for before in element.itersiblings(preceding=True):
            if before.tag == "h1" or next(before.iter("h1"), None) is not None:
                return None
            pictures = [e for e in (before, before.getprevious()) if e is not None]
            if before.tag not in ("div", "p", "h2", "h3", "strong", "section") or any(
                next(e.iter("img"), None) is not None for e in pictures
            ):
                continue
            for line in reversed(lines(before, base)):
                if (
                    len(line.text) >= _LEAD_CHARS
                    and line.running
                    and line.place[0] != "li"
                    and not line.captioning
                    and not is_aside(line.text)
                ):
                    return line
        element = element.getparent()
        if element is None or element.tag in ("body", "html"):
            break
    return None


def _with_cousins(best: Any, scores: dict[Any, float]) -> Any:
    marks = _marks(best)
    if not marks:
        return best
    cousins = [
        element
        for element, score in scores.items()
        if element is not best
        and element.tag == best.tag
        and score >= _COUSIN_SHARE * scores[best]
        and _marks(element) & marks >= _marks(element) - {"show", "active", "first", "last"}
        and _marks(element)
    ]
    above, whole = best, best
    for _ in range(_UPWARD if cousins else 0):
        # What stands beside a whole article is another one.
        above = above.getparent() if above.tag != "article" else None
        if above is None or above.tag in ("body", "html"):
            break
        inside = set(above.iter(best.tag))
        if any(cousin in inside and not _holds(cousin, best) and not _holds(best, cousin) for cousin in cousins):
            whole = above
    return whole


def _holds(outer: Any, inner: Any) -> bool:
    return any(element is outer for element in inner.iterancestors())


def _marks(element: Any) -> set[str]:
    return set(f"{element.get('class') or ''} {element.get('id') or ''}".split())


def lines(part: Any, base: str) -> list[Line]:
    """What stands in it, line by line as a browser would break them, without captions, menus and forms."""
    return [line for line in _lines(part, base) if line.text]


def _lines(part: Any, base: str) -> Iterator[Line]:
    words: list[str] = []
    links: list[str] = []
    linked, muted, anchors, block = 0, 0, 0, part

    def end() -> Line:
        nonlocal linked, words, links
        line = Line(
            " ".join("".join(words).split()),
            [link for link in links if link],
            linked,
            block.tag in _HEADINGS,
            _place(block),
        )
        words, links, linked = [], [], 0
        return line

    for event, element in lxml.etree.iterwalk(part, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            muted += element is not part and tag in _UNREAD
            if muted:
                continue
            if tag == "br" or tag not in _INLINE:
                yield end()
                block = block if tag == "br" else element
            if tag == "a":
                anchors += 1
                links.append(resolve(base, element.get("href")) or "")
            said = element.text
        else:
            if element is not part and tag in _UNREAD:
                muted -= 1
            elif not muted:
                anchors -= tag == "a"
                if tag not in _INLINE:
                    yield end()
                    block = element.getparent() if element is not part else part
            said = element.tail if element is not part else None
        if said and not muted:
            words.append(said)
            linked += len(said.strip()) if anchors else 0
    yield end()


def _place(block: Any) -> tuple[str, ...]:
    holder = block.getparent()
    return (
        str(block.tag),
        block.get("class") or "",
        "" if holder is None else str(holder.tag),
        "" if holder is None else holder.get("class") or "",
    )
