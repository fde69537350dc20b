"""A crawl in its own process, since a reactor starts only once: `python -m tests.crawlers.crawl_process CONFIG.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main() -> int:
    told: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    from crawlers import guard
    from crawlers.__main__ import _log_in_words
    from crawlers.crawl import crawl
    from crawlers.sources import read_sources
    from pipeline.settings import load_settings
    from tests.crawlers.fakes import FakeBroker

    _log_in_words()
    if "ports" in told:
        guard.PORTS = frozenset(told["ports"])
    if "names" in told:
        _invent_names(told["names"])
    tally = crawl(
        load_settings(),
        read_sources(told["sources"], "test"),
        lambda: FakeBroker(told.get("failures", 0), Path(told["out"])),  # type: ignore[arg-type,return-value]
        follow=told.get("follow", False),
        say=lambda line: print(line, file=sys.stderr, flush=True),
    )
    print(json.dumps(tally.as_dict()))
    return 0


def _invent_names(names: dict[str, str]) -> None:
    """Host names that resolve to what the test says; numeric forms as the C library reads them."""
    import socket

    from scrapy.utils.reactor import install_reactor
    from twisted.internet._resolver import GAIResolver

    from crawlers.crawl import REACTOR

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return socket.getaddrinfo(names.get(name.lower().rstrip("."), name), *args, **kwargs)

    install_reactor(REACTOR)
    from twisted.internet import reactor

    reactor.installNameResolver(GAIResolver(reactor, getaddrinfo=getaddrinfo))  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main())
