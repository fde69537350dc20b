"""Articles that a page holds only as its program's data (`__NEXT_DATA__` and its likes), to be drawn by the reader's browser."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from . import jsonld

_BODIES = ("content", "body", "articleBody", "article_body", "content_html", "contentHtml", "html", "text", "isi")
_TITLES = ("title", "headline", "judul", "name")
_TIMES = (
    "published_at",
    "publishedAt",
    "datePublished",
    "publish_date",
    "published_date",
    "publishDate",
    "date_published",
    "published",
    "date",
)
_AUTHORS = ("authors", "author", "reporters", "reporter", "penulis", "writer")
_LEAST_CHARS = 200
_MOST_CHARS = 5_000_000


@dataclass(frozen=True, slots=True)
class Article:
    markup: str
    published: str | None
    author: str | None


def article(root: Any, title: str) -> Article | None:
    """The longest text in the data of a page's program that has a title beside it, its own title before others; None without any."""
    best: tuple[bool, int] = (False, 0)
    found: Article | None = None
    for script in root.iter("script"):
        data = script.text or ""
        if (
            not (script.get("type") == "application/json" or (script.get("id") or "").startswith("__N"))
            or len(data) > _MOST_CHARS
        ):
            continue
        try:
            told = json.loads(data, strict=False)
        except (ValueError, RecursionError):
            continue
        for node in jsonld.nodes(told):
            names = [node[name] for name in _TITLES if isinstance(node.get(name), str)]
            markup = max((node[name] for name in _BODIES if isinstance(node.get(name), str)), key=len, default="")
            rank = (any(_same(name, title) for name in names), len(markup))
            if names and len(markup) >= _LEAST_CHARS and rank > best:
                best, found = rank, Article(markup, _published(node), _author(node))
    return found


def _same(told: str, title: str) -> bool:
    return re.sub(r"\W+", "", told).casefold() == re.sub(r"\W+", "", title).casefold()


def _published(node: dict[str, Any]) -> str | None:
    return next((str(node[name]) for name in _TIMES if isinstance(node.get(name), (str, int)) and node[name]), None)


def _author(node: dict[str, Any]) -> str | None:
    for name in _AUTHORS:
        told = jsonld.first(node.get(name))
        told = told.get("name") if isinstance(told, dict) else told
        if isinstance(told, str) and told.strip():
            return told.strip()
    return None
