"""Fit and measure claim matching: `python -m classifier.claims_fit --data PATH [--model PATH] [--base PATH]
[--write]`.

Split by time: the fusion's weights and the thresholds come from posts of January to March 2024 and from
half of the ordinary posts; recall and false alarms are told for April to August and for the other half. A
post is searched among the titles of its day and earlier. `--base` adds the base model's own embedding for
comparison; `--write` keeps the thresholds in the manifest. Needs the [train] extra.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from . import claims as matching
from . import datasets
from .claims import FEATURES, ClaimIndex, ClaimText
from .engine import Classifier
from .manifest import MANIFEST, SHIPPED
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
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--base", type=Path, help="folder of the base encoder, for comparison")
    parser.add_argument("--write", action="store_true", help="keep the thresholds and figures in the manifest")
    args = parser.parse_args(argv)
    classifier = Classifier.load(args.model)
    old, new, queries = read(args.data)
    ordinary = ordinary_posts(args.data)
    told = measure(old, new, queries, ordinary, classifier.embed)
    if args.base:
        told["base_embedding_alone"] = measure(old, new, queries, [], base_embed(args.base))["embedding_alone"]
    print(json.dumps(told, indent=1))
    if args.write:
        path = args.model / MANIFEST
        manifest = json.loads(path.read_text(encoding="utf-8"))
        manifest["claims"] = {name: told["thresholds"][name] for name in ("yes", "unsure")}
        manifest["metrics"]["claims"] = told
        path.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


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


def ordinary_posts(data: Path) -> list[str]:
    names = ("pilkada_dki_2017", "pilpres_2024", "pilpres_2024_debates", "reviews")
    return [row["text"] for name in names for row in datasets.rows(data / "ordinary" / f"{name}.csv")]


def measure(
    old: list[ClaimText],
    new: list[ClaimText],
    queries: list[Query],
    ordinary: list[str],
    embed: Callable[[Sequence[str]], Floats],
) -> dict[str, Any]:
    index = ClaimIndex.build(old, embed)
    titles = {claim.id: clean(claim.text).lower() for claim in (*old, *new)}
    vectors = embed([query.text for query in queries])
    told: dict[str, Any] = {}
    fitting: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]] = []
    held: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]] = []
    for day, asked in by_day(queries):
        index.add([claim for claim in new if claim.date == day])
        cosines = vectors[[i for i, _ in asked]] @ index.vectors.T
        for (_, query), row in zip(asked, cosines, strict=True):
            places, features, contradicted = index.features(query.text, row)
            right = np.array([titles[index.ids[place]] == query.title for place in places])
            if query.day < SPLIT:
                fitting.append((features, right))
            held.append((features, right, contradicted))
    late = [one for one, query in zip(held, sorted(queries, key=lambda q: q.day), strict=True) if query.day >= SPLIT]
    told["posts"] = {"fitted_on": len(fitting), "measured_on": len(late)}
    told["words_alone"] = recall([(f[:, 4] + f[:, 0], r) for f, r, _ in late])
    told["embedding_alone"] = recall([(f[:, 3], r) for f, r, _ in late])
    if not ordinary:
        return told
    fit_half = [text for text in ordinary if datasets.bucket(text, 2) == 0]
    test_half = [text for text in ordinary if datasets.bucket(text, 2) == 1]
    negatives = [
        index.features(t, row)[1:] for t, row in zip(fit_half, cosine_rows(fit_half, embed, index), strict=True)
    ]
    x = np.concatenate([f for f, _ in fitting] + [f for f, _ in negatives[::4]])
    y = np.concatenate([r for _, r in fitting] + [np.zeros(len(f), dtype=bool) for f, _ in negatives[::4]])
    model = LogisticRegression(C=10.0, max_iter=2000, fit_intercept=False).fit(x, y)
    fusion = [round(float(value), 4) for value in model.coef_[0]]
    told["fusion"] = dict(zip(FEATURES, fusion, strict=True))
    matching.FUSION = tuple(fusion)
    told["fused"] = recall([(scored(f, c), r) for f, r, c in late])
    top = np.array([scored(f, c).max(initial=0) for f, c in negatives])
    thresholds = {
        # Never so low that a contradicted match could say yes.
        "yes": max(0.5, float(np.quantile(top, 1 - FALSE_YES))),
        "unsure": float(np.quantile(top, 1 - FALSE_UNSURE)),
    }
    told["thresholds"] = {name: round(value, 4) for name, value in thresholds.items()}
    alarms = np.array([
        scored(f, c).max(initial=0)
        for text, row in zip(test_half, cosine_rows(test_half, embed, index), strict=True)
        for f, c in (index.features(text, row)[1:],)
    ])  # fmt: skip
    best = np.array([scored(f, c).max() for f, _, c in late])
    correct = np.array([bool(r[int(np.argmax(scored(f, c)))]) for f, r, c in late])
    for name, value in thresholds.items():
        chosen = best >= value
        told[f"at_{name}"] = {
            "posts_matched_rightly": round(float((chosen & correct).mean()), 4),
            "posts_matched_wrongly": round(float((chosen & ~correct).mean()), 4),
            "ordinary_posts_matched": int((alarms >= value).sum()),
            "ordinary_posts": len(alarms),
            "ordinary_share": round(float((alarms >= value).mean()), 5),
        }
    return told


def scored(features: npt.NDArray[np.float64], contradicted: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    return matching.fused(features, contradicted)


def recall(ranked: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]]) -> dict[str, float]:
    """Return the share of posts with a right claim among the first 1, 5 and 10 of their candidates."""
    ranks = [np.flatnonzero(right[np.argsort(-score, kind="stable")]) for score, right in ranked]
    return {f"recall@{k}": round(float(np.mean([len(r) > 0 and r[0] < k for r in ranks])), 4) for k in (1, 5, 10)}


def by_day(queries: list[Query]) -> Iterator[tuple[date, list[tuple[int, Query]]]]:
    days: dict[date, list[tuple[int, Query]]] = {}
    for place, query in enumerate(queries):
        days.setdefault(query.day, []).append((place, query))
    yield from sorted(days.items())


def cosine_rows(texts: list[str], embed: Callable[[Sequence[str]], Floats], index: ClaimIndex) -> Iterator[Floats]:
    for start in range(0, len(texts), 500):
        yield from embed(texts[start : start + 500]) @ index.vectors.T


def base_embed(base: Path) -> Callable[[Sequence[str]], Floats]:
    """Return the base model's own `query: ` embedding, for comparison."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModel

    from .batch import padded

    model = AutoModel.from_pretrained(base, dtype="float32", add_pooling_layer=False).eval()
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(128)

    def embed(texts: Sequence[str]) -> Floats:
        pieces = [found.ids for found in tokenizer.encode_batch(["query: " + clean(text) for text in texts])]
        out = np.zeros((len(texts), model.config.hidden_size), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(pieces[i]))
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            for start in range(0, len(order), 64):
                chosen = order[start : start + 64]
                ids, mask = padded([pieces[i] for i in chosen])
                hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
                mean = (hidden * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
                out[chosen] = torch.nn.functional.normalize(mean, dim=1).numpy()
        return out

    return embed


if __name__ == "__main__":
    raise SystemExit(main())
