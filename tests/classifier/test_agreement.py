"""What the measured agreement of two readers means."""

import csv
import dataclasses
import hashlib
from pathlib import Path

import pytest

from classifier import agreement
from classifier.agreement import Agreement, compare, main, table
from classifier.annotations import ANNOTATED, Reading, read_elections, read_readings, read_relabelled

GUIDE = Path(__file__).parents[2] / "docs" / "model" / "labelling.md"
OPEN = float("nan")


def test_kappa_is_cohen_s() -> None:
    # 20 yes by both, 5 by the first alone, 10 by the second alone, 15 by none: (0.7 - 0.5) / (1 - 0.5).
    pairs = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    found = Agreement.of(pairs)
    assert (found.rows, found.first, found.second) == (50, 25, 30)
    assert found.agreed == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)


def test_kappa_of_a_label_that_nobody_ever_gave_is_undefined_not_perfect() -> None:
    assert Agreement.of([(False, False)] * 9).kappa is None
    with pytest.raises(ValueError, match="no row"):
        Agreement.of([])


def test_labels_left_open_and_rows_read_once_do_not_count() -> None:
    def reading(row: str, reader: str, hate: float) -> Reading:
        return Reading(row, reader, dict.fromkeys(ANNOTATED, OPEN) | {"hate": hate})

    readings = [
        reading("1", "a", 1), reading("1", "b", 1), reading("2", "a", 0), reading("2", "b", 0),
        reading("3", "a", OPEN), reading("3", "b", 1), reading("4", "a", 1),
        reading("5", "a", 1), reading("5", "b", 0),
    ]  # fmt: skip
    found = compare(readings, "a", "b", {"1", "2", "3", "4"})
    assert found.keys() == {"hate"}
    assert (found["hate"].rows, found["hate"].agreed) == (2, 1.0)


def test_the_guide_shows_the_agreement_that_the_readings_give() -> None:
    assert table(read_readings()) in GUIDE.read_text(encoding="utf-8")


def test_a_new_reader_gets_rows_without_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(b"teks").hexdigest()[:12]
    hate_set = [dataclasses.replace(one, sha256=digest) for one in read_relabelled()[:3]]
    posts = [dataclasses.replace(one, sha256=digest) for one in read_elections() if one.source == "pilkada_dki_2017"]
    monkeypatch.setattr(agreement, "read_relabelled", lambda: hate_set)
    monkeypatch.setattr(agreement, "read_elections", lambda: posts)
    for name, labelled in (("hate/ibrohim_2019.csv", hate_set), ("ordinary/pilkada_dki_2017.csv", posts)):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text("id,text\n" + "".join(f"{one.id},teks\n" for one in labelled), encoding="utf-8")
    out = tmp_path / "export.csv"
    command = ["--export", str(out), "--data", str(tmp_path), "--own", "10", "--public", "2"]
    command += ["--election", "5"]
    assert main(command) == 0
    with out.open(encoding="utf-8", newline="") as file:
        exported = list(csv.DictReader(file))
    assert len(exported) == 17
    assert {tuple(row) for row in exported} == {("id", "text")}
    of_others = [row["id"] for row in exported if row["text"] == "teks"]
    assert len(of_others) == 7
    assert len(set(of_others) & {one.id for one in posts}) == 5
    first = out.read_bytes()
    assert main(command) == 0
    assert out.read_bytes() == first
    assert main([*command, "--seed", "2"]) == 0
    assert out.read_bytes() != first


def test_a_bad_file_of_readings_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("id,reader\n", encoding="utf-8")
    assert main(["--readings", str(path)]) == 1
    assert "mine.csv, line 1: lacks the column hate" in capsys.readouterr().err
