"""Where Scrapy asks the frontier: before and after each fetch. Politeness is kept here, for all crawlers of this machine together."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from scrapy.exceptions import IgnoreRequest
from scrapy.http import Headers
from scrapy.responsetypes import responsetypes
from scrapy.utils.httpobj import urlparse_cached

from ..manners import LONGEST_WAIT_S, Postponed, retry_after_s
from .store import Answer, Due, Frontier

AT_ONCE = 2
"""Fetches under way at one host where no pause is asked for (tests, the demo). With a pause there is one: whoever kills a crawler costs
the host no more than these fetches again."""


class TooDeep(IgnoreRequest):  # type: ignore[misc]
    """More links away from its source than anything worth reading."""


class Turns:
    """One queue a host in this process; the frontier's table of hosts among processes."""

    def __init__(self, frontier: Frontier, delay_s: float) -> None:
        self.frontier, self.delay_s = frontier, delay_s
        self._gates: dict[str, asyncio.Semaphore] = {}
        self._told: dict[str, float] = {}

    def __deepcopy__(self, memo: object) -> Turns:
        return self  # Scrapy copies its settings for each crawler

    def told(self, host: str, delay_s: float) -> None:
        """robots.txt asks for so long a pause."""
        if delay_s > self._told.get(host, 0.0):
            self._told[host] = delay_s
            self._gates.pop(host, None)

    def delay(self, host: str) -> float:
        return max(self.delay_s, self._told.get(host, 0.0))

    async def enter(self, host: str) -> asyncio.Semaphore:
        """Wait until the host may be asked; the gate is to be released after its answer. Raises Postponed."""
        delay_s = self.delay(host)
        gate = self._gates.get(host)
        if gate is None:
            gate = self._gates[host] = asyncio.Semaphore(1 if delay_s else AT_ONCE)
        await gate.acquire()
        try:
            await self._wait(host, delay_s)
        except BaseException:
            gate.release()
            raise
        return gate

    async def _wait(self, host: str, delay_s: float) -> None:
        clock = self.frontier.clock
        while True:
            closed = self.frontier.closed_until(host) - clock()
            if closed > LONGEST_WAIT_S:
                raise Postponed(f"{host} asked to be left alone for {closed:.0f} s more")
            if not delay_s and closed <= 0:
                return
            at = self.frontier.turn(host, delay_s) if delay_s else clock() + closed
            await asyncio.sleep(max(0.0, at - clock()))
            # It may have closed while this one waited.
            if self.frontier.closed_until(host) <= clock():
                return


class TurnMiddleware:
    """Next to the network: nothing waits between a turn and its fetch."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns

    @classmethod
    def from_crawler(cls, crawler: Any) -> TurnMiddleware:
        return cls(crawler.settings["JAGA_TURNS"])

    async def process_request(self, request: Any) -> None:
        host = _host(request)
        request.meta["jaga_gate"] = await self.turns.enter(host), time.monotonic()

    def process_response(self, request: Any, response: Any) -> Any:
        took_s = self._leave(request)
        host = _host(request)
        delay_s = self.turns.delay(host)
        if delay_s and took_s > delay_s / 2:
            self.turns.frontier.answered_in(host, took_s)
        if response.status in (429, 503) and (asked := retry_after_s(response.headers.get(b"Retry-After"))):
            self.turns.frontier.close_host(host, self.turns.frontier.clock() + min(asked, 86_400.0))
        return response

    def process_exception(self, request: Any, exception: Exception) -> None:
        self._leave(request)

    def _leave(self, request: Any) -> float:
        gate, began = request.meta.pop("jaga_gate", (None, 0.0))
        if gate is None:
            return 0.0
        gate.release()
        return time.monotonic() - float(began)


class AnswersMiddleware:
    """Next to the spider: an answer is kept as soon as it is there, and given again to whoever goes on with a broken visit."""

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Any) -> AnswersMiddleware:
        return cls(crawler)

    def process_request(self, request: Any) -> Any:
        due, frontier = self._of(request)
        if request.meta.get("depth", 0) > (limit := self.crawler.spider.depth_limit):
            raise TooDeep(f"trap: more than {limit} links deep")
        if due is None or (answer := frontier.kept(due, request.meta["asked"])) is None:
            return None
        headers = Headers()
        for name, value in answer.headers:
            headers.appendlist(name, value.encode("latin-1"))
        made = responsetypes.from_args(headers=headers, url=answer.url, body=answer.body)
        request.meta["fetched_at"] = answer.at
        return made(url=answer.url, status=answer.status, headers=headers, body=answer.body, flags=["kept"])

    def process_response(self, request: Any, response: Any) -> Any:
        due, frontier = self._of(request)
        if due is not None and "kept" not in response.flags and response.status < 429:
            at = request.meta["fetched_at"] = frontier.clock()
            headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, vs in response.headers.items() for v in vs]
            answer = Answer(response.url, response.status, headers, response.body, at)
            # A later visit wants a topic's or a timeline's page anew, like a listing; an article stays what it was.
            frontier.keep(due, request.meta["asked"], answer, listing=not request.meta.get("page"))
        return response

    def _of(self, request: Any) -> tuple[Due | None, Frontier]:
        spider = self.crawler.spider
        # robots.txt has no address that a spider asked for.
        asked = "asked" in request.meta and spider.keeps_answers
        return (spider.due if asked else None), spider.errand.frontier


def _host(request: Any) -> str:
    return (urlparse_cached(request).hostname or "").lower()
