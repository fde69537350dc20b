"""Keep the reference engine's scores of some sixty of our own texts: `python -m classifier.parity [--model
PATH]`.

The default installation has no torch; the golden scores let its tests hold the shipped engine to the
reference all the same. Needs the [train] extra.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from .datasets import ours
from .engine import Classifier
from .manifest import SHIPPED

UGLY = [
    "",
    "🙂",
    "a",
    "?",
    "WOY!!!!!!",
    "x" * 3_000,
    "hati-hati " * 400,
    "Ａｎｊｉｎｇ",
    "\u200bayo\u200b bakar",
    "[url]",
    "@user",
    "\ud800 tes",
    "1 2 3",
]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m classifier.parity", description=__doc__)
    parser.add_argument("--model", type=Path, default=SHIPPED)
    args = parser.parse_args(argv)
    texts = UGLY + [example.text for example in ours()][::16]
    judged = Classifier.load(args.model, engine="torch").judge(texts, first_stage=False)
    rows = [{"text": text, "scores": one.scores} for text, one in zip(texts, judged, strict=True)]
    path = args.model / "parity.json"
    path.write_text(json.dumps({"engine": "torch", "rows": rows}, indent=0) + "\n", encoding="utf-8")
    print(f"{path}: {len(rows)} texts")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
