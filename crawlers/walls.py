"""Pages that say "200 OK" and are not what was asked for: login walls and soft 404s."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlsplit

from .handler import Unfetched
from .pages.wall import is_missing, parts_of

_HEAD_BYTES = 65_536
"""Where a title stands, if there is one."""
_LOGIN_PATH = re.compile(
    r"(^|/)(log-?in|sign-?in|signon|masuk|auth|sso|wp-login\.php|checkpoint|users/sign_in)(/|\.\w+$|$)", re.I
)
_TITLE = re.compile(rb"<title\b[^>]{0,200}>([^<]{0,300})", re.I)
_PASSWORD = re.compile(rb"<input\b[^>]{0,500}type\s*=\s*[\"']?password", re.I)
_LOGIN_TITLE = re.compile(
    r"(please |silakan |silahkan )?(log ?in|sign in|masuk|login anggota|member login)( (ke|to|untuk|to continue|untuk melanjutkan).{0,60})?",
    re.I,
)


class WallMiddleware:
    """Raises Unfetched for answers that hide a login or a missing page behind a good status."""

    def process_response(self, request: Any, response: Any) -> Any:
        if response.status == 200 and not request.meta.get("is_robots_txt"):
            asked = (request.meta.get("redirect_urls") or [request.url])[0]
            if why := wall(asked, response.url, response.body, response.headers.get(b"Content-Type", b"")):
                raise Unfetched(why, for_good=True)
        return response


def wall(asked: str, got: str, body: bytes, content_type: bytes) -> str | None:
    """What stands in the way, in words; None if nothing does."""
    before, after = urlsplit(asked), urlsplit(got)
    if asked != got:
        if _LOGIN_PATH.search(after.path) and not _LOGIN_PATH.search(before.path):
            return f"login wall: sent to {after.path[:100]}"
        # The same host, with or without www: other hosts' short links may well mean a front page.
        if _bare(after.hostname) == _bare(before.hostname) and _is_front(after) and not _is_front(before):
            return "soft 404: sent to the front page"
    if b"html" not in content_type.lower():
        return None
    found = _TITLE.search(body, 0, _HEAD_BYTES)
    if found is None:
        return None
    title = html.unescape(found.group(1).decode("utf-8", "replace")).strip()
    if any(_LOGIN_TITLE.fullmatch(part) for part in parts_of(title)) and _PASSWORD.search(body):
        return f"login wall: the page is called {title[:100]!r}"
    if is_missing(title):
        return f"soft 404: the page is called {title[:100]!r}"
    return None


def _bare(host: str | None) -> str:
    return (host or "").removeprefix("www.")


def _is_front(parts: Any) -> bool:
    return parts.path in ("", "/", "/index.html", "/index.php", "/home") and not parts.query
