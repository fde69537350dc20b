"""Mastodon's public API (statuses, timelines, context, search) to posts.

https://docs.joinmastodon.org/entities/Status/. The native id is the status `uri`, the same on every server; a boost is a post of its
own with the text it carries on, and what it boosts is a post too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from .address import host_of, resolve
from .items import Item, LinkItem, PostItem
from .page import Page
from .problems import Notes, NotJson, read_json
from .text import clean, one_line, read_markup, unique

PLATFORM = "mastodon"
_NOT_LINKS = frozenset({"mention", "hashtag"})


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    try:
        told = read_json(page)
    except NotJson as error:
        notes.add(str(error), page.url)
        yield from notes.drain()
        return
    statuses = _statuses(told)
    if statuses is None:
        what = (
            f"refused by the server: {one_line(told['error'])}"
            if isinstance(told, dict) and "error" in told
            else "shape changed: no statuses"
        )
        notes.add(what, page.url)
        yield from notes.drain()
        return
    uris = {str(s["id"]): str(s["uri"]) for s in statuses if isinstance(s, dict) and s.get("id") and s.get("uri")}
    seen: set[str] = set()
    for number, status in enumerate(statuses, start=1):
        for item in _status(status, page, notes, f"status {number}", uris):
            if isinstance(item, PostItem):
                if item.native_id in seen:
                    continue
                seen.add(item.native_id)
            yield item
    path = urlsplit(page.url).path
    paged = "/timelines/" in path or ("/accounts/" in path and path.endswith("/statuses"))
    if isinstance(told, list) and paged and (older := _older(page.url, statuses)):
        yield LinkItem(older, "next page")
    yield from notes.drain()


def _statuses(told: Any) -> list[Any] | None:
    if isinstance(told, list):
        return told
    if not isinstance(told, dict):
        return None
    if "ancestors" in told or "descendants" in told:
        return [*(told.get("ancestors") or []), *(told.get("descendants") or [])]
    if isinstance(told.get("statuses"), list):
        return list(told["statuses"])
    return [told] if "uri" in told or "content" in told else None


def _older(url: str, statuses: list[Any]) -> str | None:
    """The address of the page after this one; none after an empty page."""
    ids = [str(s["id"]) for s in statuses if isinstance(s, dict) and s.get("id")]
    if not ids:
        return None
    parts = urlsplit(url)
    query = [(k, v) for k, v in parse_qsl(parts.query) if k not in ("max_id", "min_id")]
    return urlunsplit(parts._replace(query=urlencode([*query, ("max_id", ids[-1])]), fragment=""))


def _status(status: Any, page: Page, notes: Notes, where: str, uris: dict[str, str], depth: int = 0) -> Iterator[Item]:
    if not isinstance(status, dict):
        notes.add("no object", where)
        return
    uri = clean(status.get("uri") or status.get("url")).strip()
    if not uri:
        notes.add("status without uri", where)
        return
    if status.get("visibility", "public") not in ("public", "unlisted"):
        notes.add(f"not public: {one_line(status['visibility'])}", where)
        return
    reblog = status.get("reblog")
    boosted: dict[str, Any] | None = reblog if isinstance(reblog, dict) else None
    said = boosted if boosted and not status.get("content") else status
    body = read_markup(str(said.get("content") or ""), page.url, skip_link_classes=_NOT_LINKS)
    poll = _object(said.get("poll"))
    options = [f"- {one_line(o.get('title'))}" for o in poll.get("options") or [] if isinstance(o, dict)]
    text = "\n".join(part for part in (one_line(said.get("spoiler_text")), body.text, *options) if part)
    attached = [m for m in said.get("media_attachments") or [] if isinstance(m, dict)]
    media = [resolve(page.url, m.get("url") or m.get("remote_url")) for m in attached]
    if not text:
        # A picture's description is all that such a status says.
        text = "\n".join(one_line(m.get("description")) for m in attached if m.get("description"))
    if not text and not media and not boosted:
        notes.add("status without text and media", where)
    card = said.get("card")
    links = body.links + ([resolve(page.url, card.get("url"))] if isinstance(card, dict) else [])
    answered = status.get("in_reply_to_id")
    quoted = _object(status.get("quote"))
    quoted = _object(quoted.get("quoted_status")) or quoted
    yield PostItem(
        platform=PLATFORM,
        native_id=uri,
        url=resolve(page.url, status.get("url")),
        author=_author(status.get("account"), page),
        text=text,
        published_at=notes.when(status.get("created_at"), f"{where}, published_at"),
        edited_at=notes.when(status.get("edited_at"), f"{where}, edited_at"),
        reply_to=uris.get(str(answered), str(answered)) if answered else None,
        repost_of=clean(boosted.get("uri")).strip() or None if boosted else clean(quoted.get("uri")).strip() or None,
        links=unique(links),
        media=unique(media),
        counts=_counts(status),
    )
    if boosted and depth < 2:
        yield from _status(boosted, page, notes, f"{where}, boosted", uris, depth + 1)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _author(account: Any, page: Page) -> str | None:
    """Account names are without a host on their own server: the profile's address tells it."""
    if not isinstance(account, dict):
        return None
    name = clean(account.get("acct") or account.get("username")).strip()
    if name and "@" not in name:
        name += "@" + host_of(str(account.get("url") or account.get("uri") or page.url))
    return page.author(PLATFORM, name)


def _counts(status: dict[str, Any]) -> dict[str, int]:
    names = {
        "likes": "favourites_count",
        "reposts": "reblogs_count",
        "replies": "replies_count",
        "quotes": "quotes_count",
    }
    return {
        name: value
        for name, field in names.items()
        if isinstance(value := status.get(field), int) and not isinstance(value, bool) and value >= 0
    }
