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
    from crawlers import guard
    from crawlers.__main__ import _log_in_words
    from crawlers.crawl import crawl
    from crawlers.sources import read_sources
    from pipeline.adapters.choose import open_broker
    from pipeline.settings import load_settings
    from tests.crawlers.fakes import FakeBroker

    _log_in_words()
    if "ports" in told:
        guard.PORTS = frozenset(told["ports"])
    if "names" in told:
        _invent_names(told["names"])
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


def _invent_names(names: dict[str, str]) -> None:
    """Host names that resolve to what the test says; numeric forms as the C library reads them."""
    import socket

    from twisted.internet import _resolver

    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return real(names.get(name.lower().rstrip("."), name), *args, **kwargs)

    default = _resolver.GAIResolver.__init__

    def patched(self: Any, reactor: Any, getThreadPool: Any = None, _: Any = None) -> None:
        default(self, reactor, getThreadPool, getaddrinfo)

    from crawlers import guard

    original = guard.GuardedResolver.__init__

    def guarded(self: Any, resolver: Any, the_guard: Any) -> None:
        from twisted.internet import reactor

        invented = _resolver.GAIResolver.__new__(_resolver.GAIResolver)
        patched(invented, reactor)
        original(self, invented, the_guard)

    guard.GuardedResolver.__init__ = guarded  # type: ignore[method-assign]


if __name__ == "__main__":
    sys.exit(main())
