"""What the crawler holds in memory over many pages of many sources: flat, or growing with them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil

from .small_web import World
from .stage import Stage, Web, mixed

SMALLEST, LARGEST = 2_000, 4_000
"""Bytes of a page: small, so that 200,000 of them are read in a reasonable time."""


@dataclass(frozen=True)
class Sample:
    seconds: float
    pages: int
    rss_mb: float


@dataclass(frozen=True)
class Result:
    samples: list[Sample]
    pages: int
    posts: int
    seconds: float

    @property
    def slope_mb(self) -> float:
        """MB gained per 100,000 pages over the second half of the pages (least squares); 0 is flat."""
        half = [s for s in self.samples if s.pages >= self.pages / 2]
        if len(half) < 3 or half[0].pages == half[-1].pages:
            return float("nan")
        slope, _ = np.polyfit([s.pages for s in half], [s.rss_mb for s in half], 1)
        return float(slope) * 100_000

    def told(self) -> dict[str, Any]:
        halves = [[s.rss_mb for s in self.samples if (s.pages >= self.pages / 2) is late] for late in (False, True)]
        return {
            "pages": self.pages,
            "posts": self.posts,
            "seconds": round(self.seconds, 1),
            "rss_mb_first_half": round(max(halves[0], default=0.0), 1),
            "rss_mb_last_half": round(max(halves[1], default=0.0), 1),
            "slope_mb_per_100k": None if self.slope_mb != self.slope_mb else round(self.slope_mb, 1),
            "samples": [(round(s.seconds, 1), s.pages, round(s.rss_mb, 1)) for s in self.samples],
        }


def measure(pages: int, sources: int, every_s: float, say: Callable[[str], None] = lambda line: None) -> Result:
    """Raises RuntimeError if a post is missing at the end."""
    each = max(1, pages // sources)
    told = mixed(sources, max_pages=each + 100)
    samples: list[Sample] = []
    with Web(World(pages=each, smallest=SMALLEST, largest=LARGEST)) as web, Stage(web, told) as stage:
        began = time.monotonic()
        crawl = stage.start("--once", "--json")
        process = psutil.Process(crawl.pid)
        while crawl.poll() is None:
            time.sleep(every_s)
            try:
                rss = process.memory_info().rss / 2**20
            except psutil.Error:
                break
            if rss:  # none of a process that has ended and was not waited for
                samples.append(Sample(time.monotonic() - began, web.pages, rss))
                say(f"{samples[-1].seconds:7.0f} s {samples[-1].pages:8d} pages {rss:7.1f} MB")
        tally = stage.tally(crawl)
        fetched = web.pages
    if tally["posts"] != sources * each:
        raise RuntimeError(f"{sources * each} posts were to come, {tally['posts']} came")
    return Result(samples, fetched, tally["posts"], tally["seconds"])
