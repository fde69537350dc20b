"""kill -9 of the crawler, again and again: the next one goes on where it stood."""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from crawlers.seen import Seen
from tests.crawlers.crawl_process import child
from tests.crawlers.fakes import Answer, Site
from tests.pipeline.house import TestHouse

SEED = 20241127
WORDS = ("warga", "desa", "air", "bersih", "pasar", "jalan", "rusak", "hujan", "sungai", "kantor", "camat", "rapat")

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.crawlers.loaded"])


def small_web(site: Site, pages: int, per_sitemap: int) -> list[dict[str, Any]]:
    """Sitemaps with their articles, each with words of its own; the sources that name them."""
    chance = random.Random(SEED)

    def article(n: int) -> Answer:
        text = " ".join(chance.choices(WORDS, k=30))
        return Answer(
            f"<html><title>Kabar {n}</title><body><article><h1>Kabar {n}</h1><p>Nomor {n}. {text}.</p><p>{text}</p></article>"
        )

    sources = []
    for first in range(0, pages, per_sitemap):
        numbers = range(first, min(pages, first + per_sitemap))
        site.answers |= {f"/a/{n}": article(n) for n in numbers}
        urls = "".join(f"<url><loc>{site.base}/a/{n}</loc></url>" for n in numbers)
        path = f"/peta-{first}.xml"
        site.answers[path] = Answer(
            f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{urls}</urlset>",
            headers={"ETag": f'"{first}"'},
        )
        sources.append(
            {"id": f"peta-{first}", "kind": "sitemap", "url": site.base + path, "max_pages": per_sitemap + 1}
        )
    return sources


def kill_again_and_again(tmp_path: Path, pages: int, per_sitemap: int, kills: int, delay_s: float) -> None:
    chance = random.Random(SEED)
    home = tmp_path / "home"
    with Site() as site:
        told = {"sources": small_web(site, pages, per_sitemap), "said": str(tmp_path / "said"), "follow": True}
        env = {"JAGA_HOME": str(home), "JAGA_GUARD_ALLOW": f"127.0.0.1:{site.port}", "JAGA_CRAWL_DELAY_S": str(delay_s)}

        def start(**more: Any) -> BaseProcess:
            process = _processes.Process(target=child, args=(told | more, env))
            process.start()
            return process

        def served() -> int:
            return sum(path.startswith("/a/") for path in list(site.hits))

        for _ in range(kills):
            process = start()
            # On average all kills together leave a tenth of the site for the last crawl.
            until = served() + chance.randint(0, int(1.8 * pages / kills))
            deadline = time.monotonic() + 60
            while served() < min(until, pages) and time.monotonic() < deadline and process.is_alive():
                time.sleep(0.002)
            time.sleep(chance.uniform(0, 0.3 if until == served() else 0.03))
            assert process.is_alive(), Path(told["said"]).read_text()[-3000:]
            process.kill()
            process.join()
            assert process.exitcode == -signal.SIGKILL
        last = start(follow=False)
        last.join(600)
        said = Path(told["said"]).read_text()
        assert last.exitcode == 0, said[-3000:]
        hits = {path: n for path, n in site.hits.items() if path.startswith("/a/")}

    assert len(hits) == pages, "every page is fetched"
    twice = sum(n - 1 for n in hits.values())
    assert twice <= pages / 100, f"{twice} of {pages} pages fetched again"
    assert "Traceback" not in said, said[-3000:]
    seen = Seen(home / "crawl.db")
    assert all(seen.get(f"page:{site.base}/a/{n}") for n in range(pages)), "and remembered"
    seen.close()
    assert list((home / "crawlers").iterdir()) == [], "no dead crawler is left"

    house = TestHouse(home)
    house.drain(["judge"])
    counts = house.counts()
    assert counts["indexed"] == pages, "no post is lost, and none is there twice"
    assert counts["in"] == counts["indexed"] + counts["duplicate"] + counts["dead"] + counts["discarded"]
    assert counts["dead"] == 0
    print(f"{kills} kills, {pages} pages: {twice} fetched twice, {counts['duplicate']} posts twice on the log")
    house.broker.close()


def test_five_kills_cost_a_fetch_in_a_hundred_at_most_and_no_post(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, pages=600, per_sitemap=200, kills=5, delay_s=0.0005)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_kills_over_twenty_thousand_pages(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, pages=20_000, per_sitemap=500, kills=100, delay_s=0.0)
