"""Mastodon's public API (statuses, timelines, context, search, recorded streams) to posts.

https://docs.joinmastodon.org/entities/Status/. The native id is the status `uri`, the same on every server; a boost is a post of its
own with the text it carries on, and what it boosts is a post too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from .address import host_of, resolve
from .items import GoneItem, Item, LinkItem, PostItem
from .page import Page
from .problems import Notes, NotJson, read_json
from .text import clean, one_line, read_markup, unique

PLATFORM = "mastodon"
_NOT_LINKS = frozenset({"mention", "hashtag"})
_FALLBACK = frozenset({"quote-inline", "reference-link-inline"})
"""What stands in a quoting status for programs that cannot show quotations."""
_STREAM = re.compile(r"(:|event:|data:)")


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    told: Any
    deleted: list[tuple[str, str]] = []
    if _STREAM.match(page.text.lstrip()):
        told = _streamed(page, notes, deleted)
    else:
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
    uris = {
        one_line(s["id"]): clean(s["uri"]).strip()
        for s in statuses
        if isinstance(s, dict) and s.get("id") and s.get("uri")
    }
    seen: set[str] = set()
    for number, status in enumerate(statuses, start=1):
        where = f"status {number}"
        try:
            for item in _status(status, page, notes, where, uris):
                if isinstance(item, PostItem):
                    if item.native_id in seen:
                        continue
                    seen.add(item.native_id)
                yield item
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            notes.add(f"status cannot be read: {error}", where)
    yield from _gone(deleted, page, notes, uris)
    path = urlsplit(page.url).path
    paged = "/timelines/" in path or ("/accounts/" in path and path.endswith("/statuses"))
    if isinstance(told, list) and paged and (older := _older(page.url, statuses)):
        yield LinkItem(older, "next page")
    yield from notes.drain()


def _statuses(told: Any) -> list[Any] | None:
    if isinstance(told, list):
        return [_held(status) for status in told if not _says_nothing(status)]
    if not isinstance(told, dict):
        return None
    if "ancestors" in told or "descendants" in told:
        return [*_list(told.get("ancestors")), *_list(told.get("descendants"))]
    if isinstance(told.get("statuses"), list):
        return list(told["statuses"])
    told = _held(told)
    return [told] if "uri" in told or "content" in told else None


def _held(told: Any) -> Any:
    """The status in an entry of a list of conversations or notifications."""
    if isinstance(told, dict) and not told.get("uri"):
        for name in ("status", "last_status"):
            if isinstance(told.get(name), dict):
                return told[name]
    return told


def _says_nothing(told: Any) -> bool:
    """A notification without a status: someone follows someone; a conversation whose last one is gone."""
    if not isinstance(told, dict) or {"uri", "content", "status"} & set(told):
        return False
    return ("account" in told and "type" in told) or ("last_status" in told and not told["last_status"])


def _streamed(page: Page, notes: Notes, deleted: list[tuple[str, str]]) -> list[Any]:
    """The statuses of a stream of server-sent events (https://docs.joinmastodon.org/methods/streaming/); `deleted` gets (the server's
    number, where it was told) of each that is there no more."""
    found = []
    blocks = re.split(r"\n[^\S\n]*\n", page.text.replace("\r\n", "\n"))
    for number, block in enumerate(blocks, start=1):
        where = f"event {number}"
        event, data = event_of(block)
        if event == "delete" and (number_ := one_line(data)[:40]):
            deleted.append((number_, where))
        if event not in ("update", "status.update") or not data:
            continue
        try:
            found.append(json.loads(data, strict=False))
        except (ValueError, RecursionError):
            notes.add("cut line" if number == len(blocks) else "event is no JSON", where)
    return found


def event_of(block: str) -> tuple[str, str]:
    """(name, data) of one server-sent event; empty where it tells none."""
    fields = [line.partition(":") for line in block.split("\n") if ":" in line]
    name = next((value.strip() for field, _, value in fields if field == "event"), "")
    return name, "\n".join(value.removeprefix(" ") for field, _, value in fields if field == "data")


def _gone(deleted: list[tuple[str, str]], page: Page, notes: Notes, uris: dict[str, str]) -> Iterator[Item]:
    """Deletions name the number that a status has on this server, which only who saw the status can tell."""
    server = host_of(page.url)
    for number, where in deleted:
        uri = uris.get(number) or page.known(number)
        if not uri:
            notes.add(f"deleted: status {number}", where)
            continue
        how = f"deleted, says the stream of {server}"
        yield GoneItem(
            how if host_of(uri) == server else f"{how}, to which it came from another server", where, PLATFORM, uri
        )


def _older(url: str, statuses: list[Any]) -> str | None:
    """The address of the page after this one; none after an empty page."""
    ids = [str(s["id"]) for s in statuses if isinstance(s, dict) and s.get("id")]
    if not ids:
        return None
    parts = urlsplit(url)
    query = [(k, v) for k, v in parse_qsl(parts.query) if k not in ("max_id", "min_id")]
    return urlunsplit(parts._replace(query=urlencode([*query, ("max_id", ids[-1])], errors="replace"), fragment=""))


def _status(status: Any, page: Page, notes: Notes, where: str, uris: dict[str, str], depth: int = 0) -> Iterator[Item]:
    if not isinstance(status, dict):
        notes.add("no object", where)
        return
    if "acct" in status and "account" not in status:
        notes.add("an account, no status", where)
        return
    uri = clean(status.get("uri") or status.get("url")).strip()
    if not uri:
        notes.add("status without uri", where)
        return
    visibility = status.get("visibility") or "public"
    public = visibility in ("public", "unlisted")
    if not public:
        notes.add(f"not public: {one_line(visibility)}, never published", where)
    reblog = status.get("reblog")
    boosted: dict[str, Any] | None = reblog if isinstance(reblog, dict) else None
    said = boosted if boosted and not status.get("content") else status
    quoted = _object(said.get("quote"))
    quoted = _object(quoted.get("quoted_status")) or quoted
    body = read_markup(
        clean(said.get("content")),
        page.url,
        skip_link_classes=_NOT_LINKS,
        skip_classes=_FALLBACK if quoted else frozenset(),
    )
    poll = _object(said.get("poll"))
    options = [f"- {one_line(o.get('title'))}" for o in _list(poll.get("options")) if isinstance(o, dict)]
    text = "\n".join(part for part in (one_line(said.get("spoiler_text")), body.text, *options) if part)
    attached = [m for m in _list(said.get("media_attachments")) if isinstance(m, dict)]
    media = [resolve(page.url, m.get("url") or m.get("remote_url") or m.get("preview_url")) for m in attached]
    if not text and not media and not boosted:
        notes.add("status without text and media", where)
    card = said.get("card")
    links = body.links + ([resolve(page.url, card.get("url"))] if isinstance(card, dict) else [])
    named = {resolve(page.url, _object(n).get("url")) for n in _list(said.get("mentions")) + _list(said.get("tags"))}
    answered = one_line(status.get("in_reply_to_id"))
    yield PostItem(
        platform=PLATFORM,
        native_id=uri,
        url=resolve(page.url, status.get("url")) or resolve(page.url, uri),
        author=_author(status.get("account"), page),
        text=text,
        published_at=notes.when(status.get("created_at"), f"{where}, published_at"),
        edited_at=notes.when(status.get("edited_at"), f"{where}, edited_at"),
        reply_to=uris.get(answered, answered) or None,
        repost_of=clean(boosted.get("uri")).strip() or None if boosted else clean(quoted.get("uri")).strip() or None,
        links=unique(link for link in links if link not in named),
        media=unique(media),
        counts=_counts(status),
        public=public,
    )
    if boosted and depth < 2:
        yield from _status(boosted, page, notes, f"{where}, boosted", uris, depth + 1)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


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
    found = {name: status.get(field) for name, field in names.items()}
    found["votes"] = _object(status.get("poll")).get("votes_count")
    return {name: n for name, n in found.items() if isinstance(n, int) and not isinstance(n, bool) and n >= 0}
