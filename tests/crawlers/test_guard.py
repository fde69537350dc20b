"""Nothing that a page names can make a crawler reach this machine or its network."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from crawlers.guard import Guard, GuardedResolver, Refused, is_public

from .fakes import Answer, Site

FORBIDDEN = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.255.255.254/",
    "http://0.0.0.0/",
    "http://0/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://00127.0.0.1/",
    "http://127.0.0.1./",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://100.64.0.1/",
    "http://100.127.255.255/",
    "http://192.0.0.192/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://224.0.0.1/",
    "http://239.255.255.250/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://192.88.99.1/",
    "http://[::1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[2001:0:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[fec0::1]/",
    "http://[100::1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://metadata.google.internal/",
    "http://printer.local/",
    "http://router.lan/",
    "http://db.corp/",
    "http://x.localhost/",
    "http://intranet/",
    "http://abc.onion/",
    "http://user@example.org/",
    "http://user:pass@example.org/",
    "http://example.org@127.0.0.1/",
    "http://example.org:22/",
    "http://example.org:6379/",
    "http://example.org:9200/",
    "http://example.org:0/",
    "http://example.org:99999/",
    "http://example.org:-1/",
    "http://example.org:25/",
    "http://example.org:3000/",
    "https://example.org:8000/",
    "file:///etc/passwd",
    "ftp://example.org/",
    "gopher://example.org/",
    "data:text/html,x",
    "s3://bucket/key",
    "javascript:alert(1)",
    "ws://example.org/",
    "//example.org/",
    "http:///x",
    "http://",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://１２７.0.0.1/",
    "http://exa_mple..org/",
    "http://-x.org/",
    "http://[::1/",
    "http://example.org\\@127.0.0.1/",
]

ALLOWED = [
    "http://example.org/",
    "https://example.org/",
    "http://example.org:8080/a",
    "https://sub.example.co.id:8443/x",
    "http://8.8.8.8/",
    "http://[2606:4700::1111]/",
    "https://bücher.example.org/",
]


def test_the_table_is_long_enough() -> None:
    assert len(set(FORBIDDEN)) >= 90


@pytest.mark.parametrize("url", FORBIDDEN)
def test_an_address_that_is_not_public_is_refused_by_its_form(url: str) -> None:
    with pytest.raises(Refused):
        Guard("127.0.0.1:8765").check_url(url)


@pytest.mark.parametrize("url", ALLOWED)
def test_public_addresses_pass(url: str) -> None:
    Guard().check_url(url)


@pytest.mark.parametrize(
    "url", ["http://example.org/a b", "http://example.org/\x00", "http://example.org/\n", "http://e.org/" + "x" * 5000]
)
def test_malformed_addresses_are_refused(url: str) -> None:
    with pytest.raises(Refused):
        Guard().check_url(url)


def test_the_exception_is_one_host_and_port_and_no_other_way_to_write_it() -> None:
    guard = Guard("127.0.0.1:8765")
    guard.check_url("http://127.0.0.1:8765/a")
    for near in (
        "http://127.0.0.1:8766/",
        "http://localhost:8765/",
        "http://127.1:8765/",
        "http://[::1]:8765/",
        "http://2130706433:8765/",
        "http://127.0.0.1/",
    ):
        with pytest.raises(Refused):
            guard.check_url(near)
    assert not guard.may_connect("evil.example.org", "127.0.0.1", 8765)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.20.1.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.1.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
        "2001::1",
        "fe80::1%eth0",
        "nonsense",
    ],
)
def test_a_name_may_not_lead_to_it(address: str) -> None:
    assert not is_public(address)


class _Address:
    def __init__(self, host: str) -> None:
        self.host = host


class _Resolver:
    """Answers with other addresses at each question, as a rebinding name does."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    def resolveHostName(self, receiver: Any, name: str, port: int, types: Any, semantics: str) -> Any:
        receiver.resolutionBegan(None)
        for host in self.answers.pop(0):
            receiver.addressResolved(_Address(host))
        receiver.resolutionComplete()


class _Receiver:
    def __init__(self) -> None:
        self.got: list[str] = []

    def resolutionBegan(self, _: Any) -> None: ...

    def addressResolved(self, address: Any) -> None:
        self.got.append(address.host)

    def resolutionComplete(self) -> None: ...


def test_of_several_addresses_of_a_name_only_public_ones_are_connected_to() -> None:
    receiver = _Receiver()
    GuardedResolver(_Resolver(["127.0.0.1", "8.8.8.8", "::1"]), Guard()).resolveHostName(
        receiver, "two-faced.example.org", 443
    )
    assert receiver.got == ["8.8.8.8"]


def test_a_name_that_changes_its_mind_is_checked_at_every_connection() -> None:
    guard = Guard()
    resolver = GuardedResolver(_Resolver(["8.8.8.8"], ["127.0.0.1"]), guard)
    first, second = _Receiver(), _Receiver()
    resolver.resolveHostName(first, "rebind.example.org", 80)
    resolver.resolveHostName(second, "rebind.example.org", 80)
    assert (first.got, second.got) == (["8.8.8.8"], [])
    assert "127.0.0.1" in guard.refused["rebind.example.org", 80]


def test_no_trick_reaches_a_listening_neighbour(crawl: Callable[..., Any]) -> None:
    """A feed full of tricks, straight and behind redirects, with every port open to the guard: only addresses protect here."""
    reached: list[Any] = []
    neighbour = socket.create_server(("127.0.0.1", 0))
    neighbour6 = (
        socket.create_server(("::1", neighbour.getsockname()[1]), family=socket.AF_INET6)
        if socket.has_dualstack_ipv6()
        else None
    )
    port = neighbour.getsockname()[1]

    def listen(server: socket.socket) -> None:
        while True:
            try:
                connection, peer = server.accept()
            except OSError:
                return
            reached.append(peer)
            connection.close()

    for server in (neighbour, neighbour6):
        if server is not None:
            threading.Thread(target=listen, args=(server,), daemon=True).start()
    hosts = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "017700000001",
        "0177.0.0.1",
        "0x7f.1",
        "0",
        "0.0.0.0",
        "localhost",
        "LOCALHOST.",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "evil.example.org",
        "rebind.example.org",
        "six.example.org",
        "mapped.example.org",
        "x.localhost",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "user@127.0.0.1",
        "evil.example.org.",
    ]
    links = [f"http://{host}:{port}/{n}" for n, host in enumerate(hosts)] + [
        f"file:///etc/passwd?{port}",
        f"ftp://127.0.0.1:{port}/x",
        f"gopher://127.0.0.1:{port}/",
    ]
    straight = "".join(f"<item><title>t{n}</title><link>{link}</link></item>" for n, link in enumerate(links))
    with Site() as site:
        bounced = "".join(f"<item><title>r{n}</title><link>{site.base}/to/{n}</link></item>" for n in range(len(links)))
        site.answers["/rss"] = Answer(
            f"<rss version='2.0'><channel><title>t</title>{straight}{bounced}</channel></rss>"
        )
        site.answers |= {
            f"/to/{n}": Answer(status=302, headers={"Location": link.encode("utf-8").decode("latin-1")})
            for n, link in enumerate(links)
        }
        result = crawl(
            site,
            [{"id": "tricks", "kind": "feed", "url": f"{site.base}/rss"}],
            ports=[port],
            names={
                "evil.example.org": "127.0.0.1",
                "rebind.example.org": "127.0.0.1",
                "six.example.org": "::1",
                "mapped.example.org": "::ffff:127.0.0.1",
            },
        )
    neighbour.close()
    if neighbour6 is not None:
        neighbour6.close()
    assert reached == []
    assert len(result.posts) == 2 * len(links), "the teasers themselves are kept"
    assert len([c for c in result.causes if c.startswith("not allowed to fetch")]) == 2 * len(hosts), result.said
