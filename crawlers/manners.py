"""How crawlers behave towards servers: patience with errors, obedience to robots.txt."""

from __future__ import annotations

import asyncio
import time
from email.utils import parsedate_to_datetime
from typing import Any

from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.utils.httpobj import urlparse_cached

from .guard import Guard, Refused

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
TRIES = 3
"""First try included. A page that fails thrice in a row is left for the next visit."""
FIRST_PAUSE_S = 0.5
LONGEST_WAIT_S = 60.0
"""A server that asks for more patience than this gets its page left for the next visit."""
LONGEST_CRAWL_DELAY_S = 60.0
ROBOTS_NAME = "JagaRuang"


class PatienceMiddleware:
    """Tries again after server errors and lost connections, with growing pauses, and as long after a 429 as it asks."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self._closed_until: dict[str, float] = {}

    @classmethod
    def from_crawler(cls, crawler: Any) -> PatienceMiddleware:
        return cls(crawler.settings["JAGA_GUARD"])

    async def process_request(self, request: Any) -> None:
        wait = self._closed_until.get(urlparse_cached(request).netloc, 0.0) - time.monotonic()
        if wait > 0:
            await asyncio.sleep(min(wait, LONGEST_WAIT_S))

    async def process_response(self, request: Any, response: Any) -> Any:
        if response.status not in RETRIED:
            return response
        asked = retry_after_s(response.headers.get(b"Retry-After"))
        if asked is not None and asked > LONGEST_WAIT_S:
            return response
        again = self._again(request)
        if again is None:
            return response
        pause = asked if asked is not None else FIRST_PAUSE_S * 2 ** (again.meta["jaga_tries"] - 1)
        if response.status == 429:
            self._closed_until[urlparse_cached(request).netloc] = time.monotonic() + pause
        await asyncio.sleep(pause)
        return again

    async def process_exception(self, request: Any, exception: Exception) -> Any:
        parts = urlparse_cached(request)
        where = ((parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80))
        if where in self.guard.refused:
            raise Refused(self.guard.refused[where]) from exception
        if not isinstance(exception, (OSError, TimeoutError)) and type(exception).__name__ not in _LOST:
            return None
        again = self._again(request)
        if again is not None:
            await asyncio.sleep(FIRST_PAUSE_S * 2 ** (again.meta["jaga_tries"] - 1))
        return again

    def _again(self, request: Any) -> Any:
        tries = request.meta.get("jaga_tries", 0) + 1
        if tries >= TRIES:
            return None
        again = request.replace(dont_filter=True)
        again.meta["jaga_tries"] = tries
        return again


_LOST = {
    "CannotResolveHostError", "DownloadConnectionRefusedError", "DownloadFailedError", "DownloadTimeoutError", "ResponseDataLossError",
    "ConnectionLost", "ConnectionDone", "ResponseFailed", "ResponseNeverReceived", "TCPTimedOutError", "DNSLookupError", "ConnectError",
}  # fmt: skip
"""Errors of Scrapy and Twisted that another try may cure."""


def retry_after_s(value: bytes | None) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3), as a number or a date."""
    if not value:
        return None
    text = value.decode("latin-1").strip()
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


class ObedienceMiddleware(RobotsTxtMiddleware):  # type: ignore[misc]
    """robots.txt as RFC 9309 has it: a server that fails to give it allows nothing; Crawl-delay lengthens the pauses."""

    async def _parse_robots(self, response: Any, netloc: str, request: Any) -> None:
        if response.status >= 500:
            response = response.replace(body=b"User-agent: *\nDisallow: /\n")
        elif response.status >= 400:
            response = response.replace(body=b"")
        await super()._parse_robots(response, netloc, request)

    def process_request_2(self, rp: Any, request: Any) -> None:
        super().process_request_2(rp, request)
        if rp is None:
            return
        try:
            told = rp.rp.crawl_delay(ROBOTS_NAME)
        except AttributeError:
            return
        if told:
            self.crawler.settings["JAGA_TURNS"].told(
                (urlparse_cached(request).hostname or "").lower(), min(float(told), LONGEST_CRAWL_DELAY_S)
            )
