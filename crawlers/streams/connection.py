"""One connection of a stream: opened by the guard like any other, verified, and bounded in all it may hold or keep us waiting for."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import scrapy
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from twisted.web.client import URI
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidMessage, InvalidState, InvalidStatus, PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

from ..guard import Guard
from ..handler import Held, Unfetched, abort
from ..manners import retry_after_s
from .events import Events, TooLong

OPEN_S = 30.0
"""Longest time from the name's look-up to the answer's head."""
SILENCE_S = 60.0
"""Longest time without a whole message or sign of life. Mastodon's streams give one every 15 s, WebSockets answer our pings."""
PING_S = 20.0
MOST_MESSAGE_BYTES = 1_000_000
"""Of one event. A Mastodon status has some kilobytes, a Bluesky record at most a megabyte by the protocol's own limits, and mostly 1 kB."""
MOST_WAITING_BYTES = 4_000_000
"""What may wait here while the log is away; then the socket is read no further, and the server has to wait, too."""

_OVERHEAD_BYTES = 64
"""What Python needs for a message of nothing."""


class Answered(Unfetched):
    """The server answered, but not with a stream."""

    def __init__(self, status: int, why: str, retry_after_s: float | None = None, location: str = "") -> None:
        super().__init__(why)
        self.status, self.retry_after_s, self.location = status, retry_after_s, location


class Overlong(Unfetched):
    """One message was longer than any honest one; what it said is not known."""


class Connection:
    """Messages as they come; b"" is a sign of life."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._news = asyncio.Event()
        self._end: Exception | None = None
        self._paused = False
        self.transport: Any = None

    async def next(self, within_s: float) -> bytes | None:
        """The next message; None if none came in time. Raises Unfetched once the connection is over and all was read."""
        if not self._waiting and self._end is None:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), within_s)
            except TimeoutError:
                return None
        if self._waiting:
            message = self._waiting.popleft()
            self._bytes -= len(message) + _OVERHEAD_BYTES
            if self._paused and self._bytes <= MOST_WAITING_BYTES / 2:
                self._paused = False
                self.transport.resumeProducing()
            return message
        raise self._end or Unfetched("connection lost")

    def close(self) -> None:
        """Hang up."""
        self._end = self._end or Unfetched("hung up")
        if self.transport is not None:
            abort(self.transport)

    # -- from the network

    def put(self, message: bytes) -> None:
        if self._end is not None or (not message and self._waiting):
            return
        self._waiting.append(message)
        self._bytes += len(message) + _OVERHEAD_BYTES
        if not self._paused and self._bytes > MOST_WAITING_BYTES:
            self._paused = True
            self.transport.pauseProducing()
        self._news.set()

    def end(self, why: Exception) -> None:
        self._end = self._end or why
        self._news.set()


async def open_events(reactor: Any, guard: Guard, url: str, headers: dict[str, str]) -> Connection:
    """A stream of server-sent events. Raises Refused, Answered, Unfetched."""
    guard.check_url(url)
    held = Held(reactor, guard, scrapy.Request(url, headers={**headers, "Accept": "text/event-stream"}), OPEN_S)
    response = await _within(held, held.open(), reactor)
    told = response.headers.getRawHeaders(b"content-type", [b""])[0].decode("latin-1")
    if response.code != 200 or not told.lower().startswith("text/event-stream"):
        abort(response._transport)
        why = (
            f"HTTP {response.code}"
            if response.code != 200
            else f"answer is no stream of events: {told[:60] or 'untold'}"
        )
        after = response.headers.getRawHeaders(b"retry-after", [b""])[0]
        location = response.headers.getRawHeaders(b"location", [b""])[0].decode("latin-1")
        raise Answered(response.code, why, retry_after_s(after), location)
    if response.headers.getRawHeaders(b"content-encoding", [b"identity"])[0].lower() != b"identity":
        abort(response._transport)
        raise Unfetched("the stream is packed, though nothing of that kind was asked for")
    connection = Connection()
    response.deliverBody(_EventLines(connection))
    return connection


async def open_socket(reactor: Any, guard: Guard, url: str, headers: dict[str, str]) -> Connection:
    """A WebSocket; `url` with http or https. Raises Refused, Answered, Unfetched."""
    guard.check_url(url)
    held = Held(reactor, guard, scrapy.Request(url), OPEN_S)
    connection = Connection()
    socket = _Socket(reactor, connection, url, headers)
    endpoint = held.endpointForURI(URI.fromBytes(url.encode("ascii")))
    began = endpoint.connect(Factory.forProtocol(lambda: socket)).addCallback(lambda _: socket.ready)
    try:
        await _within(held, began, reactor)
    except BaseException:
        connection.close()
        raise
    return connection


async def _within(held: Held, answer: Deferred[Any], reactor: Any) -> Any:
    answer.addTimeout(OPEN_S, reactor, held.too_late)
    try:
        return await maybe_deferred_to_future(answer)
    except Exception as error:
        raise held.in_words(error) from error


class _EventLines(Protocol):  # type: ignore[misc]
    def __init__(self, connection: Connection) -> None:
        self._to, self._events = connection, Events(MOST_MESSAGE_BYTES)

    def connectionMade(self) -> None:
        self._to.transport = self.transport

    def dataReceived(self, data: bytes) -> None:
        try:
            for message in self._events.feed(data):
                self._to.put(message)
        except TooLong as error:
            self._to.end(Overlong(str(error)))
            abort(self.transport)

    def connectionLost(self, reason: Any = None) -> None:
        self._to.end(Unfetched("the server ended the stream"))


class _Socket(Protocol):  # type: ignore[misc]
    """The protocol is the library's, without a socket of its own; this carries its bytes to and from the guard's connection."""

    def __init__(self, reactor: Any, connection: Connection, url: str, headers: dict[str, str]) -> None:
        self.ready: Deferred[None] = Deferred(lambda _: self._hang_up())
        self._reactor, self._to, self._headers = reactor, connection, headers
        # Without extensions: nothing has to be unpacked. The limit is for a whole message, in however many fragments.
        self._protocol = ClientProtocol(parse_uri("ws" + url.removeprefix("http")), max_size=MOST_MESSAGE_BYTES)
        self._message = bytearray()
        self._open = False
        self._ping: Any = None

    def connectionMade(self) -> None:
        self._to.transport = self.transport
        request = self._protocol.connect()
        request.headers.update(self._headers)
        self._protocol.send_request(request)
        self._send()

    def dataReceived(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        try:
            # What came before a fault counts.
            for event in self._protocol.events_received():
                self._take(event)
            self._send()
            if fault := self._protocol.handshake_exc or self._protocol.parser_exc:
                raise _in_words(fault)
        except Unfetched as error:
            self._send()
            self._fail(error)
            self._hang_up()

    def _take(self, event: Any) -> None:
        if isinstance(event, Response):
            if self._protocol.handshake_exc is None:
                self._open = True
                self._beat()
                self.ready.callback(None)
        elif isinstance(event, Frame):
            if event.opcode in (Opcode.PING, Opcode.PONG):
                self._to.put(b"")
            elif event.opcode is Opcode.CLOSE:
                raise Unfetched("the server ended the stream")
            elif event.opcode is Opcode.BINARY:
                raise Unfetched("a binary message, though nothing packed was asked for")
            else:
                self._message += event.data
                if event.fin:
                    self._to.put(bytes(self._message))
                    self._message.clear()

    def _send(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self.transport.write(data)

    def _beat(self) -> None:
        try:
            self._protocol.send_ping(b"")
        except InvalidState:
            return
        self._send()
        self._ping = self._reactor.callLater(PING_S, self._beat)

    def _fail(self, error: Exception) -> None:
        if not self._open and not self.ready.called:
            self.ready.errback(Failure(error))
        self._to.end(error)

    def _hang_up(self) -> None:
        if self.transport is not None:
            abort(self.transport)

    def connectionLost(self, reason: Any = None) -> None:
        if self._ping is not None and self._ping.active():
            self._ping.cancel()
        if not self._open:
            # An answer whose body the end of the connection ends.
            self._protocol.receive_eof()
            fault = self._protocol.handshake_exc
            if isinstance(fault, InvalidStatus):
                self._fail(_in_words(fault))
        # Before the answer it may have been TLS that failed: whoever waits for it finds the words.
        self._fail(Unfetched("connection lost") if self._open or reason is None else reason.value)


def _in_words(fault: Exception) -> Unfetched:
    if isinstance(fault, InvalidStatus):
        answer = fault.response
        asked = answer.headers.get("Retry-After", "").encode("latin-1", "replace")
        return Answered(
            answer.status_code,
            f"HTTP {answer.status_code}",
            retry_after_s(asked),
            answer.headers.get("Location", ""),
        )
    if isinstance(fault, PayloadTooBig):
        return Overlong(f"a message of more than {MOST_MESSAGE_BYTES} bytes")
    if isinstance(fault, InvalidMessage):
        return Unfetched(f"answer is not HTTP as it should be: {fault.__cause__ or fault}")
    return Unfetched(f"no WebSocket as it was asked for: {fault}")
