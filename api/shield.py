"""The outermost layer: headers that no answer may lack, and no stack trace for anyone."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from time import perf_counter
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from api.metrics import Meter
from api.problems import Problem, respond

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: under it browsers send `Origin: null` with our own login form, and we could not tell it from a foreign one.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

log = logging.getLogger("jaga.api")


class Shield:
    """ASGI middleware: adds `HEADERS`, measures, and turns what nobody foresaw into a 500 problem."""

    def __init__(self, app: ASGIApp, meter: Meter, prefix: str) -> None:
        self.app = app
        self.meter = meter
        self.prefix = prefix

    def _route(self, scope: Scope) -> str:
        """The template of the route that answered. Included routes know only their own part of it."""
        route: str = getattr(scope.get("route"), "path", None) or "other"
        included = scope["path"].startswith(self.prefix) and not route.startswith(self.prefix) and route != "other"
        return self.prefix + route if included else route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = perf_counter()
        status = 0

        async def guarded(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self.app(scope, receive, guarded)
        except Exception:
            log.exception("%s %s", scope["method"], scope["path"])
            if status:
                raise  # too late for another answer: the connection is cut
            problem = Problem("internal", "this was logged; the answer holds no more about it")
            await respond(problem, scope["path"])(scope, receive, guarded)
        finally:
            self.meter.observe(scope["method"], self._route(scope), status or 500, perf_counter() - began)
