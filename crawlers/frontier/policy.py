"""When to go to a source again: the requests that may be spent, given out so that new things wait least.

A change in a source visited every I seconds waits I/2 on average, whatever its rate l; all sources together make the mean wait of a
change sum(l*I/2) / sum(l). Under sum(1/I) = budget it is least where I goes with 1/sqrt(l): the square-root rule (Lagrange; compare
Cho and Garcia-Molina, "Effective page refresh policies for Web crawlers", ACM TODS 28(4), 2003, who show that visits in proportion to
the rate are no better than fixed ones). A source's `cadence_s` says how much it matters: of two with the same rate, the one with
half the cadence is visited twice as often. So I = cadence * sqrt(pivot / l), where the *pivot* is the rate of a source that gets exactly
its cadence; it is found from the budget.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FASTEST = 15.0
SLOWEST = 8.0
"""Without other word, a source is visited no sooner than a 15th of its cadence, and no later than after eight."""
FIRST_PAUSE_S = 60.0
"""After a failed visit; doubled with each further one."""
PAGE_PAUSE_S = 60.0
PAGE_PAUSE_MAX_S = 86_400.0
PAGE_TRIES = 8
"""Pages are tried again after 1, 4, 16 ... minutes, and given up after about two days."""


@dataclass(frozen=True)
class Bounds:
    """Seconds between two visits of a source: what its cadence asks for, the shortest and the longest."""

    cadence_s: float
    fastest_s: float
    slowest_s: float

    @classmethod
    def of(cls, cadence_s: float, fastest_s: float | None = None, slowest_s: float | None = None) -> Bounds:
        fastest_s = min(fastest_s or max(1.0, cadence_s / FASTEST), cadence_s)
        return cls(cadence_s, fastest_s, max(slowest_s or cadence_s * SLOWEST, cadence_s))

    @property
    def prior(self) -> float:
        """Changes per second of a source that nobody knows yet: one in four cadences."""
        return 1 / (4 * self.cadence_s)


def interval(rate: float, bounds: Bounds, pivot: float) -> float:
    """Seconds until the next visit. A source with at least one change to expect within its cadence never waits longer than that."""
    wanted = bounds.cadence_s * math.sqrt(pivot / rate) if rate > 0 else math.inf
    latest = bounds.cadence_s if rate * bounds.cadence_s >= 1 else bounds.slowest_s
    return min(max(wanted, bounds.fastest_s), latest)


def pivot(rates: Sequence[float], bounds: Sequence[Bounds], budget_per_s: float) -> float:
    """The pivot at which all intervals together spend the budget (visits per second).

    The bounds come first: where even the longest intervals cost more than the budget, or the shortest less, the nearest there is.
    """
    if not rates:
        return 1.0
    rate = np.asarray(rates, float)
    cadence = np.array([b.cadence_s for b in bounds])
    fastest = np.array([b.fastest_s for b in bounds])
    slowest = np.where(rate * cadence >= 1, cadence, [b.slowest_s for b in bounds])
    low, high = -46.0, 23.0  # logarithms: 1e-20 to 1e10 changes per second
    for _ in range(60):
        middle = (low + high) / 2
        wanted = cadence * np.sqrt(math.exp(middle) / rate)
        spent = float(np.sum(1 / np.clip(wanted, fastest, slowest)))
        low, high = (middle, high) if spent > budget_per_s else (low, middle)
    return math.exp(high)


BUDGET_STORE_S = 6 * 3_600.0
"""Unspent budget is kept for later, up to what comes in so long: nights pay for mornings."""


@dataclass(frozen=True)
class Purse:
    """The budget as a token bucket: what may be spent now, and what comes in."""

    per_s: float
    tokens: float
    at: float

    @property
    def room(self) -> float:
        return max(1.0, self.per_s * BUDGET_STORE_S)

    def filled(self, now: float) -> Purse:
        return Purse(self.per_s, min(self.room, self.tokens + self.per_s * max(0.0, now - self.at)), max(now, self.at))

    def less(self, visits: int) -> Purse:
        return Purse(self.per_s, self.tokens - visits, self.at)

    @property
    def thrift(self) -> float:
        """By what to multiply the pivot: below 1 while unspent budget piles up, above 1 while it runs out; 1 at half."""
        return float(16 ** (0.5 - min(1.0, max(0.0, self.tokens / self.room))))


def pause(failures: int, bounds: Bounds) -> float:
    """Seconds to leave a source alone that failed so often in a row; never beyond its longest interval."""
    first = max(bounds.fastest_s, min(FIRST_PAUSE_S, bounds.cadence_s))
    return float(min(bounds.slowest_s, first * 2.0 ** min(failures - 1, 40)))


def page_pause(tries: int) -> float:
    """Seconds until a page is tried again that could not be had so often."""
    return float(min(PAGE_PAUSE_MAX_S, PAGE_PAUSE_S * 4.0 ** min(max(tries, 1) - 1, 20)))
