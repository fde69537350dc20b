"""Train, fit and measure claim matching: `python -m classifier.claims_fit --data PATH --base BASE [--write]`.

Split by time: the vectors come from posts and titles up to March 2024, the fusion's weights from posts of
January to March 2024 (with vectors trained on 2015 to 2020 alone) and ordinary posts; recall is told for
April to August. A post is searched among the titles of its day and earlier; no date is used to rank. The
thresholds come from one part of the ordinary posts, false alarms are told for another. Needs the [train]
extra.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer

from . import datasets
from .claim_training import Pair, int8, piece_vectors, train
from .claim_vectors import CLAIMS, VECTORS, ClaimVectors, open_tokenizer, weigh
from .claims import FEATURES, ClaimIndex, ClaimText, fused
from .manifest import SHIPPED, sha256
from .text import clean

Floats = npt.NDArray[np.float32]
SPLIT = date(2024, 4, 1)
FALSE_YES = 0.002
"""Highest share of ordinary posts that may get a false "yes" when the threshold is chosen."""

FALSE_UNSURE = 0.02


@dataclass(frozen=True, slots=True)
class Query:
    text: str
    day: date
    title: str  # cleaned, lower case: any claim with this title is right


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m classifier.claims_fit", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True, help="folder of the base encoder")
    parser.add_argument(
        "--pieces", type=Path, default=Path("piece_vectors.npy"), help="where the base's vectors of pieces are kept"
    )
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder of the model, with its tokenizer.json")
    parser.add_argument("--write", action="store_true", help="keep vectors, fusion, thresholds and figures in OUT")
    args = parser.parse_args(argv)
    tokenizer = open_tokenizer(args.out / "tokenizer.json")
    start = piece_vectors(args.base, args.pieces)
    past, early = pairs(args.data)
    old, new, queries = read(args.data)
    # The fusion must see vectors of posts that the vectors were not trained on.
    unseen = vectors_of(train(past, tokenizer, start), tokenizer)
    fusion, fitted_on = fit(old, new, [q for q in queries if q.day < SPLIT], ordinary_posts(args.data, 0), unseen)
    table, scales = int8(train(past + early, tokenizer, start))
    shipped = vectors_of(table.astype(np.float32) * scales.astype(np.float32)[:, None], tokenizer, fusion)
    told = measure(
        old,
        new,
        [q for q in queries if q.day >= SPLIT],
        (ordinary_posts(args.data, 0), ordinary_posts(args.data, 1)),
        shipped,
    )
    told = {"posts": {"fitted_on": fitted_on, "measured_on": told.pop("measured_on")}, **told}
    told["tweets"] = tweets(args.data, shipped)
    print(json.dumps(told, indent=1))
    if args.write:
        write(args.out, table, scales, fusion, told)
    return 0


def write(
    folder: Path,
    table: npt.NDArray[np.int8],
    scales: npt.NDArray[np.float16],
    fusion: Sequence[float],
    told: dict[str, Any],
) -> None:
    np.savez_compressed(folder / VECTORS, vectors=table, scales=scales)
    kept = {
        "files": {name: {"sha256": sha256(folder / name)} for name in (VECTORS, "tokenizer.json")},
        "fusion": dict(zip(FEATURES, fusion, strict=True)),
        "thresholds": told["thresholds"],
        "metrics": told,
    }
    (folder / CLAIMS).write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def vectors_of(table: Floats, tokenizer: Tokenizer, fusion: Sequence[float] = (1.0,) * len(FEATURES)) -> ClaimVectors:
    return ClaimVectors(tokenizer, table, weigh(table), tuple(fusion), 1.0, 1.0, "")


def pairs(data: Path) -> tuple[list[Pair], list[Pair]]:
    """Return (title, post) of 2015 to 2020, and of January to March 2024."""
    folder = data / "claims"
    past = [(row["title"], row["text"]) for row in datasets.rows(folder / "turnbackhoax_2015_2020.csv")]
    _, _, queries = read(data)
    return past, [(query.title, query.text) for query in queries if query.day < SPLIT]


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


def fit(
    old: list[ClaimText], new: list[ClaimText], queries: list[Query], ordinary: list[str], vectors: ClaimVectors
) -> tuple[tuple[float, ...], int]:
    """Return the fusion's weights and on how many posts they were fitted."""
    index, found = ranked(old, new, queries, vectors)
    lists = [(features[:, :-1], right) for features, right, _ in found if right.any()]
    order = listwise(lists)
    negatives = [index.features(text)[1] for text in ordinary]
    # How sure a rank makes us: one slope and one bias, so that the order stays.
    x = np.concatenate([f[:, :-1] @ order for f in [*(f for f, _, _ in found), *negatives]])
    y = np.concatenate([*(r for _, r, _ in found), *(np.zeros(len(f), dtype=bool) for f in negatives)])
    sure = LogisticRegression(C=100.0, max_iter=2000).fit(x[:, None], y)
    fusion = [*(float(sure.coef_[0][0]) * order), float(sure.intercept_[0])]
    return tuple(round(value, 4) for value in fusion), len(found)


def listwise(lists: Sequence[tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]]) -> npt.NDArray[np.float64]:
    """Return the weights by which right candidates come before the others of their post (softmax over each
    list).
    """
    spread = np.concatenate([features for features, _ in lists]).std(axis=0) + 1e-6
    longest = max(len(right) for _, right in lists)
    x = torch.zeros(len(lists), longest, len(spread))
    right = torch.zeros(len(lists), longest, dtype=torch.bool)
    there = torch.zeros(len(lists), longest, dtype=torch.bool)
    for row, (features, correct) in enumerate(lists):
        x[row, : len(correct)] = torch.tensor(features / spread)
        right[row, : len(correct)] = torch.tensor(correct)
        there[row, : len(correct)] = True
    weights = torch.zeros(len(spread), requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        scores = (x @ weights).masked_fill(~there, -1e4)
        lost = (scores.logsumexp(1) - scores.masked_fill(~right, -1e4).logsumexp(1)).mean()
        lost = lost + 1e-3 * (weights * weights).sum()
        lost.backward()
        return lost

    optimizer.step(loss)
    fitted: npt.NDArray[np.float64] = weights.detach().numpy().astype(np.float64) / spread
    return fitted


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


if __name__ == "__main__":
    raise SystemExit(main())
