"""What a site answers, and how instants and texts are written on the web."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from demo.world import WIB, utc

Query = dict[str, list[str]]


@dataclass
class Reply:
    """One HTTP answer. A body that is an iterator is sent chunked and never held whole in memory."""

    body: bytes | Iterator[bytes] = b""
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


def page(text: str, status: int = 200) -> Reply:
    return Reply(text.encode(), status=status)


def as_json(value: Any, headers: dict[str, str] | None = None, status: int = 200) -> Reply:
    body = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
    return Reply(body, "application/json; charset=utf-8", status, headers or {})


def redirect(to: str) -> Reply:
    return Reply(b"", status=302, headers={"Location": to})


def number_of(query: Query, name: str, default: int) -> int:
    """A whole number of the query; what is not a number counts as absent."""
    value = query.get(name, [""])[0]
    return int(value) if value.isascii() and value.isdigit() and len(value) < 25 else default


def zulu(at: datetime) -> str:
    return utc(at).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def rfc822(at: datetime, zone: str) -> str:
    """`+0700` (Jakarta's clock) or `GMT`."""
    if zone == "GMT":
        return format_datetime(utc(at).replace(microsecond=0), usegmt=True)
    return format_datetime(at.astimezone(WIB).replace(microsecond=0))
