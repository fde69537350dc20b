"""A log in memory or in a file, and a small web server whose answers a test decides."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pipeline.contracts import unpack
from pipeline.ports import Record, RetryLater

SCHEMA_OF = {
    "posts.raw.v1": "post",
    "claims.v1": "claim",
    "gaps.v1": "gap",
    "deletions.v1": "deletion",
    "heartbeats.v1": "heartbeat",
}


class FakeBroker:
    """Keeps records in order; refuses the first `failures` calls of `publish`, as a log that is away does."""

    def __init__(self, failures: int = 0, file: Path | None = None) -> None:
        self.failures, self.file = failures, file
        self.records: list[Record] = []
        self.calls = 0
        self.closed = False

    def ensure(self, topics: Mapping[str, int]) -> None:
        self.topics = dict(topics)

    def publish(self, records: Sequence[Record]) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            raise RetryLater("the log is away")
        self.records += records
        if self.file is not None:
            with self.file.open("ab") as out:
                out.writelines(r.topic.encode() + b"\t" + r.value + b"\n" for r in records)

    def bodies(self, topic: str) -> list[Any]:
        return [unpack(SCHEMA_OF[topic], r.value) for r in self.records if r.topic == topic]

    def close(self) -> None:
        self.closed = True


def published(file: Path, topic: str) -> list[Any]:
    """What a crawl in another process put on a topic."""
    if not file.exists():
        return []
    lines = [line.split(b"\t", 1) for line in file.read_bytes().splitlines()]
    return [unpack(SCHEMA_OF[topic], value) for name, value in lines if name.decode() == topic]


@dataclass
class Answer:
    body: bytes | str = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Callable[[], Any] | None = None
    """Instead of a body: pieces that are sent one by one, without a length."""


class Site:
    """Serves `answers` (path with query, or path alone -> Answer or a function of the visit's number) on a loopback port."""

    def __init__(self, answers: Mapping[str, Any] | None = None) -> None:
        self.answers = dict(answers or {})
        self.hits: Counter[str] = Counter()
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.asked_at: list[float] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = self.path
                site.hits[path] += 1
                site.asked_at.append(time.monotonic())
                site.asked.append((path, {k.lower(): v for k, v in self.headers.items()}))
                answer = site.answers.get(path, site.answers.get(path.partition("?")[0], Answer(b"gone", 404)))
                if callable(answer):
                    answer = answer(site.hits[path])
                body = answer.body.encode() if isinstance(answer.body, str) else answer.body
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.pieces is not None:
                    self.send_header("Connection", "close")
                    self.end_headers()
                    try:
                        for piece in answer.pieces():
                            self.wfile.write(piece)
                    except OSError:
                        pass  # the crawler hung up, as it should
                    self.close_connection = True
                    return
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                if not isinstance(sys.exception(), ConnectionError):  # a killed crawler says no farewell
                    super().handle_error(request, client_address)

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Site:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
