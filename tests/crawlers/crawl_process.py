"""A crawl in its own process, since a reactor starts only once: `python -m tests.crawlers.crawl_process CONFIG.json`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def main() -> int:
    print(json.dumps(run(json.loads(Path(sys.argv[1]).read_text()))))
    return 0


def run(told: dict[str, Any]) -> dict[str, Any]:
    """Crawl as told, in this process; the counts."""
    from crawlers import crawl as crawl_module
    from crawlers import guard, manners
    from crawlers.__main__ import _log_in_words
    from crawlers.crawl import crawl
    from crawlers.sources import read_sources
    from pipeline.adapters.choose import open_broker
    from pipeline.settings import load_settings
    from tests.crawlers.fakes import FakeBroker
    from tests.crawlers.internet import join

    _log_in_words()
    if "ports" in told:
        guard.PORTS = frozenset(told["ports"])
    if "fetch_s" in told:
        crawl_module.FETCH_S = manners.ROBOTS_S = told["fetch_s"]
    if "stream" in told:
        from crawlers.streams import batch, connection, holder

        for name, value in told["stream"].items():
            for module in (batch, connection, holder):
                if hasattr(module, name):
                    setattr(module, name, value)
    if told.get("broken_spider"):
        _break_spider()
    if "internet" in told:
        join(told["internet"])
    settings = load_settings()
    tally = crawl(
        settings,
        read_sources(told["sources"], "test"),
        lambda: FakeBroker(told.get("failures", 0), Path(told["out"])) if "out" in told else open_broker(settings),  # type: ignore[arg-type,return-value]
        follow=told.get("follow", False),
        say=lambda line: print(line, file=sys.stderr, flush=True),
    )
    return tally.as_dict()


def child(told: dict[str, Any], env: dict[str, str]) -> None:
    """As `run`, forked from a process that has loaded everything; what it says goes to a file."""
    os.environ.update(env)
    with Path(told["said"]).open("a") as said:
        os.dup2(said.fileno(), 2)
        os.dup2(said.fileno(), 1)
        run(told)


def _break_spider() -> None:
    from crawlers.spiders.feed import Feed

    async def article(*_: Any, **__: Any) -> None:
        raise RuntimeError("kesalahan kita sendiri")

    Feed.article = article  # type: ignore[method-assign]


if __name__ == "__main__":
    sys.exit(main())
