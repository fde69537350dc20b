"""Read by hand what the model flags: `python -m classifier.read_flagged --data PATH --out FILE`, later
`--score FILE --by NAME [--write]`.

Draws election posts that the model says `hate` or `provocation` = yes of, from those that training has not read, into a
CSV for a person: text, label, score, and an empty column `right` for 1, 0 or ? (cannot be told). The file holds other
people's posts, so it may not lie in this repository. Scoring a filled file prints how many were right, with a 95 %
interval; `--write` keeps that in the manifest for the table of goals.
"""

import argparse
import csv
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import exams, measures
from .engine import Classifier
from .evaluate import ACCUSING, read_by_training
from .exams import ELECTIONS
from .manifest import MANIFEST, SHIPPED, ModelError
from .sheet import BadSet, read

SEED = 20241127
COLUMNS = ("number", "set", "label", "score", "text", "right", "note", "model")
REPOSITORY = Path(__file__).resolve().parents[1]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m classifier.read_flagged", description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--n", type=int, default=200, help="posts to draw")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, help="CSV to write, outside the repository")
    parser.add_argument("--score", type=Path, help="the CSV when it was read")
    parser.add_argument("--by", help="who read it")
    parser.add_argument("--write", action="store_true", help="keep the score in the model's manifest")
    args = parser.parse_args(argv)
    if bool(args.score) == bool(args.out and args.data):
        parser.error("either --data and --out, to draw, or --score")
    if args.score and args.write and not args.by:
        parser.error("--write: who read it? --by NAME")
    try:
        classifier = Classifier.load(args.model)
        if args.score:
            figures = score(args.score, classifier.model_id) | ({"by": args.by} if args.by else {})
            print(json.dumps(figures, indent=1))
            if args.write:
                keep(args.model / MANIFEST, figures)
            return 0
        if args.out.resolve().is_relative_to(REPOSITORY):
            raise BadSet(f"{args.out}: lies in the repository, where nobody else's posts may")
        drawn = draw(classifier, args.data, args.n, args.seed)
        with args.out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(drawn)
        print(f"{len(drawn)} posts in {args.out}: fill the column right with 1, 0 or ?")
    except (ModelError, BadSet, OSError) as error:
        print(f"read_flagged: {error}", file=sys.stderr)
        return 2
    return 0


def draw(classifier: Classifier, data: Path, count: int, seed: int) -> list[dict[str, Any]]:
    """Return so many flagged posts, the same for the same model, data and seed; all of them where there are fewer."""
    fold = int(classifier.manifest.text.get("training", {}).get("fold") or 0)
    trained, calibrated, _ = read_by_training(classifier, data, fold)
    posts = [
        (name, text)
        for name, texts in exams.ordinary(data).items()
        if name in ELECTIONS
        for text in texts
        if text not in trained and text not in calibrated
    ]
    flagged = []
    for (name, text), one in zip(posts, classifier.judge([text for _, text in posts]), strict=True):
        said = [label for label in ACCUSING if one.decisions.get(label) == "yes"]
        if said:
            told = " ".join(f"{label} {one.scores[label]:.3f}" for label in said)
            flagged.append({"set": name, "label": " ".join(said), "score": told, "text": text})
    random.Random(seed).shuffle(flagged)  # noqa: S311 (not a secret)
    return [
        {"number": number, **row, "right": "", "note": "", "model": classifier.model_id}
        for number, row in enumerate(flagged[:count], start=1)
    ]


def score(path: Path, model_id: str) -> dict[str, Any]:
    """Return rows, those that could not be told, and the share that is right of the others.

    Raises BadSet for a row that was not read, and for a file that another model drew.
    """
    rows = read(path, *COLUMNS)
    for row in rows:
        if row["right"] not in ("0", "1", "?"):
            raise BadSet(f"{path}: number {row['number']}, column right: {row['right']!r} is none of 1, 0 and ?")
        if row["model"] != model_id:
            raise BadSet(f"{path}: number {row['number']}: drawn by model {row['model']}, this one is {model_id}")
    told = np.array([float(row["right"]) for row in rows if row["right"] != "?"])
    return {
        "rows": len(rows),
        "could not be told": len(rows) - len(told),
        "right": measures.told(measures.mean, told),
        "model": model_id,
    }


def keep(path: Path, figures: dict[str, Any]) -> None:
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["metrics"]["reading"] = figures
    path.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
