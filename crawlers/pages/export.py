"""Exports that analysts have, to posts: see `crawlers/exports`, which also reads them from files of any size."""

from __future__ import annotations

import io
from collections.abc import Iterator

from crawlers.exports import read as exports

from .items import Item
from .page import Page


def read(page: Page) -> Iterator[Item]:
    yield from exports.items(io.BytesIO(page.body), page.url, page, exports.Told(), lambda _: None)
