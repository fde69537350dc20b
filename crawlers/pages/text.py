"""Characters and markup made fit for a post: no control characters, no lone surrogates, no tags."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import lxml.etree
import lxml.html

from .address import resolve

_DAMAGE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_CONTROLS = bytes({*range(32), 127} - {*b"\t\n\r"})
_TAG = re.compile(r"<[a-zA-Z/!][^<>]{0,2000}>")

_SKIPPED = {"script", "style", "noscript", "template", "svg", "iframe", "head", "button", "select", "textarea"}
_POINTS = ("0", "1", "0px", "1px")
"""Sizes of pictures that count readers and show nothing."""
_SIGNS = re.compile(r"/(smil(?:es?|ies|eys?)|emoticons?|emojis?)/", re.I)
"""Folders in which forums and blogs keep pictures of smileys."""
_BLOCKS = {
    "p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "section", "article", "figure",
    "figcaption", "aside", "header", "footer", "hr", "dt", "dd", "details", "summary",
}  # fmt: skip


def clean(value: object) -> str:
    """Text without control characters and lone surrogates; surrogate pairs from JSON are already one character."""
    if value is None:
        return ""
    text = str(value)
    if not _is_sound(text):
        text = _DAMAGE.sub("", text)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _is_sound(text: str) -> bool:
    """Whether there is nothing of `_DAMAGE` in it: asked of its bytes, this costs a twentieth of looking at each character."""
    try:
        told = text.encode()
    except UnicodeEncodeError:  # lone surrogates
        return False
    return len(told.translate(None, _CONTROLS)) == len(told) and "\ufffe" not in text and "\uffff" not in text


def tidy(value: object) -> str:
    """`clean`, with runs of blanks made one, lines stripped and at most one empty line between two."""
    lines = [" ".join(line.split()) for line in clean(value).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def one_line(value: object) -> str:
    """A title: entities resolved, tags gone, on one line."""
    text = clean(value)
    if "&" in text:
        # Twice, since feeds and JSON-LD escape what was escaped already.
        text = html.unescape(html.unescape(text))
    if "<" in text:
        text = _TAG.sub("", text)
    return " ".join(clean(text).split())


def titled(title: str, body: str) -> str:
    """The text of a post: the title as its first line, unless the body begins with it."""
    if not title or body == title or body.startswith(title + "\n"):
        return body or title
    return f"{title}\n{body}" if body else title


MOST_LINKS = 2000
"""Links kept of one piece of HTML. No post has so many; a page made to keep us busy has."""


@dataclass(slots=True)
class Markup:
    """A piece of HTML as text, with what it pointed to."""

    text: str
    links: list[str] = field(default_factory=list)
    media: list[str] = field(default_factory=list)


def fragment(markup: str) -> Any:
    """Any piece of HTML as one element; None if there is nothing in it."""
    if not markup.strip():
        return None
    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=False)
    try:
        return lxml.html.document_fromstring(f"<html><body>{clean(markup)}</body></html>".encode(), parser=parser).find(
            "body"
        )
    except (lxml.etree.ParserError, lxml.etree.LxmlError):
        return None


def document(text: str) -> Any:
    """A whole HTML page as a tree; None if there is nothing in it."""
    cleaned = clean(text)
    if not cleaned.strip():
        return None
    # Comments are nobody's words. One class for all elements: lxml.html asks Python for the class of each that is looked at.
    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    parser.set_element_class_lookup(_ONE_CLASS)
    try:
        return lxml.html.document_fromstring(cleaned.encode(), parser=parser)
    except (lxml.etree.ParserError, lxml.etree.LxmlError):
        return None


_ONE_CLASS = lxml.etree.ElementDefaultClassLookup(element=lxml.html.HtmlElement)


def rebase(root: Any, url: str) -> None:
    """Makes relative links whole in a page that names another base than its own address."""
    told = next((base.get("href") for base in root.iter("base") if base.get("href")), None)
    if told is None or (base := resolve(url, told)) is None:
        return
    for element in root.iter("a", "link", "img", "source", "video", "audio"):
        name = "href" if element.tag in ("a", "link") else "src"
        here = element.get(name)
        if here and not here.startswith("#") and (whole := resolve(base, here)):
            element.set(name, whole)


def read_markup(
    markup: str,
    base: str,
    *,
    skip_link_classes: frozenset[str] = frozenset(),
    skip_classes: frozenset[str] = frozenset(),
) -> Markup:
    """HTML to lines: paragraphs and breaks become line ends, links and pictures are kept beside the text."""
    if "<" not in markup:
        # Plain text, with entities at most: here line ends are the writer's own.
        return Markup(tidy(html.unescape(markup)))
    root = fragment(markup)
    return Markup("") if root is None else read_element(root, base, skip_link_classes, skip_classes)


def read_element(
    root: Any,
    base: str,
    skip_link_classes: frozenset[str] = frozenset(),
    skip_classes: frozenset[str] = frozenset(),
    skip_tags: frozenset[str] = frozenset(),
) -> Markup:
    """As `read_markup`, of an element; links of some classes and whole elements of others are left out. Line ends in the source are
    blanks, as in a browser, but for preformatted text."""
    parts: list[str] = []
    links: list[str] = []
    media: list[str] = []
    skipped_tags = _SKIPPED | skip_tags
    classed = bool(skip_classes or skip_link_classes)
    muted = 0
    preformatted = 0

    def say(words: str | None) -> None:
        if words:
            parts.append(words if preformatted else words.replace("\n", " "))

    for event, element in lxml.etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event in ("comment", "pi"):
            if not muted:
                say(element.tail)
            continue
        tag = element.tag if isinstance(element.tag, str) else ""
        classes = (element.get("class") or "").split() if classed else ()
        skipped = element is not root and (tag in skipped_tags or not skip_classes.isdisjoint(classes))
        if event == "start":
            if skipped:
                muted += 1
            if muted:
                continue
            if tag in ("p", "blockquote", "h1", "h2", "h3", "pre") and parts:
                parts.append("\n\n")
            elif tag in _BLOCKS:
                parts.append("\n")
            elif tag in ("td", "th"):
                parts.append(" ")
            preformatted += tag == "pre"
            if tag == "a" and len(links) < MOST_LINKS and skip_link_classes.isdisjoint(classes):
                links.append(resolve(base, element.get("href")) or "")
            elif tag in ("img", "video", "audio", "source"):
                # Pictures of emoji and smileys stand for their alt text.
                if tag == "img" and _is_sign(element):
                    parts.append(element.get("alt") or "")
                elif element.get("width") not in _POINTS or element.get("height") not in _POINTS:
                    media.append(resolve(base, element.get("src")) or "")
            say(element.text)
        else:
            if skipped:
                muted -= 1
            elif not muted:
                preformatted -= tag == "pre"
                if tag in _BLOCKS and tag != "br":
                    parts.append("\n")
            if not muted and element is not root:
                say(element.tail)
    return Markup(tidy("".join(parts)), unique(links), unique(media))


def _is_sign(picture: Any) -> bool:
    called = (picture.get("class") or "").lower()
    return "emoji" in called or "smil" in called or "emotic" in called or bool(_SIGNS.search(picture.get("src") or ""))


def unique(values: Iterable[str | None]) -> list[str]:
    """Those that say something, each once, in order."""
    return list(dict.fromkeys(v for v in values if v))
