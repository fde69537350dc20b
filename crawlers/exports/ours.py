"""Posts in our own form: as `jaga parse` prints them, as the contract has them, or in the log's envelope."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from crawlers import pseudonym
from pipeline.contracts import Post, Refused, explain, unpack

from .row import NoPost, Row, Skipped

_FIELDS = frozenset(Post.model_fields)
_NO_POSTS = ("problem", "link", "claim")
"""What `jaga parse` prints besides posts."""


def is_ours(told: dict[str, Any]) -> bool:
    if {"schema", "version", "body"} <= told.keys() or {"platform", "native_id"} <= told.keys():
        return True
    return told.get("type") in _NO_POSTS and bool({"what", "why", "claim_id"} & told.keys())


def post(told: dict[str, Any], row: Row) -> Post:
    """Raises NoPost with the field and the cause."""
    try:
        if {"schema", "version", "body"} <= told.keys():
            told = unpack("post", json.dumps(told).encode()).model_dump(exclude_unset=True)
        return _post(told, row)
    except Refused as error:
        raise NoPost(str(error)) from error
    except ValidationError as error:
        raise NoPost(explain(error)) from error


def _post(told: dict[str, Any], row: Row) -> Post:
    kind = told.get("type", "post")
    if kind in _NO_POSTS and "native_id" not in told:
        raise Skipped(f"no post but a {kind}")
    if kind != "post":
        raise NoPost(f"type: {kind!r} is no post")
    fields = {name: value for name, value in told.items() if name != "type"}
    unknown = sorted(str(name) for name in fields.keys() - _FIELDS)
    if unknown:
        raise NoPost(f"{unknown[0]}: unknown field")
    fields.setdefault("fetched_at", row.page.fetched_at)
    author = fields.get("author")
    if isinstance(author, str) and not pseudonym.MADE.match(author):
        fields["author"] = row.author(str(fields["platform"]), author)
    if not str(fields.get("text") or "").strip() and not fields.get("media") and not fields.get("repost_of"):
        raise NoPost("text: empty")
    for name in ("links", "media", "counts"):
        if fields.get(name) is None:
            fields.pop(name, None)
    return Post.model_validate(fields)
