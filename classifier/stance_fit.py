"""Fit the stance model: `python -m classifier.stance_fit --data PATH`. Needs the [train] extra; no torch.

Seeded and whole in a few minutes on one CPU, so there is nothing to resume: a run that was stopped has
written nothing. The temperature and the threshold come from predictions on topics that were held back.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse  # type: ignore[import-untyped,unused-ignore]
from sklearn.linear_model import LogisticRegression

from .manifest import MANIFEST, sha256
from .stance import SHIPPED, STANCES, WEIGHTS, StanceModel
from .stance_examples import StanceExample, derived, ours, public
from .stance_features import BUCKETS, NAMES, Pair, pair

FOLDS = 5
WEIGHT = {"pilpres": 1.0, "ours": 4.0, "derived": 0.2}
"""How much a row of each source counts: ours are few and labelled by our guide, the derived ones are crude."""

STRENGTH = 0.5
DENSE_SCALE = 0.3
"""The scaled features among n-gram vectors of length one: larger, and they escape the penalty."""

TAKEN = 0.1
"""Share of the held-back corrections that may be acted upon as spreading; sets `spreads_from`."""

DATA = [
    {
        "set": "stance/pilpres_2019.csv",
        "origin": "rayansuryadikara/false_news_detection_and_dissemination_analysis",
        "licence": "none stated",
    },
    {
        "set": "claims/turnbackhoax_2015_2020.csv, titles and posts",
        "origin": "TurnBackHoax (Mafindo) by ode21/Political-Hoax-Detection",
        "licence": "none stated",
    },
    {
        "set": "claims/turnbackhoax_2024_jan_aug.csv, titles and posts",
        "origin": "TurnBackHoax (Mafindo) by alharkan7/turnbackhoax-analysis",
        "licence": "none stated",
    },
    {
        "set": "classifier/data/stance.csv (part train), stance_frames.csv",
        "origin": "ours, invented",
        "licence": "Apache-2.0",
    },
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Read:
    """Examples as the model sees them."""

    examples: list[StanceExample]
    pairs: list[Pair]
    wanted: Ints  # places in STANCES
    fold: Ints  # of the public set's topics 0..FOLDS-1; -1 for rows that are never held back

    @classmethod
    def of(cls, examples: list[StanceExample]) -> "Read":
        wanted = np.array([STANCES.index(e.stance) for e in examples])
        folds = fold_of({e.topic for e in examples if e.source == "pilpres"})
        fold = np.array([folds[e.topic] if e.source == "pilpres" else -1 for e in examples])
        return cls(examples, [pair(e.claim, e.text) for e in examples], wanted, fold)


def fold_of(topics: set[str]) -> dict[str, int]:
    """Return each topic's fold: shuffled with a fixed seed, dealt in turn."""
    order = np.random.default_rng(0).permutation(len(topics))
    named = sorted(topics)
    return {named[place]: turn % FOLDS for turn, place in enumerate(order)}


def fit(read: Read, chosen: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray[np.generic]]:
    """Return the arrays of a model fitted on the chosen rows, as they are shipped."""
    places = np.flatnonzero(chosen)
    dense = np.stack([read.pairs[place].dense for place in places]).astype(np.float64)
    mean, scale = dense.mean(axis=0), np.maximum(dense.std(axis=0), 0.05) / DENSE_SCALE
    topic = np.array([read.pairs[place].topic for place in places], dtype=np.float64)
    own = np.c_[(dense - mean) / scale, np.ones(len(places)) * DENSE_SCALE]
    grams = _grams([read.pairs[place] for place in places])
    # Weights for all claims, and what is added to them where the claim is a topic of a few words.
    by_topic = sparse.diags(topic)
    matrix = sparse.hstack([sparse.csr_matrix(own), grams, by_topic @ sparse.csr_matrix(own), by_topic @ grams]).tocsr()
    wanted = read.wanted[places]
    weight = np.array([WEIGHT[read.examples[place].source] for place in places])
    share = np.array([weight[wanted == label].sum() for label in range(len(STANCES))])
    weight = weight * (weight.sum() / len(STANCES) / np.maximum(share, 1e-9))[wanted]
    # Columns that no row fills would stay at nothing: leaving them out changes nothing and saves most of the time.
    filled = np.flatnonzero(matrix.getnnz(axis=0))
    model = LogisticRegression(C=STRENGTH, max_iter=400).fit(matrix[:, filled], wanted, sample_weight=weight)
    fitted = np.zeros((matrix.shape[1], len(STANCES)))
    fitted[filled] = model.coef_.T
    for_all, more = np.split(fitted, 2)
    both = np.stack([for_all, for_all + more])
    return {
        "mean": mean.astype(np.float32),
        "scale": scale.astype(np.float32),
        "dense": both[:, : len(NAMES)].astype(np.float32),
        "bias": (both[:, len(NAMES)] * DENSE_SCALE + model.intercept_).astype(np.float32),
        "grams": both[:, len(NAMES) + 1 :].astype(np.float16),
    }


def _grams(pairs: list[Pair]) -> sparse.csr_matrix:
    ends = np.cumsum([0] + [len(one.places) for one in pairs])
    values = np.concatenate([one.values for one in pairs])
    places = np.concatenate([one.places for one in pairs])
    return sparse.csr_matrix((values, places, ends), shape=(len(pairs), BUCKETS))


def score(arrays: dict[str, npt.NDArray[np.generic]], pairs: Sequence[Pair]) -> Floats:
    """Return logits `(n, 3)` of pairs already read."""
    model = StanceModel({"files": {}, "temperature": 1.0, "spreads_from": 0.0}, arrays)
    return np.stack([model.logits(one) for one in pairs])


def held_back(read: Read) -> Floats:
    """Return logits of the public set's rows, each by a model that has not seen its topic; NaN for others."""
    logits = np.full((len(read.examples), len(STANCES)), np.nan)
    train = np.array([e.part == "train" for e in read.examples])
    for fold in range(FOLDS):
        test = np.flatnonzero(read.fold == fold)
        if len(test):
            logits[test] = score(fit(read, train & (read.fold != fold)), [read.pairs[place] for place in test])
            print(f"fold {fold + 1} of {FOLDS}: {len(test)} rows of unseen topics", file=sys.stderr, flush=True)
    return logits


def temperature_of(logits: Floats, wanted: Ints) -> float:
    """Return the temperature at which these logits are least surprised (Guo et al. 2017)."""

    def surprise(temperature: float) -> float:
        return float(-np.log(softmax(logits, temperature)[np.arange(len(wanted)), wanted] + 1e-12).mean())

    return min((round(0.05 * step, 2) for step in range(10, 81)), key=surprise)


def softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    raised = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    shared: Floats = raised / raised.sum(axis=1, keepdims=True)
    return shared


def spreads_from(scores: Floats, wanted: Ints) -> float:
    """Return the lowest score of "spreads" that at most TAKEN of the corrections reach as their best."""
    corrections = wanted == STANCES.index("debunks")
    best = scores.argmax(axis=1) == 0
    for threshold in np.arange(0.34, 0.95, 0.01):
        if (best & corrections & (scores[:, 0] >= threshold)).sum() <= TAKEN * corrections.sum():
            return round(float(threshold), 2)
    return 0.95


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m classifier.stance_fit", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with stance/ and claims/")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder for the weights and their manifest")
    parser.add_argument("--seed", type=int, default=17, help="of the derived pairs")
    parser.add_argument("--limit", type=int, help="rows a source, for a quick try")
    args = parser.parse_args(argv)
    if not args.data.is_dir():
        print(f"--data: no such folder: {args.data}", file=sys.stderr)
        return 2
    try:
        sources = [public(args.data), ours(), derived(args.data, args.seed)]
    except (OSError, KeyError) as error:
        print(f"--data: {error}", file=sys.stderr)
        return 2
    read = Read.of([example for source in sources for example in _some(source, args.limit)])
    logits = held_back(read)
    known = ~np.isnan(logits[:, 0])
    temperature = temperature_of(logits[known], read.wanted[known])
    least = spreads_from(softmax(logits[known], temperature), read.wanted[known])
    arrays = fit(read, np.array([e.part == "train" for e in read.examples]))
    write(args.out, arrays, temperature, least, {"seed": args.seed, "limit": args.limit, "rows": len(read.examples)})
    print(f"written to {args.out}; temperature {temperature}, spreads from {least}", file=sys.stderr)
    return 0


def _some(examples: list[StanceExample], limit: int | None) -> list[StanceExample]:
    # Spread over the whole file: its first rows are of a few topics only.
    return examples if limit is None else examples[:: max(1, len(examples) // limit)][:limit]


def write(
    folder: Path,
    arrays: dict[str, npt.NDArray[np.generic]],
    temperature: float,
    least: float,
    training: dict[str, int | None],
) -> None:
    """Write weights and manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / WEIGHTS, **arrays)  # type: ignore[arg-type,unused-ignore]
    text = {
        "model": "jaga-ruang stance",
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "weights_licence": "as the classifier's: see ../README.md",
        "data": DATA,
        "training": training,
        "stances": list(STANCES),
        "temperature": temperature,
        "spreads_from": least,
        "files": {WEIGHTS: {"sha256": sha256(folder / WEIGHTS), "bytes": (folder / WEIGHTS).stat().st_size}},
    }
    (folder / MANIFEST).write_text(json.dumps(text, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
