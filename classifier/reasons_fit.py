"""Distil a model's reasons: `python -m classifier.reasons_fit --data PATH --model PATH --write`.

Judges the training texts, fits a linear reader of words to the model's fused logits (ridge, one a label), embeds our
own rows for "nearest examples", and measures on texts that were held out how far the cheap attribution agrees with
occlusion by the model itself. `--write` puts `reasons.npz` beside the weights and the figures into the manifest.
Needs the [train] extra.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse  # type: ignore[import-untyped]
from sklearn.linear_model import Ridge

from . import datasets, measures
from .datasets import OURS
from .engine import Classifier
from .labels import LABELS
from .manifest import MANIFEST, SHIPPED, ModelError
from .reasons import BUCKETS, FILE, Reasons, chosen, occluded, places_of, save, words_of
from .sheet import BadSet, read
from .text import clean

STRENGTH = 3.0
SEED = 17
CHECKED = 200


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m classifier.reasons_fit", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--texts", type=int, default=12_000, help="training texts to learn from, at most")
    parser.add_argument("--check", type=int, default=CHECKED, help="held-out texts on which occlusion is asked")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args(argv)
    try:
        classifier = Classifier.load(args.model)
        examples = datasets.load(args.data)
    except (ModelError, BadSet, OSError) as error:
        print(f"reasons_fit: {error}", file=sys.stderr)
        return 2
    chance = random.Random(SEED)  # noqa: S311 (not a secret)
    train = sorted({e.text for e in examples if e.split == "train" and e.text})
    held = sorted({e.text for e in examples if e.split == "test" and e.text})
    chance.shuffle(train)
    chance.shuffle(held)
    kept = distilled(classifier, train[: args.texts])
    reasons = Reasons(kept, classifier.respelling)
    figures = agreement(classifier, reasons, held, args.check)
    print(json.dumps(figures, indent=1))
    if args.write:
        save(args.model / FILE, **kept)
        path = args.model / MANIFEST
        manifest = json.loads(path.read_text(encoding="utf-8"))
        manifest["metrics"]["reasons"] = figures
        path.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


def distilled(classifier: Classifier, texts: list[str]) -> dict[str, Any]:
    """Return the tables of `reasons.npz`."""
    labels = tuple(label for label in LABELS if label in classifier.manifest.bands)
    judged = classifier.judge(texts)
    scores = np.array([[one.scores[label] for label in labels] for one in judged]).clip(1e-4, 1 - 1e-4)
    model = Ridge(alpha=STRENGTH, solver="lsqr", max_iter=200).fit(_matrix(texts), np.log(scores / (1 - scores)))
    rows = [row for row in read(OURS / "written.csv", "id", "text", "part") if row["part"] == "train"]
    vectors = classifier.embed([row["text"] for row in rows])
    owned = np.array([[row.get(label) == "1" for label in labels] for row in rows])
    return {
        "labels": np.array(labels),
        "weights": np.atleast_2d(model.coef_).T.astype(np.float16),
        "ids": np.array([row["id"] for row in rows]),
        "texts": np.array([row["text"] for row in rows]),
        "owned": owned,
        "vectors": np.round(vectors * 127).astype(np.int8),
        "near": np.float32(_nearness(vectors)),
        "model": np.array(classifier.manifest.files["model.onnx"]),
    }


def _nearness(vectors: Any) -> float:
    """Return the likeness that half of our rows have to their nearest other row."""
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -1)
    return float(np.median(likeness.max(axis=1)))


def _matrix(texts: list[str]) -> sparse.csr_matrix:
    rows = []
    for text in texts:
        found = [places_of(word) for word in words_of(clean(text))]
        places, counts = np.unique(np.concatenate(found) if found else np.empty(0, np.int64), return_counts=True)
        rows.append((places, counts / np.sqrt(max(1, len(places)))))
    ends = np.cumsum([0] + [len(places) for places, _ in rows])
    values, places = np.concatenate([v for _, v in rows]), np.concatenate([p for p, _ in rows])
    return sparse.csr_matrix((values, places, ends), shape=(len(texts), BUCKETS))


def agreement(classifier: Classifier, reasons: Reasons, texts: list[str], count: int) -> dict[str, Any]:
    """Return how often cheap and dear attribution name the same words, on so many texts with a `yes`, and their time.

    "first word found": the word whose absence takes most is among the cheap way's words. "words shared": of the
    words that occlusion names, the share that the cheap way names too. "by chance": the first with words drawn at
    random.
    """
    judged = zip(texts, classifier.judge(texts[: 20 * count]), strict=False)
    flagged = [(t, one) for t, one in judged if "yes" in one.decisions.values() and len(words_of(clean(t))) >= 4][
        :count
    ]
    first, shared, chance, dear_s, cheap_s = [], [], [], 0.0, 0.0
    for text, one in flagged:
        began = time.perf_counter()
        dear = occluded(classifier, text)
        dear_s += time.perf_counter() - began
        began = time.perf_counter()
        whys = reasons.explain([text], [one])[0]
        cheap_s += time.perf_counter() - began
        for why in whys:
            true = chosen(dear[why.label])
            if true:
                first.append(float(true[0] in why.words))
                shared.append(len(set(true) & set(why.words)) / len(true))
                chance.append(min(1.0, len(why.words) / len({word for word, _ in dear[why.label]})))
    size = max(1, len(flagged))
    return {
        "texts": len(flagged),
        "labels": len(first),
        "first word found": measures.told(measures.mean, np.array(first)),
        "words shared": measures.told(measures.mean, np.array(shared)),
        "by chance": round(float(np.mean(chance or [0])), 4),
        "ms a text, distilled": round(1000 * cheap_s / size, 2),
        "ms a text, occlusion": round(1000 * dear_s / size, 1),
    }


if __name__ == "__main__":
    raise SystemExit(main())
