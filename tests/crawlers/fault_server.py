"""A server that does everything wrong, one thing a host: `http://FAULT.galat.example/`.

Each fault is a function that gets the path asked for and the connection, and does as it likes with its bytes. Other paths of a host than
those it spoils, robots.txt above all, are answered well. Bodies are invented; shapes are those that real servers have sent.
"""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import json
import ssl
import struct
import threading
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

import brotli
from backports import zstd
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DOMAIN = "galat.example"
ITEMS = "".join(f"<item><title>Kabar {n}</title><link>/{n}</link><guid>g{n}</guid></item>" for n in range(3))
FEED = f"<?xml version='1.0'?><rss version='2.0'><channel><title>Kabar</title>{ITEMS}</channel></rss>".encode()
BOMB_BYTES = 200_000_000

Fault = Callable[["Connection", str], Awaitable[None]]
FAULTS: dict[str, Fault] = {}


def fault(play: Fault) -> Fault:
    FAULTS[play.__name__.replace("_", "-")] = play
    return play


class Connection:
    def __init__(self, writer: asyncio.StreamWriter, visits: Counter[str]) -> None:
        self.writer = writer
        self.visits = visits
        """How often each path of this host was asked for."""

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, status: str = "200 OK", **headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
        await self.raw("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def answer(
        self, body: bytes | str = b"", status: str = "200 OK", kind: str = "application/rss+xml", **headers: str
    ) -> None:
        body = body.encode() if isinstance(body, str) else body
        await self.head(status, Content_Type=kind, Content_Length=str(len(body)), **headers)
        await self.raw(body)

    def reset(self) -> None:
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(__import__("socket").SOL_SOCKET, __import__("socket").SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def hang(self) -> None:
        await asyncio.sleep(3600)


def page(
    title: str, text: str = "Warga Desa Sukamaju mengantre air bersih sejak pagi karena pipa utama pecah. " * 4
) -> str:
    return (
        f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1><p>{text}</p></article></body></html>"
    )


# ---------------------------------------------------------------- slow, half, broken off


@fault
async def silence(to: Connection, path: str) -> None:
    await to.hang()


@fault
async def drip_head(to: Connection, path: str) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX-Pelan: " + b"x" * 10_000:
        await to.raw(bytes([byte]))
        await asyncio.sleep(0.1)


@fault
async def drip_body(to: Connection, path: str) -> None:
    await to.head(Content_Type="application/rss+xml")
    for byte in FEED * 100:
        await to.raw(bytes([byte]))
        await asyncio.sleep(0.1)


@fault
async def drip_chunks(to: Connection, path: str) -> None:
    await to.head(Transfer_Encoding="chunked")
    while True:
        await to.raw(b"1\r\nx\r\n")
        await asyncio.sleep(0.1)


@fault
async def half_body(to: Connection, path: str) -> None:
    await to.head(Content_Type="application/rss+xml", Content_Length=str(len(FEED) * 10))
    await to.raw(FEED)


@fault
async def half_chunk(to: Connection, path: str) -> None:
    await to.head(Transfer_Encoding="chunked")
    await to.raw(b"1000\r\n" + FEED)


@fault
async def half_head(to: Connection, path: str) -> None:
    await to.raw(b"HTTP/1.1 200 OK\r\nContent-Ty")


@fault
async def closed_at_once(to: Connection, path: str) -> None:
    pass


@fault
async def reset(to: Connection, path: str) -> None:
    to.reset()


@fault
async def reset_in_body(to: Connection, path: str) -> None:
    await to.head(Content_Length="100000")
    await to.raw(FEED)
    await asyncio.sleep(0.1)
    to.reset()


@fault
async def half_gzip(to: Connection, path: str) -> None:
    await to.answer(gzip.compress(FEED * 50)[:-40], Content_Encoding="gzip")


@fault
async def false_gzip(to: Connection, path: str) -> None:
    await to.answer(FEED, Content_Encoding="gzip")


@fault
async def unknown_coding(to: Connection, path: str) -> None:
    await to.answer(FEED, Content_Encoding="compress")


# ---------------------------------------------------------------- statuses


@fault
async def too_many_requests(to: Connection, path: str) -> None:
    await to.answer(b"", "429 Too Many Requests")


@fault
async def too_many_once(to: Connection, path: str) -> None:
    if to.visits[path] == 1:
        await to.answer(b"", "429 Too Many Requests", Retry_After="1")
    else:
        await to.answer(FEED)


@fault
async def too_many_for_an_hour(to: Connection, path: str) -> None:
    await to.answer(b"", "429 Too Many Requests", Retry_After="3600")


@fault
async def retry_after_nonsense(to: Connection, path: str) -> None:
    await to.answer(b"", "503 Service Unavailable", Retry_After="\xb2\xb2")


@fault
async def server_error(to: Connection, path: str) -> None:
    await to.answer(b"<h1>galat</h1>", "500 Internal Server Error")


@fault
async def storm(to: Connection, path: str) -> None:
    if path == "/":
        items = "".join(f"<item><title>Kabar {n}</title><link>/{n}</link></item>" for n in range(150))
        await to.answer(f"<rss version='2.0'><channel><title>t</title>{items}</channel></rss>")
    else:
        await to.answer(b"", "503 Service Unavailable")


@fault
async def status_nonsense(to: Connection, path: str) -> None:
    await to.raw(b"HTTP/1.1 banyak sekali\r\n\r\n")


@fault
async def not_http(to: Connection, path: str) -> None:
    await to.raw(b"220 surat.example ESMTP\r\n" * 10)


@fault
async def redirect_loop(to: Connection, path: str) -> None:
    await to.answer(b"", "302 Found", Location="/a" if path != "/a" else "/b")


@fault
async def redirect_without_end(to: Connection, path: str) -> None:
    await to.answer(b"", "301 Moved", Location=f"{path.rstrip('/')}/x")


@fault
async def redirect_inside(to: Connection, path: str) -> None:
    await to.answer(b"", "302 Found", Location="http://169.254.169.254/latest/meta-data/")


@fault
async def redirect_nowhere(to: Connection, path: str) -> None:
    await to.answer(b"", "302 Found", Location="http://[::1")


# ---------------------------------------------------------------- walls


@fault
async def login_wall(to: Connection, path: str) -> None:
    await to.answer(
        "<html><head><title>Masuk - Forum Warga</title></head><body><form><input name=u><input type='password' name=p></form></body></html>",
        kind="text/html",
    )


@fault
async def login_redirect(to: Connection, path: str) -> None:
    if path.startswith("/login"):
        await to.answer(page("Forum Warga"), kind="text/html")
    else:
        await to.answer(b"", "302 Found", Location="/login?next=/")


@fault
async def login_for_json(to: Connection, path: str) -> None:
    await to.answer("<!doctype html><title>Forum</title><p>Mohon masuk dulu.", kind="text/html")


@fault
async def soft_404(to: Connection, path: str) -> None:
    await to.answer(page("Halaman tidak ditemukan | Kabar Desa"), kind="text/html; charset=utf-8")


@fault
async def soft_404_front(to: Connection, path: str) -> None:
    if path == "/":
        await to.answer(page("Kabar Desa"), kind="text/html")
    else:
        await to.answer(b"", "302 Found", Location="/")


# ---------------------------------------------------------------- wrong content


@fault
async def wrong_charset(to: Connection, path: str) -> None:
    body = "<rss version='2.0'><channel><title>t</title><item><title>Café di Desa – “ramai”</title><guid>g</guid></item></channel></rss>"
    await to.answer(body.encode("cp1252"), kind="application/rss+xml; charset=utf-8")


@fault
async def charset_nonsense(to: Connection, path: str) -> None:
    await to.answer(FEED, kind="application/rss+xml; charset=x-klingon-7")


@fault
async def wrong_type(to: Connection, path: str) -> None:
    await to.answer(FEED, kind="image/png")


@fault
async def no_type(to: Connection, path: str) -> None:
    await to.head(Content_Length=str(len(FEED)))
    await to.raw(FEED)


@fault
async def picture(to: Connection, path: str) -> None:
    await to.answer(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100)


@fault
async def nothing(to: Connection, path: str) -> None:
    await to.answer(b"")


@fault
async def cut_json(to: Connection, path: str) -> None:
    whole = json.dumps([{"id": str(n), "uri": f"https://x.example/{n}", "content": "<p>Kabar</p>"} for n in range(20)])
    await to.answer(whole[: len(whole) // 2], kind="application/json")


@fault
async def deep_json(to: Connection, path: str) -> None:
    await to.answer("[" * 150_000 + "]" * 150_000, kind="application/json")


@fault
async def cut_feed(to: Connection, path: str) -> None:
    await to.answer(FEED[:-60])


@fault
async def bad_dates(to: Connection, path: str) -> None:
    dates = [
        "kemarin sore",
        "Mon, 32 Foo 2024 99:99:99 +9999",
        "0000-00-00T00:00:00Z",
        "9999999999999",
        "2999-01-01T00:00:00Z",
        "",
    ]
    items = "".join(
        f"<item><title>Kabar {n}</title><guid isPermaLink='false'>g{n}</guid><link>../berita/{n}?a=1&amp;b=2</link><pubDate>{d}</pubDate></item>"
        for n, d in enumerate(dates)
    )
    await to.answer(f"<rss version='2.0'><channel><title>t</title>{items}</channel></rss>")


@fault
async def entities(to: Connection, path: str) -> None:
    declared = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    await to.answer(
        f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a0 "ha"><!ENTITY f SYSTEM "file:///etc/passwd">{declared}]>'
        "<rss version='2.0'><channel><title>t</title><item><title>&a11; &f;</title><guid>g</guid></item></channel></rss>"
    )


@fault
async def deep_html(to: Connection, path: str) -> None:
    await to.answer("<html><body>" + "<div>" * 100_000 + "Kabar" + "</div>" * 100_000, kind="text/html")


@fault
async def deep_xml(to: Connection, path: str) -> None:
    await to.answer("<rss version='2.0'><channel><title>t</title><item>" + "<a>" * 100_000)


@fault
async def huge_attributes(to: Connection, path: str) -> None:
    body = (
        "<html><body><p "
        + "".join(f"a{n}='{'x' * 20}' " for n in range(30_000))
        + f">{'Kabar. ' * 50}<p title='{'y' * 700_000}'>"
    )
    await to.answer(body, kind="text/html")


@fault
async def unclosed(to: Connection, path: str) -> None:
    await to.answer("<html><body>" + "<p><b><i><table><a href=x>" * 15_000 + "Kabar", kind="text/html")


# ---------------------------------------------------------------- too much


@fault
async def calendar(to: Connection, path: str) -> None:
    day = int(path.rpartition("=")[2] or 0) if "=" in path else 0
    status = {
        "id": str(10**6 - day),
        "uri": f"https://x.example/{day}",
        "url": f"https://x.example/{day}",
        "content": "<p>Kabar</p>",
    }
    status |= {"created_at": "2024-11-27T03:00:00Z", "account": {"acct": "warga"}}
    link = f'<http://calendar.{DOMAIN}/api/v1/timelines/public?max_id={day + 1}>; rel="next"'
    await to.answer(json.dumps([status]), kind="application/json", Link=link)


@fault
async def nested_sitemaps(to: Connection, path: str) -> None:
    below = "".join(
        f"<sitemap><loc>http://nested-sitemaps.{DOMAIN}{path.rstrip('/')}/{n}</loc></sitemap>" for n in range(5)
    )
    await to.answer(f"<sitemapindex>{below}</sitemapindex>", kind="application/xml")


@fault
async def endless_body(to: Connection, path: str) -> None:
    await to.head(Content_Type="text/html", Transfer_Encoding="chunked")
    while True:
        await to.raw(b"10000\r\n" + b"x" * 65536 + b"\r\n")


@fault
async def five_gigabytes(to: Connection, path: str) -> None:
    await to.head(Content_Type="text/html", Content_Length=str(5 * 1024**3))
    while True:
        await to.raw(b"x" * 65536)


@fault
async def endless_head(to: Connection, path: str) -> None:
    await to.raw(b"HTTP/1.1 200 OK\r\n")
    while True:
        await to.raw(b"X-Lagi: " + b"x" * 1000 + b"\r\n")


@fault
async def endless_head_line(to: Connection, path: str) -> None:
    await to.raw(b"HTTP/1.1 200 OK\r\nX-Lagi: ")
    while True:
        await to.raw(b"x" * 65536)


@fault
async def many_headers(to: Connection, path: str) -> None:
    await to.raw(
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + b"".join(b"X-%d: x\r\n" % n for n in range(1000)) + b"\r\n"
    )


@fault
async def endless_hints(to: Connection, path: str) -> None:
    while True:
        await to.raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>; rel=preload\r\n\r\n" * 10)


def _bomb(coding: str) -> bytes:
    """Zeros, tightly packed, made without ever holding them."""
    zeros = bytes(10_000_000)
    rounds = BOMB_BYTES // len(zeros)
    if coding == "zstd":
        packer = zstd.ZstdCompressor()
        return b"".join(packer.compress(zeros) for _ in range(rounds)) + packer.flush()
    if coding == "br":
        pressing = brotli.Compressor(quality=1)
        return b"".join(pressing.process(zeros) for _ in range(rounds)) + pressing.finish()
    squeezing = zlib.compressobj(1, zlib.DEFLATED, 31 if coding == "gzip" else 15)
    return b"".join(squeezing.compress(zeros) for _ in range(rounds)) + squeezing.flush()


_BOMBS: dict[str, bytes] = {}
_MAKERS: dict[str, Callable[[], bytes]] = {}


def _bomb_fault(name: str, codings: str, make: Callable[[], bytes]) -> None:
    async def play(to: Connection, path: str) -> None:
        await to.answer(_BOMBS[name], kind="text/html", Content_Encoding=codings)

    FAULTS[name] = play
    _MAKERS[name] = make


for _coding in ("gzip", "deflate", "br", "zstd"):
    _bomb_fault(f"bomb-{_coding}", _coding, lambda coding=_coding: _bomb(coding))  # type: ignore[misc]
_bomb_fault("bomb-nested", "gzip, gzip", lambda: gzip.compress(_bomb("gzip")))
_bomb_fault("bomb-mixed", "br, gzip", lambda: gzip.compress(_bomb("br")))
_bomb_fault("bomb-thrice", "gzip, gzip, gzip", lambda: gzip.compress(gzip.compress(_bomb("gzip"))))
_bomb_fault("bomb-members", "gzip", lambda: gzip.compress(bytes(100_000)) * 2000)
_bomb_fault(
    "bomb-window",
    "zstd",
    lambda: zstd.compress(bytes(BOMB_BYTES), options={zstd.CompressionParameter.window_log: 27}),
)


# ---------------------------------------------------------------- robots.txt


def _robots(name: str) -> Callable[[Fault], Fault]:
    """A fault of robots.txt; everything else of the host is a good feed."""

    def made(play: Fault) -> Fault:
        async def either(to: Connection, path: str) -> None:
            if path == "/robots.txt" or path.startswith("/robots.txt/"):
                await play(to, path)
            else:
                await to.answer(FEED)

        FAULTS[name] = either
        return play

    return made


@_robots("robots-huge")
async def _(to: Connection, path: str) -> None:
    await to.head(Content_Type="text/plain", Transfer_Encoding="chunked")
    first = b"User-agent: *\nDisallow: /rahasia\n"
    await to.raw(b"%x\r\n%s\r\n" % (len(first), first))
    block = b"Disallow: /tidak/pernah/ada/\n" * 1000
    for _ in range(700):
        await to.raw(b"%x\r\n%s\r\n" % (len(block), block))
    await to.raw(b"0\r\n\r\n")


@_robots("robots-bomb")
async def _(to: Connection, path: str) -> None:
    await to.answer(_BOMBS["bomb-gzip"], kind="text/plain", Content_Encoding="gzip")


@_robots("robots-stars")
async def _(to: Connection, path: str) -> None:
    await to.answer("User-agent: *\n" + "".join(f"Disallow: /{'*a' * 200}$\n" for _ in range(1000)), kind="text/plain")


@_robots("robots-500")
async def _(to: Connection, path: str) -> None:
    await to.answer(b"", "500 Internal Server Error")


@_robots("robots-429")
async def _(to: Connection, path: str) -> None:
    await to.answer(b"", "429 Too Many Requests")


@_robots("robots-403")
async def _(to: Connection, path: str) -> None:
    await to.answer(b"", "403 Forbidden")


@_robots("robots-redirects")
async def _(to: Connection, path: str) -> None:
    await to.answer(b"", "302 Found", Location=f"{path}/x")


@_robots("robots-inside")
async def _(to: Connection, path: str) -> None:
    await to.answer(b"", "302 Found", Location="http://127.0.0.1/robots.txt")


@_robots("robots-hangs")
async def _(to: Connection, path: str) -> None:
    await to.hang()


@_robots("robots-drips")
async def _(to: Connection, path: str) -> None:
    await to.head(Content_Type="text/plain")
    while True:
        await to.raw(b"#")
        await asyncio.sleep(0.1)


@_robots("robots-reset")
async def _(to: Connection, path: str) -> None:
    to.reset()


@_robots("robots-html")
async def _(to: Connection, path: str) -> None:
    await to.answer(page("Kabar Desa"), kind="text/html")


@_robots("robots-binary")
async def _(to: Connection, path: str) -> None:
    await to.answer(bytes(range(256)) * 500, kind="text/plain")


@_robots("robots-forbids")
async def _(to: Connection, path: str) -> None:
    await to.answer("User-agent: *\nDisallow: /\n", kind="text/plain")


# ---------------------------------------------------------------- the server

TLS_FAULTS = (
    "tls-good",
    "tls-self-signed",
    "tls-wrong-host",
    "tls-expired",
    "tls-unknown-authority",
    "tls-not-yet",
    "tls-hangs",
    "tls-is-http",
)
"""Hosts on the TLS port; what is wrong is their certificate, or that they speak no TLS at all."""


class FaultServer:
    """Runs in a thread. `port` speaks plainly; `tls_ports` has one for each of TLS_FAULTS; `authority` is the file to trust."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.visits: dict[str, Counter[str]] = {}
        self.port = 0
        self.tls_ports: dict[str, int] = {}
        self.authority = folder / "authority.pem"
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        for name, make in _MAKERS.items():
            if name not in _BOMBS:
                _BOMBS[name] = make()

    def __enter__(self) -> FaultServer:
        threading.Thread(target=self._run, daemon=True).start()
        assert self._ready.wait(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    def hits(self, name: str) -> int:
        """How often this host was asked for anything but robots.txt."""
        return sum(n for path, n in self.visits.get(name, Counter()).items() if path != "/robots.txt")

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda loop, context: None)  # clients hang up here all the time
        self._loop.run_until_complete(self._listen())
        self._ready.set()
        self._loop.run_forever()

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        contexts = _contexts(self.folder, self.authority)
        for name in TLS_FAULTS:
            serve = {"tls-hangs": self._hang, "tls-is-http": self._bad_request}.get(name, self._serve)
            server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=contexts.get(name))
            self.tls_ports[name] = server.sockets[0].getsockname()[1]

    async def _hang(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3600)

    async def _bad_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                try:
                    asked = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                    break
                path = asked[0].split(" ")[1] if asked[0].count(" ") >= 2 else "/"
                host = next((line[5:].strip() for line in asked if line.lower().startswith("host:")), "")
                name = host.partition(".")[0]
                visits = self.visits.setdefault(name, Counter())
                visits[path] += 1
                to = Connection(writer, visits)
                if name in FAULTS and (path != "/robots.txt" or name.startswith("robots-")):
                    await FAULTS[name](to, path)
                    break
                if path == "/robots.txt":
                    await to.answer(b"gone", "404 Not Found", kind="text/plain")
                else:
                    await to.answer(FEED)
        except (OSError, ssl.SSLError):
            pass  # the crawler hung up, as it should
        finally:
            writer.close()


def _contexts(folder: Path, authority: Path) -> dict[str, ssl.SSLContext]:
    now = datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Otoritas Uji", key, "Otoritas Uji", key, now, ca=True)
    authority.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    stranger = ec.generate_private_key(ec.SECP256R1())
    made: dict[str, ssl.SSLContext] = {}
    for name in TLS_FAULTS:
        if name in ("tls-hangs", "tls-is-http"):
            continue
        own = ec.generate_private_key(ec.SECP256R1())
        host = f"{'lain' if name == 'tls-wrong-host' else name}.{DOMAIN}"
        issuer, signer = ("Otoritas Uji", key)
        if name == "tls-self-signed":
            issuer, signer = host, own
        if name == "tls-unknown-authority":
            issuer, signer = "Otoritas Asing", stranger
        begin = (
            now + timedelta(days=2)
            if name == "tls-not-yet"
            else now - timedelta(days=90 if name == "tls-expired" else 1)
        )
        certificate = _certificate(host, own, issuer, signer, begin)
        file = folder / f"{name}.pem"
        file.write_bytes(
            own.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        made[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made[name].load_cert_chain(file)
    return made


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    begin: datetime,
    *,
    ca: bool = False,
) -> x509.Certificate:
    def called(words: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])

    building = (
        x509.CertificateBuilder()
        .subject_name(called(name))
        .issuer_name(called(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if not ca:
        names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("192.0.2.7"))]
        building = building.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return building.sign(signer, hashes.SHA256())
