"""One visit to one source: what every spider shares."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

import scrapy
from scrapy import signals
from scrapy.exceptions import DontCloseSpider, IgnoreRequest
from scrapy.spidermiddlewares.httperror import HttpError

from pipeline.contracts import Gap

from ..archive import Fetch
from ..frontier import traps
from ..frontier.middleware import TooDeep
from ..frontier.store import Due, Frontier, Outcome
from ..guard import Refused
from ..handler import Unfetched
from ..keys import Keys
from ..manners import Postponed
from ..pages.address import host_of
from ..pages.items import Item, PostItem, ProblemItem
from ..pages.page import Page, Pseudonym
from ..publish import Harvest, PublisherThread
from ..reading import Readers
from ..seen import Mark
from ..shape import Shapes
from ..sources import Source

log = logging.getLogger("jaga.crawl")

_GONE_FOR_GOOD = frozenset({400, 401, 403, 404, 405, 406, 410, 414, 451})


@dataclass
class Errand:
    """What all visits of one process share."""

    publisher: PublisherThread
    seen: Frontier
    pseudonym: Pseudonym
    max_page_bytes: int
    keys: Keys = field(default_factory=Keys)
    readers: Readers = field(default_factory=Readers)
    claimed: set[str] = field(default_factory=set)
    """Addresses that some visit of this process is fetching now and that the frontier does not know, sitemaps for one."""

    @property
    def frontier(self) -> Frontier:
        return self.seen


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
    depth_limit: ClassVar[int] = 500
    """Links between the source's own address and a page. Paging goes one deeper with each page."""
    watches: ClassVar[bool] = True
    """Whether it comes again, so that what the source usually holds is worth remembering."""
    asks_for_news: ClassVar[bool] = False
    """Whether it asks only for what is newer than it knows: an empty answer then says nothing of the source's shape."""

    keeps_answers: ClassVar[bool] = True
    """Whether an answer is kept for whoever goes on with the visit."""

    def __init__(self, source: Source, errand: Errand, due: Due) -> None:
        super().__init__()
        self.source = source
        self.errand = errand
        self.due = due
        self.taken = 0
        self.left = 0
        """Links that this visit could not take and that nobody keeps: a gap."""
        self.failures = 0
        self.found: int | None = None
        """New pages; None while the spider has not asked for any."""
        self.changed = False
        self.more = 0
        """Pages that this visit could not take; the next one does."""
        self.later = False
        """Whether a page of the listing is left for another visit."""
        self._looked = False
        self._pages_taken = 0
        self._recalled = False
        self._postponed = False
        self._claimed: set[str] = set()
        self._shapes: Counter[str] = Counter()
        self._shape = Shapes(errand.seen.get(f"shape:{source.id}"), may_be_empty=self.asks_for_news)
        self._after: list[Mark] = []
        self._validators: list[Mark] = []
        self._always: list[Mark] = []

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> Visit:
        visit: Visit = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(visit.idle, signal=signals.spider_idle)
        crawler.signals.connect(visit.broken, signal=signals.spider_error)
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
        """A request; None if the visit has taken all it may, or for a trap. A listing is asked for only if it changed."""
        page = not listing and traps.key(url) in self._claimed
        if self.taken >= self.source.max_pages:
            if page:
                self.errand.frontier.release(url, self.due)
                self.more += 1
            else:
                self.left += 1
            return None
        if self.taken and (why := self._trap(url)):
            self.errand.publisher.put(
                Harvest(self.source.id, None, [ProblemItem(why, url)], marks=[(f"page:{url}", "1")])
            )
            return None
        self.taken += 1
        self._pages_taken += page
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
                meta={"listing": listing, "page": page, "began_at": datetime.now(UTC), "asked": url},
            )
        except ValueError as error:
            log.warning("%s: %s: not fetched: %s", self.source.id, url[:200], error)
            return None

    def _trap(self, url: str) -> str | None:
        if why := traps.trap(url, datetime.now(UTC)):
            return why
        if shape := traps.shape(url):
            self._shapes[shape] += 1
            if self._shapes[shape] > traps.CALENDAR_PAGES:
                return "trap: calendar without end"
        return None

    def claim_page(self, url: str) -> bool:
        """Whether this visit shall have the page: nobody did or does. `to` gives it back if the visit may take no more."""
        if (key := traps.key(url)) in self._claimed:
            return False
        claim = self.errand.frontier.claim(url, self.due)
        self._claimed.add(key)
        self.found = (self.found or 0) + (claim == "new")
        self.later |= claim == "later"
        return claim in ("new", "again")

    def full(self, url: str) -> bool:
        """Whether the visit may take no more pages; if so this one waits for the next visit, which reads the same list again."""
        if self.taken < self.source.max_pages:
            return False
        self.more += traps.key(url) not in self._claimed and not self.errand.frontier.is_done(url)
        return True

    def recall(self, url: str) -> Any:
        """A request for a page that an earlier visit could not have and that no listing needs to name again; None if it takes a listing."""

    def idle(self) -> None:
        """The listings are through: now what earlier visits left."""
        if self._recalled or not self._looked or type(self).recall is Visit.recall:
            return
        self._recalled = True
        asked = False
        for url in self.errand.frontier.waiting(self.due, self.source.max_pages - self.taken):
            if self.claim_page(url) and (request := self.recall(url)) is not None:
                self.crawler.engine.crawl(request)
                asked = True
        if asked:
            raise DontCloseSpider

    @property
    def cut(self) -> bool:
        """Whether the next visit should come at once for more. Where this one got no page, another would not either."""
        return bool(self.more and self._pages_taken)

    @property
    def outcome(self) -> Outcome:
        """What the frontier is to learn from this visit."""
        return Outcome(self._looked, self.changed, self.found, self.cut)

    @property
    def whole(self) -> bool:
        """Whether nothing was missed or left."""
        return self._looked and not (self.failures or self.left or self.more or self.later)

    # -- reading

    def fetch_of(self, response: Any) -> Fetch:
        headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, values in response.headers.items() for v in values]
        at = response.meta.get("fetched_at")
        fetched_at = datetime.fromtimestamp(at, UTC) if at else datetime.now(UTC)
        return Fetch(response.url, response.body, fetched_at, response.status, headers, kind=self.kept_as)

    async def read(self, kind: str, fetch: Fetch, *, listing: bool = False) -> list[Item]:
        """What the page holds; one that gave nothing is a gap, but for a blind `listing`, of which the caller tells (`blinded`)."""
        items = await self.items_of(kind, fetch)
        if (why := unread(items)) and not (listing and blindness(items)):
            self._gap(f"{why}: {fetch.url}", fetch.fetched_at)
        return items

    async def items_of(self, kind: str, fetch: Fetch) -> list[Item]:
        """What the page holds, but for posts that are not public: those go no further."""
        items = await self.errand.readers.read(kind, self.page_of(fetch))
        if unread(items) is None:
            self._shape.look(kind, items)
        return [item for item in items if not isinstance(item, PostItem) or item.public]

    @property
    def kept_as(self) -> str:
        """The kind by whose rule the evidence is kept."""
        return self.source.kind

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
        await self.errand.publisher.room()
        kept, marks = list(items), list(marks)
        pages = [key.removeprefix("page:") for key, _ in marks if key.startswith("page:")]
        if fetch is not None and len(pages) == 1:
            kept, more = self._known_by_other_names(pages[0], fetch, kept)
            marks += more
        self.errand.publisher.put(Harvest(self.source.id, fetch, kept, self.source.home, marks, list(gaps)))

    def _known_by_other_names(self, asked: str, fetch: Fetch, items: list[Item]) -> tuple[list[Item], list[Mark]]:
        """A page is done under its canonical address, too, if that is its own site's; the same bytes under another address give no post."""
        site = _site(fetch.url)
        posts = [item for item in items if isinstance(item, PostItem)]
        marks = [(f"page:{post.native_id}", "1") for post in posts if _site(post.native_id) == site]
        key = traps.key(asked)
        if posts and traps.key(fetch.url) == key:
            copy = f"copy:{site}:{hashlib.blake2b(fetch.body, digest_size=16).hexdigest()}"
            first = self.errand.seen.get(copy)
            if first is not None and first != key:
                items = [item for item in items if not isinstance(item, PostItem)]
                items.append(ProblemItem(f"the same page as {first}", asked))
            else:
                marks.append((copy, key))
        return items, marks

    async def sighted(self, response: Any) -> bool:
        """Ends a gap that was open here. False if the server says that nothing changed."""
        await self.seeing(response.meta["asked"])
        self.looked(response)
        return bool(response.status != 304)

    def looked(self, response: Any) -> None:
        """The source could be had, by this answer if it is the first."""
        if self._looked:
            return
        self._looked = True
        key = f"body:{self.source.id}"
        digest = hashlib.blake2b(response.body, digest_size=16).hexdigest()
        if response.status != 304 and self.errand.seen.get(key) != digest:
            self.changed = True
            self._always.append((key, digest))

    def unchanged_next_time(self, response: Any) -> None:
        """Remember the listing's validators, once all it led to was had."""
        for name, header in (("etag", b"ETag"), ("modified", b"Last-Modified")):
            if value := response.headers.get(header):
                self._validators.append((f"{name}:{response.meta['asked']}", value.decode("latin-1")))

    def remember_at_end(self, *marks: Mark) -> None:
        """Marks that hold only if every page of the visit was had."""
        self._after += marks

    # -- failing

    async def missed(self, failure: Any) -> Any:
        """A page that could not be had: one line in words, one gap."""
        request = failure.request
        missed = explain(failure.value)
        if isinstance(failure.value, Postponed):
            if self._postponed and not request.meta.get("listing"):
                self.failures += 1
                await self.instead(request, missed)
                return
            self._postponed = True
        now = datetime.now(UTC)
        asked = request.meta.get("gate") or request.meta.get("asked", request.url)
        cause = f"{missed.cause}: {asked}"[:1000]
        if request.meta.get("listing"):
            gaps = self.errand.seen.blinded(self.source.id, asked, cause, now)
            self.failures += 1
        else:
            gaps = [Gap(source=self.source.id, began_at=request.meta.get("began_at", now), ended_at=now, cause=cause)]
            self.failures += not missed.for_good
        log.warning("%s: %s", self.source.id, cause)
        await self.keep(None, [], gaps=gaps)
        await self.instead(request, missed)

    async def blinded(self, asked: str, cause: str) -> None:
        """What came shows nothing, or nothing can be asked for: one gap, open over visits until `seeing`."""
        self.failures += 1
        cause = f"{cause}: {asked}"[:1000]
        log.warning("%s: %s", self.source.id, cause)
        await self.keep(None, [], gaps=self.errand.seen.blinded(self.source.id, asked, cause, datetime.now(UTC)))

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
        if reason != "finished":
            return  # whoever goes on with the visit tells
        if left := self.left + (0 if self.cut else self.more):
            self._gap(f"{left} links left unread: a visit takes {self.source.max_pages} pages", datetime.now(UTC))
        marks = list(self._always)
        if self._looked and self.watches:
            marks.append(self._compared())
        if not (self.failures or self.cut or self.later):
            # What is left and told is not made up for: the next visit begins where this one did.
            marks += self._after
            marks += () if left else self._validators
        if marks:
            self.errand.publisher.put(Harvest(self.source.id, None, marks=marks))

    def _compared(self) -> Mark:
        """Tells where the pages no longer hold what they held: a problem, and a gap that stays open until they do."""
        seen, now = self.errand.seen, datetime.now(UTC)
        for finding in self._shape.settle(now):
            if finding.cause is None:
                ended = seen.sighted(self.source.id, finding.key, now)
                gaps, items = ([ended] if ended else []), []
            else:
                gaps = seen.blinded(self.source.id, finding.key, f"{finding.cause}: {self.source.url}"[:1000], now)
                items = [ProblemItem(finding.cause, self.source.url)]
            self.errand.publisher.put(Harvest(self.source.id, None, items, gaps=gaps))
        return f"shape:{self.source.id}", self._shape.mark()


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
    if isinstance(error, Postponed):
        return Missed(text, False)
    if isinstance(error, TooDeep):
        return Missed(text, True)
    if isinstance(error, IgnoreRequest) and "robots.txt" in text:
        return Missed("robots.txt forbids it", True)
    if isinstance(error, IgnoreRequest) and "redirections" in text:
        return Missed("redirects in circles", True)
    if isinstance(error, ValueError):
        return Missed(f"broken address: {text}"[:300], True)
    return Missed(f"{name}: {text}"[:300], isinstance(error, IgnoreRequest))


def gone(failure: Any) -> Any:
    """The answer, if it says for certain that the page is there no more; else None."""
    error = failure.value
    answer = error.response if isinstance(error, HttpError) else None
    return answer if answer is not None and answer.status in (404, 410) else None


def _site(url: str) -> str:
    """The host without the names that the same pages have for telephones."""
    host = host_of(url)
    for prefix in ("www.", "m.", "amp."):
        host = host.removeprefix(prefix)
    return host
