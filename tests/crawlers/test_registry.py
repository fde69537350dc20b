"""Sources are a reviewed file with edits over it; every edit keeps who, when, what and why, for good."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crawlers.__main__ import main
from crawlers.registry import Registry
from crawlers.sources import BadSources, read_sources

from . import shapes
from .conftest import ROOT
from .fakes import Site

FILE = [
    {
        "id": "kabar",
        "kind": "feed",
        "url": "https://kabar.example/rss",
        "legal_basis": "Berita publik.",
        "enabled": False,
    },
    {"id": "warga", "kind": "mastodon", "url": "https://m.example/public", "enabled": False},
]


def registry(folder: Path, file: list[dict[str, Any]] = FILE) -> Registry:
    return Registry(read_sources(file, "sumber.yaml"), "sumber.yaml", folder / "sources.db")


def test_without_edits_the_file_is_in_force_and_nothing_is_written(tmp_path: Path) -> None:
    assert [source.id for source in registry(tmp_path).sources(["warga", "kabar"])] == ["warga", "kabar"]
    assert registry(tmp_path).sources() == []
    assert not (tmp_path / "sources.db").exists()


def test_an_edit_lies_over_the_file_and_keeps_who_what_and_why(tmp_path: Path) -> None:
    made = registry(tmp_path)
    made.change("kabar", {"cadence_s": 60, "region": "Bali"}, who="andi", why="ramai")
    made.change("kabar", {"enabled": True}, act="on", who="budi")
    again = registry(tmp_path)
    (source,) = again.sources()
    assert (source.id, source.cadence_s, source.region) == ("kabar", 60, ("51",))
    first, second = again.events("kabar")
    assert (first.who, first.act, first.why) == ("andi", "set", "ramai")
    assert first.fields == {"cadence_s": 60, "region": ["51"]}
    assert first.was == {"cadence_s": 900, "region": []}
    assert (second.who, second.act, second.was, second.fields) == ("budi", "on", {"enabled": False}, {"enabled": True})
    assert again.events("warga") == []
    assert first.at < second.at


def test_what_review_changes_in_the_file_counts_where_no_edit_said_otherwise(tmp_path: Path) -> None:
    registry(tmp_path).change("kabar", {"cadence_s": 60}, who="andi")
    moved = [{**FILE[0], "url": "https://kabar.example/baru", "cadence_s": 7200}, FILE[1]]
    source = registry(tmp_path, moved).entry("kabar").source
    assert (source.url, source.cadence_s) == ("https://kabar.example/baru", 60)


def test_a_source_can_be_added_and_removed_and_its_history_stays(tmp_path: Path) -> None:
    made = registry(tmp_path)
    made.add(
        {"id": "baru", "kind": "telegram", "url": "https://t.me/kabarbaru", "enabled": False}, who="andi", why="usul"
    )
    assert made.entry("baru").origin == "added"
    made.remove("baru", who="budi", why="tutup")
    made.remove("warga", who="budi")
    assert list(registry(tmp_path).entries()) == ["kabar"]
    assert [(event.act, event.who, event.why) for event in made.events("baru")] == [
        ("add", "andi", "usul"),
        ("remove", "budi", "tutup"),
    ]
    assert made.events("baru")[1].was["url"] == "https://t.me/kabarbaru"
    made.add({**FILE[1], "name": "lagi"}, who="andi")
    assert made.entry("warga").source.name == "lagi"
    assert [event.act for event in made.entry("warga").events] == ["remove", "add"]


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("hilang", {"cadence_s": 60}, "no source 'hilang'"),
        ("kabar", {"cadence_s": 0}, "kabar: cadence_s: "),
        ("kabar", {"tempo": 1}, "kabar: no field 'tempo'; known are id, kind, url"),
        ("kabar", {"id": "lain"}, "kabar: id: cannot be changed"),
        ("kabar", {"url": "file:///etc/passwd"}, "kabar: url: "),
        ("kabar", {"kind": "recipe"}, "kabar: recipe: kind recipe needs one"),
        ("warga", {"enabled": True}, "warga: legal_basis: a source is turned on only with one"),
    ],
)
def test_a_wrong_edit_is_refused_with_its_field_and_changes_nothing(
    tmp_path: Path, name: str, fields: dict[str, Any], message: str
) -> None:
    made = registry(tmp_path)
    with pytest.raises(BadSources) as error:
        made.change(name, fields, who="andi")
    assert str(error.value).startswith(message)
    assert made.events() == []


def test_an_edit_without_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSources, match="needs the name"):
        registry(tmp_path).change("kabar", {"cadence_s": 60}, who="  ")
    assert registry(tmp_path).events() == []


def test_an_edit_that_changes_nothing_leaves_no_event(tmp_path: Path) -> None:
    assert registry(tmp_path).change("kabar", {"enabled": False}, act="off", who="andi") is None
    assert registry(tmp_path).events() == []


def test_events_can_be_neither_changed_nor_removed(tmp_path: Path) -> None:
    registry(tmp_path).change("kabar", {"cadence_s": 60}, who="andi")
    db = sqlite3.connect(tmp_path / "sources.db")
    for statement in ("UPDATE events SET who = 'x'", "DELETE FROM events"):
        with pytest.raises(sqlite3.IntegrityError, match="events are never"):
            db.execute(statement)
    db.close()
    assert [event.who for event in registry(tmp_path).events()] == ["andi"]


def test_an_edit_that_no_longer_fits_the_file_is_named_and_can_be_mended(tmp_path: Path) -> None:
    registry(tmp_path).change("kabar", {"url": "https://kabar.example/b"}, who="andi")
    changed = [{**FILE[0], "kind": "telegram", "url": "https://t.me/kabar"}]
    made = registry(tmp_path, changed)
    with pytest.raises(BadSources, match=r"edit 1 of kabar by andi no longer fits sumber.yaml: url: "):
        made.entries()
    made.change("kabar", {"url": "https://t.me/kabarlain"}, who="budi")
    assert made.entry("kabar").source.url == "https://t.me/kabarlain"


def test_edits_of_a_source_that_left_the_file_do_nothing_and_are_told(tmp_path: Path) -> None:
    registry(tmp_path).change("kabar", {"cadence_s": 60}, who="andi")
    made = registry(tmp_path, FILE[1:])
    assert list(made.entries()) == ["warga"]
    assert [event.source for event in made.stray()] == ["kabar"]


def test_two_who_edit_at_once_both_count(tmp_path: Path) -> None:
    threads = [
        threading.Thread(target=registry(tmp_path).change, args=("kabar", {field: "x"}), kwargs={"who": field})
        for field in ("name", "owner", "notes", "publisher")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    source = registry(tmp_path).entry("kabar").source
    assert (source.name, source.owner, source.notes, source.publisher) == ("x", "x", "x", "x")


# ---------------------------------------------------------------- the command


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "sumber.yaml"
    file.write_text(json.dumps(FILE))
    monkeypatch.setenv("JAGA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JAGA_SOURCES", str(file))
    return tmp_path / "home"


def test_what_the_command_edits_is_what_is_crawled(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources", "set", "kabar", "cadence_s=60", "name=Kabar: kota", "--by", "andi", "--why", "ramai"]) == 0
    assert main(["sources", "on", "kabar", "--by", "andi"]) == 0
    capsys.readouterr()
    assert main(["sources", "list", "--on", "--json"]) == 0
    (told,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (told["id"], told["cadence_s"], told["name"], told["origin"]) == ("kabar", 60, "Kabar: kota", "file")
    assert [(edit["who"], edit["act"], edit["why"]) for edit in told["edits"]] == [
        ("andi", "set", "ramai"),
        ("andi", "on", ""),
    ]
    from crawlers.registry import Registry
    from pipeline.settings import load_settings

    assert [source.id for source in Registry.of(load_settings()).sources()] == ["kabar"]
    assert main(["sources", "off", "kabar"]) == 0
    assert main(["crawl"]) == 2
    assert "no source is enabled" in capsys.readouterr().err


def test_the_list_the_source_and_the_history_can_be_read(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add = ["sources", "add", "baru", "--kind", "telegram", "--url", "https://t.me/kabarbaru", "region=[33, Bali]"]
    assert main([*add, "--by", "andi", "--why", "usul"]) == 0
    assert main(["sources", "list", "--kind", "telegram", "--region", "51"]) == 0
    assert "baru*" in capsys.readouterr().out
    assert main(["sources", "show", "baru"]) == 0
    out = capsys.readouterr().out
    assert "url: https://t.me/kabarbaru" in out
    assert "andi: add baru (usul)" in out
    assert main(["sources", "remove", "baru", "--by", "budi"]) == 0
    assert main(["sources", "log", "baru", "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()[-2:]]
    assert [(event["act"], event["who"]) for event in events] == [("add", "andi"), ("remove", "budi")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "hilang"], "no source 'hilang'"),
        (["set", "kabar"], "set needs FIELD=VALUE"),
        (["set", "kabar", "cadence_s"], "cadence_s: FIELD=VALUE is needed"),
        (["set", "kabar", "tempo=1"], "no field 'tempo'"),
        (["set", "kabar", "region=[33"], "region: '[33' is no YAML"),
        (["add", "kabar", "--kind", "feed", "--url", "https://x.example/"], "there is such a source already"),
        (["add", "baru", "--kind", "koran", "--url", "https://x.example/"], "baru: kind: "),
        (["add", "baru", "--kind", "feed", "--url", "https://x.example/", "enabled=true"], "legal_basis"),
        (["check"], "check needs the ID of a source, or --kind and --url"),
        (["nyala", "kabar"], "No such command"),
        (["on"], "Missing argument"),
    ],
)
def test_a_mistake_ends_with_2_and_its_name(
    home: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sources", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("jaga: ")
    assert message in said


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., Any]:
    """`jaga sources check` in a process of its own, since a reactor starts only once."""
    import os
    import subprocess
    import sys

    def run(site: Site, *arguments: str) -> tuple[int, str, str, Path]:
        env = {k: v for k, v in os.environ.items() if not k.startswith("JAGA_")}
        env |= {
            "JAGA_HOME": str(tmp_path / "home"),
            "JAGA_GUARD_ALLOW": f"127.0.0.1:{site.port}",
            "JAGA_CRAWL_DELAY_S": "0",
            "JAGA_RETRY_MAX_S": "0.2",
        }
        command = [sys.executable, "-m", "crawlers", "sources", "check", *arguments]
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout, done.stderr, tmp_path / "home"

    return run


def test_a_look_fetches_one_page_shows_its_posts_and_keeps_nothing(check: Callable[..., Any]) -> None:
    with Site() as site:
        site.answers["/s/kabarkota"] = shapes.telegram("kabarkota", (25, "Lima"), (27, "Tujuh"), before=25)
        code, out, _, home = check(site, "--kind", "telegram", "--url", f"{site.base}/kabarkota", "--json")
        again = check(site, "--kind", "telegram", "--url", f"{site.base}/kabarkota")
    told = json.loads(out)
    assert (code, told["ok"], told["pages"], told["posts"], told["problems"], told["gaps"]) == (0, True, 1, 2, [], [])
    assert [post["text"] for post in told["preview"]] == ["Lima", "Tujuh"]
    assert told["preview"][0]["native_id"] == "kabarkota/25"
    assert again[0] == 0
    assert "1 pages, 2 posts, 0 claims" in again[1]
    assert "Tujuh" in again[1]
    assert [path for path, _ in site.asked] == ["/robots.txt", "/s/kabarkota"] * 2
    assert [file.name for file in home.iterdir()] == ["pseudonym.key"]


def test_a_look_at_a_place_that_gives_nothing_says_why(check: Callable[..., Any]) -> None:
    with Site({"/s/hilang": shapes.telegram_nobody("hilang")}) as site:
        code, out, _, _ = check(site, "--kind", "telegram", "--url", f"{site.base}/hilang", "--json")
        guarded = check(site, "--kind", "feed", "--url", "http://10.0.0.7/rss", "--json")
    told = json.loads(out)
    assert (code, told["ok"], told["posts"]) == (1, False, 0)
    assert told["gaps"][0].startswith("no such channel, or not a public one")
    assert (guarded[0], json.loads(guarded[1])["pages"]) == (1, 0)
    assert json.loads(guarded[1])["gaps"][0].startswith("not allowed to fetch: 10.0.0.7 is not a public address")
