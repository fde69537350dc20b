"""How often a source changes, from what its visits found.

Changes are taken for a Poisson process whose rate drifts. The rate has a Gamma prior, so that what n changes in s seconds teach is
two sums (Gamma-Poisson: the posterior's mean is (a + n) / (b + s)); both fade with time, so that the estimate follows the source.
Two such pairs are kept: a slow one that knows the source, and a fast one that knows the last hours. The slow rate is the prior of
the fast one: a source that was quiet for a month and has three posts in ten minutes is hot at once, and cools down by itself.

Where a visit only tells *whether* something changed, the count is the one to be expected given that there was a change,
l*s / (1 - exp(-l*s)): the fixed point of this step is the maximum-likelihood estimator for irregular visits of Cho and
Garcia-Molina, "Estimating frequency of change", ACM TOIT 3(3), 2003.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SLOW_HALF_S = 2 * 86_400.0
FAST_HALF_S = 3_600.0
"""After so long, evidence counts half. Two days bridge a night and a Sunday; rumours of an election night burn for hours."""
SLOW_PRIOR = 0.5
FAST_PRIOR = 1.0
"""How many changes the prior is worth."""
MOST_FOUND = 1_000
"""One visit teaches no more than so many changes: a moved site that lists its whole archive anew is not that hot."""


@dataclass(frozen=True)
class Heat:
    """Faded counts of changes and seconds of watching. All zero for a source that nobody knows."""

    slow_n: float = 0.0
    slow_s: float = 0.0
    fast_n: float = 0.0
    fast_s: float = 0.0

    def usual(self, prior: float) -> float:
        """Changes per second in the long run. `prior`: what to expect of a source that nobody knows, per second."""
        return (SLOW_PRIOR + self.slow_n) / (SLOW_PRIOR / prior + self.slow_s)

    def now(self, prior: float) -> float:
        """Changes per second at the last visit."""
        return (FAST_PRIOR + self.fast_n) / (FAST_PRIOR / self.usual(prior) + self.fast_s)

    def after(self, elapsed_s: float, found: int | None, changed: bool, prior: float) -> Heat:
        """With a visit `elapsed_s` after the one before, that found so many new things; None where it only knows whether."""
        if elapsed_s <= 0:
            return self
        if found is None:
            expected = self.now(prior) * elapsed_s
            n = expected / -math.expm1(-expected) if changed and expected > 1e-9 else float(changed)
        else:
            n = float(found)
        n = min(n, MOST_FOUND)
        slow, slow_kept = _fade(elapsed_s, SLOW_HALF_S)
        fast, fast_kept = _fade(elapsed_s, FAST_HALF_S)
        return Heat(
            self.slow_n * slow + n * slow_kept,
            self.slow_s * slow + elapsed_s * slow_kept,
            self.fast_n * fast + n * fast_kept,
            self.fast_s * fast + elapsed_s * fast_kept,
        )


def _fade(elapsed_s: float, half_s: float) -> tuple[float, float]:
    """What is left of the evidence before, and the mean weight of what came within `elapsed_s`, spread evenly over it."""
    x = math.log(2) * elapsed_s / half_s
    return math.exp(-x), -math.expm1(-x) / x
