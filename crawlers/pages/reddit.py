"""Reddit's public JSON (listings, comment pages) and its Atom feeds to posts. The native id is the fullname (`t3_...`, `t1_...`)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from . import feed
from .address import resolve, with_query
from .items import Item, LinkItem, PostItem
from .page import Page
from .problems import Notes, NotJson, read_json
from .text import Markup, clean, one_line, read_markup, tidy, titled, unique

PLATFORM = "reddit"
_HOME = "https://www.reddit.com/"
_GONE = {"[deleted]", "[removed]", "[deleted by user]"}
_FULLNAME = re.compile(r"^t[13]_[a-z0-9]+$")
_LINK = re.compile(r"https?://[^\s<>()\[\]\"']+")
_PICTURE = re.compile(r"\.(jpe?g|png|gifv?|webp|mp4|webm)$|//(i|v)\.redd\.it/", re.I)
_MAX_DEPTH = 60
_MOST_CHILDREN = 100
"""Comments that `/api/morechildren` gives at once."""


def read(page: Page) -> Iterator[Item]:
    text = page.text.lstrip()
    if text[:1] == "<" and re.match(r"<\?xml|<feed|<rss", text):
        yield from _atom(page)
        return
    notes = Notes(page)
    try:
        told = read_json(page)
    except NotJson as error:
        notes.add("blocked: a page for browsers instead of JSON" if text[:1] == "<" else str(error), page.url)
        yield from notes.drain()
        return
    if isinstance(told, dict) and isinstance(told.get("json"), dict):
        # `/api/morechildren` wraps what it gives.
        things = told["json"].get("data")
        things = things.get("things") if isinstance(things, dict) else None
        told = {"kind": "Listing", "data": {"children": things if isinstance(things, list) else []}}
    if isinstance(told, dict) and "error" in told and "kind" not in told:
        notes.add(f"refused by the server: {one_line(told.get('message') or told['error'])}", page.url)
    else:
        found = False
        for item in _things(told, page, notes, 0, _thread(told, page)):
            found = True
            yield item
        if not found and not notes.found and not _is_listing(told):
            notes.add("shape changed: no listing", page.url)
    yield from notes.drain()


def _is_listing(told: Any) -> bool:
    return any(isinstance(t, dict) and t.get("kind") == "Listing" for t in (told if isinstance(told, list) else [told]))


def _thread(told: Any, page: Page) -> str:
    """The fullname of the thread whose comments these are, as far as it can be known."""
    first = told[0] if isinstance(told, list) and told else told
    children = (
        first["data"].get("children") if isinstance(first, dict) and isinstance(first.get("data"), dict) else None
    )
    for child in children if isinstance(children, list) else []:
        data = child.get("data") if isinstance(child, dict) else None
        for name in (data.get("name"), data.get("link_id")) if isinstance(data, dict) else ():
            if isinstance(name, str) and name.startswith("t3_") and _FULLNAME.match(name):
                return name
    found = re.search(r"/comments/(\w{1,12})", page.url)
    return f"t3_{found.group(1)}" if found else ""


def _things(told: Any, page: Page, notes: Notes, depth: int, thread: str) -> Iterator[Item]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(told, list):
        for thing in told:
            if isinstance(thing, dict):
                yield from _things(thing, page, notes, depth, thread)
        return
    if not isinstance(told, dict) or not isinstance(told.get("data"), dict):
        return
    kind, data = told.get("kind"), told["data"]
    if kind == "Listing":
        children = data.get("children")
        for thing in children if isinstance(children, list) else []:
            yield from _things(thing, page, notes, depth + 1, thread)
        after = data.get("after")
        if isinstance(after, str) and after and depth == 0:
            yield LinkItem(with_query(page.url, after=after), "next page")
    elif kind == "more":
        parent = clean(data.get("parent_id") or data.get("name"))
        if data.get("count"):
            notes.add(f"{clean(data['count'])} more comments are not on the page", parent or page.url)
        if thread and (rest := _rest(data, parent, thread)):
            yield LinkItem(rest, "posts")
    elif kind in ("t1", "t3"):
        try:
            yield from _thing(kind, data, page, notes)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            notes.add(f"{kind} cannot be read: {error}", clean(data.get("name") or page.url))
        yield from _things(data.get("replies"), page, notes, depth + 1, thread)


def _rest(more: dict[str, Any], parent: str, thread: str) -> str | None:
    """Where the comments are for which a stub stands: the page of the comment above them, or for a thread's own the call that gives them."""
    if not _FULLNAME.match(parent):
        return None
    if parent.startswith("t1_"):
        return f"{_HOME}comments/{thread.removeprefix('t3_')}/_/{parent.removeprefix('t1_')}.json"
    children = more.get("children")
    wanted = [c for c in children if isinstance(c, str) and c.isalnum()] if isinstance(children, list) else []
    query = urlencode({"api_type": "json", "link_id": thread, "children": ",".join(wanted[:_MOST_CHILDREN])})
    return f"{_HOME}api/morechildren.json?{query}" if wanted else None


def _thing(kind: str, data: dict[str, Any], page: Page, notes: Notes) -> Iterator[Item]:
    native = clean(data.get("name")) or f"{kind}_{clean(data.get('id'))}"
    if not _FULLNAME.match(native):
        notes.add("thing without fullname", native or page.url)
        return
    body = _words(data, "selftext" if kind == "t3" else "body")
    title = one_line(data.get("title")) if kind == "t3" else ""
    if body.text in _GONE and not title:
        notes.add("deleted or removed", native)
        return
    text = titled(title, "" if body.text in _GONE else body.text)
    if not text:
        notes.add("thing without text", native)
        return
    author = clean(data.get("author")).strip()
    edited = data.get("edited")
    parent, whole = clean(data.get("parent_id")), clean(data.get("link_id"))
    links = list(body.links)
    target = resolve(_HOME, html.unescape(clean(data.get("url_overridden_by_dest") or data.get("url"))))
    media: list[str] = []
    if kind == "t3" and target and not data.get("is_self"):
        (media if _PICTURE.search(target) else links).append(target)
    media += _attached(data)
    crosspost = clean(data.get("crosspost_parent"))
    score, comments = data.get("score", data.get("ups")), data.get("num_comments")
    counts = {"likes": max(score, 0)} if isinstance(score, int) and not data.get("score_hidden") else {}
    if isinstance(comments, int) and kind == "t3":
        counts["replies"] = comments  # beside a comment in an inbox it is its thread's
    told = clean(data.get("permalink") or data.get("context")).partition("?")[0] or (
        f"/comments/{whole.removeprefix('t3_')}/_/{native.removeprefix('t1_')}/" if whole else ""
    )
    permalink = resolve(_HOME, told) if told else None
    yield PostItem(
        platform=PLATFORM,
        native_id=native,
        url=permalink,
        author=page.author(PLATFORM, author) if author and author not in _GONE else None,
        text=text,
        published_at=notes.when(data.get("created_utc"), f"{native}, published_at"),
        edited_at=notes.when(edited, f"{native}, edited_at")
        if isinstance(edited, (int, float)) and not isinstance(edited, bool)
        else None,
        reply_to=(parent or whole or None) if kind == "t1" else None,
        repost_of=crosspost or None,
        links=unique(link for link in links if link != permalink),
        media=unique(media),
        counts=counts,
    )


def _attached(data: dict[str, Any]) -> list[str]:
    """Pictures of a gallery and in a text, and the file behind a video's address."""
    found: list[str | None] = []
    told = data.get("media_metadata")
    for picture in told.values() if isinstance(told, dict) else ():
        source = picture.get("s") if isinstance(picture, dict) else None
        if isinstance(source, dict):
            address = source.get("u") or source.get("mp4") or source.get("gif")
            found.append(resolve(_HOME, html.unescape(clean(address))))
    for name in ("media", "secure_media"):
        video = data[name].get("reddit_video") if isinstance(data.get(name), dict) else None
        if isinstance(video, dict):
            found.append(resolve(_HOME, html.unescape(clean(video.get("fallback_url")))))
    return [address for address in found if address]


def _words(data: dict[str, Any], name: str) -> Any:
    """Markdown as it was typed; without `raw_json=1` it comes with entities."""
    typed = tidy(html.unescape(clean(data.get(name))))
    shown = (
        read_markup(html.unescape(clean(data.get(f"{name}_html"))), _HOME) if data.get(f"{name}_html") else Markup("")
    )
    links = shown.links or _LINK.findall(typed)
    return Markup(typed, unique(resolve(_HOME, link) for link in links))


def _atom(page: Page) -> Iterator[Item]:
    """Reddit's feeds: entries whose id is the fullname."""
    import feedparser

    notes = Notes(page)
    parsed = feedparser.parse(
        clean(page.text).encode(),
        response_headers={"content-type": "application/xml; charset=utf-8", "content-location": page.url},
    )
    if not parsed.entries:
        yield from feed.read(page)
        return
    for number, entry in enumerate(parsed.entries, start=1):
        native = clean(entry.get("id")).rsplit("/", 1)[-1]
        where = f"entry {number}"
        if not _FULLNAME.match(native):
            notes.add("entry without fullname", where)
            continue
        markup = next((c.get("value") for c in entry.get("content", [])), "") or entry.get("summary") or ""
        body = read_markup(markup, _HOME)
        said = re.sub(
            r"\s*submitted by\s+/?u/\S+(\s+to\s+\S+)?\s*(\[link\])?\s*(\[comments\])?\s*$", "", body.text
        ).strip()
        name = clean(entry.get("author")).removeprefix("/u/").strip()
        is_post = native.startswith("t3_")
        url = resolve(page.url, entry.get("link"))
        yield PostItem(
            platform=PLATFORM,
            native_id=native,
            url=url,
            author=page.author(PLATFORM, name) if name and name not in _GONE else None,
            text=titled(one_line(entry.get("title")), said) if is_post else said,
            published_at=notes.when(entry.get("published") or entry.get("updated"), f"{where}, published_at"),
            links=[link for link in body.links if "reddit.com/user/" not in link and link != url],
            media=body.media,
        )
    yield from notes.drain()
