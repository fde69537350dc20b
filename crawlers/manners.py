"""How crawlers behave towards servers: patience with errors, obedience to robots.txt, and no insisting where nothing works."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from protego import Protego
from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.httpobj import urlparse_cached

from .guard import Refused
from .handler import Unfetched

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
TRIES = 3
"""First try included. A page that fails thrice in a row is left for the next visit."""
FIRST_PAUSE_S = 0.5
LONGEST_WAIT_S = 60.0
"""A server that asks for more patience than this gets its page left for the next visit."""
LEFT_AFTER = 6
"""Pages given up in a row, with none had in between, after which a visit leaves the server's others untried."""
LONGEST_CRAWL_DELAY_S = 60.0
ROBOTS_NAME = "JagaRuang"
ROBOTS_BYTES = 512_000
"""What is read of a robots.txt, however long it is: RFC 9309 (2.5) asks for at least 500 KiB."""
ROBOTS_S = 15.0
"""Longest time for one try at robots.txt: until it is there, nothing else moves on that server."""


class Postponed(IgnoreRequest):  # type: ignore[misc]
    """The host asked to be left alone for longer than a visit can wait."""


class PatienceMiddleware:
    """Tries again after server errors and lost connections, with growing pauses, and as long after a 429 as it asks."""

    def __init__(self) -> None:
        self._closed_until: dict[str, float] = {}
        self._given_up: dict[str, int] = {}

    async def process_request(self, request: Any) -> None:
        server = urlparse_cached(request).netloc
        wait = self._closed_until.get(server, 0.0) - time.monotonic()
        if wait > 0 and self._given_up.get(server, 0) < LEFT_AFTER:
            await asyncio.sleep(min(wait, LONGEST_WAIT_S))
        if self._given_up.get(server, 0) >= LEFT_AFTER:
            raise Unfetched("not tried: the server failed too often in this visit")

    async def process_response(self, request: Any, response: Any) -> Any:
        server = urlparse_cached(request).netloc
        if response.status not in RETRIED:
            self._given_up.pop(server, None)
            return response
        asked = retry_after_s(response.headers.get(b"Retry-After"))
        if asked is not None and asked > LONGEST_WAIT_S:
            # Whoever asks for so long means every page.
            self._given_up[server] = LEFT_AFTER
            raise Unfetched(f"HTTP {response.status}, with the wish to wait {asked:.0f} s")
        again = self._again(request)
        if again is None:
            return response
        pause = asked if asked is not None else FIRST_PAUSE_S * 2 ** (again.meta["jaga_tries"] - 1)
        if response.status == 429:
            self._closed_until[server] = time.monotonic() + pause
        await asyncio.sleep(pause)
        return again

    async def process_exception(self, request: Any, exception: Exception) -> Any:
        if not isinstance(exception, Unfetched):
            return None
        if not exception.again:
            if not exception.for_good:
                self._give_up(request)
            return None
        again = self._again(request)
        if again is not None:
            await asyncio.sleep(FIRST_PAUSE_S * 2 ** (again.meta["jaga_tries"] - 1))
        return again

    def _again(self, request: Any) -> Any:
        tries = request.meta.get("jaga_tries", 0) + 1
        if tries >= TRIES:
            self._give_up(request)
            return None
        again = request.replace(dont_filter=True)
        again.meta["jaga_tries"] = tries
        return again

    def _give_up(self, request: Any) -> None:
        server = urlparse_cached(request).netloc
        self._given_up[server] = self._given_up.get(server, 0) + 1


def retry_after_s(value: bytes | None) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3), as a number or a date."""
    if not value:
        return None
    text = value.decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


class Obedience:
    """robots.txt as RFC 9309 has it: a server that fails to give it allows nothing; Crawl-delay lengthens the pauses.

    `fetch` gets a request for robots.txt and follows its redirects; `told` gets a host and the pause that it asks for.
    """

    def __init__(self, fetch: Callable[[Any], Awaitable[Any]], told: Callable[[str, float], None]) -> None:
        self._fetch, self._told = fetch, told
        self._rules: dict[str, asyncio.Future[Protego | Exception]] = {}

    async def ask(self, url: str) -> None:
        """Raises IgnoreRequest or Unfetched where the address may not be fetched."""
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        if site not in self._rules:
            # A task of its own: the request that asked first may be given up, and others wait for the same file.
            self._rules[site] = asyncio.ensure_future(self._ask(site))
        rules = await asyncio.shield(self._rules[site])
        if isinstance(rules, Exception):
            raise rules
        if not rules.can_fetch(url, ROBOTS_NAME):
            raise IgnoreRequest("Forbidden by robots.txt")
        if delay := rules.crawl_delay(ROBOTS_NAME):
            self._told((parts.hostname or "").lower(), min(float(delay), LONGEST_CRAWL_DELAY_S))

    def forget(self, url: str) -> None:
        """Ask anew next time: who stays for days must not go by what was said, or could not be had, when it came."""
        parts = urlsplit(url)
        self._rules.pop(f"{parts.scheme}://{parts.netloc}", None)

    async def _ask(self, site: str) -> Protego | Exception:
        """The rules, or what to say to every request for this site."""
        request = Request(
            f"{site}/robots.txt",
            priority=1000,
            callback=NO_CALLBACK,
            meta={"is_robots_txt": True, "cut_at": ROBOTS_BYTES, "download_timeout": ROBOTS_S},
        )
        try:
            response = await self._fetch(request)
        except (Refused, Postponed) as error:
            return error
        except IgnoreRequest:
            return Protego.parse("")  # redirected more than five times: as good as none (RFC 9309, 2.3.1.2)
        except Exception as error:  # whatever kept it away: without robots.txt nothing is allowed (2.3.1.4)
            return Unfetched(f"{error}, when asked for robots.txt")
        if response.status >= 500 or response.status == 429:
            return Unfetched(f"robots.txt answers HTTP {response.status}: nothing may be fetched")
        if response.status >= 300:
            return Protego.parse("")
        body = response.body
        if "cut" in response.flags:
            body = body[: body.rfind(b"\n") + 1]  # half a rule would say something else
        return Protego.parse(body.decode("utf-8-sig", "ignore"))


class ObedienceMiddleware:
    """Asks robots.txt before every request of a visit."""

    def __init__(self, crawler: Any) -> None:
        self._obedience = Obedience(
            lambda request: crawler.engine.download_async(request),
            lambda host, delay_s: crawler.settings["JAGA_TURNS"].told(host, delay_s),
        )

    @classmethod
    def from_crawler(cls, crawler: Any) -> ObedienceMiddleware:
        return cls(crawler)

    async def process_request(self, request: Any) -> None:
        if not (request.meta.get("is_robots_txt") or request.meta.get("dont_obey_robotstxt")):
            await self._obedience.ask(request.url)
