"""Texts, times and numbers as readers expect them: Indonesian by default, English a click away."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from markupsafe import Markup, escape

WORDS: Mapping[str, Mapping[str, str]] = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))
"""Language -> key -> text."""

LANGUAGES = {"id": "Bahasa Indonesia", "en": "English"}
ZONES = {"WIB": 7, "WITA": 8, "WIT": 9}
"""Indonesia's three zones -> hours ahead of UTC; none has summer time."""

_MONTHS = {
    "id": ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}

# Characters that turn or isolate the direction of writing: with them a text can show other words than it holds.
_BIDI = re.compile("([\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069])")


class Wording:
    """One reader's language and zone."""

    def __init__(self, language: str, zone: str) -> None:
        self.language = language if language in LANGUAGES else "id"
        self.zone = zone if zone in ZONES else "WIB"
        self._words = WORDS[self.language]

    def say(self, key: str) -> str:
        """The text of that key; a KeyError is a mistake of ours."""
        return self._words[key]

    def name(self, prefix: str, value: str) -> str:
        """The text for a value that may be newer than this page: then the value itself."""
        return self._words.get(f"{prefix}_{value}", value)

    def local(self, at: datetime) -> datetime:
        return at.astimezone(timezone(timedelta(hours=ZONES[self.zone])))

    def day(self, at: datetime) -> str:
        local = self.local(at)
        return f"{local.day} {_MONTHS[self.language][local.month - 1]}"

    def moment(self, at: datetime) -> str:
        local = self.local(at)
        clock = f"{local:%H.%M}" if self.language == "id" else f"{local:%H:%M}"
        return f"{self.day(at)} {local.year}, {clock} {self.zone}"

    def time(self, at: datetime) -> Markup:
        instant = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Markup('<time datetime="{}">{}</time>').format(instant, self.moment(at))

    def span(self, seconds: float) -> str:
        """A stretch of time in its largest fitting unit."""
        for unit, size_s in (("d", 86_400), ("h", 3600), ("m", 60)):
            if seconds >= 2 * size_s:
                return f"{self.number(round(seconds / size_s))} {self.say('span_' + unit)}"
        return f"{self.number(round(seconds))} {self.say('span_s')}"

    def number(self, value: int) -> str:
        grouped = f"{value:,}"
        return grouped.replace(",", ".") if self.language == "id" else grouped

    def score(self, value: float) -> str:
        shown = f"{value:.2f}"
        return shown.replace(".", ",") if self.language == "id" else shown

    def foreign(self, text: str) -> Markup:
        """Text from outside: escaped, and characters that turn the direction of writing shown instead of obeyed."""
        return Markup("").join(
            Markup('<span class="bidi" title="{}">U+{:04X}</span>').format(self.say("bidi"), ord(part))
            if _BIDI.fullmatch(part)
            else escape(part)
            for part in _BIDI.split(text)
        )


def is_web(url: str | None) -> bool:
    """Whether an address may become a link: http and https alone."""
    return bool(url) and re.match(r"https?://[^\s/]", url or "", re.IGNORECASE) is not None
