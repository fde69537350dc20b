"""Messages of a stream put together until they are a page: one record of evidence, one response of the source."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pipeline.contracts import digest

from ..pages.items import GoneItem, Item, PostItem
from ..pages.mastodon import event_of

BATCH_S = 10.0
BATCH_MESSAGES = 200
REMEMBERED = 5_000
"""Posts by which what comes twice is known."""
KEPT = 1_000
"""Those of them that are remembered over a crawler's end. Jetstream's whole network writes some 50 posts a second, and is asked to go
back five seconds."""


@dataclass(frozen=True)
class Told:
    """What has to be known of a message before anybody reads it."""

    wanted: bool = False
    """Whether it is of a post at all."""
    post: str = ""
    """The post's name on that server: two messages of one post never share a batch, so that an edit or a deletion comes after it."""
    cursor: int | None = None
    """Where the stream can be taken up behind it."""


def told_by_mastodon(message: bytes) -> Told:
    name, data = event_of(message.decode("utf-8", "replace"))
    if name == "delete":
        return Told(bool(data.strip()), data.strip())
    if name not in ("update", "status.update"):
        return Told()
    status = _json(data)
    number = str(status.get("id") or "") if isinstance(status, dict) else ""
    return Told(True, number, int(number) if name == "update" and number.isascii() and number.isdigit() else None)


def numbers_of(messages: Iterable[bytes]) -> list[tuple[str, str]]:
    """(the server's number, uri) of the public statuses in Mastodon's events."""
    found = []
    for message in messages:
        name, data = event_of(message.decode("utf-8", "replace"))
        status = _json(data) if name in ("update", "status.update") else None
        if status is not None and (named := number_of(status)) and status.get("visibility") != "private":
            found.append(named)
    return found


def number_of(status: Any) -> tuple[str, str] | None:
    """(the server's number, uri) of a status as Mastodon's API gives it, where it tells both."""
    if not isinstance(status, dict) or not status.get("id") or not status.get("uri"):
        return None
    return str(status["id"]), str(status["uri"]).strip()


def told_by_jetstream(message: bytes, languages: Iterable[str] = ()) -> Told:
    event = _json(message)
    if isinstance(event, dict) and isinstance(event.get("payload"), dict):
        event = event["payload"]
    if not isinstance(event, dict):
        return Told(True)  # for the page object, which says what is wrong with it
    at = event.get("time_us")
    cursor = at if isinstance(at, int) and not isinstance(at, bool) else None
    commit = event.get("commit")
    if event.get("kind", "commit") != "commit" or not isinstance(commit, dict):
        return Told(cursor=cursor)
    record = commit.get("record")
    langs = record.get("langs") if isinstance(record, dict) else None
    wanted = not languages or not isinstance(langs, list) or not langs or any(_base(one) in languages for one in langs)
    return Told(wanted, f"at://{event.get('did')}/{commit.get('collection')}/{commit.get('rkey')}", cursor)


def _base(language: Any) -> str:
    """`id` of `id-ID`."""
    return str(language).partition("-")[0].lower()


def _json(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


@dataclass
class Batch:
    """Messages that wait to be one record. `began_at`: by the loop's clock."""

    most_bytes: int
    messages: list[bytes] = field(default_factory=list)
    posts: set[str] = field(default_factory=set)
    size: int = 0
    """Bytes of the record to be."""
    began_at: float = 0.0

    def fits(self, message: bytes, told: Told) -> bool:
        full = len(self.messages) >= BATCH_MESSAGES or self.size + len(message) > self.most_bytes
        return not self.messages or not (full or (told.post and told.post in self.posts))

    def add(self, message: bytes, told: Told, now: float) -> None:
        if not self.messages:
            self.began_at = now
        self.messages.append(message)
        self.size += len(message) + 1
        self.posts.add(told.post)


class Fresh:
    """What was told of late: the same post in the same words is told once, whichever way it comes."""

    def __init__(self, kept: Iterable[str] = ()) -> None:
        self._keys: OrderedDict[str, None] = OrderedDict.fromkeys(kept)

    def only_new(self, items: Iterable[Item]) -> list[Item]:
        new = []
        for item in items:
            key = _key(item)
            if key and key in self._keys:
                continue
            if key:
                self._keys[key] = None
            new.append(item)
        while len(self._keys) > REMEMBERED:
            self._keys.popitem(last=False)
        return new

    def kept(self) -> list[str]:
        return list(self._keys)[-KEPT:]


def _key(item: Item) -> str:
    if isinstance(item, GoneItem):
        return digest("gone", item.native_id)[:12]
    if isinstance(item, PostItem):
        # Without the counts: a status that was streamed and is shown by the timeline a moment later is no news.
        return digest(item.native_id, item.text, item.edited_at or "", *item.links, "|", *item.media)[:12]
    return ""
