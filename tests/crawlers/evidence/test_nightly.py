"""A crawl seals what is over, and is not held up by it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from crawlers.evidence.chain import Chain
from tests.crawlers.fakes import Answer, Site

from .world import World, three_days

FEED = "<rss version='2.0'><channel><title>t</title></channel></rss>"
SOURCE = {"id": "kabar", "kind": "feed", "legal_basis": "uji"}


def test_a_crawl_seals_the_days_that_are_over(crawl: Callable[..., Any], tmp_path: Path) -> None:
    three_days(tmp_path / "home")
    with Site({"/rss": Answer(FEED)}) as site:
        crawl(site, [{**SOURCE, "url": f"http://127.0.0.1:{site.port}/rss"}])
    assert len(Chain(tmp_path / "home").numbers()) == 3
    assert World(tmp_path / "home").verify()["ok"]


def test_a_crawl_goes_on_where_the_chain_is_broken_and_says_so(crawl: Callable[..., Any], tmp_path: Path) -> None:
    world = three_days(tmp_path / "home")
    world.jaga("seal")
    (world.home / "evidence" / "000002.txt").unlink()
    world.keep(1, 1)
    with Site({"/rss": Answer(FEED)}) as site:
        result = crawl(site, [{**SOURCE, "url": f"http://127.0.0.1:{site.port}/rss"}])
    assert result.tally["pages"] == 1
    assert "evidence is not sealed: evidence/000002.txt: is missing" in result.said
