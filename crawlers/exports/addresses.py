"""What the address of a post shows: its platform, and its id there."""

from __future__ import annotations

import math
import re
from typing import Any
from urllib.parse import urlsplit

_IDS = (
    ("instagram", ("instagram.com",), re.compile(r"instagram\.com/(?:[^/]+/)?(?:p|reel|tv)/([\w-]+)"), ""),
    ("x", ("twitter.com", "x.com"), re.compile(r"/status(?:es)?/(\d+)"), ""),
    ("reddit", ("reddit.com",), re.compile(r"/comments/([a-z0-9]+)"), "t3_"),
    (
        "facebook",
        ("facebook.com",),
        re.compile(
            r"/(?:posts|permalink|videos|photos|reel)/(?:[^/?#]+/)*?(\d{5,}|pfbid\w+)"
            r"|[?&](?:story_fbid|fbid|v)=(\d+|pfbid\w+)"
        ),
        "",
    ),
    ("tiktok", ("tiktok.com",), re.compile(r"/(?:video|photo)/(\d+)"), ""),
    ("youtube", ("youtube.com",), re.compile(r"[?&]v=([\w-]{11})|/shorts/([\w-]{11})"), ""),
    ("youtube", ("youtu.be",), re.compile(r"youtu\.be/([\w-]{11})"), ""),
    ("telegram", ("t.me",), re.compile(r"t\.me/(?:s/)?(\w{3,64}/\d+)"), ""),
    ("threads", ("threads.net", "threads.com"), re.compile(r"/post/([\w-]+)"), ""),
)
"""Platform, its hosts, where an address shows the id of its post, and what stands before that id elsewhere."""
ROUNDED = re.compile(r"\d+(?:[.,]\d+)?[eE]\+\d+")
_AS_ROUNDED = 0.05
"""`1.7E+18` keeps two digits: the id that was meant lies within so much of it."""


def platform_of(url: str) -> str:
    """The platform of an address; empty for any other site."""
    return _known(url)[0]


def post_id(url: str) -> str:
    """The post's id within its platform, as its address shows it; empty where it shows none."""
    platform, pattern, prefix = _known(url)
    match = pattern.search(url) if platform and pattern else None
    return prefix + next(g for g in match.groups() if g) if match else ""


def unrounded(rounded: Any, url: str) -> str:
    """The id that a spreadsheet has rounded, where the post's address has it whole; empty where it has not, or shows another."""
    text, shown = str(rounded).strip(), post_id(url)
    if not shown.isdigit() or not (isinstance(rounded, float) or ROUNDED.fullmatch(text)):
        return ""
    return shown if math.isclose(float(text.replace(",", ".")), float(shown), rel_tol=_AS_ROUNDED) else ""


def _known(url: str) -> tuple[str, re.Pattern[str] | None, str]:
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        host = ""
    for platform, hosts, pattern, prefix in _IDS:
        if any(host == known or host.endswith("." + known) for known in hosts):
            return platform, pattern, prefix
    return "", None, ""
