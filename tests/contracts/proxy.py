"""An HTTP proxy in front of a real Elasticsearch that can be told to misbehave."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class Answer:
    status: int
    body: bytes
    product: str = "Elasticsearch"
    """The header by which a client knows that it is no other server."""


Forward = Callable[[bytes], Answer]
Rule = Callable[[str, bytes, Forward], Answer | None]
"""(path, body, forward) -> the answer; None: the connection breaks without one. `forward` asks the real server, with that body."""


@dataclass
class Proxy:
    url: str
    rule: Rule = lambda path, body, forward: forward(body)
    paths: list[str] = field(default_factory=list)
    """Of all requests so far."""


@contextmanager
def proxy(elasticsearch_url: str) -> Iterator[Proxy]:
    real = urlsplit(elasticsearch_url).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            stand.paths.append(self.path)

            def forward(body: bytes) -> Answer:
                connection = http.client.HTTPConnection(real)
                headers = {k: v for k, v in self.headers.items() if k.lower() in ("accept", "content-type")}
                connection.request(self.command, self.path, body, headers)
                response = connection.getresponse()
                answer = Answer(response.status, response.read())
                connection.close()
                return answer

            answer = stand.rule(self.path, body, forward)
            if answer is None:
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(answer.status)
            self.send_header("X-Elastic-Product", answer.product)
            self.send_header("Content-Type", "application/vnd.elasticsearch+json;compatible-with=9")
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stand = Proxy(f"elasticsearch://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stand
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
