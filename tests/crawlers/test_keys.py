"""Keys of pseudonyms change, are sealed and are destroyed, and none of it unseen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from crawlers import pseudonym
from crawlers.__main__ import main
from crawlers.pseudonym import MADE, Key, maker
from pipeline.audit import Audit
from pipeline.settings import Settings


class Told:
    def __init__(self, capsys: pytest.CaptureFixture[str], home: Path) -> None:
        self.capsys, self.home = capsys, home

    def __call__(self, *words: str) -> tuple[int, str, str]:
        code = main(["keys", *words])
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def pseudonym(self, account: str = "sari") -> str:
        return maker(pseudonym.key(Settings(home=self.home)))("x", account)


@pytest.fixture
def keys(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setenv("JAGA_HOME", str(tmp_path / "home"))
    return Told(capsys, tmp_path / "home")


def test_a_rotated_key_gives_other_pseudonyms_that_tell_their_generation(keys: Told) -> None:
    before = keys.pseudonym()
    code, out, _ = keys("rotate", "--why", "akhir pilkada", "--by", "sari")
    assert (code, out.startswith("generation 2 is in use")) == (0, True)
    after = keys.pseudonym()
    assert before.startswith("a_")
    assert after.startswith("a2_")
    assert before[2:] != after[3:]
    assert MADE.match(before)
    assert MADE.match(after)
    keys("rotate", "--why", "lagi")
    assert keys.pseudonym().startswith("a3_")


def test_only_who_holds_the_old_key_can_link_old_and_new(keys: Told) -> None:
    before = keys.pseudonym()
    keys("rotate", "--why", "akhir pilkada")
    after = keys.pseudonym()
    rows = [json.loads(line) for line in keys("link", "x", "@Sari", "--why", "perkara 12", "--json")[1].splitlines()]
    assert rows == [{"generation": 1, "author": before}, {"generation": 2, "author": after}]
    assert keys("destroy", "1", "--why", "retensi")[0] == 0
    assert not (keys.home / "pseudonym.key.1").exists()
    rows = [json.loads(line) for line in keys("link", "x", "sari", "--why", "perkara 12", "--json")[1].splitlines()]
    assert rows == [{"generation": 2, "author": after}]


def test_the_key_in_use_is_never_destroyed(keys: Told) -> None:
    present = keys.pseudonym()
    keys("rotate", "--why", "x")
    code, _, err = keys("destroy", "2", "--why", "x")
    assert (code, err) == (2, "jaga: no sealed key of generation 2; there are [1]\n")
    assert keys.pseudonym() != present
    assert keys("list")[1].count("in use") == 1


def test_everything_done_with_the_keys_is_kept_with_who_and_why_and_no_account(keys: Told) -> None:
    keys("rotate", "--why", "akhir pilkada", "--by", "sari")
    keys("link", "x", "akun_rahasia", "--why", "perkara 12", "--by", "budi")
    keys("destroy", "9", "--why", "salah", "--by", "budi")
    audit = Audit(keys.home / "audit.jsonl")
    told = [(entry.act, entry.who, entry.why) for entry in audit.entries()]
    assert told == [
        ("keys rotate begun", "sari", "akhir pilkada"),
        ("keys rotate", "sari", "akhir pilkada"),
        ("keys link", "budi", "perkara 12"),
        ("keys destroy begun", "budi", "salah"),
        ("keys destroy failed", "budi", "salah"),
    ]
    assert "akun_rahasia" not in audit.path.read_text()
    secrets = [(keys.home / name).read_text().strip() for name in ("pseudonym.key", "pseudonym.key.1")]
    assert not any(secret.removeprefix("2:") in audit.path.read_text() + keys("list")[1] for secret in secrets)
    code, out, _ = keys("log", "--json")
    assert (code, len(out.splitlines())) == (0, 5)


def test_a_changed_audit_file_is_told_and_stops_further_acts(keys: Told) -> None:
    keys("rotate", "--why", "satu")
    path = keys.home / "audit.jsonl"
    path.write_text(path.read_text().replace("satu", "dua", 1))
    present = keys.pseudonym()
    for words in (("log",), ("rotate", "--why", "x"), ("link", "x", "sari", "--why", "y")):
        code, out, err = keys(*words)
        assert code == 2
        assert "does not follow" in err
        assert "a2_" not in out
    assert keys.pseudonym() == present


@pytest.mark.parametrize(
    "words",
    [
        ("rotate",),
        ("rotate", "--why", " "),
        ("link", "x", "y"),
        ("destroy", "1"),
        ("destroy", "satu", "--why", "x"),
        ("nothing",),
    ],
)
def test_without_a_reason_nothing_is_done(keys: Told, words: tuple[str, ...]) -> None:
    before = keys.pseudonym()
    code, _, err = keys(*words)
    assert (code, err[:6]) == (2, "jaga: ")
    assert keys.pseudonym() == before
    assert not (keys.home / "audit.jsonl").exists()


def test_keys_are_readable_by_their_owner_alone(keys: Told) -> None:
    keys.pseudonym()
    keys("rotate", "--why", "x")
    for name in ("pseudonym.key", "pseudonym.key.1"):
        assert (keys.home / name).stat().st_mode & 0o777 == 0o600


def test_a_key_set_in_the_environment_is_changed_there(keys: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAGA_PSEUDONYM_KEY", "rahasia")
    keys.home.mkdir()
    code, _, err = keys("rotate", "--why", "x")
    assert code == 2
    assert "JAGA_PSEUDONYM_KEY is set" in err


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("k", Key(1, b"k")),
        ("2:k", Key(2, b"k")),
        ("1:k", Key(1, b"1:k")),
        ("12:a:b", Key(12, b"a:b")),
        ("x:k", Key(1, b"x:k")),
    ],
)
def test_keys_of_old_stay_what_they_were(written: str, wanted: Key) -> None:
    assert Key.read(written) == wanted
    assert Key.read(wanted.written()) == wanted


def test_a_crash_while_rotating_leaves_a_key_in_use(keys: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys.pseudonym()

    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("crawlers.pseudonym.os.replace", broken)
    assert keys("rotate", "--why", "x")[0] == 2
    assert keys.pseudonym() == before
    monkeypatch.undo()
    monkeypatch.setenv("JAGA_HOME", str(keys.home))
    assert keys("rotate", "--why", "x")[0] == 0
    assert keys.pseudonym().startswith("a2_")


def test_pseudonyms_of_earlier_generations_are_not_made_again(ingested: Callable[[dict[str, str]], str]) -> None:
    made = "a2_" + "0f" * 10
    assert ingested({"id": "1", "text": "x", "author": made}) == made


@pytest.fixture
def ingested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], str]:
    from pipeline.adapters.sqlite_broker import SqliteBroker
    from pipeline.contracts import unpack
    from pipeline.topology import POSTS_RAW

    def ingest(row: dict[str, str]) -> str:
        monkeypatch.setenv("JAGA_HOME", str(tmp_path))
        (tmp_path / "a.ndjson").write_text(json.dumps(row))
        assert main(["ingest", str(tmp_path / "a.ndjson")]) == 0
        broker = SqliteBroker(tmp_path / "log.db")
        (message,) = broker.read(POSTS_RAW)
        broker.close()
        return str(unpack("post", message.value).author)

    return ingest
