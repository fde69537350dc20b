"""Pictures of evidence show the archived bytes, without network and without scripts."""

from __future__ import annotations

import hashlib
import importlib.util
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from crawlers.archive import Archive, Fetch
from tests.browser.screenshot import chromium
from tests.crawlers.evidence.world import TODAY, Ran, World, three_days
from tests.crawlers.fakes import Site

pytestmark = pytest.mark.browser

SIZE = slice(16, 24)
"""Width and height in a PNG's header."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    if chromium() is None:
        pytest.skip("no chromium on the path")
    return three_days(tmp_path / "home")


def jaga(world: World, *words: str | Path) -> Ran:
    """In a thread: the browser of the other tests has a loop in this one."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(world.jaga, *words).result()


def test_an_export_with_pictures_holds_the_page_and_each_html_record(world: World, tmp_path: Path) -> None:
    world.alert()
    ran = jaga(world, "export", "a0001", "--to", tmp_path / "x", "--screenshot")
    assert ran.code == 0, ran.err
    pictures = [tmp_path / "x" / "index.png", *(tmp_path / "x" / "screenshots").iterdir()]
    assert len(pictures) == 7
    for picture in pictures:
        data = picture.read_bytes()
        assert data.startswith(b"\x89PNG")
        assert int.from_bytes(data[SIZE][:4]) == 1280
    assert len({hashlib.sha256(picture.read_bytes()).hexdigest() for picture in pictures}) > 1
    assert world.verify(tmp_path / "x")["ok"]


def test_nothing_is_asked_of_the_network_while_an_archived_page_is_drawn(world: World, tmp_path: Path) -> None:
    with Site({}) as site:
        spy = f"http://127.0.0.1:{site.port}"
        page = (
            f"<html><body><img src={spy}/a.png><link rel=stylesheet href={spy}/b.css><iframe src={spy}/c></iframe>"
            f"<script>fetch('{spy}/d')</script><meta http-equiv=refresh content='0;url={spy}/e'>isi</body></html>"
        )
        post = world.keep(5, 1)
        archive = Archive(world.home / "warc")
        headers = [("Content-Type", "text/html")]
        evidence = archive.keep(Fetch("https://kabarwarga.example/spy", page.encode(), TODAY, 200, headers))
        archive.close()
        world.put(post.model_copy(update={"text": "lain", "fetched_at": TODAY, "evidence": evidence}))
        ran = jaga(world, "export", post.id, "--to", tmp_path / "x", "--screenshot")
        assert ran.code == 0, ran.err
        assert not site.hits
    assert len(list((tmp_path / "x" / "screenshots").iterdir())) == 2


def test_without_playwright_the_message_says_how_to_get_it(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec

    def without(name: str, *more: Any) -> Any:
        return None if name == "playwright" else real(name, *more)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    ran = jaga(world, "export", world.posts[0].id, "--to", tmp_path / "x", "--screenshot")
    assert ran.code == 2
    assert "pip install playwright" in ran.err
    assert not (tmp_path / "x").exists()
