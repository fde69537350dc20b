"""The shipped engine against a plain transformers pipeline: `python -m classifier.bench --data PATH --base
PATH`.

Same texts, same threads, same run. Two pipelines: "base" is what one would do first, the twelve-layer base
model as a text-classification pipeline; "same" runs our own few layers that way, so that the engine is told
apart from the smaller model. Needs the [train] extra.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import datasets
from .datasets import rows
from .engine import Classifier, cpus
from .manifest import SHIPPED


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m classifier.bench", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True, help="folder of the base encoder")
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--threads", type=int, default=cpus())
    parser.add_argument("--rounds", type=int, default=3, help="the engines take turns; the median counts")
    args = parser.parse_args(argv)
    print(json.dumps(compare(args.data, args.base, args.model, args.texts, args.threads, args.rounds), indent=1))
    return 0


def compare(data: Path, base: Path, model: Path, count: int, threads: int, rounds: int) -> dict[str, Any]:
    texts = [text for text, _ in datasets.folds(data, "test")][:count]
    ordinary = rows(data / "ordinary" / "pilpres_2024_debates.csv")
    texts += [row["text"] for row in ordinary[: count - len(texts)]]
    classifier = Classifier.load(model, threads=threads)
    plain = pipeline_of(base, threads)
    same = pipeline_of(base, threads, layers=int(classifier.manifest.text["training"]["layers"]))
    few = texts[: max(32, count // 8)]
    contenders: dict[str, tuple[Callable[[], object], int]] = {
        "shipped, one call": (lambda: classifier.judge(texts), len(texts)),
        "shipped, calls of 32": (
            lambda: [classifier.judge(texts[i : i + 32]) for i in range(0, len(texts), 32)],
            len(texts),
        ),
        "shipped, calls of 1": (lambda: [classifier.judge([text]) for text in few], len(few)),
        "transformers base, batch 1": (lambda: plain(few, batch_size=1), len(few)),
        "transformers base, batch 32": (lambda: plain(few, batch_size=32), len(few)),
        "transformers same layers, batch 1": (lambda: same(few, batch_size=1), len(few)),
        "transformers same layers, batch 32": (lambda: same(few, batch_size=32), len(few)),
    }
    classifier.judge(texts[:64])
    plain(few[:4], batch_size=4)
    same(few[:4], batch_size=4)
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, (work, number) in contenders.items():
            started = time.perf_counter()
            work()
            taken[name].append(number / (time.perf_counter() - started))
    pace = {name: sorted(found)[len(found) // 2] for name, found in taken.items()}
    best_plain = max(pace["transformers base, batch 1"], pace["transformers base, batch 32"])
    best_same = max(pace["transformers same layers, batch 1"], pace["transformers same layers, batch 32"])
    return {
        "threads": threads,
        "texts": len(texts),
        "texts/s (median)": {name: round(value, 1) for name, value in pace.items()},
        "times the plain pipeline at its better batch size": round(pace["shipped, one call"] / best_plain, 2),
        "the same, with our layers in that pipeline": round(pace["shipped, one call"] / best_same, 2),
        "share of time outside the model": round(outside(classifier, texts), 3),
    }


def pipeline_of(base: Path, threads: int, layers: int | None = None) -> Any:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

    torch.set_num_threads(threads)
    model = AutoModelForSequenceClassification.from_pretrained(base, dtype="float32", num_labels=10)
    if layers:
        model.bert.encoder.layer = model.bert.encoder.layer[:layers]
    tokenizer = AutoTokenizer.from_pretrained(base)
    made = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu", top_k=None)

    def run(texts: list[str], batch_size: int) -> object:
        return list(made(texts, batch_size=batch_size, truncation=True, max_length=128))

    return run


def outside(classifier: Classifier, texts: list[str]) -> float:
    """Return the share of `judge` that is not the encoder: cleaning, tokenising, n-grams, calibration."""
    inside = 0.0
    forward = classifier.forward

    def timed(ids: Any) -> Any:
        nonlocal inside
        started = time.perf_counter()
        found = forward(ids)
        inside += time.perf_counter() - started
        return found

    classifier.forward = timed
    try:
        started = time.perf_counter()
        classifier.judge(texts)
        whole = time.perf_counter() - started
    finally:
        classifier.forward = forward
    return 1 - inside / whole


if __name__ == "__main__":
    raise SystemExit(main())
