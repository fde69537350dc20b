"""The invented web of the benches: any number of hosts, one loopback port. `python -m crawlers.bench.small_web CONFIG` serves until killed.

It does as little as it can for a page, so that what is measured is who reads it.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from typing import cast
from urllib.parse import parse_qs

from .prose import Entry, Writer, checked, feed, numbered, sitemap, wordpress

TEMPLATES = 48
STATISTICS = "/__bench__"
BEGIN = "/__bench__/begin"
"""Asked for once, it lets the hot hosts' articles begin to appear."""
PER_PAGE = 100
CHECKS = "cek"
"""Hosts whose names begin so are fact-checkers: their articles carry a ClaimReview."""
SHOWN = 50
"""Entries of a feed that grows."""
_ROBOTS = b"User-agent: *\nDisallow: /internal/\n"


@dataclass(frozen=True)
class World:
    """What the server is told."""

    pages: int = 50
    """Articles of each host."""
    smallest: int = 30_000
    largest: int = 80_000
    """Bytes of an article."""
    latency_s: float = 0.0
    hot_gap_s: float = 0.0
    """Mean time between two new articles of a host whose name begins with `hot`, which begins with none; others never change."""
    hot_until_s: float = 0.0
    seed: int = 20241127

    def told(self) -> str:
        return json.dumps(asdict(self))


class Site:
    def __init__(self, world: World) -> None:
        self.world = world
        self.made_at = time.time()
        self.began_at: float | None = None
        """When hot hosts began to have articles."""
        writer = Writer(world.seed)
        dice = random.Random(world.seed)  # noqa: S311
        self._templates = [writer.article(dice.randint(world.smallest, world.largest)) for _ in range(TEMPLATES)]
        self._titles = [writer.headline() for _ in range(TEMPLATES)]
        self._teaser = writer.paragraph()
        self._long = "".join(f"<p>{writer.paragraph()}</p>" for _ in range(6))
        self._appeared: dict[str, list[float]] = {}
        self.served: Counter[str] = Counter()
        self.listed: defaultdict[str, list[float]] = defaultdict(list)

    def answer(self, host: str, target: str, known: str) -> tuple[int, str, bytes, str]:
        """(status, content type, body, further header)."""
        path, _, query = target.partition("?")
        name = host.partition(".")[0]
        if path.startswith("/a/"):
            self.served["article"] += 1
            number = int(path.removeprefix("/a/"))
            template = self._templates[number % TEMPLATES]
            if name.startswith(CHECKS):
                template = template.replace("</head>", checked(f"Klaim nomor {number} dari {name}") + "</head>", 1)
            page = numbered(template, number, self._title(name, number), f"http://{host}{path}")
            return 200, "text/html; charset=utf-8", page.encode(), ""
        if path == "/robots.txt":
            self.served["robots"] += 1
            return 200, "text/plain", _ROBOTS, ""
        if path in (STATISTICS, BEGIN):
            if path == BEGIN:
                self.began_at = time.time()
            told = {"served": self.served, "listed": self.listed, "appeared": self._appeared, "began_at": self.began_at}
            return 200, "application/json", json.dumps(told).encode(), ""
        self.served["listing"] += 1
        entries = self._entries(host, name)
        self.listed[name].append(time.time())
        tag = f'"{len(entries) and entries[0][0]}"'
        if known == tag:
            return 304, "", b"", f"ETag: {tag}\r\n"
        if path == "/feed.xml":
            return 200, "application/rss+xml", feed(entries, self._teaser).encode(), f"ETag: {tag}\r\n"
        if path == "/sitemap.xml":
            return 200, "application/xml", sitemap(entries).encode(), f"ETag: {tag}\r\n"
        if path.startswith("/wp-json/"):
            at = PER_PAGE * (int(parse_qs(query).get("page", ["1"])[0]) - 1)
            pages = f"X-WP-TotalPages: {-(-len(entries) // PER_PAGE)}\r\n"
            body = wordpress(entries[at : at + PER_PAGE], self._long)
            return 200, "application/json", body.encode(), pages + f"ETag: {tag}\r\n"
        return 404, "text/plain", b"", ""

    def _title(self, name: str, number: int) -> str:
        return f"{self._titles[number % TEMPLATES]} ({name}, nomor {number})"

    def _entries(self, host: str, name: str) -> list[Entry]:
        """The newest first."""
        if name.startswith("hot") and self.world.hot_gap_s:
            times = self._appearing(name) if self.began_at is not None else []
            count = bisect_right(times, time.time())
            first = max(0, count - SHOWN)
        else:
            times, first, count = [], 0, self.world.pages
        return [
            (n, self._title(name, n), f"http://{host}/a/{n}", times[n] if times else self.made_at - 60 * n)
            for n in range(count - 1, first - 1, -1)
        ]

    def _appearing(self, name: str) -> list[float]:
        assert self.began_at is not None  # noqa: S101
        if name not in self._appeared:
            dice = random.Random(f"{self.world.seed}/{name}")  # noqa: S311
            at, times = self.began_at, []
            while (at := at + dice.expovariate(1 / self.world.hot_gap_s)) < self.began_at + self.world.hot_until_s:
                times.append(at)
            self._appeared[name] = times
        return self._appeared[name]


class _Connection(asyncio.Protocol):
    def __init__(self, site: Site) -> None:
        self._site = site
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while b"\r\n\r\n" in self._waiting:
            head, _, self._waiting = self._waiting.partition(b"\r\n\r\n")
            if self._site.world.latency_s:
                asyncio.get_running_loop().call_later(self._site.world.latency_s, self._reply, head)
            else:
                self._reply(head)

    def _reply(self, head: bytes) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        host = headers.get("host", "").partition(":")[0]
        status, kind, body, more = self._site.answer(host, first.split(" ")[1], headers.get("if-none-match", ""))
        told = f"HTTP/1.1 {status} OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        if not self._transport.is_closing():
            self._transport.write(told.encode() + body)


async def _serve(world: World) -> None:
    site = Site(world)
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(site), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(World(**json.loads(sys.argv[1]))))
