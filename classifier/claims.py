"""Which known claim does a post tell? Words and characters (BM25) beside a learnt vector (claim_vectors.py),
fused into one score.

Candidates are the best of each; every candidate gets the same few numbers (how much of the claim's weight
the post has, how close the embeddings are, ...), and a small logistic model, fitted on posts and fact-check
titles of early 2024 (see claims_fit.py), turns them into a score that means the same for every query.
Numbers, places and negations that contradict each other hold a score below "yes": the same story about
another town is another story.
"""

import csv
import datetime
import functools
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .claim_vectors import ClaimVectors, plain
from .places import PLACES

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

K1 = 1.2
B = 0.5
CANDIDATES = 30
GRAM = 4

# Of many claims, a term in more than this share of them tells nothing, and costs most of the time.
COMMON_SHARE = 0.05
COMMON_FROM = 500

GRAM_SHARE = 0.3
"""Weight of character grams beside words when candidates are chosen."""

FEATURES = ("claim_words", "post_words", "claim_grams", "cosine", "evidence", "near", "said", "bias")

CONTRADICTED = 0.45
"""A contradiction multiplies the score by this: it stays findable, and falls below "yes"."""

_WORD = re.compile(r"[^\W_]+")
# An amount with its word for thousands; a clock time and a day of the month are of their own kinds.
_NUMBER = re.compile(
    r"\b(?:(?P<hour>jam|pukul|pkl)|(?P<day>tgl|tanggal))\s*(?P<when>\d+)"
    r"|(?P<figure>\d+(?:[.,]\d+)*)\s*(?P<scale>rb|ribu|k|jt|juta|m|miliar|milyar)?\b"
)
_SCALES = {"rb": 3, "ribu": 3, "k": 3, "jt": 6, "juta": 6, "m": 9, "miliar": 9, "milyar": 9}
_NEGATIONS = frozenset(
    [
        "tidak",
        "tak",
        "bukan",
        "belum",
        "gak",
        "ga",
        "nggak",
        "enggak",
        "ora",
        "dudu",
        "teu",
        "lain",
        "batal",
        "tanpa",
        "jangan",
    ]
)


@dataclass(frozen=True, slots=True)
class ClaimText:
    id: str
    text: str
    date: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class Match:
    claim_id: str
    score: float  # 0..1, comparable across queries
    lexical: float  # 0..1: share of the claim's weight that the post has in words
    cosine: float  # -1..1


class _Postings:
    """Which claims hold a term; every term counts once a claim, for titles are short."""

    def __init__(self, background: Mapping[str, int], documents: int) -> None:
        """`background`: in how many of `documents` other titles a term stands: a small index cannot know."""
        self.background = background
        self.documents = documents
        self.number: dict[str, int] = {}
        self.claims: list[array[int]] = []  # term -> the places of the claims that hold it
        self.terms: list[npt.NDArray[np.int64]] = []  # claim -> its terms
        self.frequency = array("q")
        self.lengths = array("f")
        self._idf: Doubles | None = None
        self._whole: dict[int, float] = {}

    def add(self, terms: Iterable[str]) -> None:
        place = len(self.terms)
        own = []
        for term in sorted(terms):
            number = self.number.setdefault(term, len(self.number))
            if number == len(self.claims):
                self.claims.append(array("I"))
                self.frequency.append(self.background.get(term, 0))
            self.claims[number].append(place)
            self.frequency[number] += 1
            own.append(number)
        self.terms.append(np.array(own, dtype=np.int64))
        self.lengths.append(len(own))
        self._idf = None  # every claim changes what every term weighs
        self._whole.clear()

    def idf(self, frequency: npt.NDArray[np.int64]) -> Doubles:
        if self._idf is None:
            total = len(self.terms) + self.documents
            counts = np.arange(total + 1)
            weights = np.log1p((total - counts + 0.5) / (counts + 0.5))
            self._idf = np.where(counts <= self.most(), weights, 0.0)
        found: Doubles = self._idf[frequency]
        return found

    def most(self) -> float:
        """Return in how many claims a term may stand and still weigh anything."""
        total = len(self.terms) + self.documents
        return total * COMMON_SHARE if total > COMMON_FROM else total

    def weight(self, terms: Iterable[str]) -> float:
        """Return the idf sum of a text's terms, known or not."""
        numbers = [(term, self.number.get(term)) for term in terms]
        known = [self.background.get(term, 0) if n is None else self.frequency[n] for term, n in numbers]
        return float(self.idf(np.array(known, dtype=np.int64)).sum())

    def whole(self, place: int) -> float:
        """Return the idf sum of a claim's terms."""
        if place not in self._whole:
            frequency = np.frombuffer(self.frequency, dtype=np.int64)[self.terms[place]]
            self._whole[place] = float(self.idf(frequency).sum())
        return self._whole[place]

    def shared(self, terms: Iterable[str]) -> Doubles:
        """Return the idf sum of what each claim shares with these terms, `(claims,)`."""
        most = self.most()
        numbers = sorted(n for term in terms if (n := self.number.get(term)) is not None and self.frequency[n] <= most)
        if not numbers:
            return np.zeros(len(self.terms))
        rows = [np.frombuffer(self.claims[n], dtype=np.uint32) for n in numbers]
        idf = self.idf(np.array([self.frequency[n] for n in numbers], dtype=np.int64))
        weights = np.repeat(idf, [len(row) for row in rows])
        shared = np.bincount(np.concatenate(rows), weights=weights, minlength=len(self.terms))
        return shared.astype(np.float64)

    def bm25(self, shared: Doubles) -> Doubles:
        lengths = np.frombuffer(self.lengths, dtype=np.float32)
        return shared * (K1 + 1) / (1 + K1 * (1 - B + B * lengths / max(1.0, float(lengths.mean()))))


@dataclass(frozen=True, slots=True)
class _Read:
    words: frozenset[str]
    grams: frozenset[str]
    amounts: frozenset[str]
    hours: frozenset[str]
    days: frozenset[str]
    places: frozenset[str]
    denied: frozenset[str]
    """Words that stand right behind a negation."""


class ClaimIndex:
    """Known claims; grows by `add`. Ids are unique: a claim added again replaces nothing and raises
    ValueError.
    """

    def __init__(self, vectors: ClaimVectors) -> None:
        self._vectors = vectors
        self._fusion = np.array(vectors.fusion, dtype=np.float64)
        self.ids: list[str] = []  # row of `vectors` -> claim id
        self._known: set[str] = set()
        self._read: list[_Read] = []
        self._pieces: list[list[int]] = []
        self._words = _Postings(*_title_words())
        self._grams = _Postings({}, 0)
        self.vectors: Floats = np.zeros((0, 0), dtype=np.float32)  # (claims, dim)

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def build(cls, claims: Sequence[ClaimText], vectors: ClaimVectors) -> "ClaimIndex":
        """Index claims; `vectors` is `ClaimVectors.load()`."""
        index = cls(vectors)
        index.add(claims)
        return index

    def add(self, claims: Sequence[ClaimText]) -> None:
        """Add claims; they can be found at once."""
        if not claims:
            return
        ids = [claim.id for claim in claims]
        twice = sorted(one for one, times in Counter(ids).items() if times > 1 or one in self._known)
        if twice:
            raise ValueError(f"claim id not unique: {', '.join(twice[:3])}")
        pieces = self._vectors.pieces([claim.text for claim in claims])
        vectors = self._vectors.embed(pieces)
        self._pieces.extend(pieces)
        self.vectors = vectors if not self.ids else np.concatenate([self.vectors, vectors])
        for claim in claims:
            read = _parse(claim.text)
            self.ids.append(claim.id)
            # The postings keep the grams; kept twice they would be most of the memory.
            self._read.append(replace(read, grams=frozenset()))
            self._words.add(read.words)
            self._grams.add(read.grams)
        self._known.update(ids)

    def search(self, texts: Sequence[str], k: int = 10) -> list[list[Match]]:
        """Return each text's `k` best claims, best first; what is found for a text does not depend on the
        others.
        """
        if not self.ids or not len(texts):
            return [[] for _ in texts]
        return [
            self._rank(_parse(text), pieces, k) for text, pieces in zip(texts, self._vectors.pieces(texts), strict=True)
        ]

    def features(self, text: str) -> tuple[npt.NDArray[np.int64], Doubles, npt.NDArray[np.bool_]]:
        """Return a text's candidates, their FEATURES `(candidates, features)` and which of them contradict it;
        for fitting too.
        """
        return self._features(_parse(text), self._vectors.pieces([text])[0])

    def _rank(self, read: _Read, pieces: list[int], k: int) -> list[Match]:
        if not read.words:
            return []
        places, features, contradicted = self._features(read, pieces)
        scores = fused(features, contradicted, self._fusion)
        # Ties are broken by the claim's place, so that equal indexes answer equally.
        order = np.lexsort((places, -scores))[:k]
        return [
            Match(
                self.ids[places[i]],
                round(float(scores[i]), 6),
                round(float(features[i, 0]), 6),
                round(float(features[i, 3]), 6),
            )
            for i in order
        ]

    def _features(self, read: _Read, pieces: list[int]) -> tuple[npt.NDArray[np.int64], Doubles, npt.NDArray[np.bool_]]:
        # One product a text: the last bits of a product of matrices depend on its other rows.
        cosines = self.vectors @ self._vectors.embed([pieces])[0]
        words = self._words.shared(read.words)
        grams = self._grams.shared(read.grams)
        lexical = self._words.bm25(words) + GRAM_SHARE * self._grams.bm25(grams)
        places = np.union1d(_best(lexical, CANDIDATES), _best(cosines, CANDIDATES)).astype(np.int64)
        own = max(self._words.weight(read.words), 1e-9)
        rows = np.ones((len(places), len(FEATURES)))
        for row, place in enumerate(places):
            rows[row, 0] = words[place] / max(self._words.whole(place), 1e-9)
            rows[row, 2] = grams[place] / max(self._grams.whole(place), 1e-9)
        rows[:, 1] = words[places] / own
        rows[:, 3] = cosines[places]
        rows[:, 4] = np.log1p(words[places])
        rows[:, 5:7] = self._vectors.near(pieces, [self._pieces[place] for place in places])
        return places, rows, np.array([_contradict(read, self._read[place]) for place in places], dtype=bool)


@functools.cache
def _title_words() -> tuple[dict[str, int], int]:
    # In how many of 5,649 fact-check titles of 2015-2023 a common word stands; without names.
    with (Path(__file__).parent / "data" / "title_words.csv").open(encoding="utf-8", newline="") as file:
        counts = {row["word"]: int(row["titles"]) for row in csv.DictReader(file)}
    return counts, counts.pop("")


def fused(features: Doubles, contradicted: npt.NDArray[np.bool_], fusion: Doubles) -> Doubles:
    """Return scores 0..1 from rows of FEATURES."""
    # Summed row by row: a product of matrices depends in its last bits on the other rows.
    scores = 1 / (1 + np.exp(-np.clip((features * fusion).sum(axis=1), -30, 30)))
    held: Doubles = np.where(contradicted, scores * CONTRADICTED, scores)
    return held


def _contradict(post: _Read, claim: _Read) -> bool:
    """Do both name an amount (an hour, a day, a place) and share none, or does one deny a word that the other
    asserts?
    """
    for name in ("amounts", "hours", "days", "places"):
        ours, theirs = getattr(post, name), getattr(claim, name)
        if ours and theirs and not ours & theirs:
            return True
    # A long post denies something somewhere whatever it tells.
    short = len(post.words) <= 2 * len(claim.words) + 4
    return short and bool(((post.denied & claim.words) - claim.denied) | ((claim.denied & post.words) - post.denied))


def _best(scores: npt.NDArray[np.floating], count: int) -> npt.NDArray[np.int64]:
    if len(scores) <= count:
        return np.arange(len(scores))
    return np.argpartition(-scores, count)[:count].astype(np.int64)


def _parse(text: str) -> _Read:
    text = plain(text)
    said = _WORD.findall(text)
    words = frozenset(said)
    grams = frozenset(
        padded[start : start + GRAM]
        for word in words
        if len(word) >= GRAM - 1
        for padded in (f" {word} ",)
        for start in range(len(padded) - GRAM + 1)
    )
    denied = frozenset(after for word, after in pairwise(said) if word in _NEGATIONS)
    amounts: set[str] = set()
    hours: set[str] = set()
    days: set[str] = set()
    for match in _NUMBER.finditer(text):
        if match["figure"]:
            # `10.000`, `10 ribu` and `10rb` are the same.
            amounts.add(re.sub(r"[.,]", "", match["figure"]) + "0" * _SCALES.get(match["scale"] or "", 0))
        else:
            (hours if match["hour"] else days).add(match["when"])
    return _Read(words, grams, frozenset(amounts), frozenset(hours), frozenset(days), words & PLACES, denied)
