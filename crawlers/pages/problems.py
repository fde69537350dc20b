"""Turning what is wrong with one field into a problem item, so that the rest of the page goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timezone
from typing import Any

from . import dates
from .items import ProblemItem
from .page import Page
from .wall import instead, is_html

_BEGINNING = re.compile(r"[\[{]\s*[\"{]")
_MOST_BEGINNINGS = 5
_DECODER = json.JSONDecoder(strict=False)


class Notes:
    """Problems met while reading one page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: list[ProblemItem] = []
        if page.charset_problem:
            self.add(page.charset_problem, page.url)

    def add(self, what: str, where: str) -> None:
        self.found.append(ProblemItem(what, where))

    def when(self, value: Any, where: str, zone: timezone = dates.WIB) -> str | None:
        """The time, or None and a problem that names it."""
        try:
            return dates.stamp(value, self.page.fetched_at, zone)
        except dates.BadDate as error:
            self.add(f"absurd or unreadable date: {error}", where)
            return None

    def day(self, value: Any, where: str, zone: timezone = dates.WIB) -> str | None:
        try:
            return dates.day_or_stamp(value, self.page.fetched_at, zone)
        except dates.BadDate as error:
            self.add(f"absurd or unreadable date: {error}", where)
            return None

    def drain(self) -> Iterator[ProblemItem]:
        found, self.found = self.found, []
        yield from found


class NotJson(ValueError):
    """The body is no JSON; says where it breaks."""


def read_json(page: Page) -> Any:
    """The body as JSON, raw control characters allowed in strings. Raises NotJson."""
    text = page.text.strip("\ufeff \t\r\n")
    if not text:
        raise NotJson("empty body")
    if text[:1] == "<" and is_html(text):
        raise NotJson(instead(text, "JSON"))
    try:
        return json.loads(text, strict=False)
    except RecursionError as error:
        raise NotJson("JSON nested too deep") from error
    except ValueError as error:
        try:
            return _among_notices(text)
        except (ValueError, RecursionError):
            pass
        raise NotJson(instead(text, "JSON") if text[:1] == "<" else f"not JSON: {error}") from error


def _among_notices(text: str) -> Any:
    """JSON between what PHP and plugins print beside it: "<b>Warning</b>: ..." before, "<!-- cached -->" behind. Raises ValueError."""
    for begin in (match.start() for _, match in zip(range(_MOST_BEGINNINGS), _BEGINNING.finditer(text), strict=False)):
        try:
            told, end = _DECODER.raw_decode(text, begin)
        except ValueError:
            continue
        if (
            told
            and (begin > 0 or text[end:].lstrip().startswith("<"))
            and not text[end:].lstrip().startswith((",", "]", "}"))
        ):
            return told
    raise ValueError("no JSON in it")
