"""The shipped engine against transformers, live. Needs torch: run by `make test-train`."""

import numpy as np
import pytest

from classifier.datasets import ours
from classifier.engine import Classifier

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def reference() -> Classifier:
    pytest.importorskip("torch")
    return Classifier.load(engine="torch")


def test_both_engines_score_within_two_hundredths_of_each_other(shipped: Classifier, reference: Classifier) -> None:
    texts = [example.text for example in ours()][::4]
    for ours_, theirs in zip(*(one.judge(texts, first_stage=False) for one in (shipped, reference)), strict=True):
        assert ours_.scores == pytest.approx(theirs.scores, abs=0.02)
        assert float(ours_.embedding @ theirs.embedding) > 0.999


def test_engines_have_different_model_ids(shipped: Classifier, reference: Classifier) -> None:
    assert shipped.model_id != reference.model_id
    assert np.array_equal(reference.embed(["halo"]).shape, (1, shipped.dim))
