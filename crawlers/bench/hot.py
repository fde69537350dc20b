"""How long a new post of a hot source takes to the log, while other sources are visited beside it."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.contracts import Post, unpack
from pipeline.ports import Broker
from pipeline.topology import POSTS_RAW

from ..pulse import quantile
from .small_web import World
from .stage import Stage, Web, mixed, source

SETTLING_S = 5.0
"""What the goal allows beyond the cadence."""


@dataclass(frozen=True)
class Result:
    cadence_s: float
    appeared: int
    delays_s: list[float]
    """Of those that are on the log."""

    @property
    def missing(self) -> int:
        return self.appeared - len(self.delays_s)

    def told(self) -> dict[str, Any]:
        # A post that never came is later than any that did.
        waits = sorted(self.delays_s) + [float("inf")] * self.missing
        p50, p95 = quantile(waits, 0.5), quantile(waits, 0.95)
        return {
            "cadence_s": self.cadence_s,
            "posts": self.appeared,
            "missing": self.missing,
            "p50_s": None if p50 is None or p50 == float("inf") else round(p50, 2),
            "p95_s": None if p95 is None or p95 == float("inf") else round(p95, 2),
            "max_s": round(max(self.delays_s), 2) if self.delays_s else None,
            "allowed_s": self.cadence_s + SETTLING_S,
            "held": p95 is not None and p95 <= self.cadence_s + SETTLING_S,
        }


def measure(
    hot: int, others: int, cadence_s: float, gap_s: float, seconds: float, open_log: Callable[[Path], Broker]
) -> Result:
    """`hot` sources, each with a new post every `gap_s` on average, for `seconds`; `others` at the same cadence that stay as they are.

    The first post comes up once every source has been visited.
    """
    told = [source(f"hot{n:03d}", "feed", cadence_s=cadence_s) for n in range(hot)]
    told += mixed(others, cadence_s=cadence_s)
    world = World(pages=2, hot_gap_s=gap_s, hot_until_s=seconds)
    with Web(world) as web, Stage(web, told) as stage:
        crawl = stage.start("--follow", "--json")
        web.wait_for_all(len(told), crawl)
        web.begin()
        time.sleep(seconds + cadence_s + 2 * SETTLING_S)
        seen = web.statistics()["appeared"]
        crawl.send_signal(signal.SIGTERM)
        stage.tally(crawl)
        logged = _logged(open_log(stage.home))
    appeared = {(name, number): at for name, times in seen.items() for number, at in enumerate(times)}
    return Result(cadence_s, len(appeared), [logged[post] - at for post, at in appeared.items() if post in logged])


def _logged(log: Broker) -> dict[tuple[str, int], float]:
    """(host, number) -> when the post was on the log first."""
    found: dict[tuple[str, int], float] = {}
    try:
        for message in log.read(POSTS_RAW, 1_000_000):
            post = unpack("post", message.value)
            if not isinstance(post, Post):
                continue
            address = post.native_id
            host, _, number = address.removeprefix("http://").partition(".kabar-rekaan.example/a/")
            at = message.logged_at.timestamp()
            found[host, int(number)] = min(at, found.get((host, int(number)), at))
    finally:
        log.close()
    return found
