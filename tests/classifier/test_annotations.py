"""What training may rely on in the rows that this project labelled itself."""

import csv
import hashlib
import re
from collections.abc import Callable, Sized
from pathlib import Path

import pytest

from classifier.annotations import (
    ACCUSING,
    ANNOTATED,
    KINDS,
    PROTECTIVE,
    STANCE_KINDS,
    BadAnnotation,
    Relabelled,
    Written,
    read_elections,
    read_readings,
    read_relabelled,
    read_stance_pairs,
    read_written,
    with_texts,
)
from classifier.datasets import OURS, key, rows
from classifier.stance import STANCES

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "model" / "labelling.md"
# The label whose line an edge case draws.
LINE = {
    "p": "provocation",
    "h": "hate",
    "a": "abusive",
    "s": "suspect",
    "c": "criticism",
    "k": "counter_speech",
}

WRITTEN = {
    "id": "wr-1", "text": "Ayo nyoblos", "hate": "0", "provocation": "0", "abusive": "0", "suspect": "0",
    "criticism": "0", "counter_speech": "0", "targets": "", "topic": "a", "kind": "plain", "language": "id",
    "part": "train", "labelled_by": "someone", "second": "",
}  # fmt: skip
RELABELLED = {
    "id": "ib-1", "source": "ibrohim_2019", "sha256": hashlib.sha256(b"teks").hexdigest()[:12], "provocation": "0",
    "suspect": "0", "criticism": "1", "counter_speech": "", "labelled_by": "someone", "second": "",
}  # fmt: skip
ELECTION = {
    "id": "dki-1", "source": "pilkada_dki_2017", "sha256": hashlib.sha256(b"teks").hexdigest()[:12], "hate": "1",
    "provocation": "0", "abusive": "1", "suspect": "0", "criticism": "0", "counter_speech": "0",
    "targets": "group other", "labelled_by": "someone", "second": "",
}  # fmt: skip
STANCE = {
    "id": "st-1", "claim": "Klaim", "text": "Teks", "stance": "neither", "kind": "question", "topic": "a",
    "part": "train", "labelled_by": "someone",
}  # fmt: skip
READING = {"id": "wr-1", "reader": "someone", **dict.fromkeys(ANNOTATED, "0")}

Write = Callable[..., Path]


def all_labelled() -> list[Written | Relabelled]:
    return [*read_written(), *read_relabelled(), *read_elections()]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(*table: dict[str, str], name: str = "rows.csv") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(table[0]))
            writer.writeheader()
            writer.writerows(table)
        return path

    return to_file


def test_good_rows_are_read_with_open_labels_as_open(write: Write) -> None:
    (row,) = read_written(write(WRITTEN | {"hate": "", "provocation": "1"}))
    assert row.labels["provocation"] == 1
    assert row.labels["hate"] != row.labels["hate"]
    (row,) = read_written(write(WRITTEN | {"hate": "1", "targets": "religion group"}))
    assert row.targets == ("religion", "group")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"hate": "2"}, "hate"),
        ({"hate": "yes"}, "hate"),
        ({"text": "  "}, "text"),
        ({"text": " Ayo"}, "text"),
        ({"id": ""}, "id"),
        ({"kind": "p-unknown"}, "kind"),
        ({"language": "fr"}, "language"),
        ({"part": "dev"}, "part"),
        ({"second": "maybe"}, "second"),
        ({"topic": ""}, "topic"),
        ({"labelled_by": ""}, "labelled_by"),
        ({"hate": "1"}, "targets"),
        ({"targets": "religion"}, "targets"),
        ({"hate": "1", "targets": "creed"}, "targets"),
        ({"hate": "1", "targets": "group religion"}, "targets"),
        ({"hate": "1", "targets": "group group"}, "targets"),
        ({"provocation": "1", "criticism": "1"}, "criticism"),
        ({"hate": "1", "targets": "group", "counter_speech": "1"}, "counter_speech"),
        ({"suspect": "1", "criticism": "1"}, "criticism"),
    ],
)
def test_a_bad_row_is_named_by_file_line_and_field(write: Write, change: dict[str, str], field: str) -> None:
    other = WRITTEN | {"id": "wr-2", "text": "Teks lain", "topic": "b"} | change
    with pytest.raises(BadAnnotation, match=rf"^rows\.csv, line 3, field {field}: "):
        read_written(write(WRITTEN, other))


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"text": "Teks lain"}, "id"),
        ({"id": "wr-2", "text": "AYO nyoblos!!"}, "text"),
        ({"id": "wr-2", "text": "Teks lain", "part": "test"}, "part"),
    ],
    ids=["the same id", "a copy of a text", "a topic in two parts"],
)
def test_rows_that_do_not_go_together_are_refused(write: Write, other: dict[str, str], field: str) -> None:
    with pytest.raises(BadAnnotation, match=rf"^rows\.csv, line 3, field {field}: "):
        read_written(write(WRITTEN, WRITTEN | other))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1: lacks the column id"),
        (b"id,text\nwr-1,Ayo\n", "line 1: lacks the column hate"),
        (",".join(WRITTEN).encode() + b"\nwr-1,Ayo\n", "line 2: not as many fields"),
        (",".join(WRITTEN).encode() + b"\n" + b"x," * 20 + b"\n", "line 2: not as many fields"),
        (",".join(WRITTEN).encode() + b"\n\n\nwr-1,\xff\n", "line 4: not UTF-8"),
        (",".join(WRITTEN).encode() + b'\nwr-1,"Ayo', "line 2: unexpected end of data"),
    ],
    ids=["empty", "columns missing", "cells missing", "too many cells", "not UTF-8", "open quotation mark"],
)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with pytest.raises(BadAnnotation, match=re.escape(f"rows.csv, {said}")):
        read_written(path)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"source": "elsewhere"}, "source"),
        ({"sha256": "abc"}, "sha256"),
        ({"sha256": "x" * 12}, "sha256"),
        ({"criticism": "no"}, "criticism"),
        ({"provocation": "1"}, "criticism"),
    ],
)
def test_a_bad_label_of_a_public_row_is_named(write: Write, change: dict[str, str], field: str) -> None:
    with pytest.raises(BadAnnotation, match=rf"^rows\.csv, line 2, field {field}: "):
        read_relabelled(write(RELABELLED | change))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"source": "ibrohim_2019"}, "source"),
        ({"sha256": "abc"}, "sha256"),
        ({"targets": ""}, "targets"),
        ({"targets": "other group"}, "targets"),
        ({"hate": ""}, "targets"),
        ({"criticism": "1"}, "criticism"),
    ],
)
def test_a_bad_label_of_an_election_post_is_named(write: Write, change: dict[str, str], field: str) -> None:
    with pytest.raises(BadAnnotation, match=rf"^rows\.csv, line 2, field {field}: "):
        read_elections(write(ELECTION | change))


@pytest.mark.parametrize(
    ("change", "field"), [({"stance": "agrees"}, "stance"), ({"kind": "plain"}, "kind"), ({"claim": ""}, "claim")]
)
def test_a_bad_pair_is_named(write: Write, change: dict[str, str], field: str) -> None:
    with pytest.raises(BadAnnotation, match=rf"^rows\.csv, line 2, field {field}: "):
        read_stance_pairs(write(STANCE | change))


def test_a_reader_reads_a_row_once(write: Write) -> None:
    assert len(read_readings(write(READING, READING | {"reader": "another"}))) == 2
    with pytest.raises(BadAnnotation, match=r"^rows\.csv, line 3, field id: someone has read"):
        read_readings(write(READING, READING))


def test_a_public_text_is_taken_only_if_it_is_the_one_we_labelled(write: Write, tmp_path: Path) -> None:
    labelled = read_relabelled(write(RELABELLED))
    write({"id": "ib-1", "text": "teks"}, name="hate/ibrohim_2019.csv")
    assert with_texts(labelled, tmp_path) == [("teks", labelled[0])]
    write({"id": "ib-1", "text": "another"}, name="hate/ibrohim_2019.csv")
    with pytest.raises(BadAnnotation, match="row ib-1: another text"):
        with_texts(labelled, tmp_path)
    write({"id": "ib-2", "text": "teks"}, name="hate/ibrohim_2019.csv")
    with pytest.raises(BadAnnotation, match="has no row ib-1"):
        with_texts(labelled, tmp_path)


def test_an_election_post_is_joined_with_its_text_from_its_own_set(write: Write, tmp_path: Path) -> None:
    labelled = read_elections(write(ELECTION))
    assert labelled[0].targets == ("group", "other")
    write({"id": "dki-1", "text": "teks"}, name="ordinary/pilkada_dki_2017.csv")
    assert with_texts(labelled, tmp_path) == [("teks", labelled[0])]
    write({"id": "dki-1", "text": "another"}, name="ordinary/pilkada_dki_2017.csv")
    with pytest.raises(BadAnnotation, match=r"pilkada_dki_2017\.csv, row dki-1: another text"):
        with_texts(labelled, tmp_path)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "plain"])
def test_every_edge_case_of_the_guide_has_rows_on_both_sides_of_its_line(kind: str) -> None:
    label = LINE[kind[0]]
    sides = {row.labels[label] for row in read_written() if row.kind == kind}
    assert {0.0, 1.0} <= sides


def test_ordinary_talk_has_no_label() -> None:
    plain = [row for row in read_written() if row.kind == "plain"]
    assert len(plain) > 20
    assert not [row.id for row in plain if any(row.labels.values())]


@pytest.mark.parametrize("label", ANNOTATED)
def test_every_label_can_be_tested_on_topics_that_training_has_not_seen(label: str) -> None:
    held = [row for row in read_written() if row.part == "test"]
    assert sum(row.labels[label] == 1 for row in held) >= 20
    assert sum(row.labels[label] == 0 for row in held) >= 200


def test_every_stance_and_kind_of_pair_is_there_in_unseen_topics_too() -> None:
    pairs = read_stance_pairs()
    assert {pair.stance for pair in pairs if pair.part == "test"} == set(STANCES)
    assert {pair.kind for pair in pairs} == set(STANCE_KINDS)


def test_nothing_that_is_tested_on_is_trained_on() -> None:
    golden = {key(row["text"]) for row in rows(Path(__file__).parent / "golden.csv")}
    held = {key(row.text) for row in read_written() if row.part == "test"}
    held |= {key(pair.text) for pair in read_stance_pairs() if pair.part == "test"}
    trained = {key(row.text) for row in read_written() if row.part == "train"}
    trained |= {key(pair.text) for pair in read_stance_pairs() if pair.part == "train"}
    trained |= {key(row["text"]) for row in rows(OURS / "provocation.csv")}
    assert not trained & (golden | held)


def test_what_was_read_twice_says_so_truly() -> None:
    readings: dict[str, list[list[str]]] = {}
    for row in rows(OURS / "readings.csv"):
        readings.setdefault(row["id"], []).append([row[label] for label in ANNOTATED])
    said = {row.id: row.second for row in all_labelled()}
    assert readings.keys() <= said.keys()
    for name, second in said.items():
        found = readings.get(name, [])
        expected = "" if not found else "agreed" if found[0] == found[1] else "settled"
        assert second == expected, name


@pytest.mark.parametrize("name", ["relabelled.csv", "elections.csv"])
def test_no_text_of_others_is_in_our_labels_of_public_rows(name: str) -> None:
    for row in rows(OURS / name):
        # The loader takes nothing but the names of targets in that column.
        cells = [cell for column, cell in row.items() if column != "targets"]
        assert all(re.fullmatch(r"[\w-]{0,20}", cell) for cell in cells), row


def test_the_guide_defines_every_label_and_edge_case_in_both_languages() -> None:
    indonesian, english = GUIDE.read_text(encoding="utf-8").split("\n## Guide in English\n")
    for half in (indonesian, english):
        for name in (*(kind for kind in KINDS if kind != "plain"), *STANCES):
            assert f"`{name}`" in half, name
        for label in ANNOTATED:
            assert re.search(rf"^### `{label}`", half, re.MULTILINE), label


def test_the_guide_tells_how_many_rows_there_are() -> None:
    told = dict(re.findall(r"^\| `(\w+)\.csv` \| ([\d,]+) \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE))
    there: dict[str, Sized] = {
        "written": read_written(),
        "relabelled": read_relabelled(),
        "elections": read_elections(),
        "stance": read_stance_pairs(),
    }
    assert told == {name: f"{len(found):,}" for name, found in there.items()}


def test_what_protects_never_stands_beside_what_accuses() -> None:
    for row in all_labelled():
        marked = {label for label, value in row.labels.items() if value == 1}
        assert not (marked & set(PROTECTIVE) and marked & set(ACCUSING)), row.id
