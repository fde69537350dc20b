"""Train, fit and measure claim matching: `python -m classifier.claims_fit --data PATH --base BASE [--write]`.

Split by time: the vectors come from posts and titles up to March 2024, the fusion's weights from posts of
January to March 2024 (with vectors trained on 2015 to 2020 alone) and ordinary posts; recall is told for
April to August. A post is searched among the titles of its day and earlier; no date is used to rank. The
thresholds come from one part of the ordinary posts, false alarms are told for another. Needs the [train]
extra.
"""

import argparse
import json
from collections.abc import Sequence
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
from .claims import FEATURES, ClaimText
from .claims_evaluation import SPLIT, Query, evaluate, ordinary_posts, ranked, read
from .manifest import SHIPPED, sha256

Floats = npt.NDArray[np.float32]


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
    told = {"fitted_on": fitted_on, **evaluate(args.data, shipped)}
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


if __name__ == "__main__":
    raise SystemExit(main())
