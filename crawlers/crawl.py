"""Runs the spiders: claim sources first, then all others; once, or again and again when the frontier has them due."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from pipeline.ports import Broker
from pipeline.settings import Settings

from . import pseudonym
from .archive import Archive
from .evidence.nightly import Nightly
from .frontier.middleware import Turns
from .frontier.store import VISITS_PER_HOST, Due, Frontier, Outcome, bounds_of, end_of, host_of
from .keys import keys_of
from .publish import Counts, Harvest, PublisherThread, Tally
from .pulse import Ended
from .reading import Readers
from .recheck import Recheck
from .sources import CLAIM_KINDS, STREAM_KINDS, Source

log = logging.getLogger("jaga.crawl")

REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
FETCH_S = 30.0
"""Longest time for one answer, to its last byte. The slowest public site seen answers in 12 s."""
RESOLVING_THREADS = 32
"""Names that are looked up at once. Name servers that never answer hold a thread each."""
STOP_S = 2.0
"""How long a stop waits for pages under way."""
DRAIN_S = 2.0
"""How long a stop then waits for the log."""
VISITS = 100
"""Sources visited at a time; one that hangs takes a place for a minute and a half."""
LOOK_S = 0.5
"""How long the frontier is not looked at: another crawler's death or a new source is noticed after so long."""


def scrapy_settings(settings: Settings, guard: Any, turns: Turns) -> dict[str, Any]:
    """Scrapy's settings. Handlers, downloader middlewares and extensions are all named here: nothing that an upgrade adds comes in by itself.

    Pauses are the frontier's business.
    """
    return {
        "JAGA_GUARD": guard,
        "JAGA_TURNS": turns,
        "USER_AGENT": settings.user_agent,
        "TWISTED_REACTOR": REACTOR,
        # No handler but ours, whatever schemes later versions of Scrapy know.
        "DOWNLOAD_HANDLERS_BASE": {},
        "DOWNLOAD_HANDLERS": dict.fromkeys(("http", "https"), "crawlers.handler.GuardedHandler"),
        "TELNETCONSOLE_ENABLED": False,
        "REFERER_ENABLED": False,
        "REDIRECT_MAX_TIMES": 5,
        "DOWNLOAD_MAXSIZE": settings.max_page_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_TIMEOUT": FETCH_S,
        "DOWNLOADER_MIDDLEWARES_BASE": {},
        "DOWNLOADER_MIDDLEWARES": {
            "crawlers.frontier.middleware.AnswersMiddleware": 10,
            "crawlers.guard.GuardMiddleware": 50,
            "crawlers.manners.ObedienceMiddleware": 100,
            "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
            "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
            "crawlers.walls.WallMiddleware": 450,
            "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
            "crawlers.manners.PatienceMiddleware": 550,
            "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": 600,
            "scrapy.downloadermiddlewares.stats.DownloaderStats": 850,
            "crawlers.frontier.middleware.TurnMiddleware": 990,
        },
        "EXTENSIONS_BASE": {},
        "DOWNLOAD_DELAY": 0,
        "CONCURRENT_REQUESTS": 32,
        # Bytes of one visit that wait to be read or published; with more it asks for no further page.
        "SCRAPER_SLOT_MAX_ACTIVE_SIZE": 1_000_000,
        # Scrapy starts so many tasks for each response; what spiders yield is requests, handled in an instant.
        "CONCURRENT_ITEMS": 2,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
        "LOG_ENABLED": False,
    }


def crawl(
    settings: Settings,
    sources: Sequence[Source],
    open_broker: Callable[[], Broker],
    *,
    follow: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Tally:
    """Visit the sources, and with `follow` again until SIGINT or SIGTERM. Once per process: the reactor cannot start twice."""
    from scrapy.utils.reactor import install_reactor

    install_reactor(REACTOR)
    from twisted.internet import reactor

    from .guard import Guard

    twisted: Any = reactor
    twisted.suggestThreadPoolSize(RESOLVING_THREADS)
    guard = Guard(settings.guard_allow)

    settings.home.mkdir(parents=True, exist_ok=True)
    publisher = PublisherThread(
        open_broker,
        Archive(settings.home / "warc"),
        frontier := Frontier(settings.home / "crawl.db"),
        max_pause_s=settings.retry_max_s,
    )
    began = time.monotonic()
    publisher.start()
    nightly = Nightly(settings)
    nightly.start()
    trip = _Trip(settings, sources, publisher, frontier, guard, follow, say)
    twisted.callWhenRunning(trip.begin, twisted)
    twisted.run(installSignalHandlers=False)
    # The loop that heard signals is gone: from here they end the waiting for a log that is away.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: publisher.hurry())
    published = publisher.finish(DRAIN_S if trip.stopping else None)
    unpublished = publisher.unpublished or (0 if published else 1)
    if unpublished:
        log.error("the log did not take %d responses; the next crawl fetches them again", unpublished)
    nightly.end(wait=not trip.stopping)
    frontier.close()
    if trip.failure is not None:
        raise trip.failure
    return Tally(time.monotonic() - began, publisher.counts, publisher.by_source, unpublished)


class _Trip:
    """The visits of one process, inside the running reactor."""

    def __init__(
        self,
        settings: Settings,
        sources: Sequence[Source],
        publisher: PublisherThread,
        frontier: Frontier,
        guard: Any,
        follow: bool,
        say: Callable[[str], None],
    ) -> None:
        from scrapy.crawler import AsyncCrawlerRunner

        from .spiders.visit import Errand

        self.sources, self.publisher, self.follow, self.say = sources, publisher, follow, say
        self.frontier = frontier
        frontier.enrol(sources, settings.crawl_budget_per_min / 60)
        self._scrapy = scrapy_settings(settings, guard, turns := Turns(frontier, settings.crawl_delay_s))
        self.runner = AsyncCrawlerRunner(self._scrapy)
        self._guard, self._turns, self._user_agent = guard, turns, settings.user_agent
        self._handler: Any = None
        self._ways: Any = None
        self._streams: set[Any] = set()
        self.errand = Errand(
            publisher,
            frontier,
            pseudonym.maker(key := pseudonym.key(settings)),
            settings.max_page_bytes,
            keys_of(settings),
            Readers(settings.crawl_readers, key),
        )
        self._by_id = {source.id: source for source in sources}
        self.stopping = False
        self.failure: BaseException | None = None
        self._task: asyncio.Task[None] | None = None
        self._reactor: Any = None

    def begin(self, reactor: Any) -> None:
        self._reactor = reactor
        loop = asyncio.get_event_loop()
        self._task = loop.create_task(self._run())
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)

        def end(task: asyncio.Task[None]) -> None:
            if not task.cancelled():
                self.failure = task.exception()
            reactor.callLater(0, reactor.stop)

        self._task.add_done_callback(end)

    async def _run(self) -> None:
        watch = asyncio.create_task(self._watch_publisher())
        try:
            if not self.follow:
                for first in (True, False):
                    await self._once([s for s in self.sources if (s.kind in CLAIM_KINDS) is first])
                return
            await self._follow()
        finally:
            watch.cancel()
            await self.errand.readers.close()
            if self._handler is not None:
                await self._handler.close()

    async def _once(self, sources: Sequence[Source]) -> None:
        places = asyncio.Semaphore(VISITS)
        at_host: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(VISITS_PER_HOST))

        async def visit(source: Source) -> None:
            async with at_host[host_of(source)], places:
                if self.stopping:
                    return
                self.frontier.beat()
                due = self.frontier.take_one(source.id)
                if due is None:
                    self.say(f"{source.id}: another crawler visits it")
                    return
                await self._visit(due)
                # That may have been the rest of a visit that broke off: what the source says now comes after it, once that is published.
                while due.resumed and not self.stopping:
                    await asyncio.sleep(0.1)
                    if again := self.frontier.take_one(source.id):
                        await self._visit(due := again)

        await asyncio.gather(*(visit(source) for source in sources))

    async def _follow(self) -> None:
        """Visit what is due, at most VISITS at a time; until none is due, sources of claims only.

        One query says when to look again, however many sources there are.
        """
        claims_first = True
        under_way: set[asyncio.Task[None]] = set()
        visited: set[str] = set()
        try:
            while not self.stopping:
                self.frontier.beat()
                visits = len(under_way) - len(self._streams)
                taken = self.frontier.take(VISITS - visits, claims_only=claims_first)
                for due in taken:
                    under_way.add(asyncio.create_task(self._visit(due)))
                if claims_first and (not under_way or visited & {due.source for due in taken}):
                    claims_first = False  # a second visit to one waits for nobody
                visited |= {due.source for due in taken if claims_first}
                pause_s = self.frontier.next_due(claims_only=claims_first) - self.frontier.clock()
                if pause_s <= 0:
                    pause_s = 0.0 if taken and len(under_way) < VISITS else LOOK_S  # no place, or no budget
                pause_s = min(pause_s, LOOK_S)
                if under_way:
                    done, under_way = await asyncio.wait(
                        under_way, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED
                    )
                    for task in done:
                        task.result()
                else:
                    await asyncio.sleep(pause_s)
            if under_way:
                await asyncio.wait(under_way)
        finally:
            for task in under_way:
                task.cancel()

    async def _visit(self, due: Due) -> None:
        from .spiders import spider

        source = self._by_id[due.source]
        if source.kind in STREAM_KINDS:
            await self._listen(source, due)
            return
        began = time.monotonic()
        crawler = self.runner.create_crawler(spider("recheck" if isinstance(source, Recheck) else source.kind))
        outcome, whole = Outcome(ok=False), False
        try:
            await self.runner.crawl(crawler, source=source, errand=self.errand, due=due)
            outcome, whole = crawler.spider.outcome, crawler.spider.whole
        except Exception as error:
            log.exception("%s: the visit broke: %s: %s", source.id, type(error).__name__, error)
        if self.stopping:
            return  # unfinished: the next crawler goes on with it
        self.publisher.put(Harvest(source.id, None, marks=[end_of(due, outcome)], ended=_ended(source, outcome, whole)))
        self.say(f"{source.id}: visited in {time.monotonic() - began:.1f} s")

    async def _listen(self, source: Source, due: Due) -> None:
        """Hold a stream until the crawl ends, or for a moment where it does not follow."""
        from .streams import holder

        stream = holder.STREAMS[source.kind](source, due, self.errand, self._ways_of_streams())
        self._streams.add(stream)
        began = time.monotonic()
        outcome, whole = Outcome(ok=False), False
        try:
            await stream.hold(None if self.follow else holder.ONCE_S)
            outcome, whole = stream.outcome, stream.whole
        except Exception as error:
            log.exception("%s: the stream broke: %s: %s", source.id, type(error).__name__, error)
        finally:
            self._streams.discard(stream)
        if self.stopping:
            return
        self.publisher.put(Harvest(source.id, None, marks=[end_of(due, outcome)], ended=_ended(source, outcome, whole)))
        self.say(f"{source.id}: listened for {time.monotonic() - began:.1f} s")

    def _ways_of_streams(self) -> Any:
        if self._ways is None:
            from scrapy.settings import Settings as ScrapySettings

            from .handler import GuardedHandler
            from .manners import Obedience
            from .streams.holder import Ways
            from .streams.robots import Asking

            self._handler = GuardedHandler(SimpleNamespace(settings=ScrapySettings(self._scrapy)))
            obedience = Obedience(Asking(self._handler, self._user_agent), self._turns.told)
            self._ways = Ways(self._reactor, self._guard, self._turns, obedience, self._user_agent, self._catch_up)
        return self._ways

    async def _catch_up(self, source: Source, due: Due, fresh: Any, since: str) -> str:
        """Why a Mastodon timeline could not be read back to an id; nothing if it was."""
        from .spiders import spider

        crawler = self.runner.create_crawler(spider(source.kind))
        try:
            await self.runner.crawl(crawler, source=source, errand=self.errand, due=due, fresh=fresh, since=since)
        except Exception as error:
            log.exception("%s: catching up broke: %s: %s", source.id, type(error).__name__, error)
            return f"{type(error).__name__}: {error}"
        return str(crawler.spider.why)

    async def _watch_publisher(self) -> None:
        """A crawl whose publisher has died would fetch for nobody."""
        while True:
            await asyncio.sleep(0.2)
            if not self.publisher.is_alive():
                log.error("crawl stops: nothing can be published")
                self._stop()
                return

    def _stop(self) -> None:
        if not self.stopping:
            self.stopping = True
            for stream in self._streams:
                stream.end()
            asyncio.get_event_loop().create_task(self._wind_down())

    async def _wind_down(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self.runner.stop()
                while self._streams:  # each hands on what it has in hand
                    await asyncio.sleep(0.02)
        if self._task is not None:
            self._task.cancel()


def _ended(source: Source, outcome: Outcome, whole: bool) -> Ended | None:
    """What the heartbeat tells; None of a single post that was looked at again, which is no source that anyone watches."""
    if isinstance(source, Recheck):
        return None
    return Ended(
        source.id,
        source.kind,
        source.name,
        source.cadence_s,
        bounds_of(source).slowest_s,
        datetime.now(UTC),
        outcome.ok,
        whole,
        outcome.found,
    )


__all__ = ["Counts", "crawl", "scrapy_settings"]
