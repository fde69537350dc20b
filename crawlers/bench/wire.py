"""A network card of its own for a bench's process: every name leads to one public address, and that to a loopback port.

`python -m crawlers.bench.wire PORT COMMAND...` is `python -m crawlers COMMAND...` on that wire. The guard stands above it and does all it
does elsewhere; what is changed is where this machine would send the packets that the guard let through. Only the benches load this.
"""

from __future__ import annotations

import sys
from typing import Any

PUBLIC = "93.184.216.34"
"""Documentation's own addresses are refused by the guard; nothing is ever sent to this one."""


def join(port: int) -> None:
    """Before anything else of Scrapy."""
    from scrapy.utils.reactor import install_reactor

    from ..crawl import REACTOR

    install_reactor(REACTOR)
    from twisted.internet import reactor

    machine: Any = reactor
    machine.installNameResolver(_Everything())
    connect = machine.connectTCP

    def routed(host: str, _port: int, *args: Any, **more: Any) -> Any:
        if host != PUBLIC:
            raise ConnectionRefusedError(f"{host} is not on this wire")
        return connect("127.0.0.1", port, *args, **more)

    machine.connectTCP = routed


class _Everything:
    """Every name is known."""

    def resolveHostName(self, receiver: Any, hostName: str, portNumber: int = 0, *args: Any, **more: Any) -> Any:
        from twisted.internet.address import IPv4Address

        receiver.resolutionBegan(self)
        receiver.addressResolved(IPv4Address("TCP", PUBLIC, portNumber))
        receiver.resolutionComplete()
        return self

    def cancel(self) -> None: ...


class Resolver:
    """The same, where Scrapy's own process would set another."""

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> Resolver:
        return cls()

    def install_on_reactor(self) -> None:
        pass


if __name__ == "__main__":
    join(int(sys.argv[1]))
    from ..__main__ import main

    sys.exit(main(sys.argv[2:]))
