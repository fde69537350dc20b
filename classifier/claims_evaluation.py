"""Measure claim matching: `evaluate(data, vectors)`. Needs no [train] extra.

Posts of April to August 2024, which nothing was fitted on, are searched among the fact-check titles of their
day and earlier; tweets of 2019 among their 193 topics.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import datasets
from .claim_vectors import ClaimVectors
from .claims import FEATURES, ClaimIndex, ClaimText, fused
from .text import clean

SPLIT = date(2024, 4, 1)
FALSE_YES = 0.002
"""Highest share of ordinary posts that may get a false "yes" when the threshold is chosen."""

FALSE_UNSURE = 0.02


@dataclass(frozen=True, slots=True)
class Query:
    text: str
    day: date
    title: str  # cleaned, lower case: any claim with this title is right


def evaluate(data: Path, vectors: ClaimVectors) -> dict[str, Any]:
    """Return recall, thresholds and false alarms by name; shares are 0..1."""
    old, new, queries = read(data)
    late = [query for query in queries if query.day >= SPLIT]
    told = measure(old, new, late, (ordinary_posts(data, 0), ordinary_posts(data, 1)), vectors)
    return {**told, "tweets": tweets(data, vectors)}


def read(data: Path) -> tuple[list[ClaimText], list[ClaimText], list[Query]]:
    """Return claims before 2024, the claims of 2024 (by day), and the posts of 2024 that are more than
    their title.
    """
    folder = data / "claims"
    old = [
        ClaimText(row["id"], row["title"], date.fromisoformat(row["date"][:10]) if row["date"] else None)
        for row in datasets.rows(folder / "turnbackhoax_2015_2020.csv")
    ]
    old += [
        ClaimText(r["id"], r["text"])
        for r in datasets.rows(folder / "titles_2018_2023.csv")
        if r["label"] == "hoax_title"
    ]
    rows = sorted(datasets.rows(folder / "turnbackhoax_2024_jan_aug.csv"), key=lambda row: row["date"])
    new = [ClaimText(row["id"], row["title"], date.fromisoformat(row["date"][:10])) for row in rows]
    queries = [
        Query(row["text"], date.fromisoformat(row["date"][:10]), clean(row["title"]).lower())
        for row in rows
        if row["text_is_title"] == "False"
        and len(clean(row["text"])) > 15
        and "Tidak terdapat narasi" not in row["text"]
    ]
    return old, new, queries


def ordinary_posts(data: Path, half: int) -> list[str]:
    """Return every fourth post of one half, taken by its hash: 0 to fit on, 1 to measure on."""
    names = ("pilkada_dki_2017", "pilpres_2024", "pilpres_2024_debates", "reviews")
    texts = [row["text"] for name in names for row in datasets.rows(data / "ordinary" / f"{name}.csv")]
    return [text for text in texts if datasets.bucket(text, 8) == half]


Ranked = tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]
"""A post's candidates: their FEATURES, which are right, which contradict it."""


def ranked(
    old: list[ClaimText], new: list[ClaimText], queries: list[Query], vectors: ClaimVectors
) -> tuple[ClaimIndex, list[Ranked]]:
    """Search each post among the titles of its day and earlier."""
    first = min(query.day for query in queries)
    index = ClaimIndex.build(old + [claim for claim in new if claim.date and claim.date < first], vectors)
    waiting = sorted((claim for claim in new if claim.date and claim.date >= first), key=lambda claim: str(claim.date))
    titles = {claim.id: clean(claim.text).lower() for claim in (*old, *new)}
    found: list[Ranked] = []
    for day, asked in by_day(queries):
        due = [claim for claim in waiting if claim.date and claim.date <= day]
        waiting = waiting[len(due) :]
        index.add(due)
        for query in asked:
            places, features, contradicted = index.features(query.text)
            found.append((features, np.array([titles[index.ids[p]] == query.title for p in places]), contradicted))
    return index, found


def measure(
    old: list[ClaimText],
    new: list[ClaimText],
    queries: list[Query],
    ordinary: tuple[list[str], list[str]],
    vectors: ClaimVectors,
) -> dict[str, Any]:
    index, found = ranked(old, new, queries, vectors)
    fusion = np.array(vectors.fusion)
    scored = [(fused(f, c, fusion), r) for f, r, c in found]
    told: dict[str, Any] = {"measured_on": len(found), "fusion": dict(zip(FEATURES, vectors.fusion, strict=True))}
    told["words_alone"] = recall([(f[:, 4] + f[:, 0], r) for f, r, _ in found])
    told["vectors_alone"] = recall([(f[:, 3], r) for f, r, _ in found])
    told["nearest_pieces_alone"] = recall([(f[:, 5], r) for f, r, _ in found])
    told["fused"] = recall(scored)
    tops = [
        np.array([
            fused(*index.features(text)[1:], fusion).max(initial=0)
            for text in half
        ])
        for half in ordinary
    ]  # fmt: skip
    thresholds = {
        # Never so low that a contradicted match could say yes.
        "yes": max(0.5, float(np.quantile(tops[0], 1 - FALSE_YES))),
        "unsure": float(np.quantile(tops[0], 1 - FALSE_UNSURE)),
    }
    told["thresholds"] = {name: round(value, 4) for name, value in thresholds.items()}
    best = np.array([s.max() for s, _ in scored])
    correct = np.array([bool(r[int(np.argmax(s))]) for s, r in scored])
    absent = np.array([s[~r].max(initial=0) for s, r in scored])
    for name, value in thresholds.items():
        chosen = best >= value
        told[f"at_{name}"] = {
            "posts_matched_rightly": round(float((chosen & correct).mean()), 4),
            "posts_matched_wrongly": round(float((chosen & ~correct).mean()), 4),
            "posts_matched_without_their_claim": round(float((absent >= value).mean()), 4),
            "ordinary_posts_matched": int((tops[1] >= value).sum()),
            "ordinary_posts": len(tops[1]),
            "ordinary_share": round(float((tops[1] >= value).mean()), 5),
        }
    return told


def tweets(data: Path, vectors: ClaimVectors) -> dict[str, float]:
    """Return recall of the tweets of 2019 among their 193 topics, which nothing was fitted on."""
    rows = datasets.rows(data / "stance" / "pilpres_2019.csv")
    topics = sorted({row["topic"] for row in rows})
    index = ClaimIndex.build([ClaimText(topic, topic) for topic in topics], vectors)
    texts = [row["text"] for row in rows]
    found = index.search(texts, k=10)
    ranks = [[m.claim_id for m in matches].index(r["topic"]) if r["topic"] in {m.claim_id for m in matches} else 99
             for r, matches in zip(rows, found, strict=True)]  # fmt: skip
    return {f"recall@{k}": round(float(np.mean([rank < k for rank in ranks])), 4) for k in (1, 5, 10)}


def recall(ranked: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]]) -> dict[str, float]:
    """Return the share of posts with a right claim among the first 1, 5 and 10 of their candidates."""
    ranks = [np.flatnonzero(right[np.argsort(-score, kind="stable")]) for score, right in ranked]
    return {f"recall@{k}": round(float(np.mean([len(r) > 0 and r[0] < k for r in ranks])), 4) for k in (1, 5, 10)}


def by_day(queries: list[Query]) -> Iterator[tuple[date, list[Query]]]:
    days: dict[date, list[Query]] = {}
    for query in queries:
        days.setdefault(query.day, []).append(query)
    yield from sorted(days.items())
