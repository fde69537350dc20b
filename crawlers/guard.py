"""What crawlers may fetch: public web servers, and nothing that only this machine or its network can see.

Addresses come from pages that anyone can write. Each is looked at three times: its form before anything is done, the host and port
that the HTTP client has read out of it, and the IP address in the very call that opens the socket. Whatever resolved the name, and
whatever it answers a moment later: the address that was checked is the address that is connected to. Redirects, robots.txt and tries
that come again pass through the same looks.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from scrapy.exceptions import IgnoreRequest
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import (
    IHostnameResolver,
    IReactorPluggableNameResolver,
    IReactorTCP,
    IReactorTime,
    IResolutionReceiver,
    IStreamClientEndpoint,
)
from zope.interface import implementer  # type: ignore[import-untyped]

PORTS = frozenset({80, 443, 8080, 8443})
"""Where public web servers listen. Everything else is a mail server, a database or a neighbour's experiment."""

MAX_URL_CHARS = 4000

# Forms that C libraries read as IPv4 although they are not four decimal numbers: 0x7f.1, 017700000001, 2130706433, 127.1
_NUMERIC_HOST = re.compile(r"^(0x[0-9a-f]*|\d+)(\.(0x[0-9a-f]*|\d+))*\.?$", re.I)
_DOTTED_QUAD = re.compile(r"^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$")
_NAME = re.compile(
    r"^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.?$", re.I
)
_LOCAL_NAMES = (
    ".local", ".localhost", ".localdomain", ".internal", ".intranet", ".private", ".lan", ".home", ".corp", ".svc", ".consul", ".arpa",
    ".onion", ".i2p", ".alt", ".test", ".invalid",
)  # fmt: skip
"""Endings that no public name has (RFC 6761, 6762, 8375, 9476), or that networks use for themselves."""
_NOT_PUBLIC_V6 = tuple(
    ipaddress.ip_network(network)
    for network in (
        "2001::/23",  # Teredo, which carries an IPv4 address; ORCHID and other protocol assignments
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which carries an IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
"""All that IANA has given out for the public network. Unique local, link-local, site-local, multicast and NAT64 lie outside."""
_NOT_PUBLIC_V4 = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",
    )
)  # fmt: skip
"""Special-purpose registries of IANA (RFC 6890 and its updates), written out so that no Python version decides; and Azure's address of
the machine's own host, which only looks public."""


class Refused(IgnoreRequest):  # type: ignore[misc]
    """An address that crawlers must not fetch; the message says why."""


class Guard:
    """`allow` is the one exception, `host:port` on this machine, from the settings; nothing that is fetched can change it."""

    def __init__(self, allow: str = "") -> None:
        self.allow = allow.strip().lower()

    def __deepcopy__(self, memo: object) -> Guard:
        return self  # Scrapy copies its settings for each crawler; there is one guard

    def allows(self, host: str, port: int) -> bool:
        return bool(self.allow) and f"{host.lower()}:{port}" == self.allow

    def check_url(self, url: str) -> None:
        """Raises Refused for an address whose form alone forbids it."""
        if len(url) > MAX_URL_CHARS:
            raise Refused(f"address longer than {MAX_URL_CHARS} characters")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise Refused(f"broken address: {error}") from error
        if parts.scheme not in ("http", "https"):
            raise Refused(f"scheme {parts.scheme or 'none'!r} is neither http nor https")
        if "@" in parts.netloc:
            raise Refused("address with a user name")
        if "[" in parts.netloc and ":" not in host:
            raise Refused(f"host {parts.netloc[:80]!r} is no address")
        if "\\" in url or any(c <= " " or c == "\x7f" for c in url):
            raise Refused("address with blanks, control characters or backslashes")
        self.check_target(host, port if port is not None else (443 if parts.scheme == "https" else 80))

    def check_target(self, host: str, port: int) -> None:
        """Raises Refused for a host or port that no public web server has."""
        if self.allows(host, port):
            return
        if port not in PORTS:
            raise Refused(f"port {port} is none of {', '.join(map(str, sorted(PORTS)))}")
        self._check_host(host)

    def _check_host(self, host: str) -> None:
        if not host:
            raise Refused("no host")
        if ":" in host or "%" in host:
            try:
                address = ipaddress.ip_address(host.partition("%")[0])
            except ValueError as error:
                raise Refused(f"host {host!r} is no address") from error
            if "%" in host or not is_public(str(address)):
                raise Refused(f"{host} is not a public address")
            return
        if _DOTTED_QUAD.match(host):
            if not is_public(host):
                raise Refused(f"{host} is not a public address")
            return
        if _NUMERIC_HOST.match(host):
            raise Refused(f"{host} is a number in disguise")
        try:
            name = host.encode("idna").decode() if not host.isascii() else host
        except UnicodeError as error:
            raise Refused(f"host {host[:80]!r} is no name") from error
        # IDNA folds full-width digits and dots: look again at what came out.
        if name != host:
            self._check_host(name)
            return
        if not _NAME.match(name):
            raise Refused(f"host {host[:80]!r} is no name")
        bare = name.lower().rstrip(".")
        if "." not in bare or bare.endswith(_LOCAL_NAMES):
            raise Refused(f"{host} is a name of a local network")

    def may_connect(self, host: str, address: str, port: int) -> bool:
        """Whether a connection for this host may go to this very IP address. The exception holds for loopback addresses alone."""
        if self.allows(host, port):
            return _is_loopback(address)
        return port in PORTS and is_public(address)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """Whether everyone on the internet sees the same server there."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not any(ip in network for network in _NOT_PUBLIC_V4)
    return ip.is_global and ip in _GLOBAL_V6 and not any(ip in network for network in _NOT_PUBLIC_V6)


@implementer(IResolutionReceiver)
class _Checked:
    """Passes on only those addresses that may be connected to."""

    def __init__(self, fence: _Fence, receiver: Any) -> None:
        self._fence, self._receiver = fence, receiver
        self._refused: list[str] = []
        self._passed = 0

    def resolutionBegan(self, resolution: Any) -> None:
        self._receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:
        if self._fence.open_for(address.host):
            self._passed += 1
            self._receiver.addressResolved(address)
        else:
            self._refused.append(address.host)

    def resolutionComplete(self) -> None:
        if self._refused and not self._passed:
            self._fence.refused = f"{self._fence.host} resolves to {', '.join(self._refused[:3])}: not a public address"
        self._receiver.resolutionComplete()


@implementer(IReactorTCP, IReactorTime, IReactorPluggableNameResolver, IHostnameResolver)
class _Fence:
    """The reactor as one connection sees it: names give only addresses that pass, and no socket opens but to one that passes."""

    def __init__(self, reactor: Any, guard: Guard, host: str, port: int) -> None:
        self._reactor, self._guard, self.host, self._port = reactor, guard, host, port
        self.refused = ""
        """Why none of the name's addresses passed."""

    def open_for(self, address: str) -> bool:
        return self._guard.may_connect(self.host, address, self._port)

    @property
    def nameResolver(self) -> _Fence:
        return self

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[Any] | None = None,
        transportSemantics: str = "TCP",
    ) -> Any:
        checked = _Checked(self, resolutionReceiver)
        return self._reactor.nameResolver.resolveHostName(
            checked, hostName, portNumber, addressTypes, transportSemantics
        )

    def connectTCP(self, host: str, port: int, factory: Any, timeout: float = 30, bindAddress: Any = None) -> Any:
        # `host` is an IP address here; a name would be resolved once more, and is refused as no address.
        if port != self._port or not self.open_for(host):
            raise Refused(f"{self.host} leads to {host}:{port}: not a public address")
        return self._reactor.connectTCP(host, port, factory, timeout, bindAddress)

    def __getattr__(self, name: str) -> Any:
        if name in ("callLater", "seconds", "getDelayedCalls"):
            return getattr(self._reactor, name)
        raise AttributeError(name)  # no other way of connecting leads through here


@implementer(IStreamClientEndpoint)
class GuardedEndpoint:
    """The way to a public server for every connection that crawlers open. `connect` fails with Refused where the guard says no."""

    def __init__(self, reactor: Any, guard: Guard, host: str, port: int, timeout_s: float) -> None:
        """Raises Refused for a host or port that no public server has."""
        guard.check_target(host, port)
        self._fence = _Fence(reactor, guard, host, port)
        self._endpoint = HostnameEndpoint(self._fence, host, port, timeout=timeout_s)

    def connect(self, protocolFactory: Any) -> Any:
        return self._endpoint.connect(protocolFactory).addErrback(self._in_words)

    def _in_words(self, failure: Any) -> Any:
        if self._fence.refused:
            raise Refused(self._fence.refused) from failure.value
        return failure


class GuardMiddleware:
    """Looks at every request before it is queued: first ones, redirected ones and robots.txt."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard

    @classmethod
    def from_crawler(cls, crawler: Any) -> GuardMiddleware:
        return cls(crawler.settings["JAGA_GUARD"])

    def process_request(self, request: Any) -> None:
        self.guard.check_url(request.url)
