"""Forum pages in HTML to posts and links: bbPress, phpBB, vBulletin, XenForo, Discourse's page for robots, and microdata of any other.

The native id is the post's own address (`https://HOST/topic#post-7`), as the forum writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .address import canonical, host_of, resolve
from .items import Item, LinkItem, PostItem
from .page import Page
from .problems import Notes
from .text import document, one_line, read_element, titled

PLATFORM = "forum"


@dataclass(frozen=True)
class _Software:
    """Class names (or `itemprop` values, with `@`) by which a forum's parts are known, the first that is there wins."""

    name: str
    post: str
    text: tuple[str, ...]
    author: tuple[str, ...]
    date: tuple[str, ...]
    topic: tuple[str, ...]


_KNOWN = (
    _Software("bbPress", "bbp-reply-header|bbp-topic-header", (), (), (), ("bbp-topic-permalink",)),
    _Software(
        "XenForo", "message--post", ("bbWrapper",), ("message-name", "username"), ("u-dt",), ("structItem-title",)
    ),
    _Software("phpBB", "post", ("content",), ("username", "username-coloured"), ("author",), ("topictitle",)),
    _Software(
        "vBulletin",
        "postcontainer|postbit",
        ("postcontent", "postbody"),
        ("username", "bigusername"),
        ("date", "postdate"),
        ("title", "threadtitle"),
    ),
    _Software("microdata", "@comment", ("@text",), ("@author",), ("@datePublished",), ("raw-link", "raw-topic-link")),
)
_NOT_OWN = frozenset(
    {
        "quote",
        "bbCodeBlock--quote",
        "bbcode_container",
        "quotebox",
        "bbp-reply-revision-log",
        "bbp-topic-revision-log",
        "signature",
        "onebox",
    }
)


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    root = document(page.text)
    if root is None or not one_line(root.text_content()):
        notes.add("empty page", page.url)
        yield from notes.drain()
        return
    title = _title(root)
    posts: list[PostItem] = list(_bbpress(root, title, page, notes))
    for software in _KNOWN[1:]:
        if posts:
            break
        posts = list(_posts(software, root, title, page, notes))
    yield from posts
    links = [] if posts else list(_topics(root, page))
    yield from links
    for element in root.iter("a", "link"):
        classes = _classes(element)
        relations = (element.get("rel") or "").split()
        onward = "next" in relations or {"next", "page-numbers"} <= classes or "pageNav-jump--next" in classes
        if onward and (url := resolve(page.url, element.get("href"))):
            yield LinkItem(url, "next page")
            break
    if not posts and not links:
        notes.add("shape changed: neither posts nor topics of a known forum", page.url)
    yield from notes.drain()


def _topics(root: Any, page: Page) -> Iterator[LinkItem]:
    seen = set()
    for software in _KNOWN:
        for name in software.topic:
            for element in _named(root, name):
                anchors = [element] if element.tag == "a" else list(element.iter("a"))
                for anchor in anchors:
                    url = resolve(page.url, anchor.get("href"))
                    if url and canonical(url) not in seen and one_line(anchor.text_content()):
                        seen.add(canonical(url))
                        yield LinkItem(url, "topic")


def _bbpress(root: Any, title: str, page: Page, notes: Notes) -> Iterator[PostItem]:
    """bbPress keeps a post's header and its body side by side, tied by the number in their ids."""
    for header in _named(root, "bbp-reply-header") + _named(root, "bbp-topic-header"):
        link = next((a for a in header.iter("a") if _classes(a) & {"bbp-reply-permalink", "bbp-topic-permalink"}), None)
        url = resolve(page.url, link.get("href")) if link is not None else None
        number = (header.get("id") or "").removeprefix("post-")
        body = (
            next((e for e in root.iter() if isinstance(e.tag, str) and f"post-{number}" in _classes(e)), None)
            if number
            else None
        )
        if url is None or body is None:
            # The table's heading carries the same class and neither link nor number.
            if number:
                notes.add("post without address or body", f"post {number}")
            continue
        content = next(iter(_named(body, "bbp-reply-content") + _named(body, "bbp-topic-content")), None)
        author = next(iter(_named(body, "bbp-author-name")), None)
        date = next(iter(_named(header, "bbp-reply-post-date") + _named(header, "bbp-topic-post-date")), None)
        post = _make(url, content, author, _shown(date), page, notes, f"post {number}")
        if post is not None:
            # The topic itself has an address of its own, without the number of a reply behind it.
            yield _first(post, title, "#" not in url)


def _posts(software: _Software, root: Any, title: str, page: Page, notes: Notes) -> Iterator[PostItem]:
    blocks = [e for name in software.post.split("|") for e in _named(root, name)]
    for number, block in enumerate(blocks, start=1):
        where = f"post {number}"
        content = next((e for name in software.text for e in _named(block, name)), None)
        author = next((e for name in software.author for e in _named(block, name)), None)
        date = next((e for name in software.date for e in _named(block, name)), None)
        told = next((e.get("datetime") for e in block.iter("time") if e.get("datetime")), None) or _shown(date)
        anchor = block.get("data-content") or block.get("id") or ""
        link = next(
            (a.get("href") for a in block.iter("a") if anchor and (a.get("href") or "").endswith("#" + anchor)), None
        )
        url = resolve(page.url, link) or (f"{canonical(page.url)}#{anchor}" if anchor else None)
        if content is None or url is None:
            continue
        post = _make(url, content, author, told, page, notes, where)
        if post is not None:
            yield _first(post, title, number == 1 and not re.search(r"[?&/]page[=/-]?([2-9]|\d\d)", page.url))


def _make(url: str, content: Any, author: Any, told: Any, page: Page, notes: Notes, where: str) -> PostItem | None:
    body = read_element(content, url, skip_classes=_NOT_OWN) if content is not None else None
    if body is None or not (body.text or body.media):
        notes.add("post without text", where)
        return None
    name = one_line(author.text_content()) if author is not None else ""
    base, _, anchor = url.partition("#")
    native = canonical(base) + (f"#{anchor}" if anchor else "")
    return PostItem(
        platform=PLATFORM,
        native_id=native,
        url=url,
        author=page.author(PLATFORM, f"{name}@{host_of(url)}") if name else None,
        text=body.text,
        published_at=notes.when(told, f"{where}, published_at") if told else None,
        links=[link for link in body.links if link.partition("#")[0] != base],
        media=body.media,
    )


def _first(post: PostItem, title: str, is_first: bool) -> PostItem:
    if is_first:
        post.text = titled(title, post.text)
    return post


def _shown(date: Any) -> str | None:
    """The time as an attribute, else in words; "6 hari yang lalu" is none."""
    if date is None:
        return None
    told = date.get("datetime") or date.get("content") or date.get("title") or one_line(date.text_content())
    return re.sub(r"\s+(at|pada|pukul|-|»)\s+", " ", told) if re.search(r"\d{4}", told or "") else None


def _title(root: Any) -> str:
    for element in root.iter("h1"):
        if words := one_line(element.text_content()):
            return words
    return next((one_line(e.text_content()) for e in root.iter("title")), "")


def _classes(element: Any) -> set[str]:
    return set((element.get("class") or "").split()) if isinstance(element.tag, str) else set()


def _named(root: Any, name: str) -> list[Any]:
    if name.startswith("@"):
        return [e for e in root.iter() if isinstance(e.tag, str) and name[1:] in (e.get("itemprop") or "").split()]
    return [e for e in root.iter() if name in _classes(e)]
