"""WordPress REST API (`/wp-json/wp/v2/posts`, one object or a list) to posts, and the claims that SEO plugins put beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import claimreview
from .address import canonical, host_of, resolve
from .items import Item, LinkItem, PostItem
from .page import Page
from .problems import Notes, NotJson, read_json
from .text import clean, one_line, read_markup, titled, unique

PLATFORM = "web"


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    try:
        told = read_json(page)
    except NotJson as error:
        notes.add(str(error), page.url)
        yield from notes.drain()
        return
    if isinstance(told, dict) and "code" in told and "message" in told and "id" not in told:
        notes.add(f"refused by the site: {one_line(told['code'])}", page.url)
        yield from notes.drain()
        return
    if isinstance(told, dict):
        told = [told]
    if not isinstance(told, list):
        notes.add("shape changed: neither a post nor a list of posts", page.url)
        told = []
    for number, post in enumerate(told, start=1):
        where = f"post {number}"
        if not isinstance(post, dict):
            notes.add("no object", where)
            continue
        where = f"post {number} (id {post.get('id')})"
        try:
            yield from _post(post, page, notes, where)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            notes.add(f"post cannot be read: {error}", where)
    yield from notes.drain()


def _post(post: dict[str, Any], page: Page, notes: Notes, where: str) -> Iterator[Item]:
    if post.get("status", "publish") != "publish":
        notes.add(f"not public: status {one_line(post['status'])}", where)
        return
    if isinstance(post.get("content"), dict) and post["content"].get("protected"):
        notes.add("not public: behind a password", where)
        return
    if isinstance(post.get("url"), str) and "link" not in post and (found := resolve(page.url, post["url"])):
        yield LinkItem(found, "article")  # an entry of the API's search: a title and an address
        return
    if not {"title", "content", "link", "guid"} & set(post):
        notes.add("shape changed: no WordPress post", where)
        return
    guid = _rendered(post.get("guid"))
    url = resolve(page.url, post.get("link")) or resolve(page.url, guid)
    if url is None:
        notes.add("link is missing or no address", where)
        return
    head = post.get("yoast_head_json")
    head = head if isinstance(head, dict) else {}
    native = resolve(url, head.get("canonical")) or url
    title = one_line(_rendered(post.get("title")))
    body = read_markup(_rendered(post.get("content")) or _rendered(post.get("excerpt")), url)
    text = titled(title, body.text)
    if not text:
        notes.add("post without title and text", where)
        return
    published = notes.when(_gmt(post, "date"), f"{where}, published_at")
    modified = post.get("modified_gmt") or post.get("modified")
    edited = (
        notes.when(_gmt(post, "modified"), f"{where}, edited_at")
        if modified and modified not in (post.get("date_gmt"), post.get("date"))
        else None
    )
    # Sites that schedule posts or move house write a modification before the publication: no edit.
    if edited and published and edited < published:
        edited = None
    author = post.get("author")
    yield PostItem(
        platform=PLATFORM,
        native_id=canonical(native),
        url=url,
        author=page.author(PLATFORM, f"{host_of(url)}/{author}") if author not in (None, "", 0) else None,
        text=text,
        published_at=published,
        edited_at=edited,
        links=[link for link in body.links if link != url],
        media=unique([resolve(url, post.get("jetpack_featured_media_url")), *_embedded(post, url), *body.media]),
    )
    if head.get("schema"):
        yield from claimreview.from_blocks([head["schema"]], page, notes)
    yield LinkItem(url, "article")


def _embedded(post: dict[str, Any], url: str) -> list[str | None]:
    """The picture above the post, where `_embed` was asked for."""
    held = post.get("_embedded")
    pictures = held.get("wp:featuredmedia") if isinstance(held, dict) else None
    return (
        [resolve(url, p.get("source_url")) for p in pictures if isinstance(p, dict)]
        if isinstance(pictures, list)
        else []
    )


def _rendered(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("rendered")
    return clean(value) if isinstance(value, str) else ""


def _gmt(post: dict[str, Any], name: str) -> str | None:
    """`date` is the site's own time without a zone; `date_gmt` is UTC, also without one."""
    gmt = post.get(f"{name}_gmt")
    if isinstance(gmt, str) and gmt and not gmt.startswith("0000"):
        return gmt if gmt.endswith("Z") or "+" in gmt else gmt + "Z"
    told = post.get(name)
    return told if isinstance(told, str) else None
