"""Reasons are distilled from a model by one command, which says how far they agree with the model. Needs scikit-learn: `make test-train`."""

import json
import shutil
from pathlib import Path

import pytest

from classifier.engine import Classifier
from classifier.manifest import FILES, MANIFEST, SHIPPED
from classifier.reasons import Reasons
from tests.classifier.invented_sets import ANGRY, write_sets

pytestmark = pytest.mark.train


def test_tables_are_made_measured_and_name_the_words_that_the_model_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    from classifier import reasons_fit

    data, model = write_sets(tmp_path / "data"), tmp_path / "model"
    model.mkdir()
    for name in (*FILES, MANIFEST):
        shutil.copyfile(SHIPPED / name, model / name)
    words = ["--data", str(data), "--model", str(model), "--check", "5", "--write"]
    assert reasons_fit.main(words) == 0
    figures = json.loads(capsys.readouterr().out)
    assert 0 < figures["texts"] <= 5
    assert figures["words shared"][0] > figures["by chance"]
    classifier = Classifier.load(model)
    assert classifier.manifest.text["metrics"]["reasons"] == figures
    reasons = Reasons.load(classifier.manifest)
    assert reasons is not None
    text = ANGRY.format(n=999)
    (whys,) = reasons.explain([text], classifier.judge([text]))
    assert whys
    for why in whys:
        assert set(why.words) <= {
            "dasar",
            "suku",
            "batak",
            "busuk",
            "anjing",
            "tolol",
            "semua",
            "sampah",
            "nomor",
            "999",
        }


def test_a_missing_data_folder_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    from classifier import reasons_fit

    assert reasons_fit.main(["--data", str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err
