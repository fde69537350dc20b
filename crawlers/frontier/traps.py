"""Addresses that lead nowhere, or to the same page again under another name: endless calendars, sessions, loops. Pure."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ..pages.address import canonical

SEGMENTS = 20
REPEATS = 3
"""A path that has the same segment so often (or the same two in turn) comes from relative links gone wrong."""
PARAMETERS = 12
QUERY_CHARS = 1_000
CALENDAR_PAGES = 60
"""Addresses of one form that differ in nothing but their date, in one visit."""
DAYS_AHEAD = 400
"""A calendar that goes further than that is turned by us alone."""

_SESSION = re.compile(
    r"^(jsessionid|phpsessid|sessid|session_?id|sid|aspsessionid\w*|asp\.net_sessionid|cfid|cftoken|oscsid|zenid|s_?id|sessionkey)$",
    re.I,
)
_SESSION_VALUE = re.compile(r"^(?=.*\d)[0-9a-zA-Z_.-]{12,}$")
"""A forum's `sid=7` is a page of its own; what is long and mixed is a session."""
_PATH_SESSION = re.compile(r";(jsessionid|phpsessid|sid)=[^/?#;]*", re.I)
_PLACE_IN_PAGE = re.compile(r"^(|comments?|komentar|respond|disqus_thread|top|content|main|more-\d+)$", re.I)
"""Behind any other fragment may be a post of its own: a forum's, or an entry of a feed that has no address."""
_ASP_SESSION = re.compile(r"/\([a-z]\([0-9a-z]{20,}\)\)(?=/)", re.I)
_YEAR, _MONTH, _DAY = r"((?:19|20)\d\d)", r"(0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_DATED_END = re.compile(rf"/{_YEAR}(?:/{_MONTH}(?:/{_DAY})?|-{_MONTH}(?:-{_DAY})?)/?$")
"""At the end of a path, with two digits for the month: other numbers there are articles' and topics' own."""
_DATE = re.compile(rf"^{_YEAR}(?:[-/_.]?{_MONTH}(?:[-/_.]?{_DAY})?|[-/_.]([1-9])(?:[-/_.]\d\d?)?)$")
_DATE_NAME = re.compile(r"^(tribe-bar-date|date|tanggal|tgl|month|bulan|day|hari|ym|cal_?\w*)$", re.I)
_YEAR_NAME = re.compile(r"^(y|yr|year|yyyy|tahun|thn|cal_?y(ear)?)$", re.I)


def key(url: str) -> str:
    """The address by which a page is known: canonical, and without a session. Two spellings of one page have one key."""
    try:
        parts = urlsplit(canonical(url))
    except ValueError:
        return url
    path = _ASP_SESSION.sub("", _PATH_SESSION.sub("", parts.path))
    query = parts.query
    if query:
        pairs = parse_qsl(query, keep_blank_values=True)
        kept = [(n, v) for n, v in pairs if not (_SESSION.match(n) and _SESSION_VALUE.match(v))]
        if len(kept) != len(pairs):
            query = urlencode(kept)
    fragment = url.partition("#")[2]
    return urlunsplit(
        parts._replace(path=path, query=query, fragment="" if _PLACE_IN_PAGE.match(fragment) else fragment)
    )


def trap(url: str, now: datetime) -> str | None:
    """Why this address is not worth a request, from its form alone; None if it may be."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "broken address"
    segments = [s for s in parts.path.split("/") if s]
    if len(segments) > SEGMENTS:
        return f"trap: path of more than {SEGMENTS} parts"
    if any(n >= REPEATS for s, n in Counter(segments).items() if not s.isdigit()) or _cycles(segments):
        return "trap: the same part of the path again and again"
    if len(parts.query) > QUERY_CHARS or parts.query.count("&") >= PARAMETERS:
        return "trap: endless query"
    if _is_list(parts.path):
        return None
    for year, month in _dates(parts.path, parts.query):
        if (year - now.year) * 365 + (month - now.month) * 30 > DAYS_AHEAD:
            return "trap: calendar without end"
    return None


def shape(url: str) -> str | None:
    """The form of an address that consists of a date and nothing else of its own; None for all others."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if _is_list(parts.path) or not _dates(parts.path, parts.query):
        return None
    names = sorted(n for n, _ in parse_qsl(parts.query, keep_blank_values=True))
    return f"{parts.netloc}{re.sub(r'[0-9]+', '#', parts.path)}?{'&'.join(names)}"


def _dates(path: str, query: str) -> list[tuple[int, int]]:
    """(year, month) pairs by which the address picks what it shows."""
    found = []
    if match := _DATED_END.search(path):
        found.append((int(match[1]), int(match[2] or match[3])))
    for name, value in parse_qsl(query):
        if _DATE_NAME.match(name) and (match := _DATE.match(value)):
            found.append((int(match[1]), int(match[2] or match[3])))
        elif _YEAR_NAME.match(name) and re.fullmatch(_YEAR, value):
            found.append((int(value), 1))
    return found


def _is_list(path: str) -> bool:
    """Sitemaps by month and feeds are dated lists that end."""
    return path.lower().endswith((".xml", ".xml.gz", ".json", ".rss", ".atom"))


def _cycles(segments: list[str]) -> bool:
    """a/b/a/b/a/b, and longer rounds."""
    for size in (2, 3, 4):
        for start in range(len(segments) - size * REPEATS + 1):
            window = segments[start : start + size]
            if len(set(window)) > 1 and all(
                segments[start + size * n : start + size * (n + 1)] == window for n in range(1, REPEATS)
            ):
                return True
    return False
