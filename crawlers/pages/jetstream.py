"""Bluesky's Jetstream (one JSON event a line) to posts. https://github.com/bluesky-social/jetstream

Creations and updates of posts, reposts, and their deletions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .bluesky import PLATFORM, facet_links, read_embed
from .items import GoneItem, Item, PostItem
from .page import Page
from .problems import Notes
from .text import clean, tidy, unique

_DECODER = json.JSONDecoder(strict=False)
"""Made once: `json.loads` makes one for each line, which takes longer than reading it."""
_OPERATIONS: dict[Any, str] = {"c": "create", "u": "update", "d": "delete"}
_POST, _REPOST = "app.bsky.feed.post", "app.bsky.feed.repost"


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    text = page.text
    if not text.strip():
        notes.add("empty stream", page.url)
    whole = text.endswith("\n")
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"line {number}"
        try:
            event = _DECODER.decode(line.strip())
        except (ValueError, RecursionError):
            cut = number == len(lines) and not whole
            notes.add("cut line" if cut else "line is no JSON", where)
            continue
        event = _unwrapped(event)
        if not isinstance(event, dict) or not ("did" in event or "kind" in event):
            notes.add("line is no event", where)
            continue
        try:
            yield from _event(event, page, notes, where)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            notes.add(f"event cannot be read: {error}", where)
    yield from notes.drain()


def _unwrapped(told: Any) -> Any:
    """Events as the first Jetstream wrote them (`type: com`, `type: c`), and the second one does (`payload`, the commit's fields beside
    the event's), in the form between."""
    if isinstance(told, dict) and isinstance(told.get("payload"), dict):
        told = told["payload"]
    if not isinstance(told, dict):
        return told
    commit = told.get("commit")
    if commit is None and str(told.get("$type", "")).endswith("#commit"):
        commit = told
    if isinstance(commit, dict):
        operation = commit.get("operation") or commit.get("type")
        return {**told, "kind": "commit", "commit": {**commit, "operation": _OPERATIONS.get(str(operation), operation)}}
    return told


def _event(event: dict[str, Any], page: Page, notes: Notes, where: str) -> Iterator[Item]:
    commit = event.get("commit")
    if event.get("kind", "commit") != "commit" or not isinstance(commit, dict):
        return  # identity and account events say nothing
    did, kind, key = clean(event.get("did")), commit.get("collection"), clean(commit.get("rkey"))
    if kind not in (_POST, _REPOST):
        return
    uri = f"at://{did}/{kind}/{key}"
    if commit.get("operation") == "delete":
        if did and key:
            yield GoneItem("deleted, says Jetstream", where, PLATFORM, uri)
        return
    record = commit.get("record")
    if not did or not key or not isinstance(record, dict):
        notes.add("event without did, rkey or record", where)
        return
    seen_at = event.get("time_us")
    published = notes.when(
        record.get("createdAt") or (seen_at / 1e6 if isinstance(seen_at, (int, float)) else None),
        f"{where}, published_at",
    )
    if kind == _REPOST:
        subject = record.get("subject")
        of = clean(subject.get("uri")) if isinstance(subject, dict) else ""
        yield PostItem(PLATFORM, uri, author=page.author(PLATFORM, did), published_at=published, repost_of=of or None)
        return
    embed = read_embed(record.get("embed"), did)
    reply = record.get("reply")
    parent = reply.get("parent") if isinstance(reply, dict) else None
    edited = (
        notes.when(seen_at / 1e6, f"{where}, edited_at")
        if commit.get("operation") == "update" and isinstance(seen_at, (int, float))
        else None
    )
    yield PostItem(
        platform=PLATFORM,
        native_id=uri,
        url=f"https://bsky.app/profile/{did}/post/{key}",
        author=page.author(PLATFORM, did),
        text=tidy(record.get("text")),
        published_at=published,
        edited_at=edited,
        reply_to=clean(parent.get("uri")) or None if isinstance(parent, dict) else None,
        repost_of=embed.quoted,
        links=unique([*facet_links(record, page.url), *embed.links]),
        media=unique(embed.media),
    )
