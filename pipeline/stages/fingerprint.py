"""Which posts say nearly the same: locality-sensitive hashes of a text.

MinHash (Broder 1997) over characters, five at a time, cut into bands: two posts that share a band belong together. That is an
equivalence that does not depend on the order in which posts come, so two deployments group alike. With 8 bands of 6 rows, a
pair of Jaccard similarity s shares one with probability 1-(1-s^6)^8: 0.998 at .9, 0.91 at .8, 0.12 at .5, under 1e-5 at .1.
"""

from __future__ import annotations

import hashlib
from zlib import crc32

import numpy as np

from pipeline.analysis import words

BANDS = 8
ROWS = 6
SHINGLE_CHARS = 5
MAX_CHARS = 5000
"""Of a longer text the beginning decides: copies of articles differ at their end (comments, other links)."""

_RANDOM = np.random.Generator(np.random.PCG64(20241127))
_A = _RANDOM.integers(1, 2**63, size=BANDS * ROWS, dtype=np.uint64) | np.uint64(1)
_B = _RANDOM.integers(0, 2**63, size=BANDS * ROWS, dtype=np.uint64)


def bands(text: str) -> tuple[str, ...]:
    """BANDS hashes of 16 hex characters; a text without words has one hash of its exact characters."""
    plain = " ".join(words(text))[:MAX_CHARS]
    if not plain:
        return (hashlib.blake2b(text.encode(), digest_size=8, person=b"exact").hexdigest(),)
    data = plain.encode()
    shingles = {data[i : i + SHINGLE_CHARS] for i in range(max(1, len(data) - SHINGLE_CHARS + 1))}
    hashes = np.fromiter(map(crc32, shingles), dtype=np.uint64, count=len(shingles))
    # Multiply-shift hashing (Dietzfelbinger 1997): the upper half of a*x+b modulo 2^64.
    signature = ((hashes[:, None] * _A + _B) >> np.uint64(32)).min(axis=0).astype(np.uint32).reshape(BANDS, ROWS)
    return tuple(
        hashlib.blake2b(row.tobytes(), digest_size=8, salt=number.to_bytes(8, "big")).hexdigest()
        for number, row in enumerate(signature)
    )
