"""Serves the small web from one loopback port: HTTP/1.1, keep-alive, one thread a connection."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from demo.compose import compose, shifted
from demo.sites import discourse, mastodon, news, wordpress
from demo.sites.reply import Query, Reply, as_json, page
from demo.truth import truth
from demo.ugliness import ROBOTS, Moods, is_forbidden, tantrum, trap
from demo.world import World

_HOST_HEADER = re.compile(r"[A-Za-z0-9.\-]{1,253}(:\d{1,5})?")


def days_until(now: datetime, world: World) -> int:
    """By how many whole days the week must move so that it ends as late as possible without a post from
    the future."""
    last_at = max(status.at for status in world.statuses)
    return (now - last_at).days


class SmallWeb(ThreadingHTTPServer):
    """The running small web. `base_url` has no slash at its end; `close()` stops it; it is its own
    context manager."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, world: World) -> None:
        super().__init__((host, port), _Handler)
        self.world = world
        self.moods = Moods()
        self.base_url = f"http://{host}:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    def __enter__(self) -> SmallWeb:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stops accepting, waits for the accepting thread, frees the port."""
        self.shutdown()
        self.server_close()
        self._thread.join(timeout=5)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A crawler that hangs up in the middle of 50 MB is no error of ours; everything else is shown."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)

    def reply(self, path: str, query: Query, base: str) -> Reply:
        """The answer to one GET."""
        self.moods.visited(path)
        if path == "/robots.txt":
            return Reply(ROBOTS.replace("{base}", base).encode(), "text/plain; charset=utf-8")
        if is_forbidden(path):
            return page("<!DOCTYPE html><title>Dapur</title><p>Halaman ini tidak boleh diambil perayap.</p>")
        if path.startswith("/__demo__/"):
            return self._about(path.removeprefix("/__demo__/")) or _not_found()
        _, prefix, *rest = path.split("/", 2)
        return self._site(prefix, rest[0] if rest else "", query, base) or _not_found()

    def _site(self, prefix: str, path: str, query: Query, base: str) -> Reply | None:
        sites: dict[str, Callable[[World, str, Query, str], Reply | None]] = {
            "cekfakta": wordpress.answer,
            "mikro": mastodon.answer,
            "forum": discourse.answer,
        }
        if prefix in sites:
            return sites[prefix](self.world, path, query, base)
        if prefix == "wartapesisir" and (ugly := trap(path, base)):
            return ugly
        if prefix in news.NAMES:
            for article in self.world.articles[prefix]:
                here = path.strip("/") == article.path.strip("/")
                if here and (refusal := tantrum(article, self.moods)):
                    return refusal
            return news.answer(self.world, prefix, path, query, base)
        return None

    def _about(self, path: str) -> Reply | None:
        if path == "hits":
            hits = dict(sorted(self.moods.hits.items()))
            return as_json({"forbidden": self.moods.forbidden(), "paths": hits})
        if path == "health":
            return as_json({"status": "ok", "statuses": len(self.world.statuses)})
        if path == "truth":
            rows = "".join(json.dumps(row) + "\n" for row in truth())
            return Reply(rows.encode(), "application/x-ndjson")
        return None


def _not_found() -> Reply:
    return page("<!DOCTYPE html><title>404</title><h1>Tidak ditemukan</h1>", status=404)


class _Handler(BaseHTTPRequestHandler):
    server: SmallWeb
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    timeout = 60
    server_version = "JaringKecil/1"
    sys_version = ""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        host = self.headers.get("Host", "")
        base = f"http://{host}" if _HOST_HEADER.fullmatch(host) else self.server.base_url
        reply = self.server.reply(unquote(parts.path), parse_qs(parts.query), base)
        if reply.delay_s:
            time.sleep(reply.delay_s)
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if isinstance(reply.body, bytes):
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command == "HEAD":
            return
        for piece in reply.body:
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: who asked for what stands at /__demo__/hits."""


def serve(port: int = 0, host: str = "127.0.0.1", *, shift_to_now: bool = False) -> SmallWeb:
    """Starts the small web in a thread of this process and returns it; port 0 takes any free one.

    `shift_to_now` moves all instants by whole days so that the week ends today (or yesterday evening,
    when today's last post would still lie ahead). Ids and addresses stay what they are. Raises OSError
    when the port is taken.
    """
    world = compose()
    if shift_to_now:
        world = shifted(world, days_until(datetime.now(UTC), world))
    server = SmallWeb(host, port, world)
    server.start()
    return server
