"""A small invented internet: a name server whose answers a test decides, and a trap that notices every connection.

In the crawl's own process `join` makes its resolver ask that name server over UDP, and leads connections to PUBLIC to local ports, below
the guard, where a real machine would send its packets. It also writes down every address to which any socket of the process connects.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

PUBLIC = "93.184.216.34"
PUBLIC_6 = "2606:2800:220:1::1"

Answers = Sequence[str] | Callable[[int], Sequence[str]]
"""The addresses of a name, or a function of how often it was asked for before."""


class NameServer:
    """Answers A and AAAA questions on a loopback UDP port, with a lifetime of 0. Unknown names do not exist; None is never answered."""

    def __init__(self, names: Mapping[str, Answers | None]) -> None:
        self.names = dict(names)
        self.asked: Counter[str] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]

    def __enter__(self) -> NameServer:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                question, peer = self._socket.recvfrom(4096)
                if answer := self._answer(question):
                    self._socket.sendto(answer, peer)
            except OSError:
                return

    def _answer(self, question: bytes) -> bytes | None:
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode("latin-1"))
            at += 1 + question[at]
        name = ".".join(labels).lower()
        kind = struct.unpack(">H", question[at + 1 : at + 3])[0]
        if name in self.names and self.names[name] is None:
            return None
        known = name in self.names
        answers = self.names.get(name) or ()
        if callable(answers):
            answers = answers(self.asked[name])
        if kind == 1:
            self.asked[name] += 1
        packed = [
            socket.inet_pton(socket.AF_INET6 if ":" in a else socket.AF_INET, a)
            for a in answers
            if (":" in a) == (kind == 28)
        ]
        head = question[:2] + struct.pack(">HHHHH", 0x8180 if known else 0x8183, 1, len(packed), 0, 0)
        records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(p)) + p for p in packed)
        return head + question[12 : at + 5] + records


class Trap:
    """Listens on every address of this machine, on one port, and keeps who came."""

    def __init__(self) -> None:
        self.reached: list[Any] = []
        self._servers = [socket.create_server(("", 0))]
        self.port: int = self._servers[0].getsockname()[1]
        with contextlib.suppress(OSError):  # a machine without IPv6 has nothing there to be reached
            self._servers.append(socket.create_server(("::", self.port), family=socket.AF_INET6))

    def __enter__(self) -> Trap:
        for server in self._servers:
            threading.Thread(target=self._listen, args=(server,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.close()

    def _listen(self, server: socket.socket) -> None:
        while True:
            try:
                connection, peer = server.accept()
            except OSError:
                return
            self.reached.append(peer)
            connection.close()


# ---------------------------------------------------------------- in the crawl's process


def join(told: Mapping[str, Any]) -> None:
    """`dns`: the name server's port; `routes`: port on PUBLIC -> local port; `connects`: file for every address connected to."""
    from scrapy.utils.reactor import install_reactor

    from crawlers.crawl import REACTOR

    install_reactor(REACTOR)
    from twisted.internet import reactor

    machine: Any = reactor
    machine.installNameResolver(_Asking(told["dns"]))
    routes = {int(port): local for port, local in told.get("routes", {}).items()}
    connect = machine.connectTCP

    def routed(host: str, port: int, *args: Any, **more: Any) -> Any:
        with Path(told["connects"]).open("a") as file:
            file.write(json.dumps(["asked", host, port]) + "\n")
        if host in (PUBLIC, PUBLIC_6):
            host, port = "127.0.0.1", routes.get(port, port)
        return connect(host, port, *args, **more)

    machine.connectTCP = routed

    def heard(event: str, args: Any) -> None:
        if event == "socket.connect" and isinstance(args[1], tuple):
            with Path(told["connects"]).open("a") as file:
                file.write(json.dumps(["connected", *args[1][:2]]) + "\n")

    sys.addaudithook(heard)


class _Asking:
    """Twisted's resolver over our name server; addresses in any of the forms that C libraries know are answered as they would."""

    def __init__(self, port: int) -> None:
        self._server = ("127.0.0.1", port)

    def resolveHostName(
        self,
        receiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Any = None,
        transportSemantics: str = "TCP",
    ) -> Any:
        from twisted.internet.address import IPv4Address, IPv6Address
        from twisted.internet.defer import DeferredList
        from twisted.names.client import Resolver

        def found(host: str) -> None:
            kind = IPv6Address if ":" in host else IPv4Address
            receiver.addressResolved(kind("TCP", host, portNumber))

        receiver.resolutionBegan(self)
        try:
            for row in socket.getaddrinfo(hostName, portNumber, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST):
                found(str(row[4][0]))
            receiver.resolutionComplete()
            return self
        except (OSError, UnicodeError):
            pass
        name = hostName.rstrip(".")
        # One each time: a resolver answers questions that come while it asks the same with the same answer.
        resolver = Resolver(servers=[self._server], timeout=(1, 20))
        asked = DeferredList([resolver.lookupAddress(name), resolver.lookupIPV6Address(name)], consumeErrors=True)

        def answered(results: Any) -> None:
            for well, result in results:
                for record in result[0] if well else ():
                    packed = record.payload.address
                    found(socket.inet_ntop(socket.AF_INET6 if len(packed) == 16 else socket.AF_INET, packed))
            receiver.resolutionComplete()

        asked.addCallback(answered)
        return self

    def cancel(self) -> None: ...


def connections(file: Path, what: str = "connected") -> list[tuple[str, int]]:
    """What a process that joined wrote down: `asked` of the reactor, or `connected` by a socket."""
    if not file.exists():
        return []
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    return [(row[1], row[2]) for row in rows if row[0] == what]
