"""Downloads: the one way by which crawlers fetch anything. Every socket is opened by the guard, and every answer is bounded.

It stands on Twisted's Agent with an endpoint factory of our own, instead of on Scrapy's handler, so that no setting, proxy or new feature
of Scrapy opens a connection beside the guard; a test pins which handlers there are. What can be too much is cut while it arrives: the
head, the body packed and unpacked, and the time of the whole answer, so that dripping does not help.
"""

from __future__ import annotations

import io
import time
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import urldefrag

from OpenSSL import SSL
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.core.downloader.handlers.http11 import _LenientHTTP11ClientProtocol
from scrapy.http import Headers
from scrapy.responsetypes import responsetypes
from scrapy.utils.defer import maybe_deferred_to_future
from service_identity import VerificationError
from twisted.internet import error as network
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeadlineError
from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import optionsForClientTLS
from twisted.python.failure import Failure
from twisted.web._newclient import HEADER, STATUS, HTTPParser
from twisted.web.client import Agent, FileBodyProducer, HTTPConnectionPool, ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers as TwistedHeaders
from twisted.web.iweb import UNKNOWN_LENGTH, IAgentEndpointFactory
from zope.interface import implementer  # type: ignore[import-untyped]

from .guard import Guard, GuardedEndpoint, Refused
from .unpacking import ACCEPTED, Damaged, TooLong, Unpacking

CONNECT_S = 10.0
MOST_HEAD_BYTES = 65_536
"""Of status line and headers. Browsers stop at 256 kB, servers at 8 to 16 kB."""
MOST_HEADERS = 200
KEPT_OPEN_S = 15.0
"""How long an idle connection waits for the next page of its server."""
GOODBYE_S = 1.0

_CERTIFICATE_WORDS = {
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed",
    19: "comes from an authority that nobody trusts",
    20: "comes from an authority that nobody trusts",
    21: "cannot be verified: its chain is incomplete",
    23: "was revoked",
}
"""OpenSSL's X509_V_ERR numbers."""


class Unfetched(Exception):
    """A response that could not be had; the message says why, in words for the gap ledger."""

    def __init__(self, why: str, *, again: bool = False, for_good: bool = False) -> None:
        super().__init__(why)
        self.again = again
        """Whether another try in a moment may cure it."""
        self.for_good = for_good
        """Whether the next visit would find the same."""


class _HeadTooLong(Exception):
    pass


class GuardedHandler(BaseDownloadHandler):  # type: ignore[misc]
    """Scrapy's download handler for http and https. Settings: JAGA_GUARD, DOWNLOAD_MAXSIZE, DOWNLOAD_TIMEOUT.

    A request's meta may lower `download_maxsize` (bytes, unpacked) and `download_timeout` (seconds for the whole answer), and with
    `cut_at` (bytes) ask for the beginning of a body however long it is. Nothing else in it, `proxy` above all, is looked at.
    """

    lazy = True

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        from twisted.internet import reactor

        self._reactor: Any = reactor
        self._guard: Guard = crawler.settings["JAGA_GUARD"]
        self._most = crawler.settings.getint("DOWNLOAD_MAXSIZE")
        self._deadline_s = crawler.settings.getfloat("DOWNLOAD_TIMEOUT")
        self._pool = HTTPConnectionPool(reactor, persistent=True)
        self._pool.maxPersistentPerHost = crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
        self._pool.cachedConnectionTimeout = KEPT_OPEN_S
        self._pool._factory = _BoundedFactory

    async def download_request(self, request: Any) -> Any:
        self._guard.check_url(request.url)
        deadline_s = min(request.meta.get("download_timeout") or self._deadline_s, self._deadline_s)
        fetching = _Fetching(self._reactor, self._guard, request, self._most, deadline_s)
        agent = Agent.usingEndpointFactory(self._reactor, fetching, self._pool)
        answer = fetching.begin(agent)
        answer.addTimeout(deadline_s, self._reactor, fetching.too_late)
        try:
            return await maybe_deferred_to_future(answer)
        except Exception as error:
            raise fetching.in_words(error) from error

    async def close(self) -> None:
        # Not waited for: servers that never say goodbye would hold up the end of a visit. They are hung up on a little later.
        open_still = [connection for connections in self._pool._connections.values() for connection in connections]
        self._pool.closeCachedConnections()
        for connection in open_still:
            self._reactor.callLater(GOODBYE_S, _hang_up, connection)


@implementer(IAgentEndpointFactory)
class _Fetching:
    """One request on its way to a response."""

    accepted: ClassVar[bytes | str] = ACCEPTED

    def __init__(self, reactor: Any, guard: Guard, request: Any, most: int, deadline_s: float) -> None:
        self._reactor, self._guard, self._request, self._deadline_s = reactor, guard, request, deadline_s
        self._cut_at: int | None = request.meta.get("cut_at")
        self._most = min(request.meta.get("download_maxsize") or most, most)
        self._head: Any = None
        self._tls: _Remembering | None = None

    def endpointForURI(self, uri: Any) -> Any:
        try:
            host = uri.host.decode("ascii")
        except UnicodeError as error:
            raise Refused(f"host {uri.host!r} is no name") from error
        endpoint = GuardedEndpoint(self._reactor, self._guard, host, uri.port, min(CONNECT_S, self._deadline_s))
        if uri.scheme == b"http":
            return endpoint
        if uri.scheme != b"https":
            raise Refused(f"scheme {uri.scheme!r} is neither http nor https")
        self._tls = _Remembering(_verifying(host))
        return wrapClientTLS(self._tls, endpoint)

    def begin(self, agent: Any) -> Deferred[Any]:
        headers = Headers(self._request.headers)
        headers[b"Accept-Encoding"] = self.accepted
        url = urldefrag(self._request.url)[0]
        began = time.monotonic()

        def heard(response: Any) -> Any:
            self._request.meta["download_latency"] = time.monotonic() - began  # Scrapy's AutoThrottle goes by it
            return self._body(response, url)

        sent = FileBodyProducer(io.BytesIO(self._request.body)) if self._request.body else None
        answer: Deferred[Any] = agent.request(
            self._request.method.encode(), url.encode("ascii"), TwistedHeaders(dict(headers.items())), sent
        )
        return answer.addCallback(heard)

    def _body(self, response: Any, url: str) -> Any:
        self._head = response
        headers = Headers()
        count = 0
        for name, values in response.headers.getAllRawHeaders():
            headers.setlist(name, values)
            count += len(values)
        try:
            if count > MOST_HEADERS:
                raise Unfetched(f"{count} headers, more than {MOST_HEADERS}", for_good=True)
            unpacking = Unpacking(
                [value.decode("latin-1") for value in headers.getlist(b"Content-Encoding")],
                0 if self._cut_at is not None else self._most,
            )
            if response.length is not UNKNOWN_LENGTH and response.length > self._most and self._cut_at is None:
                raise TooLong
        except (Damaged, TooLong, Unfetched):
            abort(response._transport)
            raise

        def build(body: bytes) -> Any:
            headers.pop(b"Content-Encoding", None)
            kind = responsetypes.from_args(headers=headers, url=url, body=body)
            return kind(
                url=url,
                status=response.code,
                headers=headers,
                body=body,
                flags=["cut"] if reader.cut else [],
                protocol="HTTP/1.1",
            )

        reader = _Reader(unpacking, self._cut_at)
        if response.length == 0:  # such a response delivers nothing, not even its end
            return build(b"")
        response.deliverBody(reader)
        return reader.done.addCallback(build)

    def too_late(self, result: Any, deadline_s: float) -> Any:
        """In the place of whatever error hanging up brought."""
        raise DeadlineError

    def in_words(self, error: Exception) -> Exception:
        """Refused as it is, everything else as Unfetched."""
        if isinstance(error, (Refused, Unfetched)):
            return error
        if isinstance(error, TooLong):
            return Unfetched(f"body longer than {self._most} bytes", for_good=True)
        if isinstance(error, Damaged):
            return Unfetched(str(error), again="too early" in str(error))
        if isinstance(error, (DeadlineError, CancelledError)):
            if self._head is None:
                return Unfetched("no answer in time", again=True)
            return Unfetched(f"body not complete after {self._deadline_s:g} s")
        if isinstance(error, network.DNSLookupError):
            return Unfetched("host name cannot be resolved", again=True)
        if isinstance(error, network.ConnectionRefusedError):
            return Unfetched("connection refused", again=True)
        if isinstance(error, (network.TimeoutError, network.TCPTimedOutError)):
            return Unfetched("no connection in time", again=True)
        if isinstance(error, ValueError) and "invalid hostname" in str(error):
            return Unfetched("host name is no name", for_good=True)
        causes = [reason.value for reason in getattr(error, "reasons", ())] or [error]
        for cause in causes:
            if isinstance(cause, _HeadTooLong):
                return Unfetched(f"headers longer than {MOST_HEAD_BYTES} bytes", for_good=True)
            if isinstance(cause, VerificationError):
                return Unfetched("certificate is for another host")
            if isinstance(cause, SSL.Error):
                return Unfetched(self._tls.what_failed(cause) if self._tls else str(cause))
        for cause in causes:
            if isinstance(cause, (network.ConnectionLost, network.ConnectionDone, network.ConnectionAborted)):
                what = "answer was complete" if self._head is None else "body was complete"
                return Unfetched(f"connection lost before the {what}", again=True)
            if isinstance(cause, (network.ConnectError, OSError)):
                return Unfetched(f"no connection: {cause}"[:200], again=True)
        return Unfetched(f"answer is not HTTP: {type(causes[0]).__name__}: {causes[0]}"[:200])


class Held(_Fetching):
    """A request whose answer is not collected: who asked reads it while it comes, and sees to its bounds (`crawlers/streams`)."""

    accepted = b"identity"

    def __init__(self, reactor: Any, guard: Guard, request: Any, deadline_s: float) -> None:
        super().__init__(reactor, guard, request, 0, deadline_s)

    def open(self) -> Deferred[Any]:
        """The response, its body not yet delivered."""
        pool = HTTPConnectionPool(self._reactor, persistent=False)
        pool._factory = _BoundedFactory
        return self.begin(Agent.usingEndpointFactory(self._reactor, self, pool))

    def _body(self, response: Any, url: str) -> Any:
        self._head = response
        return response


def abort(transport: Any) -> None:
    """Hang up at once, whatever is still to be sent or read."""
    hang_up = getattr(transport, "abortConnection", None) or getattr(
        getattr(transport, "_producer", None), "abortConnection", None
    )
    if hang_up is not None:
        hang_up()


def _hang_up(connection: Any) -> None:
    if connection.state != "CONNECTION_LOST":
        abort(connection.transport)


class _Reader(Protocol):  # type: ignore[misc]
    """Collects a body, unpacking it on the way."""

    def __init__(self, unpacking: Unpacking, cut_at: int | None) -> None:
        self.done: Deferred[bytes] = Deferred(lambda _: self._hang_up())
        self.cut = False
        self._unpacking, self._cut_at = unpacking, cut_at
        self._parts: list[bytes] = []
        self._length = 0
        self._over = False

    def dataReceived(self, data: bytes) -> None:
        if self._over:
            return
        try:
            part = self._unpacking.feed(data)
        except (TooLong, Damaged) as error:
            self._hang_up()
            self.done.errback(Failure(error))
            return
        self._parts.append(part)
        self._length += len(part)
        if self._cut_at is not None and self._length >= self._cut_at:
            self.cut = True
            body = b"".join(self._parts)[: self._cut_at]
            self._hang_up()
            self.done.callback(body)

    def connectionLost(self, reason: Any = None) -> None:
        if self._over:
            return
        self._over = True
        # PotentialDataLoss: a body without length that ends with the connection, as HTTP/1.0 has it.
        if not reason.check(ResponseDone, PotentialDataLoss):
            self.done.errback(reason)
            return
        try:
            self._unpacking.end()
        except Damaged as error:
            self.done.errback(Failure(error))
            return
        self.done.callback(b"".join(self._parts))

    def _hang_up(self) -> None:
        self._over = True
        self._parts.clear()
        abort(self.transport)


class _BoundedProtocol(_LenientHTTP11ClientProtocol):  # type: ignore[misc]
    """HTTP/1.1 that hangs up on a head without end. Scrapy's own skips header lines without a colon, which real servers send."""

    _head_bytes = 0

    def request(self, request: Any) -> Any:
        self._head_bytes = 0
        answer = super().request(request)
        self._parser.MAX_LENGTH = 2 * MOST_HEAD_BYTES  # of one line: the whole head is counted below
        return answer

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        parser: HTTPParser | None = self._parser
        # Informational answers (1xx) begin the head anew: their bytes count on.
        if parser is not None and parser.state in (STATUS, HEADER):
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self.transport.abortConnection()
                self._disconnectParser(Failure(_HeadTooLong()))


class _BoundedFactory(Factory):  # type: ignore[misc]
    noisy = False

    def __init__(self, quiescent: Any, metadata: str) -> None:
        self._quiescent = quiescent

    def buildProtocol(self, addr: Any) -> Any:
        return _BoundedProtocol(self._quiescent)


# ---------------------------------------------------------------- TLS


@lru_cache(maxsize=32)
def _verifying(host: str) -> Any:
    """Twisted's verifying TLS client, with the machine's certificate authorities. Each holds all of them, read in 10 ms: few are kept."""
    return optionsForClientTLS(host)


@implementer(IOpenSSLClientConnectionCreator)
class _Remembering:
    """Twisted's verifying TLS client, with the connection kept so that its failure can be told in words."""

    def __init__(self, creator: Any) -> None:
        self._creator = creator
        self._connection: Any = None

    def clientConnectionForTLS(self, tlsProtocol: Any) -> Any:
        self._connection = self._creator.clientConnectionForTLS(tlsProtocol)
        return self._connection

    def what_failed(self, error: SSL.Error) -> str:
        text = str(error)
        if "certificate verify failed" not in text:
            told = error.args[0] if error.args and error.args[0] else ()
            return f"TLS failed: {told[-1][-1] if told else text or 'handshake broken'}"[:200]
        try:
            # pyOpenSSL does not show this number. It only chooses the words: the connection has failed already.
            number = SSL._lib.SSL_get_verify_result(self._connection._ssl)  # type: ignore[attr-defined]
        except (AttributeError, TypeError):
            number = 0
        return f"certificate {_CERTIFICATE_WORDS.get(number, f'cannot be verified (OpenSSL {number})')}"
