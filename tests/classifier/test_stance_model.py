"""The stance model's files, its batches and its bad input."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.manifest import ModelError
from classifier.stance import SHIPPED, STANCES, StanceModel, stance, stances

CLAIM = "Tujuh kotak suara dibakar di TPS Sampang"
PAIRS = [
    (CLAIM, "Astaga, 7 kotak suara dibakar di Sampang, curang!!"),
    (CLAIM, "[HOAKS] Tujuh kotak suara dibakar di TPS Sampang"),
    (CLAIM, "Benarkah tujuh kotak suara dibakar di Sampang?"),
    ("Ijazah Palsu Calon", "ijazahnya palsu, sudah jelas"),
]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "stance"))


def test_a_pair_is_read_alike_alone_and_in_any_batch() -> None:
    model = StanceModel.load()
    together = model.stances(PAIRS)
    assert together == [model.stances([one])[0] for one in PAIRS]
    assert together[::-1] == model.stances(PAIRS[::-1])


def test_no_pairs_no_stances() -> None:
    assert stances([]) == []


@pytest.mark.parametrize(
    ("claim", "text"), [("", "Sebarkan!"), (CLAIM, ""), (CLAIM, " \n\t"), (CLAIM, "​⁠"), (CLAIM, "\x00"), ("", "")]
)
def test_where_nothing_can_be_read_the_stance_is_neither_for_sure(claim: str, text: str) -> None:
    assert stance(claim, text) == ("neither", {"spreads": 0.0, "debunks": 0.0, "neither": 1.0})


@pytest.mark.parametrize("text", ["a" * 100_000, "😀" * 5_000, "ปกติ", "\x00 kotak suara \x00", "\ud800 kotak", "‮kotak"])
def test_strange_and_huge_texts_get_a_stance(text: str) -> None:
    said, scores = stance(CLAIM, text)
    assert said in STANCES
    assert sum(scores.values()) == pytest.approx(1, abs=1e-5)


@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=120)), max_size=5))
def test_what_is_acted_upon_as_spreading_is_sure_of_it(pairs: list[tuple[str, str]]) -> None:
    model = StanceModel.load()
    for acted, read in zip(stances(pairs), model.stances(pairs), strict=True):
        assert acted == read.stance or (read.stance == "spreads" and acted == "neither")
        assert acted != "spreads" or read.scores["spreads"] >= model.spreads_from


@pytest.mark.parametrize(
    "text",
    [
        "[SALAH] Tujuh Kotak Suara Dibakar di TPS Sampang. Selengkapnya di bagian PENJELASAN [url]",
        "Polisi tangkap penyebar hoaks tujuh kotak suara dibakar di Sampang",
        "CEK FAKTA: Tidak Benar Tujuh Kotak Suara Dibakar di TPS Sampang",
        "Kotak suara tidak dibakar di TPS Sampang",
        "Ora bener kothak suara diobong ing Sampang, aja percaya",
        "Teu leres kotak suara diduruk di Sampang",
        "KPU Sampang membantah tujuh kotak suara dibakar",
    ],
)
def test_a_correction_is_never_acted_upon_as_spreading(text: str) -> None:
    assert stances([(CLAIM, text)])[0] != "spreads"


def test_the_words_that_carried_a_stance_are_words_of_the_text() -> None:
    text = "[HOAKS] Tujuh kotak suara dibakar di TPS Sampang"
    (read,) = StanceModel.load().stances([(CLAIM, text)], words=True)
    assert read.words
    assert read.words[0] == "[HOAKS]"
    assert set(read.words) <= set(text.split())


@pytest.mark.parametrize("name", ["manifest.json", "weights.npz"])
def test_a_file_that_is_missing_is_named(copied: Path, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(ModelError, match=name):
        StanceModel.load(copied)


def test_weights_that_were_cut_are_refused(copied: Path) -> None:
    whole = (copied / "weights.npz").read_bytes()
    (copied / "weights.npz").write_bytes(whole[:-100])
    with pytest.raises(ModelError, match=r"weights\.npz: sha256"):
        StanceModel.load(copied)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": {}}', "{"])
def test_a_manifest_that_is_none_is_refused(copied: Path, text: str) -> None:
    (copied / "manifest.json").write_text(text)
    with pytest.raises(ModelError, match=r"manifest\.json"):
        StanceModel.load(copied)


def test_weights_for_other_features_are_refused(copied: Path) -> None:
    from classifier.manifest import sha256

    with np.load(copied / "weights.npz") as kept:
        arrays = {name: kept[name] for name in kept.files}
    arrays["dense"] = arrays["dense"][:, :-1]
    np.savez(copied / "weights.npz", **arrays)
    manifest = json.loads((copied / "manifest.json").read_text())
    manifest["files"]["weights.npz"]["sha256"] = sha256(copied / "weights.npz")
    (copied / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="other features"):
        StanceModel.load(copied)


def test_another_threshold_is_another_model(copied: Path) -> None:
    manifest = json.loads((copied / "manifest.json").read_text())
    manifest["spreads_from"] += 0.01
    (copied / "manifest.json").write_text(json.dumps(manifest))
    assert StanceModel.load(copied).id != StanceModel.load().id
