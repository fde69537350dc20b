"""robots.txt (RFC 9309) to what it says to us: sitemaps as links, rules that concern our robot as problems."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .address import resolve
from .items import Item, LinkItem
from .page import Page
from .problems import Notes
from .text import clean

ROBOT = "jagaruang"


def read(page: Page) -> Iterator[Item]:
    notes = Notes(page)
    text = clean(page.text)
    if re.match(r"\s*<[!?a-z]", text, re.I):
        notes.add("shape changed: HTML where robots.txt was expected", page.url)
        yield from notes.drain()
        return
    if not text.strip():
        notes.add("empty robots.txt: everything may be fetched", page.url)
    groups: dict[str, list[tuple[str, str, int]]] = {}
    agents: list[str] = []
    in_rules = False
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.partition("#")[0].strip().lstrip("\ufeff")
        if not line:
            continue
        field, colon, value = line.partition(":")
        field, value = field.strip().lower(), value.strip()
        if not colon:
            notes.add(f"line without colon: {line[:60]!r}", f"line {number}")
        elif field == "sitemap":
            if url := resolve(page.url, value):
                yield LinkItem(url, "sitemap")
            else:
                notes.add(f"sitemap {value[:80]!r} is no address", f"line {number}")
        elif field == "user-agent":
            if in_rules:
                agents, in_rules = [], False
            agents.append(value.lower())
            groups.setdefault(value.lower(), [])
        elif field in ("allow", "disallow", "crawl-delay"):
            in_rules = True
            if not agents:
                notes.add(f"{field} before any user-agent", f"line {number}")
            for agent in agents:
                groups[agent].append((field, value, number))
    mine = ROBOT if ROBOT in groups else "*"
    for field, value, number in groups.get(mine, []):
        if field == "crawl-delay":
            notes.add(f"asks for a pause of {value[:20]} s between two fetches", f"line {number}")
        elif field == "disallow" and value:
            notes.add(f"may not be fetched: {value[:200]}", f"line {number}")
    yield from notes.drain()
