"""Whatever a server does, a crawl ends in time, loses nothing else, and says of each miss what was the matter."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crawlers.pages import read
from crawlers.pages.page import Page
from pipeline.contracts import Gap, Post
from pipeline.topology import GAPS, POSTS_RAW
from tests.pace import cpu_units

from .conftest import ROOT
from .fakes import published
from .fault_server import DOMAIN, FAULTS, FEED, TLS_FAULTS, FaultServer
from .internet import PUBLIC, NameServer, Trap, connections

FETCH_S = 3.0
"""Longest time for one answer in these tests."""
BOUND_S = 60.0
GROWTH_BYTES = 50_000_000

MISSES = {
    "silence": "no answer in time",
    "drip-head": "no answer in time",
    "drip-body": "body not complete after 3 s",
    "drip-chunks": "body not complete after 3 s",
    "half-body": "connection lost before the body was complete",
    "half-chunk": "connection lost before the body was complete",
    "half-head": "connection lost before the answer was complete",
    "closed-at-once": "connection lost before the answer was complete",
    "reset": "connection lost before the answer was complete",
    "reset-in-body": "connection lost before the body was complete",
    "half-gzip": "gzip ends too early",
    "false-gzip": "gzip damaged",
    "unknown-coding": "packed as 'compress', which cannot be unpacked",
    "too-many-requests": "HTTP 429",
    "too-many-for-an-hour": "HTTP 429, with the wish to wait 3600 s",
    "retry-after-nonsense": "HTTP 503",
    "server-error": "HTTP 500",
    "storm": "HTTP 503",
    "status-nonsense": "answer is not HTTP",
    "not-http": "answer is not HTTP",
    "redirect-loop": "redirects in circles",
    "redirect-without-end": "redirects in circles",
    "redirect-inside": "not allowed to fetch: 169.254.169.254 is not a public address",
    "redirect-nowhere": "broken address",
    "login-wall": "login wall: the page is called 'Masuk - Forum Warga'",
    "login-redirect": "login wall: sent to /login",
    "login-for-json": "shape changed: HTML where JSON was expected",
    "soft-404": "soft 404: the page is called 'Halaman tidak ditemukan | Kabar Desa'",
    "soft-404-front": "soft 404: sent to the front page",
    "picture": "shape changed: no feed",
    "nothing": "empty feed",
    "cut-json": "not JSON",
    "deep-json": "JSON nested too deep",
    "cut-feed": "broken XML",
    "calendar": "1 links left unread: a visit takes 15 pages",
    "nested-sitemaps": r"\d+ links left unread: a visit takes 15 pages",
    "endless-body": "body (longer than 1000000 bytes|not complete after 3 s)",
    "five-gigabytes": "body longer than 1000000 bytes",
    "endless-head": "headers longer than 65536 bytes",
    "endless-head-line": "headers longer than 65536 bytes",
    "many-headers": "1000 headers, more than 200",
    "endless-hints": "headers longer than 65536 bytes",
    "bomb-gzip": "body longer than 1000000 bytes",
    "bomb-deflate": "body longer than 1000000 bytes",
    "bomb-br": "body longer than 1000000 bytes",
    "bomb-zstd": "body longer than 1000000 bytes",
    "bomb-nested": "body longer than 1000000 bytes",
    "bomb-mixed": "body longer than 1000000 bytes",
    "bomb-members": "body longer than 1000000 bytes",
    "bomb-thrice": "packed 3 times over",
    "bomb-window": "(zstd damaged|body longer than 1000000 bytes)",
    "robots-500": "robots.txt answers HTTP 500: nothing may be fetched",
    "robots-429": "robots.txt answers HTTP 429: nothing may be fetched",
    "robots-inside": "not allowed to fetch: 127.0.0.1 is not a public address",
    "robots-hangs": "no answer in time, when asked for robots.txt",
    "robots-drips": "body not complete after 3 s, when asked for robots.txt",
    "robots-reset": "connection lost before the answer was complete, when asked for robots.txt",
    "robots-forbids": "robots.txt forbids it",
    "tls-self-signed": "certificate is self-signed",
    "tls-wrong-host": "certificate is for another host",
    "tls-expired": "certificate has expired",
    "tls-not-yet": "certificate is not valid yet",
    "tls-unknown-authority": "certificate comes from an authority that nobody trusts",
    "tls-hangs": "no answer in time",
    "tls-is-http": "TLS failed: ",
    "no-such-name": "host name cannot be resolved",
    "no-name-server": "no answer in time",
    "name-inside": "not allowed to fetch: name-inside.galat.example resolves to 127.0.0.1: not a public address",
    "nobody-listens": "connection refused",
}  # fmt: skip
"""Fault -> how the cause begins in the gap ledger."""

READ = {
    "too-many-once": 3,
    "wrong-charset": 1,
    "charset-nonsense": 3,
    "wrong-type": 3,
    "no-type": 3,
    "bad-dates": 6,
    "cut-feed": 2,
    "storm": 150,
    "calendar": 15,
    "robots-huge": 3,
    "robots-bomb": 3,
    "robots-stars": 3,
    "robots-403": 3,
    "robots-redirects": 3,
    "robots-html": 3,
    "robots-binary": 3,
    "tls-good": 3,
}
"""Fault -> posts that are had all the same, at least."""

HOSTILE = ("entities", "deep-html", "deep-xml", "huge-attributes", "unclosed")
"""Pages of which something or nothing may be read: what counts is that it ends, and that nothing is read in silence."""

KINDS = {
    "cut-json": "mastodon", "deep-json": "mastodon", "login-for-json": "mastodon", "calendar": "mastodon", "nested-sitemaps": "sitemap",
    "login-wall": "article", "login-redirect": "article", "soft-404": "article", "soft-404-front": "article", "deep-html": "article",
    "huge-attributes": "article", "unclosed": "article", "endless-body": "article", "five-gigabytes": "article",
}  # fmt: skip
EXTRA = ("no-such-name", "no-name-server", "name-inside", "nobody-listens")
ALL = [*FAULTS, *TLS_FAULTS, *EXTRA]


@dataclass
class Met:
    gaps: dict[str, list[Gap]]
    posts: dict[str, list[Post]]
    seconds: float
    said: str
    code: int
    server: FaultServer
    reached: list[Any]
    connected: set[tuple[str, int]]
    ports: set[int]


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Met]:
    """One crawl over all faults at once, as a crawl over many sources is."""
    folder = tmp_path_factory.mktemp("faults")
    names: dict[str, Any] = {f"{name}.{DOMAIN}": [PUBLIC] for name in ALL}
    names |= {f"no-name-server.{DOMAIN}": None, f"name-inside.{DOMAIN}": ["127.0.0.1"]}
    del names[f"no-such-name.{DOMAIN}"]
    with FaultServer(folder) as server, NameServer(names) as dns, Trap() as trap:
        # Each TLS fault has a port of its own here, which stands for a server of its own.
        routes = {"80": server.port} | {str(4430 + n): server.tls_ports[name] for n, name in enumerate(TLS_FAULTS)}
        sources = []
        for name in ALL:
            base = f"http://{name}.{DOMAIN}"
            if name in TLS_FAULTS:
                base = f"https://{name}.{DOMAIN}:{4430 + TLS_FAULTS.index(name)}"
            if name == "nobody-listens":
                base += ":8080"
            if name == "name-inside":
                base += f":{trap.port}"
            path = {"calendar": "/api/v1/timelines/public", "soft-404-front": "/berita/1"}.get(name, "/")
            source: dict[str, Any] = {"id": name, "kind": KINDS.get(name, "feed"), "url": base + path, "max_pages": 15}
            if name not in ("storm",):
                source["follow"] = False
            else:
                source["max_pages"] = 200
            sources.append(source)
        config, out = folder / "crawl.json", folder / "log.bin"
        told = {
            "sources": sources,
            "out": str(out),
            "fetch_s": FETCH_S,
            "ports": [80, 8080, trap.port, *(4430 + n for n in range(len(TLS_FAULTS)))],
            "internet": {"dns": dns.port, "connects": str(folder / "connects"), "routes": routes | {"8080": 1}},
        }
        config.write_text(json.dumps(told))
        env = {k: v for k, v in os.environ.items() if not k.startswith("JAGA_")}
        env |= {
            "JAGA_HOME": str(folder / "home"),
            "JAGA_CRAWL_DELAY_S": "0",
            "JAGA_MAX_PAGE_BYTES": "1000000",
            "SSL_CERT_FILE": str(server.authority),
        }
        began = time.monotonic()
        command = [sys.executable, "-m", "tests.crawlers.crawl_process", str(config)]
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=150)
        seconds = time.monotonic() - began
        gaps: dict[str, list[Gap]] = {name: [] for name in ALL}
        posts: dict[str, list[Post]] = {name: [] for name in ALL}
        for gap in published(out, GAPS):
            gaps[gap.source].append(gap)
        for post in published(out, POSTS_RAW):
            posts[post.source or ""].append(post)
        yield Met(
            gaps, posts, seconds, done.stderr, done.returncode, server, list(trap.reached), set(connections(folder / "connects")),
            {server.port, 1, *server.tls_ports.values()},
        )  # fmt: skip


def test_a_crawl_over_every_fault_ends_well_and_in_time(met: Met) -> None:
    assert met.code == 0, met.said
    assert "Traceback" not in met.said, met.said
    assert met.seconds < BOUND_S


def test_every_fault_has_its_expectation() -> None:
    assert set(ALL) == {*MISSES, *READ, *HOSTILE}


@pytest.mark.parametrize("name", MISSES)
def test_the_miss_is_in_the_gap_ledger_with_its_cause(name: str, met: Met) -> None:
    causes = [gap.cause for gap in met.gaps[name]]
    assert any(re.match(MISSES[name], cause) for cause in causes), causes or met.said
    assert all(gap.ended_at is None or gap.began_at <= gap.ended_at for gap in met.gaps[name])


@pytest.mark.parametrize("name", READ)
def test_what_can_be_read_is_read_all_the_same(name: str, met: Met) -> None:
    assert len(met.posts[name]) >= READ[name], [gap.cause for gap in met.gaps[name]]
    assert name in MISSES or met.gaps[name] == []


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_gives_posts_or_a_gap(name: str, met: Met) -> None:
    assert met.posts[name] or met.gaps[name]
    assert all("root:" not in post.text for post in met.posts[name])
    assert all(len(post.text) < 100_000 for post in met.posts[name])


def test_nothing_left_the_guard(met: Met) -> None:
    assert met.reached == []
    assert {address for address, _ in met.connected} == {"127.0.0.1"}
    assert {port for _, port in met.connected} <= met.ports


def test_no_fault_is_insisted_on(met: Met) -> None:
    for name in FAULTS:
        most = {
            "storm": 150,
            "calendar": 15,
            "nested-sitemaps": 15,
            "robots-redirects": 20,
            "redirect-without-end": 20,
            "redirect-loop": 20,
        }.get(name, 6)
        assert met.server.hits(name) <= most, name
    assert sum(gap.cause.startswith("not tried") for gap in met.gaps["storm"]) >= 90


def test_memory_stays_bounded_through_bombs_and_endless_answers(tmp_path: Path) -> None:
    """200 MB behind each bomb, and answers without end: the download handler grows by less than a quarter of one."""
    heavy = [name for name in FAULTS if name.startswith(("bomb-", "endless-", "five-"))]
    names = {f"{name}.{DOMAIN}": [PUBLIC] for name in ("good", *heavy)}
    with FaultServer(tmp_path) as server, NameServer(names) as dns:
        joined = {"dns": dns.port, "connects": str(tmp_path / "connects"), "routes": {"80": server.port}}
        addresses = {name: f"http://{name}.{DOMAIN}/" for name in ("good", *heavy)}
        config = tmp_path / "fetch.json"
        config.write_text(json.dumps({"internet": joined, "addresses": addresses}))
        env = {k: v for k, v in os.environ.items() if not k.startswith("JAGA_")}
        command = [sys.executable, "-m", "tests.crawlers.fetch_process", str(config)]
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=100)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [name for name, _, _ in rows] == ["good", *heavy], done.stderr
    assert rows[0][1].startswith(f"{len(FEED)} bytes")
    assert all(outcome.startswith("Unfetched: ") for _, outcome, _ in rows[1:]), rows
    assert rows[-1][2] - rows[0][2] < GROWTH_BYTES, [(name, grown - rows[0][2]) for name, _, grown in rows]


@pytest.mark.parametrize(
    "inside",
    [
        "<item>" + "<a>" * 100_000,
        "<item " + " ".join(f"a{n}='x'" for n in range(30_000)) + "><title>Kabar</title></item>",
    ],
    ids=["100,000 deep", "30,000 attributes"],
)
def test_a_feed_built_to_cost_time_is_read_quickly_or_not_at_all(inside: str) -> None:
    """feedparser alone takes more than 10 s for each."""
    body = f"<rss version='2.0'><channel><title>t</title>{inside}</channel></rss>".encode()
    with cpu_units() as spent:
        assert read("feed", Page(body, "http://x.example/rss"))
    assert spent() < 15
