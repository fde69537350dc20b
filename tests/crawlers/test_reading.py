"""Pages read beside the crawl give what they give in it; a page that breaks its reader costs itself alone."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from crawlers import reading
from crawlers.pages import read
from crawlers.pages.items import PostItem, ProblemItem
from crawlers.pages.page import Page
from crawlers.pseudonym import Key, maker
from crawlers.reading import Readers
from tests.crawlers.own_loop import run_apart
from tests.crawlers.test_pages import CASES, page_of

KEY = Key(1, b"key of the tests")
ROBOTS = Page(b"User-agent: *\nSitemap: https://warta.example/peta.xml\n", "https://warta.example/robots.txt")
SLOW = Page(("<html><body>" + "<p>Sungai <a href='/a'>naik</a> lagi.</p>" * 15_000).encode(), "https://warta.example/a")
"""Takes seconds of CPU."""


@asynccontextmanager
async def many_read(longest_s: float = 60.0) -> AsyncIterator[Readers]:
    """After so many pages that a process has begun, and is ready."""
    readers = Readers(1, KEY, longest_s)
    try:
        await ready(readers)
        yield readers
    finally:
        await readers.close()


async def ready(readers: Readers) -> None:
    for _ in range(reading.MANY_PAGES):
        await readers.read("robots", ROBOTS)
    async with asyncio.timeout(100):
        while not (readers._readers and readers._readers[0].ready):
            await asyncio.sleep(0.05)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From its call on, a page that is read in this process fails its test."""

    def here(kind: str, page: Page) -> Any:
        raise AssertionError("read in the crawl's own process")

    return lambda: monkeypatch.setattr(reading, "read", here)


def test_every_kind_of_page_gives_the_same_beside_the_crawl_as_in_it(elsewhere: Callable[[], None]) -> None:
    expected = {case: read(case.parent.name, page_of(case)) for case in CASES}

    async def run() -> None:
        async with many_read() as readers:
            elsewhere()
            for case in CASES:
                assert await readers.read(case.parent.name, page_of(case)) == expected[case], case

    run_apart(run())


def test_authors_have_the_key_s_pseudonyms_beside_the_crawl(elsewhere: Callable[[], None]) -> None:
    body = b"<html><head><meta name='author' content='Penulis Rekaan'></head><body><h1>Judul</h1><article><p>Air sungai naik sejak pagi.</p>"
    page = Page(body, "https://warta.example/a")

    async def run() -> list[Any]:
        async with many_read() as readers:
            elsewhere()
            return await readers.read("article", page)

    (post,) = (item for item in run_apart(run()) if isinstance(item, PostItem))
    assert post.author == maker(KEY)("web", "warta.example/Penulis Rekaan")


def test_a_page_that_takes_too_long_is_one_problem_and_those_behind_it_are_read() -> None:
    async def run() -> list[list[Any]]:
        async with many_read(longest_s=0.5) as readers:
            return await asyncio.gather(readers.read("article", SLOW), *[readers.read("robots", ROBOTS)] * 2)

    slow, *others = run_apart(run())
    assert slow == [ProblemItem("page cannot be read further: it took too long", SLOW.url)]
    assert others == [read("robots", ROBOTS)] * 2


def test_a_process_that_is_killed_costs_the_page_it_was_at_and_another_takes_its_place() -> None:
    async def run() -> tuple[list[Any], list[Any], list[Any]]:
        async with many_read() as readers:
            killed = readers._readers[0]
            at = asyncio.create_task(readers.read("article", SLOW))
            behind = asyncio.create_task(readers.read("robots", ROBOTS))
            await asyncio.sleep(0.1)
            os.kill(killed._process.pid, signal.SIGKILL)
            found = await at, await behind
            await ready(readers)
            assert readers._readers[0] is not killed
            return *found, await readers.read("robots", ROBOTS)

    at, behind, after = run_apart(run())
    assert at == [ProblemItem("page cannot be read further: it broke its reader (exit -9)", SLOW.url)]
    assert behind == after == read("robots", ROBOTS)


def test_a_crawl_of_few_pages_or_without_readers_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr("crawlers.reading.subprocess.Popen", lambda *args, **more: started.append(args))

    async def run(readers: Readers, pages: int) -> None:
        for _ in range(pages):
            assert await readers.read("robots", ROBOTS) == read("robots", ROBOTS)
        await readers.close()

    run_apart(run(Readers(1, KEY), reading.MANY_PAGES - 1))
    run_apart(run(Readers(0, KEY), 2 * reading.MANY_PAGES))
    assert started == []


def test_processes_that_never_come_up_are_given_up_and_the_crawl_reads_by_itself(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("crawlers.reading.sys.executable", "/bin/false")

    async def run() -> None:
        readers = Readers(1, KEY)
        async with asyncio.timeout(100):
            while readers.count:
                assert await readers.read("robots", ROBOTS) == read("robots", ROBOTS)
                await asyncio.sleep(0.001)
        await readers.close()

    run_apart(run())
    assert "pages are read in the crawl itself: 3 processes for it died" in caplog.text


_CRAWL = """
import asyncio, os, signal
from tests.crawlers.test_reading import ROBOTS, SLOW, many_read

async def run():
    async with many_read() as readers:
        at = [asyncio.create_task(readers.read("article", SLOW)) for _ in range(BUSY)]
        await asyncio.sleep(0.1)
        print("ready", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(run())
"""


@pytest.mark.parametrize("busy", [0, 1])
def test_a_process_ends_with_the_crawl_that_is_killed(busy: int) -> None:
    command = [sys.executable, "-c", f"BUSY = {busy}\n{_CRAWL}"]
    crawl = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    # Both complain into the same pipe: it ends when the last of them has.
    told = crawl.communicate(timeout=100)
    assert (told, crawl.returncode) == (("ready\n", ""), -signal.SIGKILL)
