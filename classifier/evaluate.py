"""Measure a model through the public API: `python -m classifier.evaluate --data PATH [--model PATH]
[--write]`.

Prints the table; `--write` keeps the figures in the manifest and writes docs/model/metrics.md and the
model's card. The n-gram model, the encoder and the calibration have seen none of the texts measured here.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import datasets
from .card import card, table
from .engine import Classifier, Judgement
from .labels import LABELS, TARGETS
from .manifest import MANIFEST, SHIPPED

Row = dict[str, Any]
Values = npt.NDArray[np.float64]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m classifier.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--engine", choices=("onnx", "torch"), default="onnx")
    parser.add_argument(
        "--write", action="store_true", help="keep the figures in the manifest, the card and docs/model"
    )
    parser.add_argument("--docs", type=Path, default=Path("docs/model"))
    args = parser.parse_args(argv)
    classifier = Classifier.load(args.model, engine=args.engine)
    told = measure(classifier, args.data)
    print(table(told))
    if args.write:
        path = args.model / MANIFEST
        manifest = json.loads(path.read_text(encoding="utf-8"))
        manifest["metrics"] = {**manifest["metrics"], **told}
        path.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        (args.model / "README.md").write_text(card(manifest, classifier.model_id), encoding="utf-8")
        args.docs.mkdir(parents=True, exist_ok=True)
        (args.docs / "metrics.md").write_text("# What the shipped model scores\n\n" + table(told), encoding="utf-8")
    return 0


def measure(classifier: Classifier, data: Path) -> dict[str, Any]:
    """Return every figure by its name; shares are 0..1."""
    judged: dict[str, Judgement] = {}

    def judge(texts: list[str]) -> list[Judgement]:
        new = [text for text in dict.fromkeys(texts) if text not in judged]
        judged.update(zip(new, classifier.judge(new), strict=True))
        return [judged[text] for text in texts]

    fold = datasets.folds(data, "test")
    examples = [e for e in datasets.load(data) if e.split == "test"]
    told: dict[str, Any] = {"hate": {}}
    told["hate"]["fold 0 test, as published"] = label_row(
        judge([t for t, _ in fold]), [float(y) for _, y in fold], "hate"
    )
    for source in ("groups", "javanese", "sundanese", "ours"):
        chosen = [e for e in examples if e.source == source]
        told["hate"][source] = label_row(judge([e.text for e in chosen]), [e.labels[0] for e in chosen], "hate")
    for place, label in enumerate(LABELS[1:], start=1):
        told[label] = {}
        for source in ("ibrohim", "javanese", "sundanese", "ours"):
            chosen = [e for e in examples if e.source == source and not np.isnan(e.labels[place])]
            if any(e.labels[place] for e in chosen):
                told[label][source] = label_row(
                    judge([e.text for e in chosen]), [e.labels[place] for e in chosen], label
                )
    chosen = [e for e in examples if e.source == "ibrohim"]
    found = judge([e.text for e in chosen])
    told["targets"] = {}
    for place, target in enumerate(TARGETS, start=len(LABELS)):
        wanted = np.array([e.labels[place] for e in chosen])
        told["targets"][target] = f1_row(np.array([target in j.targets for j in found], dtype=float), wanted)
    told["functional cases"] = functional(judge, data)
    told["ordinary"] = ordinary(judge, data)
    return told


def label_row(judged: list[Judgement], wanted: Sequence[float], label: str) -> Row:
    truth = np.array(wanted)
    known = ~np.isnan(truth)
    scores = np.array([j.scores[label] for j in judged])[known]
    decided = np.array([j.decisions[label] for j in judged])[known]
    truth = truth[known]
    row = f1_row((decided == "yes").astype(float), truth)
    row["F1 if unsure counts as yes"] = f1_row((decided != "no").astype(float), truth)["F1"]
    row["unsure"] = round(float((decided == "unsure").mean()), 4)
    row["ECE"] = round(calibration_error(scores, truth), 4)
    return row


def f1_row(said: Values, truth: Values) -> Row:
    right = float((said * truth).sum())
    precision = right / said.sum() if said.sum() else 0.0
    recall = right / truth.sum() if truth.sum() else 0.0
    f1 = 2 * right / (said.sum() + truth.sum()) if said.sum() + truth.sum() else 0.0
    return {
        "rows": len(truth), "positive": int(truth.sum()), "F1": round(f1, 4),
        "precision": round(float(precision), 4), "recall": round(float(recall), 4),
    }  # fmt: skip


def calibration_error(scores: Values, truth: Values, bins: int = 10) -> float:
    """Return the expected calibration error over bins of equal width (Guo et al. 2017,
    https://arxiv.org/abs/1706.04599).
    """
    place = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = [
        (place == b).mean() * abs(scores[place == b].mean() - truth[place == b].mean())
        for b in range(bins)
        if (place == b).any()
    ]
    return float(sum(gaps))


def functional(judge: Callable[[list[str]], list[Judgement]], data: Path) -> dict[str, Row]:
    """Return, by function, how often the decision is right: "yes" on hateful cases, not "yes" on the
    others.
    """
    rows = datasets.rows(data / "hate" / "functional_cases_silver.csv")
    said = np.array([j.decisions["hate"] == "yes" for j in judge([row["text"] for row in rows])])
    hateful = np.array([row["label"] == "hateful" for row in rows])
    by: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        by[row["function"]].append(place)
    told = {
        name: {"rows": len(p), "right": round(float((said == hateful)[p].mean()), 4)} for name, p in sorted(by.items())
    }
    positive = f1_row(said.astype(float), hateful.astype(float))["F1"]
    negative = f1_row((~said).astype(float), (~hateful).astype(float))["F1"]
    told["macro F1 of all"] = {"rows": len(rows), "right": round((positive + negative) / 2, 4)}
    return told


def ordinary(judge: Callable[[list[str]], list[Judgement]], data: Path) -> dict[str, Row]:
    """Return how many ordinary posts each label flags; almost all of them must raise no alert."""
    sets = {
        name: [row["text"] for row in datasets.rows(data / "ordinary" / f"{name}.csv")]
        for name in ("pilkada_dki_2017", "pilpres_2024", "pilpres_2024_debates")
    }
    sets["reviews (held out)"] = datasets.held_out_reviews(data)
    told = {}
    for name, texts in sets.items():
        found = judge(texts)
        told[name] = {"rows": len(texts)} | {
            f"{label} {decision}": round(float(np.mean([j.decisions[label] == decision for j in found])), 5)
            for label in ("hate", "provocation")
            for decision in ("yes", "unsure")
        }
    return told


if __name__ == "__main__":
    raise SystemExit(main())
