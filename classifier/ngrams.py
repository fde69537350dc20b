"""The second, cheap reader: a logistic model on hashed word and character n-grams, which sees slang and
spelling.

Words (1-2) and characters (2-5, over the text with blanks at both ends) are hashed by a rolling polynomial
into BUCKETS places, weighted (1 + log count) * idf and scaled to length one. On fold 0 such a model alone
reaches F1 .85 (models/README of the data), and fused with an encoder it finds what the encoder misses.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

BUCKETS = 1 << 18
MAX_CHARS = 600
_PRIME = np.uint64(1_000_003)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_WORD = re.compile(r"\w+|[^\w\s]")
_CHAR_SIZES = (2, 3, 4, 5)

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


class Grams:
    """Weights `(BUCKETS, labels)`, an idf `(BUCKETS,)` and a bias a label; `labels` names the columns."""

    def __init__(self, labels: Sequence[str], weights: Floats, idf: Floats, bias: Floats) -> None:
        self.labels = tuple(labels)
        self.weights = np.ascontiguousarray(weights, dtype=np.float32)
        self.idf = idf.astype(np.float32)
        self.bias = bias.astype(np.float32)

    @classmethod
    def load(cls, path: Path) -> "Grams":
        with np.load(path, allow_pickle=False) as kept:
            return cls([str(x) for x in kept["labels"]], kept["weights"], kept["idf"], kept["bias"])

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path,
            labels=np.array(self.labels),
            weights=self.weights.astype(np.float16),
            idf=self.idf.astype(np.float16),
            bias=self.bias,
        )

    def logits(self, texts: Sequence[str]) -> Floats:
        """Return `(len(texts), len(labels))` raw scores of cleaned texts; each depends on its own text
        alone.
        """
        out = np.empty((len(texts), len(self.labels)), dtype=np.float32)
        for row, text in enumerate(texts):
            places, values = weighted(text, self.idf)
            out[row] = (values[:, None] * self.weights[places]).sum(axis=0) + self.bias
        return out


def hashes(text: str, buckets: int = BUCKETS) -> Ints:
    """Return one cleaned text's hashed n-grams, repetitions too, in 0..buckets-1 (a power of two)."""
    text = text[:MAX_CHARS].lower()
    points = np.frombuffer((" " + text + " ").encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    found: list[npt.NDArray[np.uint64]] = []
    rolling = points
    for size in _CHAR_SIZES:
        if len(points) < size:
            break
        rolling = rolling[:-1] * _PRIME + points[size - 1 :]
        found.append(rolling + np.uint64(size))
    words = np.array([_word_hash(word) for word in _WORD.findall(text)], dtype=np.uint64)
    if len(words):
        found.append(words)
        found.append(words[:-1] * _PRIME + words[1:] + np.uint64(77))
    if not found:
        return np.empty(0, dtype=np.int64)
    mixed = np.concatenate(found) * _MIX
    return (mixed >> np.uint64(65 - buckets.bit_length())).astype(np.int64)


def weighted(text: str, idf: Floats) -> tuple[Ints, Floats]:
    """Return the places and the tf-idf values (length one) of one cleaned text."""
    places, counts = np.unique(hashes(text, len(idf)), return_counts=True)
    values = (1 + np.log(counts.astype(np.float32))) * idf[places]
    norm = float(np.sqrt((values * values).sum()))
    return places, (values / norm if norm else values).astype(np.float32)


def _word_hash(word: str) -> int:
    # FNV-1a over code points: Python's own hash() is salted anew in each process.
    value = 0xCBF29CE484222325
    for char in word:
        value = ((value ^ ord(char)) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value
