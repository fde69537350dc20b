"""Fitting and judging the stance model, on an invented data folder of the public sets' shape."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from classifier.stance import StanceModel
from classifier.stance_evaluate import calibration_error, figures, macro_f1
from classifier.stance_evaluate import main as evaluate
from classifier.stance_examples import derived, ours, public
from classifier.stance_fit import fold_of, main, softmax, spreads_from, temperature_of

pytestmark = pytest.mark.train

TOPICS = ["Ijazah Calon Kedungwaru Palsu", "Surat Suara Tercoblos Lambu", "Bansos Dihentikan Desember", "Server KPU Malaka",
          "Pasar Wage Dibakar", "Jembatan Kapuas Ambruk", "Tinta Kupang Luntur"]  # fmt: skip
SAID = {
    "False News": ["Astaga {} sebarkan", "Terbongkar {} jangan diam", "Gila {} parah"],
    "True News": ["[SALAH] {} [url]", "Hoaks! {}", "Tidak benar {} kata polisi"],
    "Other 1": ["Benarkah {}?", "Jalan macet lagi hari ini", "Selamat pagi semua"],
}


def table(path: Path, names: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([names, *rows])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    said = [(t, label, frame.format(t)) for t in TOPICS for label, frames in SAID.items() for frame in frames]
    table(
        folder / "stance" / "pilpres_2019.csv",
        ("id", "topic", "date", "label", "text"),
        [(f"s{n}", topic, "2019-01-01", label, text) for n, (topic, label, text) in enumerate(said)],
    )
    titles = [
        f"Gudang {place} terbakar {count} kali" for place in ("Garut", "Jember", "Ambon") for count in range(2, 12)
    ]
    hoaxes = [
        (f"t{n}", "2019-01-01", "hoax", title, f"{title}, viralkan sekarang juga") for n, title in enumerate(titles)
    ]
    for name in ("turnbackhoax_2015_2020.csv", "turnbackhoax_2024_jan_aug.csv"):
        table(folder / "claims" / name, ("id", "date", "label", "title", "text"), hoaxes)
    return folder


def test_a_model_is_fitted_from_the_sets(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    assert main(["--data", str(data), "--out", str(out), "--limit", "60"]) == 0
    model = StanceModel.load(out)
    assert model.stances([("Gudang Garut terbakar", "[SALAH] Gudang Garut terbakar [url]")])[0].stance == "debunks"


def test_the_figures_tell_of_topics_held_back(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("classifier.stance_evaluate.DRAWS", 20)
    assert evaluate(["--data", str(data), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["pilpres_2019, topics held back"]["rows"] == len(TOPICS) * 9
    assert told["pilpres_2019, topics held back"]["macro F1"] > 0.5


def test_the_same_seed_gives_the_same_model(data: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        main(["--data", str(data), "--out", str(tmp_path / name), "--limit", "20"])
    with np.load(tmp_path / "a" / "weights.npz") as a, np.load(tmp_path / "b" / "weights.npz") as b:
        assert all(np.array_equal(a[name], b[name]) for name in a.files)


def test_a_folder_without_the_sets_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path / "none")]) == 2
    assert "none" in capsys.readouterr().err
    assert main(["--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "pilpres_2019.csv" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_topic_lies_in_two_folds_and_derived_pairs_are_for_training_only(data: Path) -> None:
    topics = {e.topic for e in public(data)}
    assert fold_of(topics).keys() == topics
    assert {e.part for e in derived(data, 1)} == {"train"}
    assert {e.part for e in ours()} == {"train", "test"}
    assert derived(data, 1) == derived(data, 1)
    assert derived(data, 1) != derived(data, 2)


def test_figures_of_a_known_case() -> None:
    wanted = np.array([0, 0, 1, 1, 2, 2])
    scores = np.array(
        [[0.9, 0.05, 0.05], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8], [0.1, 0.1, 0.8]]
    )
    told = figures(scores, wanted, list("abcdef"), 0.7)
    assert told["F1"] == {"spreads": 0.5, "debunks": 0.5, "neither": 1.0}
    assert told["confusion, rows wanted"] == [[1, 1, 0], [1, 1, 0], [0, 0, 2]]
    assert told["spreads, best score"] == {"precision": 0.5, "recall": 0.5, "corrections taken for it": 0.5}
    assert told["spreads, acted upon"] == {"precision": 1.0, "recall": 0.5, "corrections taken for it": 0.0}
    assert macro_f1(wanted, wanted) == 1


def test_scores_that_mean_what_they_say_have_no_calibration_error() -> None:
    wanted = np.array([0] * 6 + [1] * 3 + [2])
    assert calibration_error(np.tile([0.6, 0.3, 0.1], (10, 1)), wanted) == pytest.approx(0, abs=1e-9)
    assert calibration_error(np.tile([1.0, 0.0, 0.0], (10, 1)), wanted) > 0.2


def test_the_temperature_cools_what_is_too_sure_and_the_threshold_keeps_corrections_out() -> None:
    logits, wanted = np.array([[9.0, 0, 0], [9.0, 0, 0], [0, 9.0, 0], [9.0, 0, 0]]), np.array([0, 0, 1, 1])
    assert temperature_of(logits, wanted) > 2
    scores = softmax(np.array([[2.0, 0, 0], [1.0, 0, 0]]))
    assert spreads_from(scores, np.array([0, 1])) > scores[1, 0]
