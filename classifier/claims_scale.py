"""Does claim matching hold as claims grow? `python -m classifier.claims_scale --data PATH [--claims 100 10000 300000]`.

The real titles are joined by made ones, each the first half of one title and the second half of another: in the words of the trade,
about the same people and places, and never right. Posts of April to August 2024 are searched among all of them; those titles that
the posts name are in every size, so that recall can be compared, and sizes count real and made together.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from .claim_vectors import ClaimVectors
from .claims import ClaimIndex, ClaimText
from .claims_evaluation import SPLIT, Query, read
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
    ordered = sorted(real, key=lambda claim: clean(claim.text).lower() not in named)  # those that are right come first
    least = sum(clean(claim.text).lower() in named for claim in ordered)
    before = psutil.Process().memory_info().rss
    index = ClaimIndex(vectors)
    titles: dict[str, str] = {}
    source = _real_and_made(ordered)
    for size in sizes:
        due = [next(source) for _ in range(max(size, least) - len(index))]
        began = time.perf_counter()
        index.add(due)
        added = time.perf_counter() - began
        titles |= {claim.id: clean(claim.text).lower() for claim in due}
        began = time.perf_counter()
        ranks = [
            _rank(query, [titles[match.claim_id] for match in found]) for query, found in _searched(index, queries)
        ]
        took = time.perf_counter() - began
        yield {
            "claims": len(index),
            **{f"recall@{k}": round(sum(rank < k for rank in ranks) / len(ranks), 4) for k in (1, 5, 10)},
            "posts_per_s": round(len(queries) / took, 1),
            "claims_added_per_s": round(len(due) / added) if due else 0,
            "memory_mb": round((psutil.Process().memory_info().rss - before) / MB),
        }


def _searched(index: ClaimIndex, queries: Sequence[Query]) -> Iterator[tuple[Query, Any]]:
    yield from zip(queries, index.search([query.text for query in queries], k=10), strict=True)


def _rank(query: Query, found: list[str]) -> int:
    return found.index(query.title) if query.title in found else sys.maxsize


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
