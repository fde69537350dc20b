"""Training is a path that works from start to end, and goes on where it was stopped. Needs torch: `make
test-train`.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from classifier.engine import Classifier
from classifier.manifest import SHIPPED

pytestmark = pytest.mark.train


def write(path: Path, header: list[str], rows: list[list[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Invented rows in the shape of the research sets."""
    root = tmp_path_factory.mktemp("data")
    texts = [(f"cerita biasa nomor {n} tentang sawah {n * 7}", 0) for n in range(40)]
    texts += [(f"dasar kalian busuk nomor {n} semua sampah {n * 7}", 1) for n in range(40)]
    flags = [
        "HS",
        "Abusive",
        "HS_Individual",
        "HS_Group",
        "HS_Religion",
        "HS_Race",
        "HS_Physical",
        "HS_Gender",
        "HS_Other",
        "HS_Weak",
        "HS_Moderate",
        "HS_Strong",
    ]
    write(
        root / "hate/ibrohim_2019.csv",
        ["id", "text", *flags],
        [[f"i{n}", t, *[y] * 3, *[0] * 9] for n, (t, y) in enumerate(texts)],
    )
    parts = ["train", "train", "train", "dev", "test"]
    write(
        root / "hate/ibrohim_2019_published_folds.csv",
        ["text", "HS", "fold0"],
        [[t, y, parts[n % 5]] for n, (t, y) in enumerate(texts)],
    )
    write(root / "lexicon/mini.csv", ["slang", "formal"], [["crt", "cerita"], ["bsk", "busuk"]])
    write(
        root / "hate/groups_2012_2024.csv",
        ["id", "target", "label", "text"],
        [[n, "arab", ("not hate", "hate")[n % 2], f"golongan {n} {n * 3}"] for n in range(30)],
    )
    for language in ("javanese", "sundanese"):
        write(
            root / f"hate/{language}.csv",
            ["id", "abusive", "hate", "text"],
            [[n, n % 2, 0, f"{language} tulisan {n} {n * 5}"] for n in range(30)],
        )
    write(
        root / "hate/functional_cases_silver.csv",
        ["function", "target", "label", "text"],
        [["slur_h", "x", "hateful", "uji satu"], ["ident_nh", "x", "non-hateful", "uji dua"]],
    )
    write(
        root / "ordinary/reviews.csv",
        ["id", "sentiment", "text"],
        [[n, "positive", f"warung {n} enak {n * 9}"] for n in range(40)],
    )
    write(
        root / "claims/turnbackhoax_2015_2020.csv",
        ["id", "date", "label", "title", "text"],
        [[n, "2019-01-01", "hoax", f"judul {n} kotak", f"kabar judul {n} kotak suara dibakar {n}"] for n in range(40)],
    )
    return root


def base() -> Path:
    found = Path(os.environ.get("BASE_MODEL", "../shared/models/e5-small-id"))
    if not found.is_dir():
        pytest.skip("no base model: set BASE_MODEL")
    return found


def train(data: Path, out: Path, *more: str | Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "classifier.train",
        "--data",
        data,
        "--base",
        base(),
        "--out",
        out,
        "--limit",
        "30",
        "--epochs",
        "1",
        "--layers",
        "4",
        "--threads",
        "1",
        *more,
    ]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)


def test_a_small_training_gives_a_model_that_loads_and_resumes(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    first = train(data, tmp_path)
    assert first.returncode == 0, first.stderr
    judged = Classifier.load(tmp_path).judge(["dasar kalian busuk semua sampah", "cerita biasa"])
    assert all(0 <= score <= 1 for one in judged for score in one.scores.values())
    again = train(data, tmp_path)
    assert again.returncode == 0, again.stderr
    assert "goes on from step" in again.stderr
    assert Classifier.load(tmp_path).judge(["cerita biasa"])[0].scores == judged[1].scores
    further = train(data, tmp_path / "further", "--start", tmp_path, "--share", "0.5")
    assert further.returncode == 0, further.stderr
    told = json.loads((tmp_path / "further/training.json").read_text(encoding="utf-8"))
    assert (told["layers"], told["started_from"]["epochs"]) == (4, 1)


def test_a_missing_data_folder_is_named(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    shutil.copyfile(SHIPPED / "manifest.json", tmp_path / "manifest.json")
    ran = train(tmp_path / "nowhere", tmp_path)
    assert ran.returncode == 2
    assert "nowhere" in ran.stderr
