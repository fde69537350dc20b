"""The forms that other programs script against, and what happens to bad rows, bad settings and bad words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pipeline.cli.conftest import Jaga


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_classify_gives_one_json_a_line_with_id_scores_decisions_targets_and_model(jaga: Jaga, tmp_path: Path) -> None:
    ran = jaga(
        "classify", write(tmp_path / "a.csv", 'id,text\nx1,"Selamat pagi, cuaca cerah"\nx2,Pasar ramai sekali\n')
    )
    assert ran.code == 0, ran.err
    assert [line["id"] for line in ran.lines] == ["x1", "x2"]
    for line in ran.lines:
        assert set(line) == {"id", "scores", "decisions", "targets", "model"}
        assert set(line["scores"]) == set(line["decisions"]) >= {"hate", "provocation", "abusive"}
        assert all(0 <= score <= 1 for score in line["scores"].values())
        assert set(line["decisions"].values()) <= {"yes", "no", "unsure"}


def test_without_an_id_column_rows_are_numbered_from_0(jaga: Jaga, tmp_path: Path) -> None:
    ran = jaga("classify", write(tmp_path / "a.ndjson", '{"text": "satu"}\n\n{"text": "dua"}\n'))
    assert [line["id"] for line in ran.lines] == [0, 1]


def test_bad_rows_are_told_with_file_line_and_field_and_the_others_are_judged(jaga: Jaga, tmp_path: Path) -> None:
    rows = [
        b'{"id": "a", "text": "baik"}',
        b"{not json",
        b'{"id": "c"}',
        b'{"id": "d", "text": "\xff\xfe"}',
        b'{"id": "e", "text": "\\ud800"}',
        b"[1, 2]",
        b'{"id": "g", "text": ["x"]}',
        b'{"id": "h", "text": "baik juga"}',
    ]
    path = write(tmp_path / "ugly.ndjson", b"\n".join(rows))
    ran = jaga("classify", path)
    assert ran.code == 1
    assert [line["id"] for line in ran.lines] == ["a", "h"]
    said = ran.err.splitlines()
    assert len(said) == 6
    for number, what in zip(
        range(2, 8),
        ["not JSON", "text: ", "not UTF-8", "text: ", "not a JSON object", "text: "],
        strict=True,
    ):
        assert f"{path}:{number}: " in said[number - 2]
        assert what in said[number - 2]


def test_a_csv_row_with_too_few_fields_or_broken_bytes_is_told_with_its_line(jaga: Jaga, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b'id,text\n1,"dua\nbaris"\n2\n3,\xff\n4,baik\n')
    ran = jaga("classify", path)
    assert [line["id"] for line in ran.lines] == ["1", "4"]
    assert f"{path}:4: 1 fields, the heading has 2" in ran.err
    assert f"{path}:5: text: is not valid Unicode" in ran.err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.csv", None, "No such file"),
        ("folder.csv", "", "Is a directory"),
        ("empty.csv", b"", "is empty"),
        ("other.csv", b"a,b\n1,2\n", "no column text; there are a, b"),
    ],
)
def test_an_unusable_file_is_named_in_one_line(
    jaga: Jaga, tmp_path: Path, name: str, content: bytes | str | None, said: str
) -> None:
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        path.mkdir()
    ran = jaga("classify", path)
    assert ran.code != 0
    assert str(path) in ran.err
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_texts_that_are_empty_huge_or_strange_are_judged(jaga: Jaga, tmp_path: Path) -> None:
    texts = ["", "   ", "😀😀", "\x00", "a" * 200_000, "ปกติ", "‮terbalik"]
    path = write(tmp_path / "a.ndjson", "\n".join(json.dumps({"text": text}) for text in texts))
    ran = jaga("classify", path)
    assert ran.code == 0, ran.err
    assert len(ran.lines) == len(texts)


def test_stance_gives_id_stance_and_scores(jaga: Jaga, tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        "id,claim,text\n"
        "1,Surat suara sudah tercoblos,Astaga surat suara sudah tercoblos semua! Sebarkan\n"
        "2,Surat suara sudah tercoblos,[HOAKS] Tidak benar bahwa surat suara sudah tercoblos\n",
    )
    ran = jaga("stance", path)
    assert ran.code == 0, ran.err
    assert [(line["id"], line["stance"]) for line in ran.lines] == [("1", "spreads"), ("2", "debunks")]
    assert all(set(line["scores"]) == {"spreads", "debunks", "neither"} for line in ran.lines)


def test_stance_names_the_words_that_carried_it_when_asked(jaga: Jaga, tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv", "id,claim,text\n1,Kotak suara dibakar di Sampang,[HOAKS] Kotak suara dibakar di Sampang\n"
    )
    ran = jaga("stance", path, "--words")
    assert ran.code == 0, ran.err
    assert "[HOAKS]" in ran.lines[0]["words"]


def test_stance_takes_empty_huge_and_strange_rows_and_names_bad_ones(jaga: Jaga, tmp_path: Path) -> None:
    good = [("Kotak suara dibakar", text) for text in ("", " ", "a" * 100_000, "\x00", "ปกติ")] + [("", "Sebarkan!")]
    lines = [json.dumps({"claim": claim, "text": text}).encode() for claim, text in good]
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"\n".join([*lines, b'{"claim": "a"}', b'{"claim": "a", "text": "\xff"}']))
    ran = jaga("stance", path)
    assert ran.code == 1
    assert [line["stance"] for line in ran.lines][:2] == ["neither", "neither"]
    assert len(ran.lines) == len(good)
    assert ran.lines[-1]["scores"] == {"spreads": 0, "debunks": 0, "neither": 1}
    assert f"{path}:7: text: is missing" in ran.err
    assert f"{path}:8:" in ran.err
    assert "Traceback" not in ran.err


def test_claims_search_gives_the_best_claims_first(jaga: Jaga, tmp_path: Path) -> None:
    claims = write(
        tmp_path / "claims.csv",
        "id,text,title\n"
        "k1,,Surat suara sudah tercoblos di gudang Kalisari\n"
        "k2,Vaksin mengandung cip,\n"
        "k3,Harga beras turun karena pilkada,\n",
    )
    queries = write(tmp_path / "q.csv", "id,text\nq1,katanya surat suara di gudang Kalisari sudah tercoblos\n")
    ran = jaga("claims", "search", queries, "--claims", claims, "-k", "2")
    assert ran.code == 0, ran.err
    (line,) = ran.lines
    assert set(line) == {"id", "matches"}
    assert line["matches"][0]["claim_id"] == "k1"
    assert len(line["matches"]) == 2
    scores = [match["score"] for match in line["matches"]]
    assert scores == sorted(scores, reverse=True)


def test_stats_has_the_conservation_counts(jaga: Jaga) -> None:
    ran = jaga("stats", "--json")
    assert ran.code == 0, ran.err
    (line,) = ran.lines
    assert {"in", "indexed", "duplicate", "dead", "discarded", "lag"} <= set(line)


def test_ingest_work_and_stats_agree_on_every_row(jaga: Jaga, tmp_path: Path) -> None:
    path = write(tmp_path / "posts.csv", "id,text\n1,selamat pagi\n2,pasar ramai\n1,selamat pagi\n3,\x07bunyi\n")
    ingested = jaga("ingest", path, "--json")
    counts = json.loads(ingested.out.splitlines()[-1])
    assert counts == {"read": 4, "published": 3, "rejected": 1}
    assert f"{path}:5: text: control character" in ingested.err
    assert jaga("work", "--until-drained").code == 0
    (stats,) = jaga("stats", "--json").lines
    assert [stats[name] for name in ("in", "indexed", "duplicate", "dead", "discarded", "lag")] == [3, 2, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("command", "setting", "value"),
    [
        ("work", "JAGA_BROKER", "redis://localhost"),
        ("stats", "JAGA_STORE", "elasticsearch://"),
        ("serve", "JAGA_API_PORT", "eighty"),
        ("up", "JAGA_BATCH_POSTS", "0"),
        ("crawl", "JAGA_HOEM", "/tmp"),
    ],
)
def test_a_wrong_setting_stops_every_program_at_its_start_and_is_named(
    jaga: Jaga, command: str, setting: str, value: str
) -> None:
    ran = jaga(command, **{setting: value})
    assert ran.code != 0
    assert setting in ran.err
    assert "Traceback" not in ran.err


def test_doctor_names_what_is_wrong_and_how_to_mend_it(jaga: Jaga) -> None:
    ran = jaga("doctor", "--json", JAGA_BROKER="kafka://127.0.0.1:1", JAGA_STORE="elasticsearch://127.0.0.1:1")
    assert ran.code == 1
    (found,) = ran.lines
    wrong = {one["what"]: one for one in found if not one["ok"]}
    assert {"broker", "store"} <= set(wrong)
    assert "127.0.0.1:1" in wrong["broker"]["said"]
    assert "JAGA_BROKER" in wrong["broker"]["advice"]


def test_doctor_finds_nothing_wrong_in_a_fresh_house(jaga: Jaga) -> None:
    found = {one["what"]: one["ok"] for one in jaga("doctor", "--json").lines[0]}
    assert {what for what, ok in found.items() if not ok} <= {"disk", "memory"}, found


def test_an_unknown_stage_is_named(jaga: Jaga) -> None:
    ran = jaga("work", "judgge")
    assert ran.code == 2
    assert "judgge" in ran.err


def test_dead_letters_are_listed_shown_requeued_and_discarded_by_command(jaga: Jaga, tmp_path: Path) -> None:
    from pipeline.adapters.sqlite_broker import SqliteBroker
    from pipeline.ports import Record
    from pipeline.topology import POSTS_RAW, TOPICS

    home = tmp_path / "home"
    home.mkdir()
    broker = SqliteBroker(home / "log.db")
    broker.ensure(TOPICS)
    broker.publish([Record(POSTS_RAW, b"\xffbroken"), Record(POSTS_RAW, b"{}")])
    broker.close()
    assert jaga("work", "--until-drained").code == 0
    letters = jaga("replay", "list", "--json").lines
    assert len(letters) == 2
    assert all(letter["stage"] == "read" and letter["cause"] for letter in letters)
    assert jaga("replay", "discard", letters[0]["id"], "--by", "sari").code == 0
    assert jaga("replay", "requeue", letters[1]["id"], "--by", "sari").code == 0
    assert jaga("replay", "discard", letters[0]["id"], "--by", "budi").code == 1
    assert jaga("work", "--until-drained").code == 0
    (stats,) = jaga("stats", "--json").lines
    assert [stats[name] for name in ("in", "dead", "discarded", "lag", "balanced")] == [2, 1, 1, 0, True]
