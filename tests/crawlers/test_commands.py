"""The commands' forms that others script against: what they print and how they end."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from crawlers.__main__ import main

FEED = "<rss version='2.0'><channel><title>t</title><item><title>Halo</title><link>/a</link></item></channel></rss>"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JAGA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_parse_prints_one_json_a_line(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    file = tmp_path / "feed.xml"
    file.write_text(FEED)
    assert main(["parse", "feed", str(file), "--url", "https://kabar.example/rss"]) == 0
    post, link = [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]
    assert (post["type"], post["native_id"], post["text"]) == ("post", "https://kabar.example/a", "Halo")
    assert link == {"type": "link", "url": "https://kabar.example/a", "why": "article"}


def test_parse_reads_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(FEED.encode())))
    assert main(["parse", "feed", "-"]) == 0
    assert len(capsysbinary.readouterr().out.splitlines()) == 2


def test_parse_never_pretends_to_read_a_kind_that_is_not_built(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("crawlers.pages.BUILT", ())
    assert main(["parse", "feed", "/dev/null"]) == 2
    assert "not built yet: feed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["parse", "koran", "/dev/null"], "unknown kind 'koran'"),
        (["parse", "feed", "/nonexistent"], "/nonexistent: No such file"),
        (["crawl"], "no source is enabled; `jaga sources list` shows them"),
        (["crawl", "zz"], "no source 'zz'; known are "),
        (["crawl", "--sources", "/nonexistent"], "/nonexistent: "),
        (["crawl", "--sources", "crawlers/sources.yaml"], "no source is enabled"),
        (["crawl", "zz", "--sources", "crawlers/sources.yaml"], "no source 'zz'; known are "),
    ],
)
def test_a_mistake_ends_with_2_and_its_name(
    command: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 2
    assert message in capsys.readouterr().err


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("JAGA_CRAWL_DELAY_S", "lambat")
    assert main(["parse", "feed", "/dev/null"]) == 2
    assert "JAGA_CRAWL_DELAY_S" in capsys.readouterr().err
