"""A server of streams in the shapes that real ones have: Mastodon's server-sent events and Jetstream's WebSocket. A test plays each connection.

What it tells is invented. `Stage.plays` has a function for each path, which gets the connection and how often the path was asked for before.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: private, no-store\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass
class Wire:
    """One connection, its request read."""

    socket: socket.socket
    path: str
    headers: dict[str, str]

    def raw(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, status: str, body: bytes = b"", **headers: str) -> None:
        told = {"Content-Length": str(len(body)), "Connection": "close", **headers}
        lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in told.items()), "", ""]
        self.raw("\r\n".join(lines).encode() + body)

    def json(self, told: Any) -> None:
        self.answer("200 OK", json.dumps(told).encode(), Content_Type="application/json")

    # -- server-sent events

    def begin(self) -> None:
        self.raw(STREAM_HEAD)
        self.chunk(b":)\n")

    def chunk(self, data: bytes) -> None:
        self.raw(b"%x\r\n%s\r\n" % (len(data), data))

    def event(self, name: str, data: Any) -> None:
        text = data if isinstance(data, str) else json.dumps(data)
        self.chunk(f"event: {name}\n".encode())
        self.chunk(f"data: {text}\n\n".encode())

    # -- WebSocket

    def shake_hands(self, accept: str | None = None) -> None:
        key = self.headers["sec-websocket-key"].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = accept or base64.b64encode(hashlib.sha1(key, usedforsecurity=False).digest()).decode()
        self.raw(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
            + accept.encode()
            + b"\r\n\r\n"
        )

    def frame(self, payload: bytes, opcode: int = 1, *, final: bool = True, mask: bool = False) -> None:
        self.raw(frame(payload, opcode, final=final, mask=mask))

    def tell(self, event: Any) -> None:
        self.frame(json.dumps(event).encode())

    def wait(self, s: float = 60.0) -> None:
        """Until the crawler hangs up, or so long."""
        self.socket.settimeout(s)
        try:
            while self.socket.recv(4096):
                pass
        except OSError:
            pass


def frame(payload: bytes, opcode: int = 1, *, final: bool = True, mask: bool = False) -> bytes:
    """As a server sends it."""
    size = len(payload)
    more = b""
    if size > 125:
        width = 2 if size < 65_536 else 8
        more, size = size.to_bytes(width), 126 if width == 2 else 127
    return bytes((opcode | (128 if final else 0), size | (128 if mask else 0))) + more + payload


class Stage:
    """Listens on a loopback port."""

    def __init__(self, **plays: Callable[[Wire, int], None]) -> None:
        self.plays = {"/" + name.replace("__", "/"): play for name, play in plays.items()}
        self.hits: Counter[str] = Counter()
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.asked_at: list[tuple[str, float]] = []
        stage = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                head = b""
                while b"\r\n\r\n" not in head:
                    data = self.request.recv(65_536)
                    if not data:
                        return
                    head += data
                first, *lines = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
                path = first.split(" ")[1]
                headers = {n.strip().lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
                wire = Wire(self.request, path, headers)
                name = path.partition("?")[0]
                nth = stage.hits[name]
                stage.hits[name] += 1
                stage.asked.append((path, headers))
                stage.asked_at.append((name, time.monotonic()))
                try:
                    play = stage.plays.get(name)
                    if play is None:
                        wire.answer("404 Not Found")
                    else:
                        play(wire, nth)
                except OSError:
                    pass  # the crawler hung up

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self.server.server_address[1]
        self.base = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Stage:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def paths(self, name: str) -> list[str]:
        """The addresses asked for under a path, in order."""
        return [path for path, _ in self.asked if path.partition("?")[0] == name]


def status(number: int, text: str = "", **more: Any) -> dict[str, Any]:
    """As a server tells one of its own."""
    return {
        "id": str(number),
        "created_at": "2026-11-20T02:15:00.000Z",
        "visibility": "public",
        "language": "id",
        "uri": f"https://mikro.example/users/wati/statuses/{number}",
        "url": f"https://mikro.example/@wati/{number}",
        "spoiler_text": "",
        "content": f"<p>{text or f'Isi {number}'}</p>",
        "account": {"id": "7", "username": "wati", "acct": "wati", "url": "https://mikro.example/@wati"},
        "media_attachments": [],
        "mentions": [],
        "tags": [],
        "reblog": None,
        "poll": None,
        "card": None,
        "favourites_count": 0,
        "reblogs_count": 0,
        "replies_count": 0,
        "edited_at": None,
        **more,
    }


DID = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"


def commit(key: str, at_us: int, text: str = "", operation: str = "create", **record: Any) -> dict[str, Any]:
    """As Jetstream tells of a post."""
    told = {"rev": f"r{at_us}", "operation": operation, "collection": "app.bsky.feed.post", "rkey": key}
    if operation != "delete":
        told["record"] = {  # type: ignore[assignment]
            "$type": "app.bsky.feed.post",
            "text": text or f"Isi {key}",
            "createdAt": "2026-11-20T02:15:00Z",
            "langs": ["id"],
            **record,
        }
    return {"did": DID, "time_us": at_us, "kind": "commit", "commit": told}


def at(key: str) -> str:
    return f"at://{DID}/app.bsky.feed.post/{key}"
