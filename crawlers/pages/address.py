"""Addresses: made whole, and made the same for the same page."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

_DAMAGE = re.compile("[\x00-\x20\x7f\ud800-\udfff]")
_TRACKING = re.compile(r"^(utm_\w+|fbclid|gclid|igshid|mc_cid|mc_eid|ref_src|ref_url|yclid|dclid|msclkid)$", re.I)
_WHOLE = re.compile(r"https?://[a-z0-9.-]+(/[\w/.%~+,@:=&-]*)?(\?[\w/.%~+,@:=&-]+)?(#[\w/.%~+,@:=&-]+)?", re.A)
"""Addresses that stay as they are whatever they are joined to: most links, and a tenth of the time."""
_HOST = re.compile(r"^([a-z0-9-]+\.)+[a-z]{2,}$", re.I)

MAX_CHARS = 4000
"""Longer addresses are refused, as the contract of a post does."""


def resolve(base: str, href: object) -> str | None:
    """An absolute http(s) address, or None for anything else (mailto:, javascript:, broken brackets ...)."""
    if not isinstance(href, str):
        return None
    href = _DAMAGE.sub("", href.strip())
    if not href or href.startswith("#"):
        return None
    if _WHOLE.fullmatch(href):
        return href if len(href) <= MAX_CHARS else None
    try:
        url = urljoin(base, href)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or len(url) > MAX_CHARS:
            return None
    except ValueError:
        return None
    return url


def with_scheme(base: str, href: object) -> str | None:
    """As `resolve`, for fields where publishers leave the scheme out: `example.org/x` is a host, not a folder."""
    if (
        isinstance(href, str)
        and _HOST.match(href.strip().split("/")[0])
        and not href.strip().lower().endswith((".html", ".htm", ".php"))
    ):
        return resolve(base, "https://" + href.strip())
    return resolve(base, href)


def canonical(url: str) -> str:
    """The address without fragment, tracking parameters, default port, and with a lower-case host."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    try:
        port = parts.port
    except ValueError:
        port = None
    if port and (parts.scheme, port) not in (("http", 80), ("https", 443)):
        host += f":{port}"
    query = parts.query
    if query:
        pairs = parse_qsl(query, keep_blank_values=True)
        kept = [(k, v) for k, v in pairs if not _TRACKING.match(k)]
        if len(kept) != len(pairs):
            query = urlencode(kept, errors="replace")
    return urlunsplit((parts.scheme, host, parts.path or "/", query, ""))


def host_of(url: str) -> str:
    """The host, with its port where one is written."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def with_query(url: str, **values: str) -> str:
    """The address with these parameters instead of those it had. A `key` is dropped: what an API was asked with stays unprinted."""
    parts = urlsplit(url)
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k != "key" and k not in values]
    return urlunsplit(parts._replace(query=urlencode([*kept, *values.items()], errors="replace"), fragment=""))
