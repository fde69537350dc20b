"""Times as sites write them: ISO, RFC 822, seconds, milliseconds, Indonesian words, and without any zone.

A time without a zone is read in the zone that its page tells beside another time, else as WIB (+07:00), where most of the watched
sites are; it keeps that offset in the output, so that one can see the day that the page showed. A time with a zone becomes UTC.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from pipeline.contracts import EARLIEST_AT, LATEST_AHEAD

WIB = timezone(timedelta(hours=7), "WIB")
_ZONES = {"WIB": "+0700", "WITA": "+0800", "WIT": "+0900"}
_ZONE = re.compile(r"\b(WITA|WIB|WIT)\b")
_BESIDE_GMT = re.compile(r"\b(?:GMT|UTC)\s?([+-])(\d{1,2})(?::?(\d{2}))?(?!\d)")
"""`GMT+7`, `UTC+07:00`, and `GMT+0700` as JavaScript writes it."""
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})")
_MONTHS = {
    name: number
    for number, names in enumerate(
        [
            "januari january jan",
            "februari february feb pebruari",
            "maret march mar mac",
            "april apr",
            "mei may",
            "juni june jun",
            "juli july jul julai",
            "agustus august agu ags agt aug ogos",
            "september sept sep",
            "oktober october okt oct",
            "november nov nopember",
            "desember december des dec disember dis",
        ],
        start=1,
    )
    for name in names.split()
}
_HALF_OF_DAY_AND_OFFSET = r"(?:\s*[AP]\.?M\b\.?)?\s*([+-]\d{2}:?\d{2})?"
_WORDS = re.compile(
    r"\b(\d{1,2})\s+([A-Za-z]{3,10})\.?,?\s+(\d{4})(?:\D{1,8}(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?)?"
    + _HALF_OF_DAY_AND_OFFSET,
    re.I,
)
_MONTH_FIRST = re.compile(
    r"\b([A-Za-z]{3,10})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?:\D{1,8}(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?)?"
    + _HALF_OF_DAY_AND_OFFSET,
    re.I,
)
_NUMBERS = re.compile(
    r"\b(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:\D{1,5}(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?)?" + _HALF_OF_DAY_AND_OFFSET,
    re.I,
)
_AFTERNOON = re.compile(r"\d\s*([AP])\.?M\b\.?", re.I)
_DAY_ONLY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_SLOPPY = re.compile(
    r"^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$",
    re.I,
)


class BadDate(ValueError):
    """A time that cannot be read, or cannot be true."""


def parse(value: Any) -> datetime | None:
    """A time with its zone, or naive where the page told none; None for an empty value. Raises BadDate."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        if isinstance(value, datetime):
            return value
        if isinstance(value, (int, float)):
            return _from_number(float(value))
        text = " ".join(str(value).split())
        if not text:
            return None
        if compact := _COMPACT.fullmatch(text):
            return datetime(*map(int, compact.groups()))  # type: ignore[arg-type]  # noqa: DTZ001
        if re.fullmatch(r"-?\d{9,16}(\.\d+)?", text):
            return _from_number(float(text))
        if re.search(r"\b\d{1,2}[ -][A-Za-z]{3,9}[ -]0\d{3}\b", text):
            raise BadDate(f"{text[:60]!r} is impossible")  # the standard library would read the year 0001 as 2001
        text = _with_offset(text)
        return _from_iso(text) or _from_words(text) or parsedate_to_datetime(text)
    except BadDate:
        raise
    except (ValueError, OverflowError, TypeError, IndexError, OSError) as error:
        raise BadDate(f"{str(value)[:60]!r} is no time") from error


def instant(value: Any, now: datetime, zone: timezone = WIB) -> datetime | None:
    """As `parse`, with the zone assumed where none was told, and refused where it cannot be true. Raises BadDate."""
    at = parse(value)
    if at is None:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone)
    try:
        in_utc = at.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise BadDate(f"{str(value)[:60]!r} is impossible") from error
    if in_utc < EARLIEST_AT or in_utc > now + LATEST_AHEAD:
        raise BadDate(f"{str(value)[:60]!r} is impossible")
    return at


def stamp(value: Any, now: datetime, zone: timezone = WIB) -> str | None:
    """As `instant`, in RFC 3339."""
    at = instant(value, now, zone)
    if at is None:
        return None
    told = parse(value)
    if told is not None and told.tzinfo is not None:
        at = at.astimezone(UTC)
    return at.isoformat().replace("+00:00", "Z")


def day_or_stamp(value: Any, now: datetime, zone: timezone = WIB) -> str | None:
    """As `stamp`, but a bare day stays a bare day."""
    at = stamp(value, now, zone)
    return str(value).strip() if at and isinstance(value, str) and _DAY_ONLY.match(value.strip()) else at


def zone_among(values: Iterable[Any]) -> timezone:
    """The offset that the first of these times tells, for others of the same page that tell none; WIB if none does. UTC is no place's
    offset: programs write it whatever the site's own clock shows."""
    for value in values:
        try:
            at = parse(value)
        except BadDate:
            continue
        if at is not None and (offset := at.utcoffset()):
            return timezone(offset)
    return WIB


def _with_offset(text: str) -> str:
    """The text with its zone as an offset, where it tells one in letters."""
    text = _ZONE.sub(lambda m: _ZONES[m.group(1)], text)
    return _BESIDE_GMT.sub(lambda m: f"{m.group(1)}{int(m.group(2)):02d}{m.group(3) or '00'}", text)


def _from_number(number: float) -> datetime:
    if not math.isfinite(number):
        raise ValueError("not finite")  # JSON as Python reads it may say Infinity
    # Above 1e11 seconds lies the year 5138: such numbers are milliseconds, above 1e14 microseconds.
    while abs(number) > 1e11:
        number /= 1000
    return datetime.fromtimestamp(number, UTC)


def _from_iso(text: str) -> datetime | None:
    match = _SLOPPY.match(text)
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    at = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), microsecond)  # noqa: DTZ001
    return at.replace(tzinfo=_offset(zone)) if zone else at


def _from_words(text: str) -> datetime | None:
    match = _WORDS.search(text)
    if match and match.group(2).lower() in _MONTHS:
        # RFC 822 with a named zone is better read by the standard library.
        if re.search(r"\b(GMT|UTC|UT|[ECMP][SD]T|Z)$", text):
            return None
        day, month, *rest = match.groups()
    else:
        match = next((m for m in _MONTH_FIRST.finditer(text) if m.group(1).lower() in _MONTHS), None)
        if match is None:
            return None
        month, day, *rest = match.groups()
    return _made(text, _MONTHS[month.lower()], int(day), rest)


def from_numbers(text: str) -> datetime | None:
    """`20/11/2026 09:15` and `11-20-2026, 09:15 PM`: the day is first, as in Indonesia, but where the clock has twelve hours or no such
    month is. For pages whose time stands nowhere else; exports tell their own form."""
    text = _with_offset(" ".join(text.split()))
    match = _NUMBERS.search(text)
    if match is None:
        return None
    day, month, *rest = match.groups()
    if (_AFTERNOON.search(text) and int(day) <= 12) or int(month) > 12:
        day, month = month, day
    try:
        return _made(text, int(month), int(day), rest)
    except ValueError:
        return None


def _made(text: str, month: int, day: int, rest: list[str | None]) -> datetime:
    """`rest`: year, hour, minute, second, zone, as far as told. Raises ValueError."""
    year, hour, minute, second, zone = rest
    hours = int(hour or 0)
    if (clock := _AFTERNOON.search(text)) and 1 <= hours <= 12:
        hours = hours % 12 + (12 if clock.group(1) in "pP" else 0)
    at = datetime(int(year or 0), month, day, hours, int(minute or 0), int(second or 0))  # noqa: DTZ001
    return at.replace(tzinfo=_offset(zone)) if zone else at


def _offset(zone: str) -> timezone:
    if zone[0] not in "+-":
        return UTC
    digits = zone[1:].replace(":", "")
    delta = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return timezone(-delta if zone[0] == "-" else delta)
