"""No address, name, redirect or change of mind leads a crawler to this machine or its network: all are tried, none arrives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .conftest import ROOT, Crawled
from .fakes import Answer, Site
from .internet import PUBLIC, NameServer, Trap, connections
from .tricks import NAMES, TRICKS


@dataclass
class Tried:
    straight: dict[str, str]
    """Name of the trick -> what the download handler alone made of it."""
    redirected: dict[str, str]
    """Name of the trick -> the gap that a crawl told when it was redirected there."""
    reached: list[Any]
    connected: list[tuple[str, int]]
    home: tuple[str, int]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    folder = tmp_path_factory.mktemp("tricks")
    numbered = list(enumerate(TRICKS))
    with Trap() as trap, NameServer(NAMES) as dns, Site() as site:
        links = {name: url.replace("{port}", str(trap.port)) for name, url in TRICKS.items()}
        joined = {"dns": dns.port, "connects": str(folder / "connects"), "routes": {"80": site.port}}
        env = {k: v for k, v in os.environ.items() if not k.startswith("JAGA_")}
        env |= {
            "JAGA_HOME": str(folder / "home"),
            "JAGA_GUARD_ALLOW": f"127.0.0.1:{site.port}",
            "JAGA_CRAWL_DELAY_S": "0",
        }

        def run(program: str, **told: Any) -> subprocess.CompletedProcess[str]:
            config = folder / f"{program}.json"
            config.write_text(json.dumps({"internet": joined, **told}))
            command = [sys.executable, "-m", f"tests.crawlers.{program}", str(config)]
            return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=120)

        handler = run("fetch_process", addresses=links, ports=[trap.port])
        straight = [json.loads(line) for line in handler.stdout.splitlines()]

        items = "".join(f"<item><title>t{n}</title><link>{site.base}/to/{n}</link></item>" for n, _ in numbered)
        site.answers["/rss"] = Answer(f"<rss version='2.0'><channel><title>t</title>{items}</channel></rss>")
        for n, name in numbered:
            location = "".join(c for c in links[name] if c not in "\r\n").encode().decode("latin-1")
            site.answers[f"/to/{n}"] = Answer(status=302, headers={"Location": location})
        source = {"id": "tricks", "kind": "feed", "url": f"{site.base}/rss"}
        out = folder / "log.bin"
        crawled = run("crawl_process", sources=[source], out=str(out), ports=[80, 443, trap.port], fetch_s=5)
        assert crawled.returncode == 0, crawled.stderr
        assert "Traceback" not in crawled.stderr, crawled.stderr
        from pipeline.topology import GAPS

        from .fakes import published

        told = {gap.cause.rsplit("/to/", 1)[-1]: gap.cause for gap in published(out, GAPS)}
        redirected = {name: told.get(str(n), "no gap") for n, name in numbered}
        yield Tried(
            {name: outcome for name, outcome, _ in straight},
            redirected,
            list(trap.reached),
            connections(folder / "connects"),
            ("127.0.0.1", site.port),
        )


def test_at_least_150_different_tricks_are_tried() -> None:
    assert len(set(TRICKS.values())) >= 150


@pytest.mark.parametrize("name", TRICKS)
def test_the_download_handler_itself_refuses(name: str, tried: Tried) -> None:
    # ValueError: Scrapy takes it for no address at all.
    assert tried.straight[name].startswith(("Refused: ", "ValueError: ")) or harmless(name, tried.straight[name])


@pytest.mark.parametrize("name", TRICKS)
def test_a_redirect_to_it_ends_as_a_gap(name: str, tried: Tried) -> None:
    # HTTP 302: a redirect to what is no web address is not followed, and the answer is no page.
    told = tried.redirected[name]
    assert told.startswith(("not allowed to fetch: ", "broken address: ", "HTTP 302: ", "HTTP 404: ")) or harmless(
        name, told
    )


def harmless(name: str, outcome: str) -> bool:
    """What is read as browsers read it: as a public server's path, or as a name that nobody has."""
    if name == "backslash user":
        return " bytes from http://public.contoh.example/" in outcome
    return (
        name in ("loopback arabic digits", "six version future", "name punycode of digits") and "host name" in outcome
    )


def test_nothing_connected_anywhere_but_to_the_site_itself(tried: Tried) -> None:
    assert tried.reached == []
    assert set(tried.connected) == {tried.home}


# ---------------------------------------------------------------- names that change their minds


def feed(base: str, count: int) -> Answer:
    items = "".join(f"<item><title>t{n}</title><link>{base}/{n}</link></item>" for n in range(count))
    return Answer(f"<rss version='2.0'><channel><title>t</title>{items}</channel></rss>")


def visit(
    crawl: Callable[..., Crawled], tmp_path: Path, answers: Any, count: int = 6
) -> tuple[Crawled, Trap, Site, NameServer, Path]:
    """A feed on a steady public server whose links lead to a name that answers as told, on the trap's own port."""
    connects = tmp_path / "connects"
    with (
        Trap() as trap,
        Site() as site,
        NameServer({"tetap.contoh.example": [PUBLIC], "ubah.contoh.example": answers}) as dns,
    ):
        site.answers["/rss"] = feed(f"http://ubah.contoh.example:{trap.port}", count)
        # Each page in a connection of its own, so that the name is asked for each time.
        site.answers |= {
            f"/{n}": Answer(f"<title>{n}</title><p>Isi nomor {n}.</p>", headers={"Connection": "close"})
            for n in range(count)
        }
        site.answers["/robots.txt"] = Answer("", headers={"Connection": "close"})
        result = crawl(
            site,
            [{"id": "ubah", "kind": "feed", "url": "http://tetap.contoh.example/rss"}],
            ports=[80, trap.port],
            internet={
                "dns": dns.port,
                "connects": str(connects),
                "routes": {"80": site.port, str(trap.port): site.port},
            },
        )
        return result, trap, site, dns, connects


@pytest.mark.parametrize(
    ("public", "private"),
    [
        ([PUBLIC], ["127.0.0.1"]),
        ([PUBLIC], ["::1"]),
        ([PUBLIC], ["169.254.169.254", "10.0.0.1"]),
        ([PUBLIC], ["::ffff:127.0.0.1"]),
    ],
)
def test_a_name_that_rebinds_is_left_where_it_turns_inward(
    public: list[str], private: list[str], crawl: Callable[..., Crawled], tmp_path: Path
) -> None:
    # robots.txt and the first page come from the public address; then the name turns.
    result, trap, site, dns, connects = visit(crawl, tmp_path, lambda n: public if n < 2 else private)
    assert trap.reached == []
    assert sum(site.hits[f"/{n}"] for n in range(6)) == 1
    assert dns.asked["ubah.contoh.example"] >= 3
    assert (
        len([c for c in result.causes if c.startswith("not allowed to fetch: ubah.contoh.example resolves to ")]) == 5
    )
    assert {address for address, _ in connections(connects, "asked")} == {PUBLIC}
    assert set(connections(connects)) == {("127.0.0.1", site.port)}


def test_each_connection_asks_once_and_goes_where_the_checked_answer_says(
    crawl: Callable[..., Crawled], tmp_path: Path
) -> None:
    """Public and private in turn: whoever looked twice would connect to the answer that nobody checked."""
    result, trap, _, dns, connects = visit(
        crawl, tmp_path, lambda n: [PUBLIC] if n % 2 == 0 else ["127.0.0.1"], count=20
    )
    assert trap.reached == []
    asked = [address for address, port in connections(connects, "asked") if port == trap.port]
    assert set(asked) == {PUBLIC}
    refused = [c for c in result.causes if c.startswith("not allowed to fetch")]
    assert len(asked) + len(refused) == dns.asked["ubah.contoh.example"], "one question, one connection or refusal"
    assert len(asked) >= 5
    assert len(refused) >= 5


def test_of_mixed_answers_only_the_public_one_is_used(crawl: Callable[..., Crawled], tmp_path: Path) -> None:
    result, trap, site, _, connects = visit(
        crawl, tmp_path, ["127.0.0.1", "::1", PUBLIC, "10.0.0.1", "::ffff:127.0.0.1"]
    )
    assert trap.reached == []
    assert {address for address, _ in connections(connects, "asked")} == {PUBLIC}
    assert result.gaps == []
    assert sum(site.hits[f"/{n}"] for n in range(6)) == 6
