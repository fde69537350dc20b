"""The n-gram reader gives the same numbers in every process and for every neighbour."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifier.ngrams import BUCKETS, Grams, hashes


def test_hashes_are_the_same_in_every_process() -> None:
    assert hashes("halo dunia")[:5].tolist() == hashes("HALO dunia")[:5].tolist()
    assert int(hashes("halo dunia 🙂").sum()) == 7_235_303  # a change would silently void the shipped weights


@given(st.text(max_size=60))
def test_hashes_stay_within_the_table(text: str) -> None:
    found = hashes(text)
    assert ((found >= 0) & (found < BUCKETS)).all()


def test_saved_and_loaded_weights_score_alike(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    weights = random.normal(size=(BUCKETS, 2)).astype(np.float16).astype(np.float32)
    grams = Grams(("a", "b"), weights, np.ones(BUCKETS, dtype=np.float32), np.array([0.5, -0.5], dtype=np.float32))
    grams.save(tmp_path / "grams.npz")
    texts = ["satu dua", "", "tiga empat lima"]
    assert np.array_equal(Grams.load(tmp_path / "grams.npz").logits(texts), grams.logits(texts))
    assert np.array_equal(grams.logits(texts)[2], grams.logits(["tiga empat lima"])[0])
