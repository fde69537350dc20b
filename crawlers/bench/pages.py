"""What the page objects read in a second, each alone, on one core: of pages that are made here, or of a folder of fixtures."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..pages import BUILT, read
from ..pages.items import ClaimItem, PostItem
from ..pages.page import Page
from .prose import Entry, Writer, feed, numbered, sitemap, wordpress

HOST = "http://rekaan.kabar-rekaan.example"


@dataclass(frozen=True)
class Speed:
    """Per second of CPU; `posts` counts claims too, `links` what a sitemap holds and nothing else."""

    kind: str
    pages: int
    """Different ones that were read."""
    kilobytes: float
    """Of one, on average."""
    pages_per_s: float
    posts_per_s: float
    megabytes_per_s: float

    def told(self) -> dict[str, Any]:
        return {name: round(value, 2) if isinstance(value, float) else value for name, value in vars(self).items()}


def measure(fixtures: Path | None, seconds: float) -> Iterator[Speed]:
    """Each kind for about `seconds`. Raises OSError, ValueError for a folder that is none of fixtures."""
    for kind, pages in (generated() if fixtures is None else of_folder(fixtures)).items():
        yield _speed(kind, pages, seconds)


def _speed(kind: str, pages: Sequence[Page], seconds: float) -> Speed:
    for page in pages:
        read(kind, _fresh(page))  # the first reading loads word lists
    count = posts = size = 0
    began = time.process_time()
    while (took := time.process_time() - began) < seconds or not count:
        for page in pages:
            items = read(kind, _fresh(page))
            posts += sum(isinstance(item, (PostItem, ClaimItem)) for item in items)
            size += len(page.body)
            count += 1
    took = max(took, 1e-9)
    return Speed(kind, len(pages), size / count / 1000, count / took, posts / took, size / took / 1e6)


def _fresh(page: Page) -> Page:
    """A page remembers its characters."""
    return Page(page.body, page.url, page.content_type, page.pseudonym, page.fetched_at)


def generated() -> dict[str, list[Page]]:
    """Of each kind that the benches' own web has."""
    writer = Writer(20241127)
    articles = [
        _page(
            f"/a/{n}", numbered(writer.article(30_000 + 2_500 * n), n, writer.headline(), f"{HOST}/a/{n}"), "text/html"
        )
        for n in range(20)
    ]
    entries: list[Entry] = [(n, writer.headline(), f"{HOST}/a/{n}", 1_732_000_000.0 + n) for n in range(100)]
    long = "".join(f"<p>{writer.paragraph()}</p>" for _ in range(6))
    return {
        "article": articles,
        "feed": [_page("/feed.xml", feed(entries, writer.paragraph()), "application/rss+xml")],
        "sitemap": [_page("/sitemap.xml", sitemap(entries), "application/xml")],
        "wordpress": [_page("/wp-json/wp/v2/posts", wordpress(entries, long), "application/json")],
    }


def _page(path: str, body: str, content_type: str) -> Page:
    return Page(body.encode(), HOST + path, f"{content_type}; charset=utf-8")


def of_folder(folder: Path) -> Mapping[str, list[Page]]:
    """`KIND/CASE/{case.json, input.*}`, as the tests of the page objects have them."""
    found: defaultdict[str, list[Page]] = defaultdict(list)
    for told_in in sorted(folder.glob("*/*/case.json")):
        kind = told_in.parent.parent.name
        if kind not in BUILT or kind == "export":
            continue  # an export is a file, and is read by another door
        told = json.loads(told_in.read_text())
        body = next(told_in.parent.glob("input.*")).read_bytes()
        at = datetime.fromisoformat(told["fetched_at"])
        found[kind].append(Page(body, told["url"], told["content_type"], fetched_at=at))
    if not found:
        raise ValueError(f"{folder}: no fixtures (KIND/CASE/case.json)")
    return found
