"""What a crawl in a process of its own loads, loaded before that process is forked: a start costs tenths of a second."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module

from crawlers.pages import read
from crawlers.pages.page import Page

# None of these brings in the reactor, which can be chosen only once.
for name in (
    "crawlers.crawl",
    "crawlers.frontier.middleware",
    "crawlers.guard",
    "crawlers.handler",
    "crawlers.manners",
    "crawlers.spiders.sitemap",
    "crawlers.walls",
    "crawlers.spiders.catch_up",
    "crawlers.streams.holder",
    "crawlers.streams.robots",
    "pipeline.adapters.sqlite_broker",
    "scrapy.core.engine",
    "scrapy.downloadermiddlewares.redirect",
    "tests.crawlers.crawl_process",
):
    import_module(name)

# The extractor reads its word lists at the first page.
_PAGE = Page(b"<html><title>a</title><p>b</p>", "https://a.example/", "text/html", lambda *_: "", datetime.now(UTC))
read("article", _PAGE)
