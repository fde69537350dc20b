"""A plain Scrapy spider that only downloads: `python -m crawlers.bench.plain PORT FILE AT_ONCE AT_ONE_HOST`, addresses a line in FILE.

Scrapy's own settings but for concurrency, and for what costs it time and a download does not need: logging, telnet.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from . import wire


def main(port: int, addresses: list[str], at_once: int, at_one_host: int) -> None:
    wire.join(port)
    import scrapy
    from scrapy.crawler import CrawlerProcess

    pages = 0

    class Plain(scrapy.Spider):  # type: ignore[misc]
        name = "plain"

        async def start(self) -> AsyncIterator[Any]:
            for address in addresses:
                yield scrapy.Request(address)

        def parse(self, response: Any) -> None:
            nonlocal pages
            pages += response.status == 200

    process = CrawlerProcess(
        {
            "CONCURRENT_REQUESTS": at_once,
            "CONCURRENT_REQUESTS_PER_DOMAIN": at_one_host,
            "DOWNLOAD_DELAY": 0,
            "DNS_RESOLVER": "crawlers.bench.wire.Resolver",
            "ROBOTSTXT_OBEY": False,
            "LOG_ENABLED": False,
            "TELNETCONSOLE_ENABLED": False,
        }
    )
    process.crawl(Plain)
    began = time.monotonic()
    process.start(install_signal_handlers=False)
    print(json.dumps({"pages": pages, "seconds": round(time.monotonic() - began, 3)}))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]).read_text().split(), int(sys.argv[3]), int(sys.argv[4]))
