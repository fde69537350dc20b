"""Does a post spread a claim, debunk it, or neither? A small linear model over rules, overlap and n-grams.

A cross-encoder was tried and did not pay (docs/model/README.md, "Stance"): with topics held back it added
nothing to these features, which cost a fraction of a millisecond a pair and depend on no other model.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256 as digest
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .manifest import MANIFEST, ModelError, verify
from .stance_cues import rule, title, told
from .stance_features import BUCKETS, NAMES, Pair, pair
from .text import clean

Stance = Literal["spreads", "debunks", "neither"]
STANCES: tuple[Stance, ...] = ("spreads", "debunks", "neither")
SHIPPED = Path(__file__).parent / "weights" / "stance"
WEIGHTS = "weights.npz"

PROTEST_LOGIT, CORRECTION_LOGIT = 1.5, 1.2
"""What the rules add to the fitted logits: to "spreads" where a text protests that it is no hoax and nothing
speaks against it, to "debunks" where they see a correction. Rules know forms that are rare in training; on
topics held back macro F1 changed by .001 with them.
"""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model says of one pair."""

    stance: Stance  # the one with the highest score
    scores: dict[str, float]  # one a stance, calibrated; they sum to one
    words: tuple[str, ...] = ()  # of the text, those that carried the stance most, first the strongest


class StanceModel:
    """A loaded model; `stances` may be called from several threads."""

    def __init__(self, manifest: dict[str, Any], arrays: dict[str, npt.NDArray[np.generic]]) -> None:
        self.manifest = manifest
        self.spreads_from = float(manifest["spreads_from"])
        decisive = [manifest[name] for name in ("files", "temperature", "spreads_from")]
        self.id = digest(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:16]
        self._mean, self._scale = arrays["mean"].astype(np.float64), arrays["scale"].astype(np.float64)
        # Indexed by whether the claim is a topic (0 no, 1 yes).
        self._dense = arrays["dense"].astype(np.float64)  # (2, len(NAMES), 3)
        self._grams = arrays["grams"].astype(np.float32)  # (2, BUCKETS, 3)
        self._bias = arrays["bias"].astype(np.float64)  # (2, 3)
        self._temperature = float(manifest["temperature"])

    @classmethod
    def load(cls, folder: Path | None = None) -> "StanceModel":
        """Load the model in `folder`, or the shipped one; raises ModelError naming the file that is wrong."""
        folder = folder or SHIPPED
        path = folder / MANIFEST
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            expected = str(manifest["files"][WEIGHTS]["sha256"])
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{path}: no manifest of a stance model ({error})") from error
        verify(folder / WEIGHTS, expected)
        try:
            with np.load(folder / WEIGHTS, allow_pickle=False) as kept:
                arrays = {name: kept[name] for name in ("mean", "scale", "dense", "grams", "bias")}
            model = cls(manifest, arrays)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{folder}: not a stance model ({error})") from error
        if model._dense.shape != (2, len(NAMES), 3) or model._grams.shape != (2, BUCKETS, 3):
            raise ModelError(f"{folder / WEIGHTS}: made for other features than this program has")
        return model

    def stances(self, pairs: Sequence[tuple[str, str]], *, words: bool = False) -> list[Reading]:
        """Read any number of pairs (claim, text), order kept; a pair's scores do not depend on the others.

        Any two strings are taken; of each the first 2,000 characters are looked at. Where claim or text
        holds nothing to read (empty, blanks, invisible characters) the stance is "neither" with score 1.
        `words` asks for the words that carried the stance, at about three times the price.
        """
        return [self._read(claim, text, words) for claim, text in pairs]

    def _read(self, claim: str, text: str, words: bool) -> Reading:
        read = pair(claim, text)
        if read.empty:
            return Reading("neither", {"spreads": 0.0, "debunks": 0.0, "neither": 1.0})
        logits = self.logits(read)
        scaled = np.exp((logits - logits.max()) / self._temperature)
        scores = np.round(scaled / scaled.sum(), 6)
        best = int(scores.argmax())
        scores[best] = round(1 - float(scores.sum() - scores[best]), 6)  # six places, and they still sum to one
        found = self._words(claim, text, logits, best) if words else ()
        return Reading(STANCES[best], dict(zip(STANCES, scores.tolist(), strict=True)), found)

    def logits(self, read: Pair) -> Floats:
        """Return what the scores are made of, `(3,)`."""
        form = int(read.topic)
        own = ((read.dense - self._mean) / self._scale) @ self._dense[form]
        grams = read.values.astype(np.float64) @ self._grams[form][read.places].astype(np.float64)
        logits: Floats = own + grams + self._bias[form]
        ruled = [bool(read.dense[NAMES.index(name)]) for name in ("rule debunks", "rule neither", "protest")]
        logits[STANCES.index("debunks")] += CORRECTION_LOGIT * ruled[0]
        logits[STANCES.index("spreads")] += PROTEST_LOGIT * (ruled[2] and not any(ruled[:2]))
        return logits

    def _words(self, claim: str, text: str, logits: Floats, best: int) -> tuple[str, ...]:
        # Each word left out in turn, of a text's first 40: what the stance loses is what the word carried.
        parts = clean(text).split(" ")
        lost = []
        for place, word in enumerate(parts[:40]):
            without = self.logits(pair(claim, " ".join(parts[:place] + parts[place + 1 :])))
            margin = float((logits - logits.mean() - without + without.mean())[best])
            lost.append((margin, -place, word))
        return tuple(word for margin, _, word in sorted(lost, reverse=True)[:3] if margin > 0.1)


@lru_cache(maxsize=1)
def shipped() -> StanceModel:
    """Return the shipped model, loaded once a process."""
    return StanceModel.load()


def cue(text: str) -> Literal["debunks", "neither"] | None:
    """Return what the text alone says of its story: "debunks", "neither", or None where nothing speaks
    against spreading. By rules: without a claim there is nothing for the model to compare with.
    """
    return told(clean(text))


def stance(claim: str, text: str) -> tuple[Stance, dict[str, float]]:
    """Return the stance of `text` to `claim` and a calibrated score a stance; they sum to one."""
    read = shipped().stances([(claim, text)])[0]
    return read.stance, read.scores


def stances(pairs: Sequence[tuple[str, str]]) -> list[Stance]:
    """Return what may be acted upon, pair by pair: "spreads" only from the manifest's `spreads_from` on.

    Below it a text that leans to "spreads" is "neither", and so is one that the rules take for a correction:
    a correction taken for the story that it corrects does more harm than a copy left out.
    """
    model = shipped()
    acted: list[Stance] = []
    for (claim, text), read in zip(pairs, model.stances(pairs), strict=True):
        doubtful = read.stance == "spreads" and (
            read.scores["spreads"] < model.spreads_from or rule(title(claim), clean(text)) == "debunks"
        )
        acted.append("neither" if doubtful else read.stance)
    return acted
