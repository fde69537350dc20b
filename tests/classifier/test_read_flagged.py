"""What a person is given to read is what the model flags and has not learnt from; a file read in part is no figure."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from classifier import read_flagged
from classifier.engine import Classifier
from classifier.manifest import FILES, MANIFEST, SHIPPED
from tests.classifier.invented_sets import write_sets


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sets(tmp_path_factory.mktemp("data"))


def fill(path: Path, answers: str) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, answer in zip(rows, answers * len(rows), strict=False):
        row["right"] = answer
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_flagged_posts_are_drawn_read_and_scored(
    data: Path, shipped: Classifier, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    for name in (*FILES, MANIFEST):
        shutil.copyfile(SHIPPED / name, model / name)
    out = tmp_path / "flagged.csv"
    words = ["--data", str(data), "--model", str(model), "--n", "4", "--out", str(out)]
    assert read_flagged.main(words) == 0
    first = out.read_text()
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    for row in rows:
        decisions = shipped.judge([row["text"]])[0].decisions
        assert {label for label in row["label"].split() if decisions[label] == "yes"} == set(row["label"].split())
    assert read_flagged.main(words) == 0
    assert out.read_text() == first, "the same draw for the same seed"
    assert read_flagged.main(["--model", str(model), "--score", str(out)]) == 2
    assert "number 1, column right: ''" in capsys.readouterr().err
    fill(out, "110?")
    assert read_flagged.main(["--model", str(model), "--score", str(out), "--by", "ani", "--write"]) == 0
    kept = json.loads((model / MANIFEST).read_text())["metrics"]["reading"]
    assert (kept["rows"], kept["could not be told"], kept["by"]) == (4, 1, "ani")
    assert kept["right"][0] == pytest.approx(2 / 3, abs=1e-4)
    manifest = json.loads((model / MANIFEST).read_text())
    manifest["bands"]["hate"]["yes"] += 0.01
    (model / MANIFEST).write_text(json.dumps(manifest))
    assert read_flagged.main(["--model", str(model), "--score", str(out)]) == 2
    assert "drawn by model" in capsys.readouterr().err


def test_other_people_s_posts_are_not_written_into_the_repository(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inside = read_flagged.REPOSITORY / "flagged.csv"
    assert read_flagged.main(["--data", str(data), "--out", str(inside)]) == 2
    assert "lies in the repository" in capsys.readouterr().err
    assert not inside.exists()
