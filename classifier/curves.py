"""What each choice of thresholds would cost: a label's scores on labelled rows as two rows of counts, from which
precision, recall and the unsure share of any band follow; and the band that given costs ask for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .calibration import Band

STEPS = 100
"""Scores are counted in steps of a hundredth: thresholds are chosen to two places."""

Values = npt.NDArray[np.float64]


class BadCosts(ValueError):
    """Costs that name no band; the message says why."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What a post decided wrongly costs, against what asking a person costs; only their ratios matter."""

    miss: float
    false_alarm: float
    unsure: float

    def __post_init__(self) -> None:
        for name in ("miss", "false_alarm", "unsure"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise BadCosts(f"{name}: {value} is no cost: a number above 0")

    @classmethod
    def parse(cls, text: str) -> "Costs":
        """Read `MISS/FALSE_ALARM/UNSURE`, e.g. `5/1/0.3`."""
        parts = text.split("/")
        if len(parts) != 3:
            raise BadCosts(f"{text!r}: write MISS/FALSE_ALARM/UNSURE, e.g. 5/1/0.3")
        try:
            return cls(*(float(part) for part in parts))
        except ValueError as error:
            raise BadCosts(f"{text!r}: {error}") from error

    def band(self) -> Band:
        """Return the band of least expected cost for scores that are probabilities.

        Chow 1970 (https://doi.org/10.1109/TIT.1970.1054406): yes where `false_alarm * (1 - p)` is the least of the
        three costs, no where `miss * p` is, unsure where `unsure` is. Where asking costs more than the better guess
        ever does, there is no unsure.
        """
        even = self.false_alarm / (self.false_alarm + self.miss)
        yes = max(even, 1 - self.unsure / self.false_alarm)
        unsure = min(even, self.unsure / self.miss)
        return Band(round(min(1.0, yes), 4), round(min(unsure, yes), 4))

    def of(self, found: Mapping[str, float]) -> float:
        """Return the cost a row of a choice as `Curve.at` told it."""
        return self.miss * found["missed"] + self.false_alarm * found["false alarms"] + self.unsure * found["unsure"]


@dataclass(frozen=True, slots=True)
class Curve:
    """`rows[i]` and `positive[i]`: rows, and positive ones, with a score in `[i, i + 1) / STEPS`; the last step also
    holds 1."""

    rows: tuple[int, ...]
    positive: tuple[int, ...]
    source: str = ""
    """The rows it was counted on."""

    @classmethod
    def of(cls, scores: Values, truth: Values, source: str = "") -> "Curve":
        place = np.minimum((scores * STEPS + 1e-9).astype(int), STEPS - 1)
        rows = np.bincount(place, minlength=STEPS)
        positive = np.bincount(place, weights=truth, minlength=STEPS)
        return cls(tuple(int(n) for n in rows), tuple(int(n) for n in positive), source)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "Curve":
        """Raises ValueError where the two rows are not of STEPS counts each."""
        rows, positive = kept["rows"], kept["positive"]
        if not len(rows) == len(positive) == STEPS:
            raise ValueError(f"a curve has {STEPS} steps, this one {len(rows)} and {len(positive)}")
        return cls(tuple(rows), tuple(positive), str(kept.get("source", "")))

    def kept(self) -> dict[str, Any]:
        return {"rows": list(self.rows), "positive": list(self.positive), "source": self.source}

    def at(self, band: Band) -> dict[str, float]:
        """Return what the band gives on these rows: shares 0..1 of rows, precision and recall of `yes`, and recall if
        people read the unsure ones. Thresholds count to two places."""
        yes, unsure = (min(STEPS, round(t * STEPS)) for t in (band.yes, band.unsure))
        total = max(1, sum(self.rows))
        hits, flagged = sum(self.positive[yes:]), sum(self.rows[yes:])
        positive = max(1, sum(self.positive))
        asked, asked_hits = sum(self.rows[unsure:yes]), sum(self.positive[unsure:yes])
        return {
            "precision": hits / flagged if flagged else 0.0,
            "recall": hits / positive,
            "recall with unsure read": (hits + asked_hits) / positive,
            "yes": flagged / total,
            "unsure": asked / total,
            "missed": (sum(self.positive[:unsure])) / total,
            "false alarms": (flagged - hits) / total,
        }


def table(curve: Curve, bands: Sequence[tuple[str, Band]], costs: Costs | None = None) -> list[dict[str, str]]:
    """Return one row a band, as text: name, thresholds, precision, recall, shares, and the cost of 1,000 posts."""
    told = []
    for name, band in bands:
        found = curve.at(band)
        row = {"": name, "yes from": f"{band.yes:.2f}", "unsure from": f"{band.unsure:.2f}"}
        row |= {
            key: f"{100 * found[key]:.1f} %"
            for key in ("precision", "recall", "recall with unsure read", "yes", "unsure", "missed", "false alarms")
        }
        if costs is not None:
            row["cost of 1,000 posts"] = f"{1000 * costs.of(found):.0f}"
        told.append(row)
    return told
