"""The evaluation is a command: every part in the figures, papers written from them, nothing told of seen rows."""

import json
import shutil
from pathlib import Path

import pytest

from classifier import datasets, evaluate, exams, seen
from classifier.engine import Classifier
from classifier.manifest import FILES, MANIFEST, SHIPPED, ModelError
from classifier.seen import Seen
from classifier.sheet import BadSet
from tests.classifier.invented_sets import write, write_sets


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sets(tmp_path_factory.mktemp("data"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    for name in (*FILES, MANIFEST):
        shutil.copyfile(SHIPPED / name, tmp_path / name)
    return tmp_path


def test_the_command_writes_figures_pictures_and_papers(
    data: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    docs = tmp_path / "docs"
    held = str(json.loads((model / MANIFEST).read_text())["training"].get("fold") or 0)
    assert (
        evaluate.main(["--data", str(data), "--model", str(model), "--fold", held, "--write", "--docs", str(docs)]) == 0
    )
    report = (docs / "metrics.md").read_text()
    assert report.strip() == capsys.readouterr().out.strip()
    figures = json.loads((docs / "metrics.json").read_text())
    assert figures["labels"]["hate"]["published fold"]["rows"] > 10
    for goal in figures["goals"]:
        assert f"| {goal['what']} |" in report
    for name in ("reliability.svg", "hate-by-slice.svg", "disguises.svg", "swaps.svg", "ordinary.svg", "functions.svg"):
        assert f"]({name})" in report
        assert (docs / name).read_text().startswith("<svg")
    manifest = json.loads((model / MANIFEST).read_text())
    assert manifest["metrics"]["goals"] == figures["goals"]
    assert set(manifest["metrics"]["curves"]) <= set(manifest["labels"])
    assert "| hate, published folds, F1 |" in (model / "README.md").read_text()
    assert Classifier.load(model).model_id == figures["about"]["model"], "figures change no decision, so no id"


def test_a_fold_that_the_model_has_seen_is_refused(shipped: Classifier, data: Path) -> None:
    held = int(shipped.manifest.text["training"].get("fold") or 0)
    with pytest.raises(BadSet, match="has seen"):
        evaluate.measure(shipped, data, fold=held + 1)


def test_rows_that_the_model_has_seen_are_left_out_and_counted(shipped: Classifier, data: Path) -> None:
    exam = exams.exams(data, 0)[0]
    texts = [item.text for item in exam.items]
    assert len(texts) > 20
    trained, calibrated = Seen.of([f"RT @user {texts[0].upper()} [url]"]), Seen.of([texts[1]])
    bench = evaluate.Bench(shipped, None, trained, calibrated)
    assert [item.text for item in bench.unseen(exam).items] == texts[2:]
    assert bench.left_out == 2


def test_no_training_row_is_examined(shipped: Classifier, data: Path) -> None:
    trained, calibrated, _ = evaluate.read_by_training(shipped, data, 0)
    bench = evaluate.Bench(shipped, None, trained, calibrated)
    examined = {i.text for exam in exams.exams(data, 0) for i in bench.unseen(exam).items}
    examined |= {text for texts in bench.unseen_posts(exams.ordinary(data)).values() for text in texts}
    read = {example.text for example in datasets.load(data) if example.split != "test"}
    assert len(read) > 50
    assert len(examined) > 50
    assert not read & examined


def test_what_training_has_seen_is_kept_beside_the_weights(tmp_path: Path) -> None:
    assert Seen.load(tmp_path) is None
    seen.write(tmp_path, ["kabar satu", "kabar dua"])
    kept = Seen.load(tmp_path)
    assert kept is not None
    assert "@user KABAR satu!" in kept
    assert "kabar tiga" not in kept


def test_the_parts_of_a_fold_are_the_published_ones(data: Path) -> None:
    folds = datasets.rows(data / "hate/ibrohim_2019_published_folds.csv")
    for fold in (0, 1):
        items = exams.exams(data, fold)[0].items
        assert {item.text for item in items} == {row["text"] for row in folds if row[f"fold{fold}"] == "test"}


def test_figures_of_several_folds_are_averaged_and_none_counts_twice() -> None:
    def one(fold: int, f1: float) -> dict[str, object]:
        return {"about": {"fold": fold}, "labels": {"hate": {"published fold": {"F1": [f1, f1, f1]}}}}

    figures = one(0, 0.8)
    evaluate.join_folds(figures, [one(1, 0.9)])
    assert figures["folds"]["mean F1"] == pytest.approx(0.85)  # type: ignore[index]
    with pytest.raises(BadSet, match="twice"):
        evaluate.join_folds(figures, [one(0, 0.9)])


def test_a_missing_set_and_a_missing_column_are_named(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate.main(["--data", str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err
    copy = tmp_path / "copy"
    shutil.copytree(data, copy)
    write(copy / "hate/groups_2012_2024.csv", "id target text", [[1, "arab", "x"]])
    assert evaluate.main(["--data", str(copy)]) == 2
    assert "groups_2012_2024.csv: column label is missing" in capsys.readouterr().err
    with pytest.raises(BadSet, match=r"groups_2012_2024\.csv: column label"):
        datasets.load(copy)


def test_a_damaged_record_of_seen_rows_is_named(tmp_path: Path) -> None:
    (tmp_path / seen.FILE).write_bytes(b"\x93NUMPY cut")
    with pytest.raises(ModelError, match=seen.FILE):
        Seen.load(tmp_path)
