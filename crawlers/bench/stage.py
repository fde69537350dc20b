"""What every bench of a crawl sets up: the invented web, a home that is gone afterwards, and the crawler in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from .small_web import BEGIN, CHECKS, STATISTICS, World

AT_ONE_HOST = 2
"""As many fetches at a time as the crawler allows a host that asks for no pause (`frontier.middleware.AT_ONCE`)."""
_PATHS = {"feed": "/feed.xml", "wordpress": "", "sitemap": "/sitemap.xml"}
KINDS = ("feed", "feed", "sitemap", "wordpress")
"""What the sources are, in turn."""


class Web:
    """The invented web, served by a process of its own."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __enter__(self) -> Web:
        command = [sys.executable, "-m", "crawlers.bench.small_web", self.world.told()]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
        assert self._process.stdout is not None  # noqa: S101
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    def statistics(self, path: str = STATISTICS) -> dict[str, Any]:
        """`served`: answers by what they were; `listed`, `appeared`: host -> times."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            told: dict[str, Any] = json.load(answer)
        return told

    def begin(self) -> None:
        """From now on articles appear at the hot hosts."""
        self.statistics(BEGIN)

    def wait_for_all(self, count: int, crawl: subprocess.Popen[str]) -> None:
        """Until every host's listing was asked for once, or the crawl has ended."""
        while len(self.statistics()["listed"]) < count and crawl.poll() is None:
            time.sleep(0.5)

    @property
    def pages(self) -> int:
        served = self.statistics()["served"]
        return int(served.get("article", 0) + served.get("listing", 0))


def source(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": kind, "url": f"http://{name}.kabar-rekaan.example{_PATHS[kind]}", **more}


def mixed(count: int, **more: Any) -> list[dict[str, Any]]:
    """Feeds, sitemaps and fact-checkers."""
    kinds = [KINDS[n % len(KINDS)] for n in range(count)]
    return [source(f"{CHECKS if kind == 'wordpress' else 's'}{n:04d}", kind, **more) for n, kind in enumerate(kinds)]


class Stage:
    """A home for one crawl."""

    def __init__(self, web: Web, sources: Sequence[dict[str, Any]]) -> None:
        self.web, self.sources = web, sources

    def __enter__(self) -> Stage:
        self._folder = tempfile.TemporaryDirectory(prefix="jaga-bench-")
        self.home = Path(self._folder.name)
        self._file = self.home / "sources.json"
        self._file.write_text(json.dumps(list(self.sources)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def environment(self) -> dict[str, str]:
        """No pause between the fetches of a host, and whatever else the settings say without any word."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JAGA_")}
        return kept | {"JAGA_HOME": str(self.home), "JAGA_CRAWL_DELAY_S": "0", "JAGA_BROKER": "sqlite://"}

    def start(self, *options: str, module: str = "crawlers.bench.wire") -> subprocess.Popen[str]:
        """`jaga crawl` with these options."""
        command = [sys.executable, "-m", module, str(self.web.port), "crawl", "--sources", str(self._file), *options]
        with (self.home / "said").open("w") as said:
            return subprocess.Popen(  # noqa: S603
                command, env=self.environment(), stdout=subprocess.PIPE, stderr=said, text=True
            )

    def tally(self, crawl: subprocess.Popen[str]) -> dict[str, Any]:
        """What the crawl counted, once it has ended. Raises RuntimeError with its last words if it failed."""
        out, _ = crawl.communicate()
        if crawl.returncode:
            raise RuntimeError((self.home / "said").read_text()[-2000:] or f"crawl ended with {crawl.returncode}")
        told: dict[str, Any] = json.loads(out.splitlines()[-1])
        return told
