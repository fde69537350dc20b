"""The pipeline gets from the real classifier what the Scorer port promises."""

import shutil
from pathlib import Path

import numpy as np

from classifier import reasons
from classifier.engine import Classifier
from classifier.manifest import FILES, MANIFEST, SHIPPED
from pipeline.adapters.classifier_scorer import ClassifierScorer
from pipeline.ports import EXAMPLE

ANGRY, CALM = "dasar anjing babi kalian semua sampah", "Selamat pagi, pasar ramai sekali"


def test_each_yes_is_explained_by_words_and_a_near_example_and_nothing_else_is(tmp_path: Path) -> None:
    for name in (*FILES, MANIFEST):
        shutil.copyfile(SHIPPED / name, tmp_path / name)
    model = Classifier.load(tmp_path)
    (embedding,) = model.embed(["kalian semua anjing"])
    weights = np.zeros((reasons.BUCKETS, 1), np.float16)
    weights[reasons.places_of("anjing")] = 1
    reasons.save(
        tmp_path / reasons.FILE,
        labels=np.array(["hate"]),
        weights=weights,
        ids=np.array(["wr-1"]),
        texts=np.array(["kalian semua anjing"]),
        owned=np.array([[True]]),
        vectors=np.round(embedding[None] * 127).astype(np.int8),
        near=np.float32(0.1),
        model=np.array(model.manifest.files["model.onnx"]),
    )
    scorer = ClassifierScorer(model)
    scores = scorer.judge([ANGRY, CALM])
    assert scores[0].decisions["hate"] == "yes"
    angry, calm = scorer.explain([ANGRY, CALM], scores)
    assert angry == [("hate", "anjing"), ("hate", f"{EXAMPLE}kalian semua anjing")]
    assert calm == []


def test_a_model_without_tables_leaves_reasons_out_rather_than_slow_the_stream(tmp_path: Path) -> None:
    for name in (*FILES, MANIFEST):
        shutil.copyfile(SHIPPED / name, tmp_path / name)
    scorer = ClassifierScorer(Classifier.load(tmp_path))
    assert scorer.explain([ANGRY], scorer.judge([ANGRY])) == [[]]
