"""What the frontier decides, over HTTP: nothing forgotten, nothing twice, nobody pressed."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request

from crawlers.manners import ObedienceMiddleware, Postponed
from crawlers.seen import Seen
from pipeline.topology import POSTS_RAW

from .conftest import ROOT
from .fakes import Answer, Site, published
from .own_loop import run_apart
from .test_crawl import article, feed, source


def sitemap(site: Site, *paths: str) -> Answer:
    urls = "".join(f"<url><loc>{site.base}{path}</loc></url>" for path in paths)
    return Answer(
        f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{urls}</urlset>", headers={"ETag": '"v1"'}
    )


def test_pages_beyond_one_visits_limit_come_with_the_next_ones(crawl: Callable[..., Any]) -> None:
    with Site({f"/{n}": article(n) for n in range(5)}) as site:
        site.answers["/s.xml"] = sitemap(site, *(f"/{n}" for n in range(5)))
        told = [source(site, "sitemap", "/s.xml", max_pages=3)]
        visits = [crawl(site, told) for _ in range(4)]
        hits = [site.hits[f"/{n}"] for n in range(5)]
    assert ([len(visit.posts) for visit in visits], hits) == ([2, 2, 1, 0], [1] * 5)
    assert [visit.causes for visit in visits] == [[]] * 4, "what is only late is no gap"


def test_articles_beyond_one_visits_limit_are_teasers_first(crawl: Callable[..., Any]) -> None:
    with Site({f"/{n}": article(n) for n in range(3)}) as site:
        site.answers["/rss"] = feed("/0", "/1", "/2")
        told = [source(site, "feed", "/rss", max_pages=2)]
        first = crawl(site, told)
        site.answers["/rss"] = feed("/0")
        later = [crawl(site, told) for _ in range(2)]
        hits = [site.hits[f"/{n}"] for n in range(3)]
    assert sum("Teras" in post.text for post in first.posts) == 2
    assert (len(first.posts), [len(visit.posts) for visit in later], hits) == (3, [1, 1], [1, 1, 1])
    assert [visit.causes for visit in (first, *later)] == [[], [], []]


def test_pages_that_no_visit_can_reach_are_a_gap(crawl: Callable[..., Any]) -> None:
    with Site({"/0": article(0)}) as site:
        site.answers["/rss"] = feed("/0", "/1")
        result = crawl(site, [source(site, "feed", "/rss", max_pages=1)])
    assert len(result.posts) == 2
    assert [gap.cause for gap in result.gaps] == ["2 links left unread: a visit takes 1 pages"]


def test_a_host_that_asked_to_be_left_alone_has_not_allowed_everything() -> None:
    """Its robots.txt is not asked for, and so nothing else may be."""

    async def download(request: Any) -> Any:
        raise Postponed("tutup.example asked to be left alone for 3600 s more")

    crawler = SimpleNamespace(engine=SimpleNamespace(download_async=download))

    async def ask() -> None:
        await ObedienceMiddleware(crawler).process_request(Request("https://tutup.example/a"))

    with pytest.raises(Postponed):
        run_apart(ask())


def test_a_page_that_failed_is_fetched_later_though_no_listing_names_it_any_more(crawl: Callable[..., Any]) -> None:
    with Site({"/a": Answer(status=503), "/b": article(2)}) as site:
        site.answers["/rss"] = feed("/a")
        crawl(site, [source(site, "feed", "/rss")])
        site.answers |= {"/a": article(1), "/rss": feed("/b")}
        second = crawl(site, [source(site, "feed", "/rss")])
    assert sorted(post.text[:7] for post in second.posts) == ["Judul 1", "Judul 2"]


def test_traps_are_told_and_never_fetched(crawl: Callable[..., Any]) -> None:
    traps = ["/kalender?bulan=2031-01", "/id/id/id/x", "/?" + "&".join(f"f{n}=1" for n in range(20))]
    calendar = [f"/agenda/20{year}/{month:02}" for year in range(10, 27) for month in range(1, 13)]
    with Site({path.partition("?")[0]: article(n) for n, path in enumerate([*traps, *calendar])}) as site:
        site.answers["/s.xml"] = sitemap(site, *(p.replace("&", "&amp;") for p in [*traps, *calendar]))
        result = crawl(site, [source(site, "sitemap", "/s.xml")])
    assert [site.hits[path] for path in traps] == [0, 0, 0]
    assert sum(site.hits[path] for path in calendar) == 60
    assert all(result.said.count(f"{path} (") or result.said.count(f"{path})") for path in traps)
    assert "trap: calendar without end" in result.said


def test_a_page_under_two_addresses_is_one_post(crawl: Callable[..., Any]) -> None:
    with Site() as site:
        session = "/a?PHPSESSID=0a9f8b7c6d5e4f3a2b1c"
        site.answers |= {"/a": article(1), "/salinan": article(1), "/c": article(3, f"{site.base}/d"), "/d": article(3)}
        site.answers["/s.xml"] = sitemap(site, "/a", session, "/c")
        first = crawl(site, [source(site, "sitemap", "/s.xml")])
        site.answers["/s.xml"] = sitemap(site, "/a", "/salinan", "/c", "/d")
        site.answers["/s.xml"].headers = {"ETag": '"v2"'}  # type: ignore[union-attr]
        second = crawl(site, [source(site, "sitemap", "/s.xml")])
    assert len(first.posts) == 2
    assert second.posts == []
    assert f"the same page as {site.base}/a" in second.said
    assert (site.hits[session], site.hits["/salinan"], site.hits["/d"]) == (0, 1, 0)


def test_a_page_cannot_have_another_sites_page_taken_for_fetched(crawl: Callable[..., Any]) -> None:
    with Site({"/a": article(1, "https://kabar.example/penting")}) as site:
        site.answers["/rss"] = feed("/a")
        result = crawl(site, [source(site, "feed", "/rss")])
    seen = Seen(result.home / "crawl.db")
    assert seen.get(f"page:{site.base}/a")
    assert seen.get("page:https://kabar.example/penting") is None
    seen.close()


def test_a_server_that_asks_for_an_hour_gets_it_from_every_later_crawl(crawl: Callable[..., Any]) -> None:
    with Site({"/rss": Answer(status=429, headers={"Retry-After": "3600"}), "/lain": feed()}) as site:
        crawl(site, [source(site, "feed", "/rss")])
        asked = len(site.asked)
        second = crawl(site, [source(site, "feed", "/lain")])
    assert len(site.asked) == asked
    assert len(second.gaps) == 1


def crawl_together(made: Any, tmp_path: Path, told: list[dict[str, Any]], **env: str) -> list[subprocess.Popen[str]]:
    """Processes on one JAGA_HOME, each with its own log file."""

    started = []
    for n, one in enumerate(told):
        config = tmp_path / f"crawl-{n}.json"
        config.write_text(json.dumps({"out": str(tmp_path / f"log-{n}"), **one}))
        command = [*made.command[:-1], str(config)]
        started.append(
            subprocess.Popen(
                command, env=made.env | env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
    return started


def test_two_crawlers_share_a_host_without_pressing_it(job: Callable[..., Any], tmp_path: Path) -> None:
    with Site({f"/{n}": article(n) for n in range(8)}) as site:
        for half in (0, 1):
            site.answers[f"/rss{half}"] = feed(*(f"/{n}" for n in range(half * 4, half * 4 + 4)))
        sources = [{"sources": [source(site, "feed", f"/rss{half}") | {"id": f"s{half}"}]} for half in (0, 1)]
        started = crawl_together(job(site, []), tmp_path, sources, JAGA_CRAWL_DELAY_S="0.4")
        for process in started:
            _, said = process.communicate(timeout=90)
            assert process.returncode == 0, said
        times = sorted(site.asked_at)
    assert len(times) == 12, "two robots.txt, two feeds, eight articles"
    # The turns are 0.4 s apart; on a busy machine one is used late, and the next in time. None is used before its time.
    assert min(fourth - first for first, fourth in zip(times, times[3:], strict=False)) > 0.4
    assert times[-1] - times[0] >= 11 * 0.4 - 1


def test_two_crawlers_of_the_same_sources_fetch_no_page_twice(job: Callable[..., Any], tmp_path: Path) -> None:
    with Site({f"/{n}": article(n) for n in range(60)}) as site:
        told = []
        for part in range(6):
            site.answers[f"/s{part}.xml"] = sitemap(site, *(f"/{n}" for n in range(part * 10, part * 10 + 10)))
            told.append(source(site, "sitemap", f"/s{part}.xml") | {"id": f"s{part}"})
        started = crawl_together(job(site, []), tmp_path, [{"sources": told, "follow": True}] * 2)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and sum(site.hits[f"/{n}"] for n in range(60)) < 60:
            time.sleep(0.05)
        time.sleep(0.5)
        for process in started:
            process.terminate()
            _, said = process.communicate(timeout=60)
            assert process.returncode == 0, said
        assert {site.hits[f"/{n}"] for n in range(60)} == {1}
        assert {site.hits[f"/s{part}.xml"] for part in range(6)} == {1}
    posts = [post.native_id for n in (0, 1) for post in published(tmp_path / f"log-{n}", POSTS_RAW)]
    assert sorted(posts) == sorted(f"{site.base}/{n}" for n in range(60))


@pytest.mark.parametrize("cut", ["visit", "page"])
def test_a_stopped_crawl_goes_on_without_fetching_again(
    cut: str, job: Callable[..., Any], crawl: Callable[..., Any]
) -> None:
    """`visit`: the log was away and nothing was published; `page`: a page was still on its way."""

    def slow() -> Any:
        time.sleep(30)
        yield b"<p>x</p>"

    with Site({"/a": article(1), "/b": article(2)}) as site:
        links = ["/a", "/b", "/pelan"] if cut == "page" else ["/a", "/b"]
        site.answers |= {"/rss": feed(*links), "/pelan": Answer(pieces=slow)}
        made = job(site, [source(site, "feed", "/rss")], failures=10**9 if cut == "visit" else 0)
        process = subprocess.Popen(made.command, env=made.env, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not all(site.hits[path] for path in links):
            time.sleep(0.02)
        time.sleep(5)  # what came is kept by then, on a slow machine too, and the slow page is still on its way
        process.kill()
        process.communicate()
        site.answers["/pelan"] = article(3)
        result = crawl(site, [source(site, "feed", "/rss")])
    assert (site.hits["/a"], site.hits["/b"]) == (1, 1)
    assert {post.text[:7] for post in result.posts} >= ({"Judul 1", "Judul 2"} if cut == "visit" else {"Judul 3"})
