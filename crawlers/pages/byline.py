"""Who signed an article, where neither its data nor its markup calls anyone its author: "Penulis: Sari Contoh", `class="penulis"`."""

from __future__ import annotations

import re
from typing import Any

from .text import one_line

_SIGNED = re.compile(
    r"(?:penulis|pewarta|reporter|oleh|laporan|wartawan|jurnalis|kontributor|rep)\s*[:|]?\s+(?P<name>\S.*)|rep:\s*(?P<rep>\S.*)",
    re.I,
)
_CALLED = re.compile(
    r"(.*[-_])?(author|penulis|reporter|byline|journalist|jurnalis|writer|kontributor|wartawan)([-_]*name)?", re.I
)
_BEHIND = re.compile(
    r"\s+[-–|•·]\s*.*|\s*[|/,(].*|\s*\b(editor|penulis|redaktur|red|tim redaksi|kompas\.com|tribunnews|senin|selasa|rabu|kamis|jum'?at|sabtu|minggu|ahad)\b.*",
    re.I,
)
_WORDS_OF_A_NAME = 6


def signed(root: Any) -> str:
    """A name, or an empty string. What has digits or more words than a name is none."""
    called = ""
    for element in root.iter("a", "span", "div", "p", "h3", "h4", "h5", "h6", "small", "li", "td", "strong", "b"):
        if len(element) > 6:
            continue
        marked = any(
            _CALLED.fullmatch(mark) for mark in f"{element.get('class') or ''} {element.get('id') or ''}".split()
        )
        if not marked and not (element.text and len(element.text) < 120 and _SIGNED.match(element.text.strip() + " x")):
            continue
        words = one_line(element.text_content())
        if len(words) > 160:
            continue
        match = _SIGNED.match(words)
        if match and (name := _name(match.group("name") or match.group("rep"))) and (marked or ":" in words[:12]):
            return name
        if marked and not called:
            called = _name(words)
    return called


def _name(words: str) -> str:
    name = _BEHIND.sub("", words.lstrip(":|- ")).strip(" .,:;-")
    return name if 2 < len(name) < 60 and len(name.split()) <= _WORDS_OF_A_NAME and not re.search(r"\d", name) else ""
