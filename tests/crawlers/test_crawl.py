"""A crawl brings in what is there, says in words what it could not have, and never doubles or drops a post."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator

from pipeline.topology import GAPS, POSTS_RAW

from .conftest import ROOT
from .fakes import Answer, Site, published

BODY = "Warga Desa Sukamaju mengantre air bersih sejak pagi karena pipa utama pecah dan perbaikannya belum selesai sampai malam ini, kata kepala desa."


def article(n: int, canonical: str = "") -> Answer:
    head = f'<link rel="canonical" href="{canonical}">' if canonical else ""
    return Answer(
        f"<html><head><title>Judul {n}</title>{head}</head><body><article><h1>Judul {n}</h1><p>Nomor {n}. {BODY}</p><p>{BODY}</p></article></body></html>",
        headers={"Content-Type": "text/html; charset=utf-8"},
    )


def feed(*links: str, title: str = "Judul") -> Answer:
    items = "".join(
        f"<item><title>{title} {n}</title><link>{link}</link><description>Teras {n}</description></item>"
        for n, link in enumerate(links)
    )
    return Answer(f"<rss version='2.0'><channel><title>t</title>{items}</channel></rss>", headers={"ETag": '"v1"'})


def source(site: Site, kind: str, path: str, **more: Any) -> dict[str, Any]:
    return {"id": f"uji-{kind}", "kind": kind, "url": site.base + path, **more}


def test_articles_of_a_feed_become_posts_with_evidence_that_can_be_checked(crawl: Callable[..., Any]) -> None:
    with Site({"/a": article(1, "https://kabar.example/a"), "/b": article(2)}) as site:
        site.answers["/rss"] = feed("/a", f"{site.base}/b")
        result = crawl(site, [source(site, "feed", "/rss", region="Jawa Tengah")])
    assert {post.native_id for post in result.posts} == {"https://kabar.example/a", f"{site.base}/b"}
    assert all(post.text.startswith("Judul ") and BODY in post.text for post in result.posts)
    assert {post.region for post in result.posts} == {"33"}
    assert {post.source for post in result.posts} == {"uji-feed"}
    records = {}
    for file in (result.home / "warc").iterdir():
        with file.open("rb") as stream:
            for record in ArchiveIterator(stream):
                payload = record.content_stream().read()
                records[file.name, record.rec_headers.get_header("WARC-Record-ID")] = payload
    import hashlib

    for post in result.posts:
        assert post.evidence is not None
        assert hashlib.sha256(records[post.evidence.warc, post.evidence.record_id]).hexdigest() == post.evidence.sha256
    assert result.tally["posts"] == 2
    assert result.tally["gaps"] == 0


def test_each_thing_that_goes_wrong_is_one_gap_in_words_and_its_teaser_is_kept(crawl: Callable[..., Any]) -> None:
    def endless() -> Any:
        while True:
            yield b"<p>" + b"x" * 10_000 + b"</p>"

    bomb = gzip.compress(b"<p>" + b"x" * 3_000_000)
    with Site(
        {
            "/robots.txt": Answer("User-agent: *\nDisallow: /rahasia/\n"),
            "/putar/a": Answer(status=302, headers={"Location": "/putar/b"}),
            "/putar/b": Answer(status=302, headers={"Location": "/putar/a"}),
            "/rusak": Answer(status=500),
            "/besar": Answer(pieces=endless),
            "/panjang": Answer(b"x" * 300_000),
            "/bom": Answer(bomb, headers={"Content-Encoding": "gzip"}),
            "/awan": Answer(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data/"}),
            "/rahasia/x": article(9),
            "/kosong": Answer(b""),
            "/baik": article(1),
        }
    ) as site:
        links = [
            "/hilang",
            "/putar/a",
            "/rusak",
            "/besar",
            "/panjang",
            "/bom",
            "/awan",
            "/rahasia/x",
            "/kosong",
            "/baik",
            "http://10.0.0.1/x",
        ]
        site.answers["/rss"] = feed(*links)
        result = crawl(site, [source(site, "feed", "/rss")])
    assert len(result.posts) == len(links)
    causes = {gap.cause.rsplit("/", 1)[-1]: gap.cause for gap in result.gaps}
    assert len(result.gaps) == 10, result.causes
    assert causes["hilang"].startswith("HTTP 404")
    assert causes["rusak"].startswith("HTTP 500")
    assert any(c.startswith("redirects in circles") for c in result.causes)
    assert causes["besar"].startswith("body longer than 200000 bytes")
    assert causes["panjang"].startswith("body longer than 200000 bytes")
    assert causes["bom"].startswith("body longer than 200000 bytes")
    assert causes["awan"].startswith("not allowed to fetch: 169.254.169.254")
    assert any(c.startswith("robots.txt forbids it") for c in result.causes)
    assert site.hits["/rahasia/x"] == 0
    assert site.hits["/rusak"] == 3
    assert causes["kosong"].startswith("empty page")
    for gap in result.gaps:
        assert causes["kosong"] == gap.cause or result.said.count(gap.cause) == 1, "said once, in words"
    assert result.tally["problems"] == 1, "the empty page"


def test_a_page_that_breaks_its_spider_is_a_gap_and_the_others_are_read(job: Callable[..., Any]) -> None:
    with Site({"/a": article(1)}) as site:
        site.answers["/rss"] = feed("/a")
        sources = [source(site, "feed", "/rss"), {**source(site, "article", "/a"), "id": "utuh"}]
        made = job(site, sources, broken_spider=True)
        done = subprocess.run(made.command, env=made.env, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    causes = [gap.cause for gap in published(made.out, GAPS)]
    assert causes == [f"page cannot be read: RuntimeError: kesalahan kita sendiri: {site.base}/a"]
    assert [post.source for post in published(made.out, POSTS_RAW)] == ["utuh"]


def test_a_server_that_stumbles_once_is_asked_again(crawl: Callable[..., Any]) -> None:
    with Site(
        {
            "/a": lambda visit: Answer(status=500) if visit == 1 else article(1),
            "/b": lambda visit: Answer(status=429, headers={"Retry-After": "1"}) if visit == 1 else article(2),
        }
    ) as site:
        site.answers["/rss"] = feed("/a", "/b")
        result = crawl(site, [source(site, "feed", "/rss")])
    assert (len(result.posts), len(result.gaps), site.hits["/a"], site.hits["/b"]) == (2, 0, 2, 2)
    assert all(BODY in post.text for post in result.posts)


def test_a_second_crawl_fetches_only_what_is_new(crawl: Callable[..., Any]) -> None:
    with Site({"/a": article(1), "/b": article(2), "/c": article(3)}) as site:
        site.answers["/rss"] = feed("/a", "/b")
        first = crawl(site, [source(site, "feed", "/rss")])
        asked = len(site.asked)
        site.answers["/rss"] = feed("/a", "/b", "/c")
        second = crawl(site, [source(site, "feed", "/rss")])
    assert [len(first.posts), len(second.posts)] == [2, 1]
    assert [path for path, _ in site.asked[asked:]] == ["/robots.txt", "/rss", "/c"]
    assert next(headers for path, headers in site.asked[asked:] if path == "/rss")["if-none-match"] == '"v1"'


def test_a_listing_whose_articles_failed_is_asked_for_in_full_again(crawl: Callable[..., Any]) -> None:
    with Site({"/a": Answer(status=503)}) as site:
        site.answers["/rss"] = feed("/a")
        crawl(site, [source(site, "feed", "/rss")])
        site.answers["/a"] = article(1)
        second = crawl(site, [source(site, "feed", "/rss")])
    assert [BODY in post.text for post in second.posts] == [True]


def test_an_unreachable_source_is_one_gap_until_it_is_back(crawl: Callable[..., Any]) -> None:
    with Site({"/rss": Answer(status=503), "/a": article(1)}) as site:
        down = crawl(site, [source(site, "feed", "/rss")])
        still = crawl(site, [source(site, "feed", "/rss")])
        site.answers["/rss"] = feed("/a")
        back = crawl(site, [source(site, "feed", "/rss")])
    (gap,), (same,), (ended,) = down.gaps, still.gaps, back.gaps
    assert gap.id == same.id == ended.id
    assert gap.ended_at is None
    assert ended.ended_at is not None


def test_a_robots_txt_that_fails_allows_nothing(crawl: Callable[..., Any]) -> None:
    with Site({"/robots.txt": Answer(status=500), "/rss": feed("/a")}) as site:
        result = crawl(site, [source(site, "feed", "/rss")])
    assert (site.hits["/rss"], result.causes) == (0, ["robots.txt answers HTTP 500: nothing may be fetched"])


def test_claims_come_before_posts_and_from_every_page_of_a_fact_checker(crawl: Callable[..., Any]) -> None:
    def review(n: int) -> Answer:
        data = {
            "@type": "ClaimReview",
            "url": f"https://cek.example/{n}",
            "claimReviewed": f"Klaim {n}",
            "reviewRating": {"alternateName": "Salah"},
            "datePublished": "2026-11-20",
        }
        return Answer(f'<script type="application/ld+json">{json.dumps(data)}</script><h1>x</h1>')

    def posts(*numbers: int, base: str) -> Answer:
        rows = [
            {
                "id": n,
                "link": f"{base}/r/{n}",
                "date_gmt": "2026-11-20T01:00:00",
                "title": {"rendered": f"[SALAH] {n}"},
                "content": {"rendered": "<p>Isi</p>"},
            }
            for n in numbers
        ]
        return Answer(json.dumps(rows), headers={"X-WP-TotalPages": "3"})

    with Site({f"/r/{n}": review(n) for n in range(1, 6)} | {"/a": article(1)}) as site:
        route = "/wp-json/wp/v2/posts?per_page=2"
        site.answers |= {
            route: posts(1, 2, base=site.base),
            route + "&page=2": posts(3, 4, base=site.base),
            route + "&page=3": posts(5, base=site.base),
        }
        site.answers["/rss"] = feed("/a")
        result = crawl(site, [source(site, "feed", "/rss"), source(site, "wordpress", route)])
        again = crawl(site, [source(site, "wordpress", route)])
    assert sorted(claim.text for claim in result.claims) == [f"Klaim {n}" for n in range(1, 6)]
    assert len(result.posts) == 6
    order = [path for path, _ in site.asked]
    assert order.index("/rss") > max(order.index(f"/r/{n}") for n in range(1, 6))
    assert (again.claims, again.posts) == ([], [])


def test_a_timeline_is_read_to_its_end_once(crawl: Callable[..., Any]) -> None:
    def status(n: int) -> dict[str, Any]:
        return {
            "id": str(n),
            "uri": f"https://m.example/s/{n}",
            "url": f"https://m.example/@a/{n}",
            "content": f"<p>Status {n}</p>",
            "visibility": "public",
            "created_at": "2026-11-20T01:00:00Z",
            "account": {"acct": "a", "url": "https://m.example/@a"},
        }

    route = "/api/v1/timelines/public?limit=2"
    with Site() as site:
        site.answers[route] = Answer(json.dumps([status(5), status(4)]))
        site.answers[route + "&max_id=4"] = Answer(json.dumps([status(3), status(2)]))
        site.answers[route + "&max_id=2"] = Answer(json.dumps([]))
        site.answers[route + "&since_id=5"] = Answer(json.dumps([status(6)]))
        site.answers[route + "&since_id=5&max_id=6"] = Answer(json.dumps([]))
        first = crawl(site, [source(site, "mastodon", route)])
        second = crawl(site, [source(site, "mastodon", route)])
    assert [post.text for post in first.posts] == ["Status 5", "Status 4", "Status 3", "Status 2"]
    assert [post.text for post in second.posts] == ["Status 6"]


def test_a_forum_gives_all_posts_of_long_topics_and_later_only_grown_ones(crawl: Callable[..., Any]) -> None:
    def post(n: int) -> dict[str, Any]:
        return {
            "id": 100 + n,
            "username": "w",
            "cooked": f"<p>Isi {n}</p>",
            "post_number": n,
            "topic_id": 1,
            "created_at": "2026-11-20T01:00:00Z",
        }

    def latest(height: int) -> Answer:
        return Answer(json.dumps({"topic_list": {"topics": [{"id": 1, "slug": "t", "highest_post_number": height}]}}))

    with Site({"/latest.json": latest(3)}) as site:
        site.answers["/t/t/1.json"] = Answer(
            json.dumps({"id": 1, "title": "Topik", "post_stream": {"posts": [post(1)], "stream": [101, 102, 103]}})
        )
        site.answers["/t/1/posts.json"] = Answer(json.dumps({"id": 1, "post_stream": {"posts": [post(2), post(3)]}}))
        first = crawl(site, [source(site, "discourse", "/latest.json")])
        unchanged = crawl(site, [source(site, "discourse", "/latest.json")])
        site.answers["/latest.json"] = latest(4)
        grown = crawl(site, [source(site, "discourse", "/latest.json")])
    assert sorted(p.text for p in first.posts) == ["Isi 2", "Isi 3", "Topik\nIsi 1"]
    assert unchanged.posts == []
    assert len(grown.posts) == 3


def test_sitemaps_lead_to_sitemaps_and_articles(crawl: Callable[..., Any]) -> None:
    urlset = "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{}</urlset>"
    with Site({"/a": article(1), "/b": article(2)}) as site:
        site.answers["/s.xml"] = Answer(
            f"<sitemapindex><sitemap><loc>{site.base}/s1.xml.gz</loc></sitemap><sitemap><loc>{site.base}/s.xml</loc></sitemap></sitemapindex>"
        )
        site.answers["/s1.xml.gz"] = Answer(
            gzip.compress(
                urlset.format(f"<url><loc>{site.base}/a</loc></url><url><loc>{site.base}/b</loc></url>").encode()
            )
        )
        result = crawl(site, [source(site, "sitemap", "/s.xml")])
    assert sorted(post.text[:7] for post in result.posts) == ["Judul 1", "Judul 2"]


def test_nothing_is_lost_while_the_log_is_away(crawl: Callable[..., Any]) -> None:
    with Site({f"/{n}": article(n) for n in range(20)}) as site:
        site.answers["/rss"] = feed(*(f"/{n}" for n in range(20)))
        result = crawl(site, [source(site, "feed", "/rss")], failures=4)
    assert len(result.posts) == 20
    assert "log: the log is away; next try in 0.2 s" in result.said


def test_what_was_not_published_is_fetched_again(crawl: Callable[..., Any], job: Callable[..., Any]) -> None:
    with Site({"/a": article(1)}) as site:
        site.answers["/rss"] = feed("/a")
        made = job(site, [source(site, "feed", "/rss")], failures=10**9)
        process = subprocess.Popen(made.command, env=made.env, cwd=ROOT, stderr=subprocess.PIPE)
        _wait(lambda: site.hits["/a"] == 1)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        result = crawl(site, [source(site, "feed", "/rss")])
    assert [BODY in post.text for post in result.posts] == [True]


def test_a_stop_is_quick_and_publishes_what_is_in_hand(job: Callable[..., Any]) -> None:
    def slow() -> Any:
        for _ in range(600):
            time.sleep(0.1)
            yield b"<p>x</p>"

    with Site({"/a": article(1), "/pelan": Answer(pieces=slow)}) as site:
        site.answers["/rss"] = feed("/a", "/pelan")
        made = job(site, [source(site, "feed", "/rss", cadence_s=1)], follow=True)
        process = subprocess.Popen(
            made.command, env=made.env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        _wait(lambda: site.hits["/pelan"] == 1 and site.hits["/a"] == 1)
        time.sleep(0.2)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        out, said = process.communicate(timeout=60)
        took = time.monotonic() - began
    assert took < 30, said  # the slow page takes a minute
    assert "Traceback" not in said, said
    assert process.returncode == 0, said
    assert json.loads(out.splitlines()[-1])["posts"] >= 1
    assert [post.text[:7] for post in published(made.out, POSTS_RAW)] == ["Judul 1"]


def test_following_visits_again_at_the_cadence(job: Callable[..., Any]) -> None:
    with Site({"/a": article(1), "/b": article(2)}) as site:
        site.answers["/rss"] = feed("/a")
        made = job(site, [source(site, "feed", "/rss", cadence_s=1)], follow=True)
        process = subprocess.Popen(
            made.command, env=made.env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        _wait(lambda: len(published(made.out, POSTS_RAW)) == 1)
        site.answers["/rss"] = feed("/a", "/b")
        _wait(lambda: len(published(made.out, POSTS_RAW)) == 2)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert site.hits["/a"] == 1


def _wait(until: Callable[[], bool], timeout_s: float = 120) -> None:
    deadline = time.monotonic() + timeout_s
    while not until():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.05)


def test_the_pseudonym_key_is_private_and_stays(crawl: Callable[..., Any]) -> None:
    with Site({"/rss": feed()}) as site:
        first = crawl(site, [source(site, "feed", "/rss")])
        key: Path = first.home / "pseudonym.key"
        kept = key.read_bytes()
        crawl(site, [source(site, "feed", "/rss")])
    assert key.read_bytes() == kept
    assert key.stat().st_mode & 0o777 == 0o600
