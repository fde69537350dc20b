"""How well the stance model does: `python -m classifier.stance_evaluate --data PATH`. Needs the [train] extra.

The public set is judged by models that have not seen the topic (five folds); our own pairs by the shipped
model, on topics that no training has seen; and each set by a model that has seen nothing of the other. Both
are weak evidence in their own way: the public labels say what is true and not only what a text does, and our
pairs were written by whoever wrote the guide.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .stance import STANCES, StanceModel
from .stance_examples import derived, ours, public
from .stance_fit import Floats, Ints, Read, fit, held_back, score, softmax

DRAWS = 1_000
SPREADS, DEBUNKS = 0, 1


def macro_f1(said: Ints, wanted: Ints, classes: int = len(STANCES)) -> float:
    """Return the mean F1 over the first `classes` stances."""
    return float(np.mean([_f1(said, wanted, label) for label in range(classes)]))


def _f1(said: Ints, wanted: Ints, label: int) -> float:
    hit = int(((said == label) & (wanted == label)).sum())
    return 2 * hit / max(1, int((said == label).sum()) + int((wanted == label).sum()))


def figures(scores: Floats, wanted: Ints, topics: Sequence[str], least: float, seed: int = 0) -> dict[str, Any]:
    """Return what is told of one set. `scores` are `(n, 3)`; intervals are 95 %, drawn over whole topics.

    "two" looks at the rows that spread or debunk alone and asks which of the two scores is higher: so the
    published figures of this set were made.
    """
    said = scores.argmax(axis=1)
    two = wanted < 2
    told: dict[str, Any] = {
        "rows": len(wanted),
        "macro F1": round(macro_f1(said, wanted), 3),
        "macro F1, interval": _interval(scores, wanted, topics, seed, two=False),
        "two, macro F1": round(macro_f1(scores[two, :2].argmax(axis=1), wanted[two], 2), 3),
        "two, interval": _interval(scores[two, :2], wanted[two], [t for t, k in zip(topics, two, strict=True) if k], seed, two=True),
        "F1": {name: round(_f1(said, wanted, label), 3) for label, name in enumerate(STANCES)},
        "confusion, rows wanted": [
            [int(((wanted == row) & (said == column)).sum()) for column in range(3)] for row in range(3)
        ],
        "calibration error": round(calibration_error(scores, wanted), 3),
    }  # fmt: skip
    acted = (said == SPREADS) & (scores[:, SPREADS] >= least)
    for name, taken in (("best score", said == SPREADS), ("acted upon", acted)):
        told[f"spreads, {name}"] = {
            "precision": round(float((wanted[taken] == SPREADS).mean()), 3) if taken.any() else None,
            "recall": round(float(taken[wanted == SPREADS].mean()), 3),
            "corrections taken for it": round(float(taken[wanted == DEBUNKS].mean()), 3),
        }
    return told


def calibration_error(scores: Floats, wanted: Ints, bins: int = 10) -> float:
    """Return the mean gap, over the three scores, between what is said and how often it holds (ECE)."""
    gaps = []
    for label in range(scores.shape[1]):
        place = np.minimum((scores[:, label] * bins).astype(int), bins - 1)
        held = (wanted == label).astype(float)
        gaps.append(
            sum(
                abs(float(scores[place == at, label].mean() - held[place == at].mean())) * float((place == at).mean())
                for at in set(place.tolist())
            )
        )
    return float(np.mean(gaps))


def _interval(scores: Floats, wanted: Ints, topics: Sequence[str], seed: int, *, two: bool) -> list[float]:
    chance = np.random.default_rng(seed)
    rows: dict[str, list[int]] = {}
    for place, topic in enumerate(topics):
        rows.setdefault(topic, []).append(place)
    groups = [np.array(places) for places in rows.values()]
    said = scores.argmax(axis=1)
    found = []
    for _ in range(DRAWS):
        drawn = np.concatenate([groups[at] for at in chance.integers(0, len(groups), len(groups))])
        found.append(macro_f1(said[drawn], wanted[drawn], 2 if two else 3))
    low, high = np.percentile(found, [2.5, 97.5])
    return [round(float(low), 3), round(float(high), 3)]


def evaluate(data: Path, model: StanceModel, seed: int = 17) -> dict[str, dict[str, Any]]:
    """Return the figures of each set; raises FileNotFoundError where the folder `data` lacks one."""
    read = Read.of([*public(data), *ours(), *derived(data, seed)])
    source = np.array([e.source for e in read.examples])
    test = np.array([e.part == "test" for e in read.examples])
    temperature, least = float(model.manifest["temperature"]), model.spreads_from

    def told(chosen: npt.NDArray[np.bool_], logits: Floats) -> dict[str, Any]:
        places = np.flatnonzero(chosen)
        topics = [read.examples[place].topic for place in places]
        return figures(softmax(logits, temperature), read.wanted[places], topics, least)

    own, rumours = (source == "ours") & test, source == "pilpres"
    without_rumours = fit(read, ~rumours & ~test)
    without_ours = fit(read, source != "ours")
    pick = {"own": _pairs(read, own), "rumours": _pairs(read, rumours)}
    return {
        "pilpres_2019, topics held back": told(rumours, held_back(read)[rumours]),
        "pilpres_2019, trained without it": told(rumours, score(without_rumours, pick["rumours"])),
        "own pairs, part test": told(own, np.stack([model.logits(one) for one in pick["own"]])),
        "own pairs, trained without ours": told(own, score(without_ours, pick["own"])),
    }


def _pairs(read: Read, chosen: npt.NDArray[np.bool_]) -> list[Any]:
    return [read.pairs[place] for place in np.flatnonzero(chosen)]


def table(told: dict[str, dict[str, Any]]) -> str:
    """Return the figures as a Markdown table."""
    lines = [
        "| set | rows | macro F1 | two stances | F1 spreads, debunks, neither | calibration error | acted upon as "
        "spreading: precision, recall | corrections so taken |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, one in told.items():
        acted = one["spreads, acted upon"]
        lines.append(
            f"| {name} | {one['rows']} | {one['macro F1']} ({_span(one['macro F1, interval'])}) "
            f"| {one['two, macro F1']} ({_span(one['two, interval'])}) | {', '.join(map(str, one['F1'].values()))} "
            f"| {one['calibration error']} | {acted['precision']}, {acted['recall']} | {acted['corrections taken for it']} |"
        )
    return "\n".join(lines) + "\n"


def _span(interval: list[float]) -> str:
    return f"{interval[0]} to {interval[1]}"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m classifier.stance_evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with stance/ and claims/")
    parser.add_argument("--model", type=Path, help="folder of a stance model; the shipped one by default")
    parser.add_argument("--json", action="store_true", help="all figures, for machines")
    args = parser.parse_args(argv)
    try:
        told = evaluate(args.data, StanceModel.load(args.model))
    except OSError as error:
        print(f"--data: {error}", file=sys.stderr)
        return 2
    sys.stdout.write(json.dumps(told, indent=1) + "\n" if args.json else table(told))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
