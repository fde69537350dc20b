"""A week of simulated time over sources that change: the frontier against visits at fixed intervals, with the same budget.

Time does not pass, it is set; the frontier under test is the real one, its tables included. Rates of sources are log-normal. Of 8,155
feeds watched for eight months, 17 % gave 97 % of the items (Travers et al., "RSS feeds behavior analysis, structure and vocabulary",
IJWIS 10(3), 2014): that is a sigma of 2.8. The sources of a desk are chosen by hand and differ less, so 2.0 is taken here.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..sources import Source
from .store import Frontier, Outcome, end_of

Times = NDArray[np.float64]
DAY_S = 86_400.0
CADENCE_S = 900.0
MEDIAN_PER_DAY = 6.0
NIGHT_AND_DAY = 0.8
"""The rate at noon is so much above the mean, and at midnight so much below."""
BURST_EVERY_S = 4 * DAY_S
BURST_TIMES = 10.0
BURST_S = 2 * 3_600.0
"""Each source on its own becomes ten times as hot every four days, for two hours on average."""
ELECTION_AT_S, ELECTION_S, ELECTION_TIMES, ELECTION_SHARE = 5 * DAY_S + 12 * 3_600, 10 * 3_600.0, 3.0, 0.5
"""From noon of the sixth day, half of all sources are three times as hot for ten hours."""


@dataclass(frozen=True)
class Figures:
    """How fresh a way of visiting was, and what it cost."""

    requests: int
    delay_s: float
    """From a change to the visit that finds it, mean over all changes; those never found count until the end."""
    delay_hot_s: float
    """The same, for the tenth of the sources that change most."""
    delay_p95_s: float
    up_to_date: float
    """Share of the time in which a source had nothing unseen, mean over sources."""
    fruitful: float
    """Share of requests that found something new."""


def world(sources: int, days: float, sigma: float, seed: int) -> list[Times]:
    """When each source changes, seconds from the start, in order."""
    random = np.random.default_rng(seed)
    minutes = int(days * 1440)
    at = np.arange(minutes) * 60.0
    day = 1 - NIGHT_AND_DAY * np.cos(2 * np.pi * (at % DAY_S) / DAY_S)
    rates = np.exp(random.normal(np.log(MEDIAN_PER_DAY / DAY_S), sigma, sources))
    changes = []
    for rate in rates:
        heat = day.copy()
        for began in random.uniform(0, days * DAY_S, random.poisson(days * DAY_S / BURST_EVERY_S)):
            heat[(at >= began) & (at < began + random.exponential(BURST_S))] *= BURST_TIMES
        if random.random() < ELECTION_SHARE:
            heat[(at >= ELECTION_AT_S) & (at < ELECTION_AT_S + ELECTION_S)] *= ELECTION_TIMES
        counts = random.poisson(rate * heat * 60.0)
        changes.append(np.sort(np.repeat(at, counts) + random.uniform(0, 60, int(counts.sum()))))
    return changes


def fixed(changes: list[Times], days: float, requests: int, seed: int) -> list[Times]:
    """So many requests as visits at one interval for all, each source with a phase of its own."""
    interval_s = len(changes) * days * DAY_S / requests
    phases = np.random.default_rng(seed).uniform(0, interval_s, len(changes))
    return [np.arange(phase, days * DAY_S, interval_s) for phase in phases]


def adaptive(changes: list[Times], days: float, *, counted: bool = True) -> list[Times]:
    """Visits as the frontier has them due. Not `counted`: it is told only whether something changed, not how much."""
    now = 0.0
    visits: list[list[float]] = [[] for _ in changes]
    with tempfile.TemporaryDirectory(prefix="jaga-week-") as folder:
        frontier = Frontier(Path(folder) / "crawl.db", clock=lambda: now)
        frontier.enrol(
            [
                Source(id=str(n), kind="feed", url=f"https://{n}.example/", cadence_s=CADENCE_S)
                for n in range(len(changes))
            ]
        )
        while now < days * DAY_S:
            frontier.beat()
            taken = frontier.take(len(changes))
            ends = []
            for due in taken:
                source = int(due.source)
                before = visits[source][-1] if visits[source] else 0.0
                found = int(np.searchsorted(changes[source], now) - np.searchsorted(changes[source], before))
                visits[source].append(now)
                ends.append(end_of(due, Outcome(changed=found > 0, found=found if counted else None)))
            frontier.mark(ends)
            now = max(frontier.next_due(), now + (0.001 if taken else 1.0))
        frontier.close()
    return [np.array(times) for times in visits]


def figures(changes: list[Times], visits: list[Times], days: float) -> Figures:
    end = days * DAY_S
    delays, stale, fruitful = [], [], 0
    for happened, went in zip(changes, visits, strict=True):
        stops = np.append(went, end)
        found_by = np.searchsorted(stops, happened)
        delays.append(stops[found_by] - happened)
        first = np.unique(found_by, return_index=True)[1]
        stale.append(float(np.sum(stops[found_by[first]] - happened[first])) / end)
        fruitful += len(np.unique(found_by[found_by < len(went)]))
    hot = sorted(range(len(changes)), key=lambda n: -len(changes[n]))[: max(1, len(changes) // 10)]
    every = np.concatenate(delays)
    requests = sum(len(went) for went in visits)
    return Figures(
        requests,
        float(every.mean()),
        float(np.concatenate([delays[n] for n in hot]).mean()),
        float(np.percentile(every, 95)),
        1 - float(np.mean(stale)),
        fruitful / requests,
    )
