"""Does claim matching hold as claims grow? `python -m classifier.claims_scale --data PATH [--claims 100 10000 300000]`.

The real titles are joined by made ones, each the first half of one title and the second half of another: in the words of the trade,
about the same people and places, and never right. Posts of April to August 2024 are searched among all of them; those titles that
the posts name are in every size, so that recall can be compared, and sizes count real and made together.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from .claim_vectors import ClaimVectors
from .claims import ClaimIndex, ClaimText
from .claims_evaluation import SPLIT, Query, read, recall
from .text import clean

SEED = 17
POSTS = 300
MB = 1 << 20


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m classifier.claims_scale", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--claims", type=int, nargs="+", default=[100, 1_000, 10_000, 100_000, 300_000])
    parser.add_argument("--posts", type=int, default=POSTS, help="posts to search, drawn by chance")
    args = parser.parse_args(argv)
    old, new, queries = read(args.data)
    late = [query for query in queries if query.day >= SPLIT]
    late = random.Random(SEED).sample(late, min(args.posts, len(late)))  # noqa: S311 (a sample, not a secret)
    vectors = ClaimVectors.load()
    for told in measured([*old, *new], late, sorted(args.claims), vectors):
        print(json.dumps(told), flush=True)
    return 0


def measured(
    real: Sequence[ClaimText], queries: Sequence[Query], sizes: Sequence[int], vectors: ClaimVectors
) -> Iterator[dict[str, Any]]:
    """Yield for each size, smallest first: claims, recall at 1, 5 and 10, posts/s, claims added a second, and how much memory all of
    them take, MB. A size smaller than what the posts name is that.
    """
    named = {query.title for query in queries}
    right = {claim.id: title for claim in real if (title := clean(claim.text).lower()) in named}
    ordered = sorted(real, key=lambda claim: claim.id not in right)  # those that are right come first
    before = psutil.Process().memory_info().rss
    index = ClaimIndex(vectors)
    source = _real_and_made(ordered)
    for size in sizes:
        due = [next(source) for _ in range(max(size, len(right)) - len(index))]
        began = time.perf_counter()
        index.add(due)
        added = time.perf_counter() - began
        began = time.perf_counter()
        found = index.search([query.text for query in queries], k=10)
        took = time.perf_counter() - began
        ranked = [
            (
                np.array([match.score for match in matches]),
                np.array([right.get(match.claim_id) == query.title for match in matches], dtype=bool),
            )
            for query, matches in zip(queries, found, strict=True)
        ]
        yield {
            "claims": len(index),
            **recall(ranked),
            "posts_per_s": round(len(queries) / took, 1),
            "claims_added_per_s": round(len(due) / added) if due else 0,
            "memory_mb": round((psutil.Process().memory_info().rss - before) / MB),
        }


def _real_and_made(real: Sequence[ClaimText]) -> Iterator[ClaimText]:
    yield from real
    chance = random.Random(SEED)  # noqa: S311 (made titles, not a secret)
    words = [claim.text.split() for claim in real]
    number = 0
    while True:
        one, other = chance.choice(words), chance.choice(words)
        number += 1
        yield ClaimText(f"made-{number}", " ".join([*one[: len(one) // 2], *other[len(other) // 2 :]]))


if __name__ == "__main__":
    raise SystemExit(main())
