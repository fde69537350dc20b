"""Runs the spiders: claim sources first, then all others at once; once, or again and again at each source's cadence."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any

from pipeline.ports import Broker
from pipeline.settings import Settings

from . import pseudonym
from .archive import Archive
from .keys import keys_of
from .publish import Counts, PublisherThread, Tally
from .seen import Seen
from .sources import CLAIM_KINDS, Source

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


def scrapy_settings(settings: Settings, guard: Any) -> dict[str, Any]:
    """Scrapy's settings. Handlers and downloader middlewares are all named here: nothing that an upgrade adds comes in by itself."""
    polite = settings.crawl_delay_s > 0
    return {
        "JAGA_GUARD": guard,
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
            "crawlers.guard.GuardMiddleware": 50,
            "crawlers.manners.ObedienceMiddleware": 100,
            "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
            "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
            "crawlers.walls.WallMiddleware": 450,
            "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
            "crawlers.manners.PatienceMiddleware": 550,
            "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": 600,
            "scrapy.downloadermiddlewares.stats.DownloaderStats": 850,
        },
        "EXTENSIONS": {
            "scrapy.extensions.logstats.LogStats": None,
            "scrapy.extensions.corestats.CoreStats": None,
            "scrapy.extensions.memusage.MemoryUsage": None,
        },
        "DOWNLOAD_DELAY": settings.crawl_delay_s,
        "AUTOTHROTTLE_ENABLED": polite,
        "AUTOTHROTTLE_START_DELAY": settings.crawl_delay_s,
        "CONCURRENT_REQUESTS": 32,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 2 if polite else 16,
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
        seen := Seen(settings.home / "crawl.db"),
        max_pause_s=settings.retry_max_s,
    )
    began = time.monotonic()
    publisher.start()
    trip = _Trip(settings, sources, publisher, seen, guard, follow, say)
    twisted.callWhenRunning(trip.begin, twisted)
    twisted.run(installSignalHandlers=False)
    # The loop that heard signals is gone: from here they end the waiting for a log that is away.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: publisher.hurry())
    published = publisher.finish(DRAIN_S if trip.stopping else None)
    unpublished = publisher.unpublished or (0 if published else 1)
    if unpublished:
        log.error("the log did not take %d responses; the next crawl fetches them again", unpublished)
    seen.close()
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
        seen: Seen,
        guard: Any,
        follow: bool,
        say: Callable[[str], None],
    ) -> None:
        from scrapy.crawler import AsyncCrawlerRunner

        from .spiders.visit import Errand

        self.sources, self.publisher, self.follow, self.say = sources, publisher, follow, say
        self.runner = AsyncCrawlerRunner(scrapy_settings(settings, guard))
        self.errand = Errand(
            publisher, seen, pseudonym.maker(pseudonym.key(settings)), settings.max_page_bytes, keys_of(settings)
        )
        self.stopping = False
        self.failure: BaseException | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, reactor: Any) -> None:
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
            first = [source for source in self.sources if source.kind in CLAIM_KINDS]
            rest = [source for source in self.sources if source.kind not in CLAIM_KINDS]
            await asyncio.gather(*(self._visit(source) for source in first))
            await asyncio.gather(*(self._visit(source) for source in rest))
            while self.follow and not self.stopping:
                await asyncio.gather(*(self._revisit(source) for source in self.sources))
        finally:
            watch.cancel()

    async def _revisit(self, source: Source) -> None:
        while not self.stopping:
            await asyncio.sleep(source.cadence_s)
            if not self.stopping:
                await self._visit(source)

    async def _visit(self, source: Source) -> None:
        from .spiders import spider

        if self.stopping:
            return
        began = time.monotonic()
        await self.runner.crawl(spider(source.kind), source=source, errand=self.errand)
        self.say(f"{source.id}: visited in {time.monotonic() - began:.1f} s")

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
            asyncio.get_event_loop().create_task(self._wind_down())

    async def _wind_down(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.runner.stop(), STOP_S)
        if self._task is not None:
            self._task.cancel()


__all__ = ["Counts", "crawl", "scrapy_settings"]
