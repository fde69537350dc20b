"""Nothing that a page names can make a crawler reach this machine or its network."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from scrapy.core.downloader import Downloader
from scrapy.settings import default_settings
from scrapy.utils.misc import load_object

from crawlers.crawl import scrapy_settings
from crawlers.frontier.middleware import Turns
from crawlers.frontier.store import Frontier
from crawlers.guard import Guard, Refused, _Fence, is_public
from pipeline.settings import Settings

from .conftest import ROOT

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


class _Reactor:
    """Opens nothing, and resolves as told, other at each question, as a rebinding name does."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.connected: list[str] = []
        self.nameResolver = self

    def resolveHostName(self, receiver: Any, name: str, port: int, types: Any, semantics: str) -> Any:
        receiver.resolutionBegan(None)
        for host in self.answers.pop(0):
            receiver.addressResolved(_Address(host))
        receiver.resolutionComplete()

    def connectTCP(self, host: str, *_: Any) -> None:
        self.connected.append(host)


class _Receiver:
    def __init__(self) -> None:
        self.got: list[str] = []

    def resolutionBegan(self, _: Any) -> None: ...

    def addressResolved(self, address: Any) -> None:
        self.got.append(address.host)

    def resolutionComplete(self) -> None: ...


def test_of_several_addresses_of_a_name_only_public_ones_are_connected_to() -> None:
    fence = _Fence(_Reactor(["127.0.0.1", "8.8.8.8", "::1"]), Guard(), "two-faced.example.org", 443)
    receiver = _Receiver()
    fence.resolveHostName(receiver, "two-faced.example.org", 443)
    assert receiver.got == ["8.8.8.8"]
    assert fence.refused == ""


def test_a_name_with_no_public_address_is_refused_in_words() -> None:
    fence = _Fence(_Reactor(["127.0.0.1"]), Guard(), "rebind.example.org", 80)
    receiver = _Receiver()
    fence.resolveHostName(receiver, "rebind.example.org", 80)
    assert receiver.got == []
    assert "127.0.0.1" in fence.refused


@pytest.mark.parametrize(
    ("address", "port"),
    [
        ("127.0.0.1", 80),
        ("::1", 80),
        ("10.0.0.1", 80),
        ("8.8.8.8", 22),
        ("8.8.8.8", 443),
        ("example.org", 80),
        ("localhost", 80),
    ],
)
def test_whatever_a_resolver_said_the_socket_itself_is_fenced(address: str, port: int) -> None:
    """A resolver put in later, a cache, a bug: the call that connects checks the address once more, and takes no names."""
    reactor = _Reactor()
    with pytest.raises(Refused):
        _Fence(reactor, Guard(), "example.org", 80).connectTCP(address, port, None)
    assert reactor.connected == []


def test_the_fence_lets_a_public_address_through_and_offers_no_other_way_out() -> None:
    reactor = _Reactor()
    fence = _Fence(reactor, Guard(), "example.org", 80)
    fence.connectTCP("8.8.8.8", 80, None)
    assert reactor.connected == ["8.8.8.8"]
    for way in ("connectSSL", "connectUNIX", "listenTCP", "listenUDP", "spawnProcess", "adoptStreamConnection"):
        assert not hasattr(fence, way)


def test_the_exception_is_for_loopback_alone() -> None:
    guard = Guard("demo.example.org:8765")
    assert guard.may_connect("demo.example.org", "127.0.0.1", 8765)
    assert not guard.may_connect("demo.example.org", "10.0.0.1", 8765)
    assert not guard.may_connect("demo.example.org", "169.254.169.254", 8765)


# ---------------------------------------------------------------- what an upgrade of Scrapy or Twisted must not change unseen


def _crawler(home: Path) -> Any:
    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.settings import Settings as ScrapySettings

    return Crawler(
        Spider, ScrapySettings(scrapy_settings(Settings(), Guard(), Turns(Frontier(home / "crawl.db"), 1.0)))
    )


def test_there_is_no_download_handler_but_ours(tmp_path: Path) -> None:
    from scrapy.core.downloader.handlers import DownloadHandlers

    crawler = _crawler(tmp_path)
    ours = "crawlers.handler.GuardedHandler"
    assert dict(crawler.settings.getwithbase("DOWNLOAD_HANDLERS")) == {"http": ours, "https": ours}
    assert load_object(crawler.settings["DOWNLOADER"]) is Downloader
    assert DownloadHandlers(crawler)._schemes == {"http": ours, "https": ours}


def test_the_handlers_that_scrapy_brings_are_those_we_know() -> None:
    """Fails when an upgrade brings a new scheme or another class: read it, then add it here. None of them is in use."""
    assert default_settings.DOWNLOAD_HANDLERS_BASE == {
        "data": "scrapy.core.downloader.handlers.datauri.DataURIDownloadHandler",
        "file": "scrapy.core.downloader.handlers.file.FileDownloadHandler",
        "http": "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler",
        "https": "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler",
        "s3": "scrapy.core.downloader.handlers.s3.S3DownloadHandler",
        "ftp": "scrapy.core.downloader.handlers.ftp.FTPDownloadHandler",
    }


def test_every_request_meets_the_guard_first_and_no_middleware_that_we_did_not_name(tmp_path: Path) -> None:
    named = _crawler(tmp_path).settings.getwithbase("DOWNLOADER_MIDDLEWARES")
    in_order = [str(name) for name in sorted(named, key=lambda name: named[name])]
    assert in_order == [
        "crawlers.frontier.middleware.AnswersMiddleware",
        "crawlers.guard.GuardMiddleware",
        "crawlers.manners.ObedienceMiddleware",
        "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware",
        "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware",
        "crawlers.walls.WallMiddleware",
        "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware",
        "crawlers.manners.PatienceMiddleware",
        "scrapy.downloadermiddlewares.redirect.RedirectMiddleware",
        "scrapy.downloadermiddlewares.stats.DownloaderStats",
        "crawlers.frontier.middleware.TurnMiddleware",
    ]


def test_no_console_listens(tmp_path: Path) -> None:
    assert not _crawler(tmp_path).settings.getbool("TELNETCONSOLE_ENABLED")


def test_nothing_among_the_crawlers_opens_connections_beside_the_guard() -> None:
    """Whoever needs another kind of connection takes GuardedEndpoint."""
    network = {
        "socket",
        "httpx",
        "httpcore",
        "requests",
        "aiohttp",
        "websockets",
        "websocket",
        "urllib3",
        "ftplib",
        "smtplib",
        "telnetlib",
    }
    network |= {"urllib.request", "http.client", "twisted.internet.reactor"}
    found = []
    for file in sorted((ROOT / "crawlers").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Attribute) and node.attr in (
                "connectTCP",
                "connectSSL",
                "create_connection",
                "open_connection",
            ):
                names = [f"call of {node.attr}"]
            found += [(file.name, name) for name in names if name in network or name.startswith("call of")]
    assert set(found) == {
        ("guard.py", "call of connectTCP"),  # the fence itself
        ("crawl.py", "twisted.internet.reactor"),  # runs the reactor
        ("handler.py", "twisted.internet.reactor"),  # hands it to the fence
        ("stamp.py", "httpx"),  # asks the one authority that the operator names (JAGA_TSA_URL), no address from a page
        # The bench, in processes of its own: its sites, and the wire that leads every name to them on loopback.
        ("stage.py", "urllib.request"),
        ("wire.py", "twisted.internet.reactor"),
        ("wire.py", "call of connectTCP"),
    }
