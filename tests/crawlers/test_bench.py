"""The benches run what they say they run, and tell it in the form that the papers name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crawlers.bench.__main__ import main
from crawlers.bench.prose import Writer, numbered
from crawlers.bench.small_web import Site, World
from crawlers.pages import read
from crawlers.pages.items import PostItem
from crawlers.pages.page import Page

FIXTURES = Path(__file__).parent / "fixtures"


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main([*arguments, "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def test_the_crawler_and_a_plain_spider_fetch_the_same_pages_and_every_post_is_on_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # `measure` refuses a round in which pages or posts are missing.
    figures = told(capsys, "crawl", "--pages", "16", "--sources", "4", "--rounds", "1")
    assert figures["pages"] == 4 * (4 + 1), "articles and their listings"
    (only,) = figures["rounds"]
    assert figures["ratio"] == pytest.approx(only["ours"]["pages_per_s"] / only["plain"]["pages_per_s"], abs=0.001)
    assert figures["ratio_low"] == figures["ratio"] == figures["ratio_high"]
    assert figures["plain_cpu_ms"] > 0
    assert figures["ours_cpu_ms"] > 0


def test_memory_is_told_as_a_line_of_samples_beside_the_pages(capsys: pytest.CaptureFixture[str]) -> None:
    figures = told(capsys, "memory", "--pages", "40", "--sources", "4", "--every-s", "0.2")
    assert figures["posts"] == 40
    assert figures["pages"] == 40 + 4
    assert figures["samples"]
    assert all(rss > 1 for _, _, rss in figures["samples"])
    pages = [pages for _, pages, _ in figures["samples"]]
    assert pages == sorted(pages)


def test_a_hot_source_s_posts_are_followed_from_their_appearing_to_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--hot", "2", "--sources", "2", "--cadence-s", "2", "--gap-s", "1", "--seconds", "10")
    figures = told(capsys, "hot", *arguments)
    assert figures["allowed_s"] == 7
    assert figures["posts"] > figures["missing"] >= 0
    assert 0 < figures["p50_s"] <= figures["max_s"]


def test_the_schedule_s_lag_is_told_for_every_visit_but_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    figures = told(capsys, "sources", "--sources", "6", "--cadence-s", "1", "--seconds", "12")
    assert figures["visited"] == 6
    assert figures["visits"] == figures["visited"] + figures["revisits"]
    assert figures["revisits"] > 0
    assert 0 <= figures["taken_p50_s"] <= figures["taken_p95_s"]
    assert figures["asked_p50_s"] <= figures["asked_p95_s"]
    assert figures["frontier_ms_per_visit"] > 0


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ((), {"article", "feed", "sitemap", "wordpress"}),
        (("--fixtures", str(FIXTURES)), {path.name for path in FIXTURES.iterdir()} - {"export"}),
    ],
    ids=["made here", "fixtures"],
)
def test_each_page_object_s_speed_is_told(
    options: tuple[str, ...], kinds: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    figures = told(capsys, "pages", "--seconds", "0.01", *options)
    assert set(figures) == kinds
    assert all(speed["pages_per_s"] > 0 for speed in figures.values())
    assert figures["article"]["posts_per_s"] > 0


def test_a_folder_without_fixtures_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pages", "--fixtures", str(tmp_path)]) == 1
    assert "no fixtures" in capsys.readouterr().err


@pytest.mark.parametrize("size", [30_000, 55_000, 80_000])
def test_an_article_of_the_benches_is_as_large_as_said_and_reads_as_one_post_without_its_menus(size: int) -> None:
    page = numbered(Writer(1).article(size), 7, "Judul", "http://a.kabar-rekaan.example/a/7").encode()
    assert 0.7 * size < len(page) < 1.3 * size
    (post,) = (i for i in read("article", Page(page, "http://a.kabar-rekaan.example/a/7")) if isinstance(i, PostItem))
    assert post.text.startswith("Judul\n")
    assert "Berita nomor 7 dari meja redaksi." in post.text
    assert "jam lalu" not in post.text


def test_a_hot_host_begins_with_nothing_and_the_others_never_change() -> None:
    site = Site(World(pages=3, hot_gap_s=1e9, hot_until_s=60.0))
    assert b"<item>" not in site.answer("hot1.x.example", "/feed.xml", "")[2]
    assert site.answer("s1.x.example", "/feed.xml", "")[2].count(b"<item>") == 3
    assert site.answer("s1.x.example", "/feed.xml", '"2"')[0] == 304
