"""The crawler with everything on against a plain Scrapy spider that only downloads the same pages, in turn, each in a fresh process."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

from .small_web import PER_PAGE, World
from .stage import AT_ONE_HOST, Stage, Web, mixed


@dataclass(frozen=True)
class Speed:
    pages_per_s: float
    """From the start of the crawl to its end, that of the process and its imports apart; ours with all of it on the log."""
    cpu_ms: float
    """Of the process for one page, its start and imports included. On a busy machine this says more than the clock does."""


@dataclass(frozen=True)
class Round:
    """Both, one after the other."""

    plain: Speed
    ours: Speed

    @property
    def ratio(self) -> float:
        return self.ours.pages_per_s / self.plain.pages_per_s


@dataclass(frozen=True)
class Result:
    pages: int
    rounds: list[Round]

    def told(self) -> dict[str, Any]:
        ratios = [each.ratio for each in self.rounds]
        return {
            "pages": self.pages,
            "plain_pages_per_s": round(statistics.median(each.plain.pages_per_s for each in self.rounds), 1),
            "ours_pages_per_s": round(statistics.median(each.ours.pages_per_s for each in self.rounds), 1),
            "plain_cpu_ms": round(statistics.median(each.plain.cpu_ms for each in self.rounds), 2),
            "ours_cpu_ms": round(statistics.median(each.ours.cpu_ms for each in self.rounds), 2),
            "ratio": round(statistics.median(ratios), 3),
            "ratio_low": round(min(ratios), 3),
            "ratio_high": round(max(ratios), 3),
            "rounds": [asdict(each) for each in self.rounds],
        }


def measure(pages: int, sources: int, rounds: int, latency_s: float = 0.0) -> Result:
    """About `pages` pages of `sources` hosts, `rounds` times. Raises RuntimeError if the two did not fetch the same, or a post is missing."""
    each = max(1, pages // sources)
    told = mixed(sources, max_pages=each + 100)
    found: list[Round] = []
    with Web(World(pages=each, latency_s=latency_s)) as web:
        addresses = [address for one in told for address in _addresses(one, each)]
        for _ in range(rounds):
            found.append(Round(_plain(web, addresses, sources), _ours(web, told, len(addresses), each)))
    return Result(len(addresses), found)


def _addresses(one: dict[str, Any], each: int) -> list[str]:
    """What the crawler fetches of a source, robots.txt apart, in its order."""
    host = one["url"].split("/")[2]
    if one["kind"] == "wordpress":
        listings = [
            f"http://{host}/wp-json/wp/v2/posts?per_page={PER_PAGE}{f'&page={n}' if n > 1 else ''}"
            for n in range(1, -(-each // PER_PAGE) + 1)
        ]
    else:
        listings = [one["url"]]
    return listings + [f"http://{host}/a/{n}" for n in range(each)]


def _plain(web: Web, addresses: list[str], hosts: int) -> Speed:
    before_s = _cpu_s()
    with Stage(web, []) as stage:
        file = stage.home / "addresses"
        file.write_text("\n".join(addresses))
        command = [sys.executable, "-m", "crawlers.bench.plain", str(web.port), str(file)]
        done = subprocess.run(  # noqa: S603
            [*command, str(hosts * AT_ONE_HOST), str(AT_ONE_HOST)], capture_output=True, text=True, check=False
        )
    if done.returncode or json.loads(done.stdout)["pages"] != len(addresses):
        raise RuntimeError(f"the plain spider did not fetch all: {done.stdout[-200:]} {done.stderr[-2000:]}")
    return _speed(len(addresses), json.loads(done.stdout)["seconds"], before_s)


def _ours(web: Web, sources: list[dict[str, Any]], pages: int, each: int) -> Speed:
    before, before_s = web.pages, _cpu_s()
    with Stage(web, sources) as stage:
        tally = stage.tally(stage.start("--once", "--json"))
    checkers = sum(one["kind"] == "wordpress" for one in sources)
    expected = {"posts": each * len(sources), "claims": each * checkers, "gaps": 0, "problems": 0, "unpublished": 0}
    came = {name: tally[name] for name in expected}
    if web.pages - before != pages or came != expected:
        raise RuntimeError(f"{pages} pages with {expected} were to come: {web.pages - before} with {came}")
    return _speed(pages, tally["seconds"], before_s)


def _speed(pages: int, seconds: float, before_s: float) -> Speed:
    return Speed(round(pages / seconds, 2), round(1000 * (_cpu_s() - before_s) / pages, 3))


def _cpu_s() -> float:
    """Of all processes started here that have ended; the web's has not."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime
