"""From items to the log: archive first, then publish, then remember; each step only after the one before it is durable."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from pipeline.contracts import Claim, Deletion, Evidence, Gap, Post, explain, pack
from pipeline.ports import Broker, Record, RetryLater
from pipeline.topology import CLAIMS, DELETIONS, GAPS, HEARTBEATS, POSTS_RAW, TOPICS

from .archive import Archive, Fetch
from .mask import Masked, masked_claim, masked_post
from .pages import dates
from .pages.items import ClaimItem, GoneItem, Item, LinkItem, PostItem, ProblemItem
from .pulse import Ended, Pulse, Since
from .seen import Mark, Seen

log = logging.getLogger("jaga.crawl")

BATCH_ITEMS = 500
BATCH_WAIT_S = 0.3
"""A batch goes out when it has so many items or the first has waited so long."""
FIRST_PAUSE_S = 0.2
QUEUE_HARVESTS = 200
"""Responses that may wait for the log before spiders pause: memory stays bounded while the log is away."""


@dataclass
class Harvest:
    """What one response gave, and what to remember once it is on the log."""

    source: str
    fetch: Fetch | None
    items: Sequence[Item] = ()
    region: str | None = None
    marks: Sequence[Mark] = ()
    gaps: Sequence[Gap] = ()
    ended: Ended | None = None
    """The visit's end: its heartbeat is told."""


@dataclass
class Counts:
    pages: int = 0
    items: int = 0
    posts: int = 0
    claims: int = 0
    gaps: int = 0
    deletions: int = 0
    problems: int = 0

    def as_dict(self) -> dict[str, int]:
        return dict(vars(self))


def patiently(act: Callable[[], Any], what: str, *, max_pause_s: float, stop: threading.Event | None = None) -> Any:
    """Do it again with growing pauses while it raises RetryLater or OSError (disk full); say so once a pause.

    Raises what the last try raised once `stop` is set.
    """
    pause = min(FIRST_PAUSE_S, max_pause_s)
    while True:
        try:
            return act()
        except (RetryLater, OSError) as error:
            if stop is not None and stop.is_set():
                raise
            log.warning("%s: %s; next try in %.1f s", what, error, pause)
            if stop is None:
                time.sleep(pause)
            else:
                stop.wait(pause)
            pause = min(pause * 2, max_pause_s)


def as_post(
    item: PostItem, *, fetched_at: datetime, source: str | None, region: str | None, evidence: Evidence | None
) -> Post:
    """The contract's post. Raises ValidationError."""
    return Post.model_validate(
        {
            "platform": item.platform,
            "native_id": item.native_id,
            "url": item.url,
            "author": item.author,
            "text": item.text,
            "published_at": item.published_at,
            "edited_at": item.edited_at,
            "reply_to": item.reply_to,
            "repost_of": item.repost_of,
            "links": tuple(item.links),
            "media": tuple(item.media),
            "counts": item.counts,
            "fetched_at": fetched_at,
            "source": source,
            "region": region,
            "evidence": evidence,
        }
    )


def as_claim(item: ClaimItem, fetched_at: datetime) -> Claim:
    """The contract's claim; a bare day begins at midnight WIB. Raises ValidationError, BadDate."""
    return Claim.model_validate({**_fields(item), "date": dates.instant(item.date, fetched_at)})


def _fields(item: ClaimItem) -> dict[str, Any]:
    return {
        "claim_id": item.claim_id,
        "text": item.text,
        "rating": item.rating,
        "publisher": item.publisher,
        "url": item.url,
    }


def _deletion(item: GoneItem, seen_at: datetime, harvest: Harvest, fetch: Fetch | None) -> Deletion:
    """Raises ValidationError."""
    return Deletion(
        platform=item.platform,
        native_id=item.native_id,
        seen_at=seen_at,
        how=item.what,
        source=harvest.source,
        evidence=fetch.evidence if fetch else None,
    )


def post_record(post: Post | Masked) -> Record:
    """The door: every post that is crawled or imported goes to the log through here, masked, unless it comes so.

    Keyed by author, so that one account's posts keep their order; posts without one by their native id. Raises ValidationError.
    """
    post = post.post if isinstance(post, Masked) else masked_post(post)
    return Record(POSTS_RAW, pack("post", post), (post.author or f"{post.platform}/{post.native_id}").encode())


class Publisher:
    """Archives and publishes harvests in order. Not thread-safe."""

    def __init__(
        self, broker: Broker, archive: Archive, seen: Seen, *, max_pause_s: float, stop: threading.Event | None = None
    ) -> None:
        self.broker, self.archive, self.seen = broker, archive, seen
        self.max_pause_s, self.stop = max_pause_s, stop
        self.counts = Counts()
        self.by_source: dict[str, Counts] = {}
        self._since: dict[str, Since] = {}
        """Of each source that is being visited."""

    def publish(self, harvests: Sequence[Harvest]) -> None:
        """All of it is on the log when this returns. Raises RetryLater or OSError if stopped before."""
        records: list[Record] = []
        marks: list[Mark] = []
        told: list[tuple[str, Counts]] = []
        self._patiently(lambda: self._archive(harvests), "archive")
        for harvest in harvests:
            counts = Counts(pages=1 if harvest.fetch is not None else 0)
            records += self._records(harvest, counts)
            marks += harvest.marks
            if harvest.ended is not None:
                marks.append(self._beat(harvest.ended, records, dict(marks)))
            told.append((harvest.source, counts))
        if records:
            self._patiently(lambda: self.broker.publish(records), "log")
        self._patiently(lambda: self.seen.mark(marks), "crawl.db")
        for source, counts in told:
            for total in (self.counts, self.by_source.setdefault(source, Counts())):
                for name, n in counts.as_dict().items():
                    setattr(total, name, getattr(total, name) + n)

    def _beat(self, ended: Ended, records: list[Record], fresh: dict[str, str]) -> Mark:
        """The heartbeat goes on the log, what it stands on is remembered with the visit's end."""
        key = f"pulse:{ended.source}"
        pulse = Pulse.of(fresh.get(key) or self.seen.get(key))
        since = self._since.pop(ended.source, Since())
        beat = pulse.beat(ended, since, self.seen.open_gaps(ended.source))
        records.append(Record(HEARTBEATS, pack("heartbeat", beat), ended.source.encode()))
        return key, pulse.mark()

    def _patiently(self, act: Callable[[], Any], what: str) -> None:
        patiently(act, what, max_pause_s=self.max_pause_s, stop=self.stop)

    def _archive(self, harvests: Sequence[Harvest]) -> None:
        for harvest in harvests:
            if harvest.fetch is not None and any(
                isinstance(item, (PostItem, ClaimItem, GoneItem)) for item in harvest.items
            ):
                self.archive.keep(harvest.fetch)
        self.archive.sync()

    def _records(self, harvest: Harvest, counts: Counts) -> list[Record]:
        fetch = harvest.fetch
        fetched_at = fetch.fetched_at if fetch else datetime.now(UTC)
        url = fetch.url if fetch else ""
        since = self._since.setdefault(harvest.source, Since())
        since.pages += fetch is not None
        records = []
        for item in harvest.items:
            counts.items += 1
            try:
                if isinstance(item, PostItem):
                    evidence = fetch.evidence if fetch else None
                    post = as_post(
                        item, fetched_at=fetched_at, source=harvest.source, region=harvest.region, evidence=evidence
                    )
                    records.append(post_record(post))
                    counts.posts += 1
                    if post.published_at is not None:
                        since.published.append((post.published_at, post.fetched_at))
                elif isinstance(item, ClaimItem):
                    claim = masked_claim(as_claim(item, fetched_at))
                    records.append(Record(CLAIMS, pack("claim", claim), claim.claim_id.encode()))
                    counts.claims += 1
                elif isinstance(item, GoneItem):
                    deletion = _deletion(item, fetched_at, harvest, fetch)
                    records.append(Record(DELETIONS, pack("deletion", deletion), deletion.post_id.encode()))
                    counts.deletions += 1
                elif isinstance(item, ProblemItem):
                    counts.problems += 1
                    log.warning("%s: %s: %s (%s)", harvest.source, url, item.what, item.where)
                elif isinstance(item, LinkItem):
                    pass
            except (ValidationError, dates.BadDate) as error:
                counts.problems += 1
                named = item.native_id if isinstance(item, PostItem) else getattr(item, "claim_id", "")
                why = explain(error) if isinstance(error, ValidationError) else str(error)
                log.warning("%s: %s: %s %s refused: %s", harvest.source, url, item.type, named[:200], why)
        for gap in harvest.gaps:
            records.append(Record(GAPS, pack("gap", gap), gap.source.encode()))
            counts.gaps += 1
        since.posts += counts.posts + counts.claims
        since.problems += counts.problems
        return records


@dataclass
class _Done:
    """Ends the publisher's thread once all before it is published."""


class PublisherThread(threading.Thread):
    """Publishes beside the crawl, so that a log that is away never stops the network's own business.

    The broker is opened, used and closed in this thread alone.
    """

    def __init__(self, open_broker: Callable[[], Broker], archive: Archive, seen: Seen, *, max_pause_s: float) -> None:
        super().__init__(name="publisher", daemon=True)
        self._open_broker, self._archive, self._seen, self._max_pause_s = open_broker, archive, seen, max_pause_s
        self._queue: queue.Queue[Harvest | _Done] = queue.Queue()
        self.stop = threading.Event()
        self.counts = Counts()
        self.by_source: dict[str, Counts] = {}
        self.failure: BaseException | None = None
        self.unpublished = 0

    @property
    def full(self) -> bool:
        """Whether spiders should wait."""
        return self._queue.qsize() >= QUEUE_HARVESTS and self.failure is None

    async def room(self) -> None:
        """Wait, without holding up anybody else, while it has its hands full."""
        while self.full:
            await asyncio.sleep(0.05)

    def put(self, harvest: Harvest) -> None:
        self._queue.put(harvest)

    def hurry(self) -> None:
        """Give up on a log that does not answer; one that does still gets what is in hand."""
        self.stop.set()

    def finish(self, timeout_s: float | None = None) -> bool:
        """Publish what is in hand and end; False if the log did not take it in time."""
        self._queue.put(_Done())
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while self.is_alive() and not self.stop.is_set() and (until is None or time.monotonic() < until):
            self.join(0.1)  # short, so that signals are heard
        if self.is_alive():
            self.stop.set()
            self.join(1.0)
        return not self.is_alive() and self.failure is None and self.unpublished == 0

    def run(self) -> None:
        batch: list[Harvest] = []
        try:
            broker = patiently(self._open_broker, "log", max_pause_s=self._max_pause_s, stop=self.stop)
            try:
                patiently(lambda: broker.ensure(TOPICS), "log", max_pause_s=self._max_pause_s, stop=self.stop)
                publisher = Publisher(broker, self._archive, self._seen, max_pause_s=self._max_pause_s, stop=self.stop)
                self.counts, self.by_source = publisher.counts, publisher.by_source
                done = False
                while not done:
                    batch, done = self._next_batch()
                    if batch:
                        publisher.publish(batch)
                        batch = []
                self._archive.close()
            finally:
                broker.close()
        except BaseException as error:
            self.failure = error
            self.unpublished = len(batch) + self._queue.qsize()
            if not isinstance(error, RetryLater):
                log.error("publishing stopped: %s: %s", type(error).__name__, error)

    def _next_batch(self) -> tuple[list[Harvest], bool]:
        batch: list[Harvest] = []
        items = 0
        until = None
        while items < BATCH_ITEMS:
            try:
                taken = self._queue.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
            except queue.Empty:
                break
            if isinstance(taken, _Done):
                return batch, True
            batch.append(taken)
            items += len(taken.items) + 1
            until = until or time.monotonic() + BATCH_WAIT_S
        return batch, False


@dataclass
class Tally:
    """Counts for people and scripts at the end of a crawl."""

    seconds: float
    counts: Counts
    by_source: dict[str, Counts] = field(default_factory=dict)
    unpublished: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.counts.as_dict(),
            "unpublished": self.unpublished,
            "seconds": round(self.seconds, 2),
            "sources": {name: counts.as_dict() for name, counts in sorted(self.by_source.items())},
        }
