"""A `yes` can be asked for its words, and names those that carry it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from classifier import reasons
from classifier.engine import Classifier, Judgement
from classifier.manifest import FILES, MANIFEST, SHIPPED, ModelError
from classifier.reasons import BUCKETS, Reasons, chosen, explain, occluded, places_of, words_of
from classifier.respelling import Respelling

PARTS = {"busuk": 4.0, "kotor": 1.0, "damai": -2.0}


class WordModel:
    """`busuk` adds much, `kotor` little, `damai` takes away."""

    def judge(self, texts: Sequence[str]) -> list[Judgement]:
        logits = [sum(PARTS.get(word, 0.0) for word in set(words_of(text))) for text in texts]
        return [
            Judgement({"hate": float(1 / (1 + np.exp(-z)))}, {"hate": "yes"}, [], np.zeros(2, np.float32))
            for z in logits
        ]


def tables(model: str, **changes: object) -> dict[str, np.ndarray]:
    weights = np.zeros((BUCKETS, 1), np.float16)
    weights[places_of("busuk")] = 1
    weights[places_of("damai")] = -1
    made = {
        "labels": np.array(["hate"]),
        "weights": weights,
        "ids": np.array(["wr-1", "wr-2"]),
        "texts": np.array(["kalian busuk", "pagi yang damai"]),
        "owned": np.array([[True], [False]]),
        "vectors": np.array([[127, 0], [0, 127]], np.int8),
        "near": np.float32(0.5),
        "model": np.array(model),
    }
    return made | changes  # type: ignore[return-value]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in (*FILES, MANIFEST):
        shutil.copyfile(SHIPPED / name, tmp_path / name)
    return tmp_path


def test_occlusion_tells_each_word_s_part_by_the_model_itself() -> None:
    parts = dict(occluded(WordModel(), "Orang busuk, busuk dan kotor tapi damai @user [url]")["hate"])
    assert parts == pytest.approx({"Orang": 0, "busuk": 4, "dan": 0, "kotor": 1, "tapi": 0, "damai": -2}, abs=1e-6)
    assert chosen(list(parts.items())) == ("busuk", "kotor")


def test_the_most_telling_words_are_few_and_each_is_named_once() -> None:
    assert chosen([("a", 1.0), ("b", 3.0), ("a", 2.0), ("c", 2.5), ("d", 2.4)]) == ("b", "c", "d")
    assert chosen([("a", 5.0), ("b", 0.1), ("c", -4.0)]) == ("a",)
    assert chosen([("a", 0.0), ("b", -1.0)]) == ()
    assert chosen([]) == ()


def test_tables_name_words_and_the_nearest_example_of_the_label() -> None:
    kept = Reasons(tables("x"), Respelling({}))
    near, far = np.array([0.9, 0.1], np.float32), np.array([0.1, 0.9], np.float32)
    yes = [Judgement({"hate": 0.9}, {"hate": "yes"}, [], vector) for vector in (near, far)]
    one, other = kept.explain(["kalian b\u200busuk sekali"] * 2, yes)
    assert one[0].words == other[0].words == ("busuk",)
    assert one[0].example is not None
    assert one[0].example.id == "wr-1"
    assert other[0].example is None, "nothing under this label is near"


def test_only_a_yes_is_explained() -> None:
    kept = Reasons(tables("x"), Respelling({}))
    judged = [Judgement({"hate": 0.4}, {"hate": d}, [], np.zeros(2, np.float32)) for d in ("no", "unsure")]
    assert kept.explain(["busuk", "busuk"], judged) == [[], []]


def test_a_model_without_tables_explains_by_occlusion(copy: Path) -> None:
    (copy / reasons.FILE).unlink(missing_ok=True)
    model = Classifier.load(copy)
    text = "dasar anjing babi kalian semua sampah"
    (whys,) = explain(model, [text], model.judge([text]))
    assert {why.label for why in whys} == {k for k, d in model.judge([text])[0].decisions.items() if d == "yes"}
    assert whys
    assert all(set(why.words) <= set(text.split()) and why.words for why in whys)


def test_tables_of_another_model_and_damaged_ones_are_refused(copy: Path) -> None:
    model = Classifier.load(copy)
    reasons.save(copy / reasons.FILE, **tables(model.manifest.files["model.onnx"]))
    assert Reasons.load(model) is not None
    reasons.save(copy / reasons.FILE, **tables("another"))
    with pytest.raises(ModelError, match=r"reasons\.npz: was distilled from another model.*reasons_fit"):
        Reasons.load(model)
    (copy / reasons.FILE).write_bytes(b"PK cut")
    with pytest.raises(ModelError, match=r"reasons\.npz: cannot be read"):
        Reasons.load(model)


@pytest.mark.parametrize("text", ["", "   ", "🙂🙂", "\x00", "@user [url]", "x" * 100_000])
def test_any_text_can_be_explained(text: str) -> None:
    judged = [Judgement({"hate": 0.9}, {"hate": "yes"}, [], np.zeros(2, np.float32))]
    assert len(Reasons(tables("x"), Respelling({})).explain([text], judged)) == 1
    assert "hate" in occluded(WordModel(), text)


def test_the_shipped_model_names_words_cheaply_enough_for_every_alert(shipped: Classifier) -> None:
    kept = Reasons.load(shipped)
    assert kept is not None
    assert set(kept.labels) == set(shipped.manifest.labels)
    text = "dasar anjing babi kalian semua sampah"
    (whys,) = kept.explain([text], shipped.judge([text]))
    assert whys
    assert all(why.words for why in whys)
