"""robots.txt for streams, which are no visit of Scrapy's: through the same handler, with redirects followed by hand."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from scrapy.exceptions import IgnoreRequest

from ..handler import GuardedHandler

MOST_REDIRECTS = 5
"""RFC 9309, 2.3.1.2."""


class Asking:
    """Fetches a robots.txt. Raises Refused, Unfetched, IgnoreRequest."""

    def __init__(self, handler: GuardedHandler, user_agent: str) -> None:
        self._handler, self._user_agent = handler, user_agent

    async def __call__(self, request: Any) -> Any:
        for _ in range(MOST_REDIRECTS + 1):
            request.headers["User-Agent"] = self._user_agent
            response = await self._handler.download_request(request)
            location = response.headers.get(b"Location")
            if response.status not in (301, 302, 303, 307, 308) or not location:
                return response
            try:
                request = request.replace(url=urljoin(response.url, location.decode("latin-1")))
            except ValueError as error:
                raise IgnoreRequest(f"broken redirection: {error}") from error
        raise IgnoreRequest("more than 5 redirections")
