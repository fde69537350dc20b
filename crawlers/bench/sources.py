"""Thousands of sources in the schedule of one process: how late each is asked, and what deciding costs."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import dataclass
from typing import Any

from ..pulse import quantile
from .small_web import World
from .stage import Stage, Web, source
from .timed import FILE


@dataclass(frozen=True)
class Result:
    sources: int
    visited: int
    """Sources visited at all."""
    visits: int
    cpu_ms: float
    """Of the frontier for one visit: choosing it, ending it, and finding when to look again."""
    to_taken_s: list[float]
    to_asked_s: list[float]
    """From due to taken by the schedule, and to the server's receiving the request. First visits apart, which are all due at once."""

    def told(self) -> dict[str, Any]:
        def rounded(values: list[float], share: float) -> float | None:
            value = quantile(values, share)
            return None if value is None else round(value, 3)

        return {
            "sources": self.sources,
            "visited": self.visited,
            "visits": self.visits,
            "revisits": len(self.to_taken_s),
            "frontier_ms_per_visit": round(self.cpu_ms, 3),
            "taken_p50_s": rounded(self.to_taken_s, 0.5),
            "taken_p95_s": rounded(self.to_taken_s, 0.95),
            "asked_p50_s": rounded(self.to_asked_s, 0.5),
            "asked_p95_s": rounded(self.to_asked_s, 0.95),
        }


def measure(sources: int, cadence_s: float, seconds: float) -> Result:
    """Feeds with nothing new after the first visit, each to be visited every `cadence_s` exactly, for `seconds` after all were visited once."""
    fixed = {"cadence_s": cadence_s, "cadence_min_s": cadence_s, "cadence_max_s": cadence_s}
    told = [source(f"s{n:05d}", "feed", follow=False, **fixed) for n in range(sources)]
    with Web(World(pages=3)) as web, Stage(web, told) as stage:
        crawl = stage.start("--follow", "--json", module="crawlers.bench.timed")
        web.wait_for_all(sources, crawl)
        time.sleep(seconds)
        crawl.send_signal(signal.SIGTERM)
        stage.tally(crawl)
        listed = web.statistics()["listed"]
        decisions = json.loads((stage.home / FILE).read_text())
    asked = [
        at - due
        for name, dues in decisions["due"].items()
        for due, at in list(zip(dues, listed.get(name, ()), strict=False))[1:]
    ]
    visits = decisions["visits"]
    cpu_ms = 1000 * decisions["cpu_s"] / max(1, visits)
    return Result(sources, len(decisions["due"]), visits, cpu_ms, decisions["late_s"], asked)
