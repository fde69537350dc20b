"""From raw scores to calibrated ones, and from those to decisions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Calibration:
    """`score = sigmoid(encoder * encoder_logit + grams * grams_logit + heads . all_logits + bias)`: fusion and Platt
    scaling in one, fitted on dev.
    """

    encoder: float
    grams: float
    bias: float
    heads: tuple[float, ...] = ()
    """A weight for each of the network's heads, where what it says of other labels helps with this one."""

    def apply(self, encoder_logit: Floats, grams_logit: Floats | None, logits: Floats | None = None) -> Floats:
        """Return calibrated scores 0..1, rounded to six places: they print, store and compare alike.

        `logits` are those of all heads, `(n, heads)`, for who weighs them; the other two are `(n,)`.
        """
        z = encoder_logit.astype(np.float64) * self.encoder + self.bias
        if self.heads and logits is not None:
            # Row by row, not a product of matrices: its last bits would depend on the other rows.
            z = z + (logits.astype(np.float64) * np.array(self.heads)).sum(axis=1)
        if grams_logit is not None:
            z = z + grams_logit.astype(np.float64) * self.grams
        return np.round(1 / (1 + np.exp(-np.clip(z, -30, 30))), 6).astype(np.float64)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "Calibration":
        heads = tuple(float(weight) for weight in kept.get("heads", ()))
        return cls(float(kept["encoder"]), float(kept["grams"]), float(kept["bias"]), heads)


@dataclass(frozen=True, slots=True)
class Band:
    """`score >= yes` is yes, `score < unsure` is no, and between the two the model abstains."""

    yes: float
    unsure: float

    def decide(self, score: float) -> str:
        return "yes" if score >= self.yes else "unsure" if score >= self.unsure else "no"

    @classmethod
    def read(cls, kept: Mapping[str, float]) -> "Band":
        return cls(float(kept["yes"]), float(kept["unsure"]))
