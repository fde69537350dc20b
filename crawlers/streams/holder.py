"""Holds one source's stream: connects, takes up where it was left, hands batches on, comes back with growing pauses, and tells what was missed."""

from __future__ import annotations

import asyncio
import json
import logging
import zlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urljoin, urlsplit

from scrapy.exceptions import IgnoreRequest

from pipeline.contracts import Gap

from .. import places
from ..archive import Fetch
from ..frontier.middleware import Turns
from ..frontier.store import Due, Outcome, bounds_of, streamed
from ..guard import Guard
from ..handler import Unfetched
from ..manners import Obedience, Postponed
from ..pages import read
from ..pages.address import host_of, with_query
from ..pages.items import GoneItem, Item, PostItem
from ..pages.page import Page
from ..publish import Harvest
from ..pulse import Ended
from ..seen import Mark
from ..sources import Source
from .batch import BATCH_S, REMEMBERED, Batch, Fresh, Told, numbers_of, told_by_jetstream, told_by_mastodon
from .connection import SILENCE_S, Answered, Connection, Overlong, open_events, open_socket

if TYPE_CHECKING:
    from ..spiders.visit import Errand

log = logging.getLogger("jaga.crawl")

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 300.0
"""Between two connections: doubled with each that gave nothing. What a server asks for (Retry-After) comes before it, up to a day."""
LONGEST_ASKED_S = 86_400.0
PULSE_S = 60.0
"""Between two heartbeats of a stream."""
ONCE_S = 30.0
"""How long a stream is listened to by a crawl that does not follow."""
REWIND_US = 5_000_000
"""Jetstream's times are not in order; its makers advise to go back a few seconds (bluesky-social/jetstream, README)."""
REPLAY_S = 36 * 3600.0
"""How far back Jetstream goes (its lexicon, `cursor`); from older cursors it begins there without a word."""
SLACK_S = 60.0
"""The whole network is never silent for so long: what lies between the cursor and a first event later than that was not to be had."""


@dataclass(frozen=True)
class Ways:
    """What all streams of one process share."""

    reactor: Any
    guard: Guard
    turns: Turns
    obedience: Obedience
    user_agent: str
    catch_up: Callable[[Source, Due, Fresh, str], Coroutine[Any, Any, str]]
    """Reads a Mastodon timeline back to an id; why it could not, or nothing."""


class Stream:
    """One source for as long as this crawler has it. A subclass knows how it is opened, read and taken up again."""

    page: ClassVar[str]
    content_type: ClassVar[str]

    def __init__(self, source: Source, due: Due, errand: Errand, ways: Ways) -> None:
        self.source, self.due, self.errand, self.ways = source, due, errand, ways
        self.url = places.first(source.kind, source.url)
        kept = json.loads(errand.seen.get(f"stream:{source.id}") or "{}")
        self.cursor: int | None = kept.get("cursor")
        self.heard_at: datetime | None = datetime.fromisoformat(kept["heard_at"]) if kept.get("heard_at") else None
        """Until when nothing is missing."""
        self.fresh = Fresh(kept.get("recent", ()))
        self.batch = Batch(errand.max_page_bytes)
        self._lately: OrderedDict[str, str] = OrderedDict()
        """Names of posts that the publisher may not have remembered yet."""
        self.batches = self.posts = 0
        self.opened = False
        self._found = 0
        self._unwell = False
        """Whether something was missed since the last heartbeat."""
        self._connected = False
        self._beat_at = 0.0
        self._ended = asyncio.Event()
        self._spread = 0.8 + 0.4 * zlib.crc32(source.id.encode()) / 2**32
        """Streams that were cut together do not come back in step."""

    # -- holding

    def end(self) -> None:
        """Let it end soon; what is in hand is handed on."""
        self._ended.set()

    @property
    def outcome(self) -> Outcome:
        return Outcome(self.opened, bool(self.posts), self.posts)

    @property
    def whole(self) -> bool:
        """Whether nothing was missed since the last heartbeat."""
        return self.opened and not self._unwell

    async def hold(self, for_s: float | None) -> None:
        """Until `end`, or for so long, or until another crawler has the source."""
        loop = asyncio.get_running_loop()
        until = None if for_s is None else loop.time() + for_s
        self._beat_at = loop.time()
        pause_s = FIRST_PAUSE_S
        while not self._over(until):
            heard = self.batches
            asked_s = 0.0
            try:
                await self._once(until)
            except (Unfetched, IgnoreRequest) as error:
                asked_s = min(getattr(error, "retry_after_s", None) or 0.0, LONGEST_ASKED_S)
                await self._cut(self._in_words(error), error)
            if self._over(until) or not await self._still_ours():
                break
            pause_s = FIRST_PAUSE_S if self.batches > heard else pause_s
            await self._wait(max(asked_s, pause_s * self._spread), until)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def _over(self, until: float | None) -> bool:
        now = asyncio.get_running_loop().time()
        full = until is not None and self.batches >= self.source.max_pages
        return self._ended.is_set() or full or (until is not None and now >= until)

    async def _wait(self, pause_s: float, until: float | None) -> None:
        loop = asyncio.get_running_loop()
        end = min(loop.time() + pause_s, until or float("inf"))
        while not self._ended.is_set() and (left := end - loop.time()) > 0:
            try:
                await asyncio.wait_for(self._ended.wait(), min(left, max(0.01, self._beat_at + PULSE_S - loop.time())))
            except TimeoutError:
                if loop.time() >= self._beat_at + PULSE_S:
                    await self._pulse()

    async def _once(self, until: float | None) -> None:
        """One connection, from its opening to its end. Raises Unfetched, IgnoreRequest."""
        host = (urlsplit(self.url).hostname or "").lower()
        if not self._headers():
            # Who gave us a token has agreed; robots.txt is for those who come unasked.
            async with self._turn(host):
                try:
                    await self.ways.obedience.ask(self.url)
                finally:
                    self.ways.obedience.forget(self.url)
        try:
            async with self._turn(host):
                connection = await self.open()
        except Answered as error:
            if error.status in (429, 503) and error.retry_after_s:
                frontier = self.errand.frontier
                frontier.close_host(host, frontier.clock() + min(error.retry_after_s, LONGEST_ASKED_S))
            raise
        try:
            self.opened = self._connected = True
            await self._seeing()
            await self.resume()
            await self._listen(connection, until)
        finally:
            # Also where we are told to stop: what came is handed on.
            self._connected = False
            connection.close()
            self._hand_on()

    @asynccontextmanager
    async def _turn(self, host: str) -> AsyncIterator[None]:
        gate = await self.ways.turns.enter(host)
        try:
            yield
        finally:
            gate.release()

    async def _listen(self, connection: Connection, until: float | None) -> None:
        loop = asyncio.get_running_loop()
        silent_s = 0.0
        while not self._over(until):
            now = loop.time()
            due = self.batch.began_at + BATCH_S if self.batch.messages else now + BATCH_S
            wait_s = min(max(0.0, min(due, until or due) - now), 1.0)
            message = await connection.next(wait_s)
            now = loop.time()
            silent_s = silent_s + wait_s if message is None else 0.0
            if silent_s >= SILENCE_S:
                raise Unfetched(f"nothing came for {SILENCE_S:g} s")
            if message:
                told = self.told(message)
                if told.wanted and not self.batch.fits(message, told):
                    await self.errand.publisher.room()
                    self._hand_on()
                self.heard(told)
                if told.wanted:
                    self.batch.add(message, told, now)
            if message is not None:
                self.heard_at = datetime.now(UTC)
            if self.batch.messages and now >= self.batch.began_at + BATCH_S:
                await self.errand.publisher.room()
                self._hand_on()
            if now >= self._beat_at + PULSE_S:
                await self._pulse()
                if not await self._still_ours():
                    return

    async def _still_ours(self) -> bool:
        if self.errand.frontier.holds(self.due):
            return True
        log.warning("%s: another crawler has the stream", self.source.id)
        self._ended.set()
        return False

    # -- what a kind knows

    async def open(self) -> Connection:
        raise NotImplementedError

    async def resume(self) -> None:
        """Make up for what was written since the last connection, and tell what could not be."""

    def told(self, message: bytes) -> Told:
        raise NotImplementedError

    def heard(self, told: Told) -> None:
        """Move on behind the message."""
        if told.cursor is not None:
            self.cursor = max(told.cursor, self.cursor or 0)

    def body(self, messages: list[bytes]) -> bytes:
        raise NotImplementedError

    def names(self, posts: list[PostItem], messages: list[bytes]) -> list[tuple[str, str]]:
        """(the server's name, native id) of each, by which its deletion will be known."""
        return [(post.native_id, post.native_id) for post in posts]

    def marks(self) -> list[Mark]:
        """What else to remember with a batch."""
        return []

    def known(self, number: str) -> str | None:
        """The native id of a post that was ever seen, by the server's name for it."""
        return self._lately.get(number) or self.errand.frontier.streamed(self.source.id, number)

    def _headers(self) -> dict[str, str]:
        """What opens doors."""
        return {}

    # -- handing on

    def _hand_on(self) -> None:
        messages = self.batch.messages
        if not messages:
            return
        self.batch = Batch(self.errand.max_page_bytes)
        headers = [("Content-Type", self.content_type)]
        fetch = Fetch(self.url, self.body(messages), datetime.now(UTC), headers=headers, kind=self.source.kind)
        page = Page(fetch.body, fetch.url, self.content_type, self.errand.pseudonym, fetch.fetched_at, self.known)
        items = [item for item in read(self.page, page) if not isinstance(item, PostItem) or item.public]
        items = self.fresh.only_new(item for item in items if self._concerns(item))
        self.batches += 1
        posts = [item for item in items if isinstance(item, PostItem)]
        self.posts += len(posts)
        self._found += len(posts)
        names = self.names(posts, messages)
        self._lately.update(names)
        while len(self._lately) > REMEMBERED:
            self._lately.popitem(last=False)
        marks = [*(streamed(self.source.id, *name) for name in names), *self.marks(), self._state()]
        self.errand.publisher.put(Harvest(self.source.id, fetch, items, self.source.home, marks))

    def _concerns(self, item: Item) -> bool:
        """Of what is gone only what was ever seen: everybody else's deletions are none of our business."""
        return not isinstance(item, GoneItem) or self.known(item.native_id) is not None

    def _state(self) -> Mark:
        told = {
            "cursor": self.cursor,
            "heard_at": self.heard_at.isoformat() if self.heard_at else None,
            "recent": self.fresh.kept(),
        }
        return f"stream:{self.source.id}", json.dumps(told, separators=(",", ":"))

    async def _pulse(self) -> None:
        """A heartbeat of the source, and the state with it: a quiet stream has missed nothing."""
        self._beat_at = asyncio.get_running_loop().time()
        ended = self.ended(self._connected, self._connected and not self._unwell)
        self._unwell = not self._connected
        self._found = 0
        marks = [] if self.batch.messages else [self._state()]
        self.errand.frontier.forget_streamed(self.source.id)
        await self.errand.publisher.room()
        self.errand.publisher.put(Harvest(self.source.id, None, marks=marks, ended=ended))

    def ended(self, ok: bool, whole: bool) -> Ended:
        source = self.source
        slowest_s = bounds_of(source).slowest_s
        now = datetime.now(UTC)
        return Ended(source.id, source.kind, source.name, source.cadence_s, slowest_s, now, ok, whole, self._found)

    # -- telling what was missed

    async def _cut(self, cause: str, error: Exception) -> None:
        self._unwell = True
        cause = f"stream: {cause}: {self.url}"[:1000]
        log.warning("%s: %s", self.source.id, cause)
        began_at = self.heard_at or datetime.now(UTC)
        gaps = self.errand.seen.blinded(self.source.id, self.url, cause, began_at)
        await self.errand.publisher.room()
        self.errand.publisher.put(Harvest(self.source.id, None, gaps=gaps))

    async def _seeing(self) -> None:
        if gap := self.errand.seen.sighted(self.source.id, self.url, datetime.now(UTC)):
            await self.errand.publisher.room()
            self.errand.publisher.put(Harvest(self.source.id, None, gaps=[gap]))

    def missed(self, began_at: datetime, ended_at: datetime, why: str) -> None:
        """A gap that is over, and that nothing will fill."""
        self._unwell = True
        cause = f"stream not taken up where it was left: {why}: {self.url}"[:1000]
        log.warning("%s: %s", self.source.id, cause)
        gap = Gap(source=self.source.id, began_at=began_at, ended_at=max(began_at, ended_at), cause=cause)
        self.errand.publisher.put(Harvest(self.source.id, None, gaps=[gap]))

    def _in_words(self, error: Exception) -> str:
        if isinstance(error, Unfetched):
            return str(error)
        text = str(error)
        if isinstance(error, Postponed):
            return text
        return "robots.txt forbids it" if "robots.txt" in text else f"not allowed to fetch: {text}"


class MastodonStream(Stream):
    """Server-sent events. They have no cursor: what was written while nobody listened is read from the timeline, newest id first."""

    page = "mastodon"
    content_type = "text/event-stream"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._since = self.errand.seen.get(f"newest:{self.source.id}")
        """The newest id below which nothing is missing."""
        self._catching: asyncio.Task[None] | None = None

    def _headers(self) -> dict[str, str]:
        token = self.errand.keys.token(self.url)
        return {"Authorization": f"Bearer {token}"} if token else {}

    async def open(self) -> Connection:
        ways, headers = self.ways, {"User-Agent": self.ways.user_agent, **self._headers()}
        try:
            return await open_events(ways.reactor, ways.guard, self.url, headers)
        except Answered as error:
            if error.status not in (301, 302, 307, 308) or not error.location:
                if error.status in (401, 403) and not self._headers():
                    setting = "JAGA_MASTODON_TOKENS"
                    raise Answered(error.status, f"{error}: the server wants a token ({setting})") from error
                raise
            # Servers may keep their streams on a host of their own, and send there (docs.joinmastodon.org, "Hostname discovery").
            url = urljoin(self.url, error.location)
            if not _same_house(self.url, url):
                headers.pop("Authorization", None)
            return await open_events(ways.reactor, ways.guard, url, headers)

    async def hold(self, for_s: float | None) -> None:
        try:
            await super().hold(for_s)
            if self._catching is not None and not self._ended.is_set():
                await self._catching
        finally:
            if self._catching is not None:
                self._catching.cancel()

    async def resume(self) -> None:
        if self._catching is not None and not self._catching.done():
            return  # it reads what was written since, too
        now = datetime.now(UTC)
        if self._since is not None:
            # Beside the stream, which must be read meanwhile; until it is through, the newest id stays what it was.
            self._catching = asyncio.create_task(self._catch_up(self._since, self.heard_at or now, now))
        elif self.heard_at is not None:
            self.missed(self.heard_at, now, "no status with a number came before")
        # What lies before a first connection is no gap.

    async def _catch_up(self, since: str, from_at: datetime, to_at: datetime) -> None:
        if why := await self.ways.catch_up(self.source, self.due, self.fresh, since):
            self.missed(from_at, to_at, why)

    def told(self, message: bytes) -> Told:
        return told_by_mastodon(message)

    def body(self, messages: list[bytes]) -> bytes:
        return b"".join(messages)

    def names(self, posts: list[PostItem], messages: list[bytes]) -> list[tuple[str, str]]:
        return numbers_of(messages)

    def marks(self) -> list[Mark]:
        if self.cursor is None or (self._catching is not None and not self._catching.done()):
            return []
        self._since = str(self.cursor)
        return [(f"newest:{self.source.id}", self._since)]

    def _concerns(self, item: Item) -> bool:
        return True  # the page object tells of those that are known, and of no other


class Jetstream(Stream):
    """Bluesky's Jetstream, a WebSocket; taken up by its cursor, the microseconds of the last event."""

    page = "jetstream"
    content_type = "application/x-ndjson; charset=utf-8"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._asked_from: datetime | None = None
        """The time behind which the first event is to come, until it has."""

    async def open(self) -> Connection:
        ways, cursor = self.ways, self.cursor
        url = self.url if cursor is None else with_query(self.url, cursor=str(max(0, cursor - REWIND_US)))
        connection = await open_socket(ways.reactor, ways.guard, url, {"User-Agent": ways.user_agent})
        self._asked_from = _at(cursor) if cursor is not None else self.heard_at
        return connection

    def told(self, message: bytes) -> Told:
        return told_by_jetstream(message, self.source.languages)

    def heard(self, told: Told) -> None:
        now_us = int(datetime.now(UTC).timestamp() * 1e6)
        if told.cursor is None or told.cursor > now_us + REWIND_US:
            return  # one from the future would skip what comes before it
        if self._asked_from is not None:
            asked, first = self._asked_from, _at(told.cursor)
            self._asked_from = None
            slack_s = REPLAY_S - SLACK_S if "wantedDids=" in self.url else SLACK_S
            if first is not None and first - asked > timedelta(seconds=slack_s):
                self.missed(asked, first, "the server goes back no further")
        super().heard(told)

    async def _cut(self, cause: str, error: Exception) -> None:
        await super()._cut(cause, error)
        if isinstance(error, Overlong):
            # It would come again. Nobody knows when it was written, so the stream is taken up live.
            self.missed(_at(self.cursor) or datetime.now(UTC), datetime.now(UTC), cause)
            self.cursor = None

    def body(self, messages: list[bytes]) -> bytes:
        return b"".join(b" ".join(message.split(b"\n")) + b"\n" for message in messages)

    def known(self, number: str) -> str | None:
        return super().known(number) or (number if self.errand.seen.get(f"post:bluesky:{number}") is not None else None)


STREAMS: dict[str, type[Stream]] = {"mastodon_stream": MastodonStream, "jetstream": Jetstream}


def _at(cursor: int | None) -> datetime | None:
    try:
        return None if cursor is None else datetime.fromtimestamp(cursor / 1e6, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _same_house(url: str, other: str) -> bool:
    """Whether the token may go along: to the same host or one under it, and never from https to http."""
    host, goal = host_of(url), host_of(other)
    return (goal == host or goal.endswith(f".{host}")) and urlsplit(url).scheme == urlsplit(other).scheme
