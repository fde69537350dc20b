"""The download handler alone, without any middleware before it: `python -m tests.crawlers.fetch_process CONFIG.json`.

For each address (name -> url) one JSON line: name, outcome (`Refused: why`, `Unfetched: why`, or the length of what was fetched), and by
how many bytes the process had ever grown until then.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def main() -> int:
    told: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    from scrapy.settings import Settings as ScrapySettings
    from scrapy.utils.reactor import install_reactor

    from crawlers import crawl, guard
    from crawlers.frontier.middleware import Turns
    from crawlers.frontier.store import Frontier
    from pipeline.settings import load_settings
    from tests.crawlers.internet import join

    install_reactor(crawl.REACTOR)
    if "internet" in told:
        join(told["internet"])
    guard.PORTS = guard.PORTS | set(told.get("ports", ()))
    settings = load_settings()
    turns = Turns(Frontier(settings.home / "crawl.db"), settings.crawl_delay_s)
    made = ScrapySettings(crawl.scrapy_settings(settings, guard.Guard(settings.guard_allow), turns))
    made.set("DOWNLOAD_TIMEOUT", told.get("fetch_s", 5))
    from twisted.internet import reactor

    machine: Any = reactor

    async def work() -> None:
        from crawlers.handler import GuardedHandler

        handler = GuardedHandler(SimpleNamespace(settings=made))
        for name, url in told["addresses"].items():
            print(json.dumps([name, await _outcome(handler, url), _grown()]), flush=True)
        await handler.close()

    def begin() -> None:
        from twisted.internet.defer import Deferred

        begun = Deferred.fromCoroutine(work())
        begun.addErrback(lambda failure: failure.printTraceback())
        begun.addBoth(lambda _: machine.callLater(0, machine.stop))

    machine.callWhenRunning(begin)
    machine.run()
    return 0


async def _outcome(handler: Any, url: str) -> str:
    from scrapy import Request
    from twisted.internet.defer import Deferred

    try:
        response = await Deferred.fromFuture(_task(handler.download_request(Request(url))))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return f"{len(response.body)} bytes from {response.url}"


def _task(coroutine: Any) -> Any:
    import asyncio

    return asyncio.ensure_future(coroutine)


def _grown() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    sys.exit(main())
