"""What every format's mapper works with: one row's context, and values as exports write them."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, timezone
from typing import Any

from crawlers.pages import dates
from crawlers.pages.address import resolve
from crawlers.pages.items import PostItem
from crawlers.pages.page import Page
from crawlers.pages.text import clean, unique

from .addresses import ROUNDED

_OFFSETS = {
    "EST": "-0500", "EDT": "-0400", "CST": "-0600", "CDT": "-0500", "MST": "-0700", "MDT": "-0600", "PST": "-0800", "PDT": "-0700",
    "AKST": "-0900", "AKDT": "-0800", "HST": "-1000", "AST": "-0400", "ADT": "-0300", "NST": "-0330", "NDT": "-0230",
    "BRT": "-0300", "BRST": "-0200", "ART": "-0300", "UYT": "-0300", "CLT": "-0400", "CLST": "-0300", "BOT": "-0400", "VET": "-0400",
    "COT": "-0500", "PET": "-0500", "ECT": "-0500", "WET": "+0000", "WEST": "+0100", "BST": "+0100", "CET": "+0100", "CEST": "+0200",
    "EET": "+0200", "EEST": "+0300", "TRT": "+0300", "MSK": "+0300", "WAT": "+0100", "CAT": "+0200", "SAST": "+0200", "EAT": "+0300",
    "GST": "+0400", "PKT": "+0500", "ICT": "+0700", "MYT": "+0800", "HKT": "+0800", "SGT": "+0800", "PHT": "+0800", "JST": "+0900",
    "KST": "+0900", "ACST": "+0930", "ACDT": "+1030", "AEST": "+1000", "AEDT": "+1100", "NZST": "+1200", "NZDT": "+1300",
}  # fmt: skip
"""Zones by name, as CrowdTangle prints them, a firm of the United States. IST is left out: India, Israel and Ireland all call theirs so."""
_NAMED_ZONE = re.compile(r"(?<=\d)\s+([A-Z]{3,4})$")
_SHORT_OFFSET = re.compile(r"(?<=\d)\s+([+-]\d{2})$")
_DASHED_DATE = re.compile(r"^(\d{1,2})-([A-Za-z]{3,9})-(?:20)?(\d{2})(?!\d)")
_JS_DATE = re.compile(r"^[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{2}) (\d{4}) (\d{2}:\d{2}:\d{2}) GMT([+-]\d{4})")
_COUNT = re.compile(r"(\d+(?:[.,]\d+)?)\s*([KMB万亿]?)", re.I)
_DOTTED = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+")
_TIMES = {"": 1, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000, "万": 10_000, "亿": 100_000_000}
_PRINTED_TIME = re.compile(r"datetime\.datetime\((?:[^()]|\([^()]*(?:\([^()]*\)[^()]*)?\))*\)")
MOST_NESTED_CHARS = 200_000
"""A longer cell is searched for addresses only."""
MOST_EXACT = 2**53
"""Above it a float no longer holds every whole number."""


class NoPost(Exception):
    """A row that can be no post; says which field and why. `place` is where in the row, if it holds several."""

    def __init__(self, why: str, place: str = "", *, cut: bool = False) -> None:
        super().__init__(why)
        self.place, self.cut = place, cut


class Skipped(Exception):
    """A row that was never meant as a post (a chat's service message, an account's own record): left out, and counted by its reason."""


class Unusable(Exception):
    """A file from which nothing can be read; names file, line and column where there is one."""


Made = PostItem | NoPost | Skipped


@dataclass
class Row:
    """One row's context: pseudonyms, the clock against which dates are held, and what was wrong with single fields."""

    page: Page
    problems: list[tuple[str, str]] = field(default_factory=list)
    """(what, field): the post comes in without that field."""

    def author(self, platform: str, account: object) -> str | None:
        name = clean(account).strip() if account not in (None, "", 0) else ""
        return self.page.author(platform, name)

    def when(self, value: Any, field: str = "published_at", zone: timezone = UTC) -> str | None:
        """The time; None and a problem where it cannot be read. `zone` is the one that the format means where it tells none."""
        if value is None or value == "":
            return None
        try:
            return dates.stamp(spelled(value), self.page.fetched_at, zone)
        except dates.BadDate as error:
            self.problems.append((f"absurd or unreadable date: {error}", field))
            return None

    def other_id(self, value: Any, field: str) -> str | None:
        """Another post's id; None and a problem where it is damaged."""
        try:
            return ident(value, field) or None
        except NoPost as error:
            self.problems.append((str(error).removeprefix(f"{field}: "), field))
            return None


def spelled(value: Any) -> Any:
    """A time with its zone as an offset, where it was a zone's name or JavaScript's way of writing; `06-Feb-2025` with blanks."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    named = _NAMED_ZONE.search(text)
    if named and named.group(1) in _OFFSETS:
        return text[: named.start()] + " " + _OFFSETS[named.group(1)]
    text = _DASHED_DATE.sub(r"\1 \2 20\3", text)
    return _JS_DATE.sub(r"\2 \1 \3 \4 \5", _SHORT_OFFSET.sub(r" \g<1>00", text))


def ident(value: Any, field: str = "id") -> str:
    """An id as characters, empty where there is none. Raises NoPost where a spreadsheet or a float has rounded it."""
    if value is None or isinstance(value, (bool, dict, list)):
        return ""
    if isinstance(value, float):
        if value.is_integer() and abs(value) < MOST_EXACT:
            return str(int(value))
        if value != value:
            return ""
        raise NoPost(f"{field}: {value!r} is an id that was rounded as a number; export it again with ids as text")
    text = clean(value).strip()
    if text[:1] == "'" and text[1:].isdigit():
        text = text[1:]  # how spreadsheets are told to leave a number alone
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    if text.endswith(".0") and text[:-2].isdigit() and len(text) <= 17:
        return text[:-2]
    if ROUNDED.fullmatch(text) or (text.endswith(".0") and text[:-2].isdigit()):
        raise NoPost(
            f"{field}: {text[:40]!r} is an id that a spreadsheet has rounded; export it again with ids as text"
        )
    return "" if text.lower() in ("nan", "none", "null") else text


def number(value: Any) -> int | None:
    """A count as exports write them: `12`, `12.0`, `1,234`, `8.6M`, `1.2万`; None where it is none, or not told."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return int(value) if 0 <= value < MOST_EXACT else None
    if not isinstance(value, str) or len(value) > 40:
        return None
    text = re.sub(r"[\s\u00a0]|(?<=\d),(?=\d{3}(?!\d))", "", value.strip())
    if _DOTTED.fullmatch(text):
        text = text.replace(".", "")  # thousands, as a spreadsheet in Indonesian or Portuguese writes them
    match = _COUNT.fullmatch(text)
    if not match:
        return None
    digits, unit = match.group(1), match.group(2).upper()
    found = int(digits) if digits.isdigit() and not unit else round(float(digits.replace(",", ".")) * _TIMES[unit])
    return found if found < MOST_EXACT else None


def counts(told: Mapping[str, Any], names: Mapping[str, str | tuple[str, ...]]) -> dict[str, int]:
    """Our name -> the first of their fields that holds a number."""
    found = {}
    for ours, theirs in names.items():
        for name in (theirs,) if isinstance(theirs, str) else theirs:
            if (n := number(told.get(name))) is not None:
                found[ours] = n
                break
    return found


def obj(value: Any, *path: str) -> dict[str, Any]:
    """The object at a path of keys, empty where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; empty for anything else."""
    return [inner for inner in value if isinstance(inner, dict)] if isinstance(value, list) else []


def listed(value: Any) -> list[Any]:
    """The list; empty for anything else."""
    return value if isinstance(value, list) else []


def words(value: Any) -> str:
    """A text field; empty for anything that is no text."""
    return clean(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def first(*values: Any) -> Any:
    """The first that says something."""
    return next((v for v in values if v not in (None, "", [], {})), None)


def urls(values: Iterable[Any]) -> list[str]:
    """Those that are whole http(s) addresses, each once."""
    return unique(resolve("", v) for v in values)


def unwritten(value: Any) -> Any:
    """The list or object in a cell, written as JSON or as Python prints it (pandas); the cell itself where it holds neither."""
    text = value.strip() if isinstance(value, str) else ""
    if text[:1] not in ("[", "{") or len(text) > MOST_NESTED_CHARS:
        return value
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what somebody posted is no program: its backslashes are nobody's mistake
            return ast.literal_eval(_PRINTED_TIME.sub("None", text))
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return value


def joined_urls(value: Any) -> list[str]:
    """The addresses in a cell that holds several: parted by commas or blanks, or a list as JSON or Python writes it."""
    text = words(value).strip()
    if "http" not in text.lower():
        return []
    if text[:1] in ("[", "{"):
        told = unwritten(text)
        return urls(re.findall(r"https?://[^\s'\"\]]+", text) if told is text else _inner(told))
    return urls(part.strip(" ,;|") for part in re.split(r"(?<=[\s,;|])(?=https?://)", text))


def _inner(told: Any) -> list[Any]:
    found = []
    for value in told if isinstance(told, list) else [told]:
        if isinstance(value, dict):
            names = (
                "url",
                "media_url_https",
                "expanded_url",
                "fullUrl",
                "preview_image_url",
                "previewUrl",
                "thumbnailUrl",
            )
            value = first(*(value.get(name) for name in names))
        found.append(value)
    return found
