"""Why a label was given: the words that carried it, and the labelled examples of ours that are nearest.

Two ways to the words. `occluded` asks the model itself what the score would be without each word: true to the model,
and as dear as judging the text once a word. `Reasons` holds what `reasons_fit` distilled from the model: a linear
reader of words and their character n-grams that imitates the model's fused logit, so that a word's part in it is a
sum of table entries. How well the cheap way agrees with the dear one is measured when it is fitted and lies in the
manifest under `metrics.reasons`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .engine import Classifier, Judgement
from .manifest import ModelError
from .ngrams import hashes
from .respelling import Respelling
from .text import clean

FILE = "reasons.npz"
BUCKETS = 1 << 16
MOST_WORDS = 3
LEAST_SHARE = 0.15
"""A word is named if it carries at least this share of what the words together say for the label."""

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


class Judging(Protocol):
    def judge(self, texts: Sequence[str]) -> list[Judgement]: ...


@dataclass(frozen=True, slots=True)
class Example:
    """A row of our own under the same label."""

    id: str
    text: str
    likeness: float
    """Cosine of the embeddings."""


@dataclass(frozen=True, slots=True)
class Why:
    """Why one label was given to one text."""

    label: str
    words: tuple[str, ...]
    """As they stand in the cleaned text, most telling first; empty where no single word carries the label."""
    example: Example | None
    """The nearest row of ours, None where none is as near as our rows are to each other."""


class Reasons:
    """Tables distilled from one model."""

    def __init__(self, kept: dict[str, npt.NDArray[Any]], respelling: Respelling) -> None:
        self.labels = tuple(str(name) for name in kept["labels"])
        self._weights = kept["weights"].astype(np.float32)
        self._ids, self._texts = kept["ids"], kept["texts"]
        self._owned = kept["owned"]
        self._vectors = kept["vectors"].astype(np.float32) / 127
        self._near = float(kept["near"])
        self._respelling = respelling

    @classmethod
    def load(cls, classifier: Classifier) -> "Reasons | None":
        """Return what lies beside the classifier's model, None where nothing does.

        Raises ModelError for a damaged file, and for one that was distilled from another model.
        """
        path = classifier.manifest.folder / FILE
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as found:
                kept = {name: found[name] for name in found.files}
            made_from = str(kept["model"])
            reasons = cls(kept, classifier.respelling)
        except Exception as error:  # numpy and zipfile raise many kinds
            raise ModelError(f"{path}: cannot be read ({error})") from error
        if made_from != classifier.manifest.files["model.onnx"]:
            raise ModelError(
                f"{path}: was distilled from another model ({made_from[:16]}...); make it anew with "
                "python -m classifier.reasons_fit"
            )
        return reasons

    def words(self, text: str, label: str) -> list[tuple[str, float]]:
        """Return each word of a cleaned text with its part in the label's logit, in the text's order."""
        column = self._weights[:, self.labels.index(label)]
        found = words_of(text)
        places = [places_of(word) for word in found]
        size = np.sqrt(max(1, len(np.unique(np.concatenate(places))) if places else 1))
        return [(word, float(column[own].sum() / size)) for word, own in zip(found, places, strict=True)]

    def _telling(self, cleaned: str, read: str, label: str) -> tuple[str, ...]:
        """The words that carry the label as the model read them, told as they stand in the text."""
        parts = [part for _, part in self.words(read, label)]
        return chosen(list(zip(words_of(cleaned), parts, strict=True)))

    def example(self, label: str, embedding: Floats) -> Example | None:
        """Return the nearest of our rows under the label."""
        if label not in self.labels:
            return None
        rows = np.flatnonzero(self._owned[:, self.labels.index(label)])
        if not len(rows):
            return None
        likeness = self._vectors[rows] @ embedding
        best = int(np.argmax(likeness))
        if likeness[best] < self._near:
            return None
        return Example(str(self._ids[rows[best]]), str(self._texts[rows[best]]), round(float(likeness[best]), 4))

    def explain(self, texts: Sequence[str], judged: Sequence[Judgement]) -> list[list[Why]]:
        """Return for each text why each label decided `yes` was given, in the labels' order."""
        told = []
        for text, one in zip(texts, judged, strict=True):
            yes = [label for label, decision in one.decisions.items() if decision == "yes"]
            cleaned = clean(text) if yes else ""
            read = self._respelling.read(cleaned)
            told.append(
                [
                    Why(
                        label,
                        self._telling(cleaned, read, label) if label in self.labels else (),
                        self.example(label, one.embedding),
                    )
                    for label in yes
                ]
            )
        return told


def explain(classifier: Classifier, texts: Sequence[str], judged: Sequence[Judgement]) -> list[list[Why]]:
    """As `Reasons.explain`; by occlusion and without examples for a model that has no tables beside it."""
    reasons = Reasons.load(classifier)
    if reasons is not None:
        return reasons.explain(texts, judged)
    told = []
    for text, one in zip(texts, judged, strict=True):
        yes = [label for label, decision in one.decisions.items() if decision == "yes"]
        parts = occluded(classifier, text) if yes else {}
        told.append([Why(label, chosen(parts[label]), None) for label in yes])
    return told


def occluded(classifier: Judging, text: str) -> dict[str, list[tuple[str, float]]]:
    """Return, by label, each word of the text with what its absence takes from the label's logit, by one call.

    Zeiler and Fergus 2014 (https://arxiv.org/abs/1311.2901), on words. A word that stands twice is taken out at both
    places, and told once.
    """
    cleaned = clean(text)
    found = list(dict.fromkeys(words_of(cleaned)))
    without = [" ".join(one for one in cleaned.split() if words_of(one) != [word]) for word in found]
    judged = classifier.judge([cleaned, *without])
    whole = judged[0]
    return {
        label: [
            (word, _logit(whole.scores[label]) - _logit(one.scores[label]))
            for word, one in zip(found, judged[1:], strict=True)
        ]
        for label in whole.scores
    }


def chosen(parts: Sequence[tuple[str, float]]) -> tuple[str, ...]:
    """Return the most telling words, at most MOST_WORDS, each once."""
    best: dict[str, float] = {}
    for word, part in parts:
        best[word] = max(part, best.get(word, 0.0))
    total = sum(part for part in best.values() if part > 0)
    ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    return tuple(word for word, part in ranked[:MOST_WORDS] if part > 0 and part >= LEAST_SHARE * total)


def words_of(text: str) -> list[str]:
    """Return the words of a cleaned text without the marks around them; placeholders and handles are none."""
    bare = (one.strip(".,!?;:\"'()*-_~“”‘’…|/\\") for one in text.split() if not one.startswith(("@", "[", "#")))
    return [one for one in bare if one]


def places_of(word: str) -> Ints:
    """Return the table's places of a word: its own and those of its character n-grams, each once."""
    return np.unique(hashes(word, BUCKETS))


def _logit(score: float) -> float:
    kept = min(max(score, 1e-6), 1 - 1e-6)
    return float(np.log(kept / (1 - kept)))


def save(path: Path, **tables: npt.NDArray[Any]) -> None:
    np.savez_compressed(path, **tables)  # type: ignore[arg-type]
