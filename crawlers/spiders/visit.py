"""One visit to one source: what every spider shares."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import scrapy
from scrapy.exceptions import IgnoreRequest
from scrapy.spidermiddlewares.httperror import HttpError

from pipeline.contracts import Gap

from ..archive import Fetch
from ..guard import Refused
from ..handler import Unfetched
from ..keys import Keys
from ..pages import read
from ..pages.items import Item, ProblemItem
from ..pages.page import Page, Pseudonym
from ..publish import Harvest, PublisherThread
from ..seen import Mark, Seen
from ..sources import Source

log = logging.getLogger("jaga.crawl")

_GONE_FOR_GOOD = frozenset({400, 401, 403, 404, 405, 406, 410, 414, 451})


@dataclass
class Errand:
    """What all visits of one process share."""

    publisher: PublisherThread
    seen: Seen
    pseudonym: Pseudonym
    max_page_bytes: int
    keys: Keys = field(default_factory=Keys)
    claimed: set[str] = field(default_factory=set)
    """Pages that some visit is fetching now: two sources of one site do not fetch an article twice."""


@dataclass
class Missed:
    """Why a page could not be had."""

    cause: str
    for_good: bool
    """Whether another visit would find the same."""


class Visit(scrapy.Spider):  # type: ignore[misc]
    """Base of the spiders. A subclass gives `first` and reads responses; failures come here."""

    name = "visit"
    handle_httpstatus_list = (304,)

    def __init__(self, source: Source, errand: Errand) -> None:
        super().__init__()
        self.source = source
        self.errand = errand
        self.taken = 0
        self.left = 0
        self.failures = 0
        self._after: list[Mark] = []

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> Visit:
        visit: Visit = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(visit.broken, signal=scrapy.signals.spider_error)
        return visit

    # -- going

    async def start(self) -> AsyncIterator[Any]:
        for request in self.first():
            yield request

    def first(self) -> Iterator[Any]:
        yield self.to(self.source.url, self.listing, listing=True)

    async def listing(self, response: Any, **carried: Any) -> Any:
        raise NotImplementedError

    def to(self, url: str, callback: Any, *, listing: bool = False, **carried: Any) -> Any:
        """A request; None if the visit has taken all it may. A listing is asked for only if it changed."""
        if self.taken >= self.source.max_pages:
            self.left += 1
            return None
        self.taken += 1
        headers = {}
        if listing:
            for name, header in (("etag", "If-None-Match"), ("modified", "If-Modified-Since")):
                if kept := self.errand.seen.get(f"{name}:{url}"):
                    headers[header] = kept
        try:
            return scrapy.Request(
                url,
                callback=callback,
                errback=self.missed,
                headers=headers,
                cb_kwargs=carried,
                # Visits know themselves what they fetched; Scrapy's filter would drop a redirect to a known page without a word.
                dont_filter=True,
                meta={"listing": listing, "began_at": datetime.now(UTC), "asked": url},
            )
        except ValueError as error:
            log.warning("%s: %s: not fetched: %s", self.source.id, url[:200], error)
            return None

    def claim_page(self, url: str) -> bool:
        """Whether this visit shall fetch the page: nobody did or does."""
        if url in self.errand.claimed or self.errand.seen.get(f"page:{url}"):
            return False
        self.errand.claimed.add(url)
        return True

    # -- reading

    def fetch_of(self, response: Any) -> Fetch:
        headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, values in response.headers.items() for v in values]
        return Fetch(response.url, response.body, datetime.now(UTC), response.status, headers)

    def read(self, kind: str, fetch: Fetch, *, listing: bool = False) -> list[Item]:
        """What the page holds; one that gave nothing is a gap, but for a blind `listing`, of which the caller tells (`blinded`)."""
        items = self.items_of(kind, fetch)
        if (why := unread(items)) and not (listing and blindness(items)):
            self._gap(f"{why}: {fetch.url}", fetch.fetched_at)
        return items

    def items_of(self, kind: str, fetch: Fetch) -> list[Item]:
        return read(kind, self.page_of(fetch))

    def page_of(self, fetch: Fetch) -> Page:
        content_type = next((v for n, v in fetch.headers if n.lower() == "content-type"), "")
        return Page(fetch.body, fetch.url, content_type, self.errand.pseudonym, fetch.fetched_at)

    def _gap(self, cause: str, began_at: datetime) -> None:
        gap = Gap(source=self.source.id, began_at=began_at, ended_at=datetime.now(UTC), cause=cause[:1000])
        self.errand.publisher.put(Harvest(self.source.id, None, gaps=[gap]))

    async def keep(
        self, fetch: Fetch | None, items: Iterable[Item], *, marks: Sequence[Mark] = (), gaps: Sequence[Gap] = ()
    ) -> None:
        """Hand it to the publisher, waiting while that has its hands full."""
        while self.errand.publisher.full:
            await asyncio.sleep(0.05)
        self.errand.publisher.put(
            Harvest(self.source.id, fetch, list(items), self.source.home, list(marks), list(gaps))
        )

    async def sighted(self, response: Any) -> bool:
        """Ends a gap that was open here. False if the server says that nothing changed."""
        if gap := self.errand.seen.sighted(self.source.id, response.meta["asked"], datetime.now(UTC)):
            await self.keep(None, [], gaps=[gap])
        return bool(response.status != 304)

    def unchanged_next_time(self, response: Any) -> None:
        """Remember the listing's validators, once all it led to was had."""
        for name, header in (("etag", b"ETag"), ("modified", b"Last-Modified")):
            if value := response.headers.get(header):
                self._after.append((f"{name}:{response.meta['asked']}", value.decode("latin-1")))

    def remember_at_end(self, *marks: Mark) -> None:
        """Marks that hold only if every page of the visit was had."""
        self._after += marks

    # -- failing

    async def missed(self, failure: Any) -> Any:
        """A page that could not be had: one line in words, one gap."""
        request = failure.request
        missed = explain(failure.value)
        now = datetime.now(UTC)
        asked = request.meta.get("asked", request.url)
        cause = f"{missed.cause}: {asked}"[:1000]
        if request.meta.get("listing"):
            gap = self.errand.seen.blinded(self.source.id, asked, cause, now)
            self.failures += 1
        else:
            gap = Gap(source=self.source.id, began_at=request.meta.get("began_at", now), ended_at=now, cause=cause)
            self.failures += not missed.for_good
        log.warning("%s: %s", self.source.id, cause)
        await self.keep(None, [], gaps=[gap])
        await self.instead(request, missed)

    async def blinded(self, asked: str, cause: str) -> None:
        """What came shows nothing, or nothing can be asked for: one gap, open over visits until `seeing`."""
        self.failures += 1
        cause = f"{cause}: {asked}"[:1000]
        log.warning("%s: %s", self.source.id, cause)
        await self.keep(None, [], gaps=[self.errand.seen.blinded(self.source.id, asked, cause, datetime.now(UTC))])

    async def seeing(self, asked: str) -> None:
        """Ends the gap that `blinded` opened there."""
        if gap := self.errand.seen.sighted(self.source.id, asked, datetime.now(UTC)):
            await self.keep(None, [], gaps=[gap])

    def broken(self, failure: Any, response: Any, spider: Any) -> None:
        """A page that broke its spider is a miss of that page, told like any other; it is a mistake of ours, logged by Scrapy."""
        self.failures += 1
        self._gap(
            f"page cannot be read: {type(failure.value).__name__}: {failure.value}: {response.url}", datetime.now(UTC)
        )

    async def instead(self, request: Any, missed: Missed) -> None:
        """What to do without the page."""

    def closed(self, reason: str) -> None:
        if self.left:
            self._gap(f"{self.left} links left unread: a visit takes {self.source.max_pages} pages", datetime.now(UTC))
        if reason == "finished" and not self.failures and self._after:
            self.errand.publisher.put(Harvest(self.source.id, None, marks=self._after))


_BROKEN_OFF = ("broken XML", "page cannot be read further")
"""How problems begin of pages whose rest was not read."""


def unread(items: Sequence[Item]) -> str | None:
    """Why a response that came well gave nothing, or not all it had; None if it was read."""
    problems = [item.what for item in items if isinstance(item, ProblemItem)]
    if problems and len(problems) == len(items):
        # What is wrong with the page says more than what is wrong with its characters.
        return next((what for what in problems if not what.startswith("bytes that are not")), problems[0])
    return next((what for what in problems if what.startswith(_BROKEN_OFF)), None)


BLIND = ("blocked", "shape changed", "refused", "no such", "not JSON", "empty page", "empty body", "empty feed")
"""How a page object begins to say that a page shows nothing, though it came."""


def blindness(items: Sequence[Item]) -> str | None:
    """Why a page shows nothing, if it says so and gave nothing."""
    if any(not isinstance(item, ProblemItem) for item in items):
        return None
    said = (item.what for item in items if isinstance(item, ProblemItem))
    return next((what for what in said if what.startswith(BLIND)), None)


def explain(error: BaseException) -> Missed:
    """A failure in words."""
    if isinstance(error, HttpError):
        status = error.response.status
        return Missed(f"HTTP {status}", status in _GONE_FOR_GOOD)
    if isinstance(error, Refused):
        return Missed(f"not allowed to fetch: {error}", True)
    if isinstance(error, Unfetched):
        return Missed(str(error), error.for_good)
    text, name = str(error), type(error).__name__
    if isinstance(error, IgnoreRequest) and "robots.txt" in text:
        return Missed("robots.txt forbids it", True)
    if isinstance(error, IgnoreRequest) and "redirections" in text:
        return Missed("redirects in circles", True)
    if isinstance(error, ValueError):
        return Missed(f"broken address: {text}"[:300], True)
    return Missed(f"{name}: {text}"[:300], isinstance(error, IgnoreRequest))
