"""Bluesky's public API (author feeds, threads, searches, single posts, records of a repository) to posts. https://docs.bsky.app/docs/api/

The native id is the `at://` address. A repost in a feed is a post of its own: its address is the repost record's where the API tells
it, else made of the post and who reposted it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .address import resolve, with_query
from .items import Item, LinkItem, PostItem
from .page import Page
from .problems import Notes, NotJson, read_json
from .text import clean, one_line, tidy, unique

PLATFORM = "bluesky"
_POST = "app.bsky.feed.post"
_MAX_DEPTH = 50
_WITHHELD = {
    "notFoundPost": "deleted, or never there",
    "blockedPost": "not shown: its writer is blocked",
    # The same of getPostThreadV2.
    "threadItemNotFound": "deleted, or never there",
    "threadItemBlocked": "not shown: its writer is blocked",
    "threadItemNoUnauthenticated": "not public: shown to accounts alone",
}


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    try:
        told = read_json(page)
    except NotJson as error:
        notes.add(str(error), page.url)
        yield from notes.drain()
        return
    if isinstance(told, dict) and "error" in told and "uri" not in told:
        notes.add(f"refused by the server: {one_line(told['error'])}", page.url)
    else:
        views = list(_views(told))
        listed = isinstance(told, dict) and any(isinstance(told.get(k), list) for k in ("feed", "posts", "records"))
        withheld = list(_withheld(told.get("thread"))) if isinstance(told, dict) else []
        for what, where in withheld:
            notes.add(what, where)
        if not views and not listed and not withheld:
            notes.add("shape changed: no posts", page.url)
        seen = set()
        for number, (view, reposted_by) in enumerate(views, start=1):
            try:
                post = _post(view, reposted_by, page, notes, f"post {number}")
            except (ValueError, TypeError, AttributeError, KeyError) as error:
                notes.add(f"post cannot be read: {error}", f"post {number}")
                continue
            if post is not None and post.native_id not in seen:
                seen.add(post.native_id)
                yield post
        cursor = told.get("cursor") if isinstance(told, dict) else None
        if isinstance(cursor, str) and cursor:
            yield LinkItem(with_query(page.url, cursor=cursor), "next page")
    yield from notes.drain()


def _views(told: Any, depth: int = 0) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Post views in whatever holds them, with the repost that brought each. Parents and quotations are not the page's own posts,
    but those of a thread are."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(told, list):
        for inner in told:
            yield from _views(inner, depth + 1)
    elif isinstance(told, dict):
        if isinstance(told.get("uri"), str) and isinstance(told.get("record"), dict):
            yield told, None
        elif isinstance(told.get("value"), dict) and isinstance(told["value"].get("post"), dict):
            yield told["value"]["post"], None
        elif isinstance(told.get("uri"), str) and isinstance(told.get("value"), dict):
            # A record as its repository keeps it (com.atproto.repo): likes and reposts say nothing themselves.
            if f"/{_POST}/" in told["uri"] and not _is_withheld(told["value"]):
                yield {**told, "record": told["value"]}, None
        elif isinstance(told.get("post"), dict):
            reason = told.get("reason")
            reposted = isinstance(reason, dict) and str(reason.get("$type", "")).endswith("reasonRepost")
            if reposted:
                yield told["post"], reason
            yield told["post"], None
            if "parent" in told or "replies" in told:
                yield from _views(told.get("parent"), depth + 1)
                yield from _views(told.get("replies"), depth + 1)
        else:
            for name in ("feed", "posts", "thread", "records"):
                yield from _views(told.get(name), depth + 1)


def _withheld(node: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    """(why, address) of each post of a thread that is named without being shown."""
    if isinstance(node, list):
        for inner in node:
            yield from _withheld(inner, depth + 1)
    elif isinstance(node, dict) and depth <= _MAX_DEPTH:
        if (why := _is_withheld(node) or _is_withheld(_object(node.get("value")))) and node.get("uri"):
            yield why, clean(node["uri"])
        yield from _withheld(node.get("parent"), depth + 1)
        yield from _withheld(node.get("replies"), depth + 1)


def _is_withheld(view: dict[str, Any]) -> str | None:
    return _WITHHELD.get(str(view.get("$type", "")).rpartition("#")[2])


def _post(
    view: dict[str, Any], reposted_by: dict[str, Any] | None, page: Page, notes: Notes, where: str
) -> PostItem | None:
    uri = clean(view.get("uri")).strip()
    record, account = _object(view.get("record")), _object(view.get("author"))
    if not uri.startswith("at://"):
        notes.add("post without at:// address", where)
        return None
    did, key = uri.removeprefix("at://").split("/")[0], uri.rsplit("/", 1)[-1]
    embed = read_embed(record.get("embed"), did)
    shown = _shown(view.get("embed"))
    post = PostItem(
        platform=PLATFORM,
        native_id=uri,
        url=f"https://bsky.app/profile/{clean(account.get('handle')) or did}/post/{key}",
        author=page.author(PLATFORM, account.get("did") or did),
        text=tidy(record.get("text")),
        published_at=notes.when(record.get("createdAt") or view.get("indexedAt"), f"{where}, published_at"),
        reply_to=clean(_object(_object(record.get("reply")).get("parent")).get("uri")) or None,
        repost_of=embed.quoted,
        links=unique([*facet_links(record, page.url), *embed.links]),
        media=unique(shown or embed.media),
        counts={
            name: n
            for name, field in (
                ("likes", "likeCount"),
                ("reposts", "repostCount"),
                ("replies", "replyCount"),
                ("quotes", "quoteCount"),
            )
            if isinstance(n := view.get(field), int) and n >= 0
        },
    )
    if not post.text and not post.media and not post.repost_of and not post.links:
        notes.add("post without text and media", where)
    if reposted_by is not None:
        who = _object(reposted_by.get("by")).get("did")
        post.native_id = clean(reposted_by.get("uri")) or f"{uri}#repost-{page.author(PLATFORM, who)}"
        post.author, post.repost_of = page.author(PLATFORM, who), uri
        post.published_at = notes.when(reposted_by.get("indexedAt"), f"{where}, repost, published_at")
        post.counts = {}
    return post


class Embed:
    """What a record carries beside its text."""

    def __init__(self) -> None:
        self.links: list[str] = []
        self.media: list[str] = []
        self.quoted: str | None = None


def read_embed(embed: Any, did: str) -> Embed:
    """Links, pictures and quotation of a record's `embed`; blobs by their address at the public server."""
    found = Embed()
    parts = [_object(embed)]
    if isinstance(parts[0].get("media"), dict):
        parts.append(parts[0]["media"])
    for part in parts:
        if url := resolve("https://bsky.app/", _object(part.get("external")).get("uri")):
            found.links.append(url)
        for image in _list(part.get("images")):
            found.media.append(_blob(_object(image).get("image"), did))
        if isinstance(part.get("video"), dict):
            found.media.append(_blob(part["video"], did))
        record = _object(part.get("record"))
        inner = _object(record.get("record")) or record
        if isinstance(inner.get("uri"), str):
            found.quoted = clean(inner["uri"])
    found.media = [m for m in found.media if m]
    return found


def facet_links(record: dict[str, Any], base: str) -> list[str]:
    """Addresses that the text's facets lead to; the text itself shows them cut."""
    found = []
    for facet in _list(record.get("facets")):
        for feature in _list(_object(facet).get("features")):
            if url := resolve(base, _object(feature).get("uri")):
                found.append(url)
    return found


def _blob(blob: Any, did: str) -> str:
    link = _object(_object(blob).get("ref")).get("$link")
    return f"https://bsky.social/xrpc/com.atproto.sync.getBlob?did={did}&cid={link}" if isinstance(link, str) else ""


def _shown(embed: Any) -> list[str]:
    """Media as the API's view shows them."""
    view = _object(embed)
    view = _object(view.get("media")) or view
    found = [resolve("https://bsky.app/", _object(i).get("fullsize")) for i in _list(view.get("images"))]
    found.append(resolve("https://bsky.app/", view.get("playlist")))
    return [url for url in found if url]


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
