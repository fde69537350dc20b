"""`jaga model`: the trade is shown, another model is brought in, used, undone; and what is wrong with a model is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from classifier.curves import Curve
from classifier.manifest import FILES, MANIFEST, SHIPPED
from tests.classifier.tiny_classifier import write_rows, write_tiny
from tests.pipeline.cli.conftest import Jaga


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The shipped model in a folder of its own, with a curve."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in (*FILES, MANIFEST):
        shutil.copyfile(SHIPPED / name, folder / name)
    manifest = json.loads((folder / MANIFEST).read_text())
    chance = np.random.default_rng(1)
    scores = chance.random(500)
    truth = (chance.random(500) < scores).astype(float)
    manifest["metrics"]["curves"] = {"hate": Curve.of(scores, truth, "invented rows").kept()}
    manifest["metrics"]["stream"] = {"hate": Curve.of(scores**4, truth, "invented posts").kept()}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


def one_text(tmp_path: Path, text: str = "dasar anjing babi kalian semua sampah") -> Path:
    path = tmp_path / "one.ndjson"
    path.write_text(json.dumps({"text": text}) + "\n")
    return path


def test_the_trade_of_thresholds_is_a_table_and_costs_choose_a_band(jaga: Jaga, tmp_path: Path, copy: Path) -> None:
    words = ["--miss-cost", "1", "--false-alarm-cost", "1", "--unsure-cost", "0.2"]
    told = jaga("model", "thresholds", "--json", *words, JAGA_MODEL=str(copy))
    assert told.code == 0, told.err
    in_force, asked, *others = told.lines[0]["hate"]
    assert in_force[""] == "in force"
    assert (asked["yes from"], asked["unsure from"]) == ("0.80", "0.20")
    assert len(others) > 3
    assert {"precision", "recall", "unsure", "cost of 1,000 posts"} <= asked.keys()
    shown = jaga("model", "thresholds", "--label", "hate", *words, JAGA_MODEL=str(copy))
    assert "JAGA_COSTS=hate=1/1/0.2" in shown.out
    assert "of invented posts" in shown.out
    before = jaga("classify", one_text(tmp_path)).lines[0]
    after = jaga("classify", one_text(tmp_path), JAGA_COSTS="hate=1/1/0.2").lines[0]
    assert before["scores"] == after["scores"]
    assert before["model"] != after["model"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--miss-cost", "1"], "go together"),
        (["--miss-cost", "0", "--false-alarm-cost", "1", "--unsure-cost", "1"], "no cost"),
        (["--label", "love"], "'love'"),
    ],
)
def test_costs_that_make_no_sense_are_told(jaga: Jaga, copy: Path, words: list[str], said: str) -> None:
    ran = jaga("model", "thresholds", *words, JAGA_MODEL=str(copy))
    assert ran.code == 2
    assert said in ran.err


def test_a_wrong_cost_setting_is_named(jaga: Jaga, tmp_path: Path) -> None:
    ran = jaga("classify", one_text(tmp_path), JAGA_COSTS="hate=5/1")
    assert ran.code == 1
    assert ran.err.startswith("jaga: wrong setting: JAGA_COSTS: ")


def test_another_model_is_added_used_and_undone_and_the_log_tells_who(jaga: Jaga, tmp_path: Path) -> None:
    tiny, rows = write_tiny(tmp_path / "tiny"), write_rows(tmp_path / "rows.csv")
    text = one_text(tmp_path, "kalian busuk sampah")
    before = jaga("classify", text).lines[0]
    added = jaga("model", "add", tiny, "--data", rows, "--name", "kecil", "--label-map", "hate=1", "--by", "ani")
    assert added.code == 0, added.err
    assert "decisions that flip" in added.out
    assert jaga("classify", text).lines[0] == before
    assert jaga("model", "use", "kecil", "--by", "ani").code == 0
    used = jaga("classify", text).lines[0]
    assert used["model"] != before["model"]
    assert used["decisions"]["hate"] == "yes"
    assert used["scores"]["abusive"] == before["scores"]["abusive"]
    listed = jaga("model", "list", "--json").lines[0]
    assert [(one["name"], one["used"]) for one in listed] == [("shipped", False), ("kecil", True)]
    assert json.loads(jaga("model", "show", "kecil", "--json").out)["compared"]["rows"] > 50
    assert "in use" in jaga("model", "remove", "kecil").err
    assert jaga("model", "undo", "--by", "budi").code == 0
    assert jaga("classify", text).lines[0] == before
    assert jaga("model", "remove", "kecil", "--by", "budi").code == 0
    acts = jaga("model", "log", "--json").lines
    assert [(act["what"], act["name"], act["by"]) for act in acts] == [
        ("add", "kecil", "ani"),
        ("use", "kecil", "ani"),
        ("undo", "shipped", "budi"),
        ("remove", "kecil", "budi"),
    ]


def test_what_cannot_be_added_or_used_is_told_in_one_line(jaga: Jaga, tmp_path: Path) -> None:
    tiny, rows = write_tiny(tmp_path / "tiny"), write_rows(tmp_path / "rows.csv")
    for words in (
        ("add", tmp_path / "nowhere", "--data", rows),
        ("add", tiny, "--data", tmp_path / "no.csv"),
        ("add", tiny, "--data", rows, "--label-map", "hate"),
        ("use", "other"),
        ("undo",),
        ("show", "other"),
    ):
        ran = jaga("model", *words)
        assert ran.code != 0
        assert ran.err.startswith("jaga: ")
        assert len(ran.err.splitlines()) == 1


def test_a_model_file_that_is_cut_is_named_by_classify(jaga: Jaga, tmp_path: Path, copy: Path) -> None:
    whole = (copy / "model.onnx").read_bytes()
    (copy / "model.onnx").write_bytes(whole[:-100])
    ran = jaga("classify", one_text(tmp_path), JAGA_MODEL=str(copy))
    assert ran.code == 1
    assert ran.out == ""
    assert "model.onnx: sha256" in ran.err
    assert "Traceback" not in ran.err


def test_reasons_come_when_asked_for_and_name_words_of_the_text(jaga: Jaga, tmp_path: Path) -> None:
    text = "dasar anjing babi kalian semua sampah"
    (line,) = jaga("classify", one_text(tmp_path, text), "--reasons").lines
    assert set(line["reasons"]) == {label for label, decision in line["decisions"].items() if decision == "yes"}
    assert line["reasons"]
    for why in line["reasons"].values():
        assert why["words"]
        assert set(why["words"]) <= set(text.split())
