"""What callers of the shipped model may rely on."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.engine import Classifier, Judgement, cpus
from classifier.labels import DECISIONS, LABELS, TARGETS
from classifier.manifest import FILES, MANIFEST, SHIPPED, ModelError
from tests.pace import cpu_units

GOLDEN = Path(__file__).parent / "golden.csv"
PARITY = SHIPPED / "parity.json"
UGLY = [
    "",
    "   ",
    "🙂🙂🙂",
    "\x00",
    "\ud800",
    "\u200b\u200b",
    "x" * 100_000,
    "ayo nyoblos " * 10_000,
    "a" * 5_000_000,
]


def golden() -> list[dict[str, str]]:
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def same(one: Judgement, other: Judgement) -> bool:
    alike = one.scores == other.scores and one.decisions == other.decisions and one.targets == other.targets
    return alike and np.array_equal(one.embedding, other.embedding)


def golden_cases() -> list[object]:
    """A row with a known gap must fail until the model is better: then the gap is struck out."""
    return [
        pytest.param(
            row,
            id=f"{row['why']}: {row['text'][:40]}",
            marks=[pytest.mark.xfail(reason=row["gap"], strict=True, raises=AssertionError)] if row["gap"] else [],
        )
        for row in golden()
    ]


@pytest.mark.parametrize("row", golden_cases())
def test_decisions_that_must_hold_do(shipped: Classifier, row: dict[str, str]) -> None:
    decisions = shipped.judge([row["text"]])[0].decisions
    assert row["label"] in decisions, "the model has no head for this label"
    decision = decisions[row["label"]]
    assert decision != "yes" if row["must"] == "not yes" else decision == row["must"]


def test_criticism_names_no_target(shipped: Classifier) -> None:
    calm = [row["text"] for row in golden() if row["label"] == "hate" and row["must"] == "no"]
    assert all(judged.targets == [] for judged in shipped.judge(calm))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([row["text"] for row in golden()] + UGLY[:6]), min_size=1, max_size=20))
def test_a_score_does_not_depend_on_the_batch(shipped: Classifier, texts: list[str]) -> None:
    for text, judged in zip(texts, shipped.judge(texts), strict=True):
        assert same(judged, shipped.judge([text])[0])


def test_order_is_kept_and_embed_agrees_with_judge(shipped: Classifier) -> None:
    texts = [row["text"] for row in golden()] * 3
    judged = shipped.judge(texts)
    for one, embedding in zip(judged, shipped.embed(texts), strict=True):
        # What the first stage settles does not reach the encoder.
        assert np.array_equal(one.embedding, embedding) or (
            not one.embedding.any() and set(one.decisions.values()) == {"no"}
        )
    assert all(same(one, again) for one, again in zip(judged[: len(golden())], judged[len(golden()) :], strict=False))


@pytest.mark.parametrize("text", UGLY, ids=lambda text: repr(text[:8]))
def test_ugly_texts_are_judged_without_a_crash(shipped: Classifier, text: str) -> None:
    judged = shipped.judge([text])[0]
    assert set(judged.scores) == set(judged.decisions) == set(LABELS)
    assert all(0 <= score <= 1 for score in judged.scores.values())
    assert set(judged.decisions.values()) <= set(DECISIONS)
    assert judged.embedding.shape == (shipped.dim,)


@pytest.mark.parametrize("text", ["", " \n", "\x00", "\ud800", "\u200b"])
def test_a_text_with_nothing_to_read_accuses_nobody(shipped: Classifier, text: str) -> None:
    judged = shipped.judge([text])[0]
    assert judged.scores == dict.fromkeys(LABELS, 0.0)
    assert set(judged.decisions.values()) == {"no"}
    assert not judged.embedding.any()


def test_no_texts_give_no_judgements(shipped: Classifier) -> None:
    assert shipped.judge([]) == []
    assert shipped.embed([]).shape == (0, shipped.dim)


def test_embeddings_have_length_one(shipped: Classifier) -> None:
    found = shipped.embed(["kotak suara dibakar", "selamat pagi"])
    assert found.dtype == np.float32
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_the_model_loads_in_under_two_seconds_of_work() -> None:
    with cpu_units() as spent:
        Classifier.load(threads=1)
    assert spent() < 10


def test_shipped_files_fit_the_size_promised() -> None:
    assert sum((SHIPPED / name).stat().st_size for name in FILES) <= 40_000_000


def test_the_onnx_engine_agrees_with_the_reference_engine_s_scores(shipped: Classifier) -> None:
    rows = json.loads(PARITY.read_text(encoding="utf-8"))["rows"]
    assert len(rows) >= 60
    for judged, row in zip(shipped.judge([row["text"] for row in rows], first_stage=False), rows, strict=True):
        for label in LABELS:
            assert judged.scores[label] == pytest.approx(row["scores"][label], abs=0.02), row["text"]


def test_threads_follow_the_cpus_one_has() -> None:
    assert cpus() >= 1


# A broken model


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in (*FILES, MANIFEST):
        shutil.copyfile(SHIPPED / name, tmp_path / name)
    return tmp_path


def edit(folder: Path, **changes: object) -> None:
    path = folder / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ModelError, match=name):
        Classifier.load(copy)


@pytest.mark.parametrize("name", FILES)
def test_a_cut_file_is_named(copy: Path, name: str) -> None:
    whole = (copy / name).read_bytes()
    (copy / name).write_bytes(whole[:-100])
    with pytest.raises(ModelError, match=f"{name}: sha256"):
        Classifier.load(copy)


def test_a_cut_manifest_is_named(copy: Path) -> None:
    (copy / MANIFEST).write_text('{"labels": [', encoding="utf-8")
    with pytest.raises(ModelError, match=MANIFEST):
        Classifier.load(copy)


def test_a_manifest_without_a_field_names_the_field(copy: Path) -> None:
    text = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    del text["bands"]
    (copy / MANIFEST).write_text(json.dumps(text), encoding="utf-8")
    with pytest.raises(ModelError, match="bands"):
        Classifier.load(copy)


def test_another_vocabulary_is_refused(copy: Path) -> None:
    edit(copy, vocabulary=30_000)
    with pytest.raises(ModelError, match=r"tokenizer\.json.*30000"):
        Classifier.load(copy)


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="engine"):
        Classifier.load(engine="abacus")


def test_the_model_id_changes_with_thresholds_and_engine(copy: Path, shipped: Classifier) -> None:
    assert Classifier.load(copy).model_id == shipped.model_id
    assert shipped.manifest.model_id("torch", "fp32") != shipped.model_id
    bands = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))["bands"]
    bands["hate"]["yes"] = 0.99
    edit(copy, bands=bands)
    assert Classifier.load(copy).model_id != shipped.model_id


def test_targets_are_known_words(shipped: Classifier) -> None:
    judged = shipped.judge([row["text"] for row in golden()])
    assert {target for one in judged for target in one.targets} <= set(TARGETS)


# Texts that are no posts in a language the model knows


STRANGE = {
    "emoji": "🙂🙂🙂 🎉🎉",
    "thai": "สวัสดีตอนเช้า วันนี้อากาศดีมาก",
    "arabic": "صباح الخير، كيف حالك اليوم",
    "chinese": "早上好，今天天气很好",
    "cyrillic": "Доброе утро, сегодня хорошая погода",
    "javanese script": "ꦱꦸꦒꦼꦁꦫꦮꦸꦃ",
    "digits": "12345 67890 2024",
    "marks": "?!?! ... --- ###",
    "long": ("Besok kita ke pasar membeli sayur dan ikan. " * 2500)[:100_000],
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
def test_a_text_that_the_model_cannot_know_accuses_nobody_and_is_no_silent_half(shipped: Classifier, text: str) -> None:
    judged = shipped.judge([text])[0]
    for label in ("hate", "provocation"):
        assert judged.decisions[label] in ("no", "unsure")
    for label, score in judged.scores.items():
        assert score != 0.5
        assert judged.decisions[label] == shipped.manifest.bands[label].decide(score)


# The first stage


def test_the_first_stage_settles_ordinary_talk_and_never_accuses(shipped: Classifier) -> None:
    ordinary = ["selamat pagi semua", "kopi di warung itu enak", "besok jadwal posyandu di balai desa jam 9"]
    for whole, settled in zip(shipped.judge(ordinary, first_stage=False), shipped.judge(ordinary), strict=True):
        assert settled.decisions == whole.decisions
        assert settled.decisions["hate"] == settled.decisions["provocation"] == "no"
    assert any(not one.embedding.any() for one in shipped.judge(ordinary)), "the first stage settled nothing"


def test_what_the_whole_model_calls_hate_or_provocation_the_first_stage_lets_through(shipped: Classifier) -> None:
    texts = [row["text"] for row in golden()]
    for whole, staged in zip(shipped.judge(texts, first_stage=False), shipped.judge(texts), strict=True):
        for label in ("hate", "provocation"):
            if whole.decisions[label] == "yes":
                assert staged.decisions[label] == "yes"


def test_a_manifest_whose_first_stage_lacks_a_label_is_refused(copy: Path) -> None:
    edit(copy, first_stage={"hate": 0.1})
    with pytest.raises(ModelError, match="first_stage: missing for"):
        Classifier.load(copy)
