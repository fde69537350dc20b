"""Crawls in a process of their own, with their own JAGA_HOME."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import Claim, Gap, Heartbeat, Post
from pipeline.topology import CLAIMS, GAPS, HEARTBEATS, POSTS_RAW

from .fakes import Site, published

ROOT = Path(__file__).parents[2]


@dataclass
class Crawled:
    tally: dict[str, Any]
    posts: list[Post]
    claims: list[Claim]
    gaps: list[Gap]
    said: str
    home: Path
    beats: list[Heartbeat]
    causes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.causes = [gap.cause.partition(": http")[0] for gap in self.gaps]


@dataclass
class CrawlJob:
    """How a test starts a crawl."""

    home: Path
    env: dict[str, str]
    command: list[str]
    out: Path


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., CrawlJob]:
    def make(
        site: Site, sources: list[dict[str, Any]], settings: dict[str, str] | None = None, **told: Any
    ) -> CrawlJob:
        out = tmp_path / "log.bin"
        out.unlink(missing_ok=True)
        config = tmp_path / "crawl.json"
        config.write_text(json.dumps({"sources": sources, "out": str(out), **told}))
        env = {k: v for k, v in os.environ.items() if not k.startswith("JAGA_")}
        env |= {
            "JAGA_HOME": str(tmp_path / "home"),
            "JAGA_GUARD_ALLOW": f"127.0.0.1:{site.port}",
            "JAGA_CRAWL_DELAY_S": "0",
            "JAGA_RETRY_MAX_S": "0.2",
            "JAGA_MAX_PAGE_BYTES": "200000",
            **(settings or {}),
        }
        return CrawlJob(
            tmp_path / "home", env, [sys.executable, "-m", "tests.crawlers.crawl_process", str(config)], out
        )

    return make


@pytest.fixture
def crawl(job: Callable[..., CrawlJob]) -> Callable[..., Crawled]:
    def run(site: Site, sources: list[dict[str, Any]], **told: Any) -> Crawled:
        made = job(site, sources, **told)
        done = subprocess.run(made.command, env=made.env, cwd=ROOT, capture_output=True, text=True, timeout=90)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return Crawled(
            json.loads(done.stdout.splitlines()[-1]),
            published(made.out, POSTS_RAW),
            published(made.out, CLAIMS),
            published(made.out, GAPS),
            done.stderr,
            made.home,
            published(made.out, HEARTBEATS),
        )

    return run
