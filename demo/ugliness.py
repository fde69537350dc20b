"""What the real web does to crawlers, gathered in one place: traps by address, and faults of single
articles."""

from __future__ import annotations

import gzip
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from demo.sites.reply import Reply, page, redirect
from demo.world import Article

GIANT_BYTES = 50 * 1024 * 1024
_CHUNK = b"<p>Ikan asin, ikan teri, ikan peda, cumi kering. </p>\n" * 1200

# robots.txt forbids it; every visit is counted and shown at /__demo__/hits.
INTERNAL_LINK = "/kabarnusa/internal/daftar-narasumber.html"

ROBOTS = """# Jaring kecil untuk latihan
User-agent: *
Disallow: /kabarnusa/internal/
Disallow: /*/cetak$
Disallow: /__demo__/
Allow: /

User-agent: RakusBot
Disallow: /

Sitemap: {base}/kabarnusa/sitemap.xml
Sitemap: {base}/cekfakta/sitemap.xml
"""


@dataclass(frozen=True)
class Trap:
    """An item of Warta Pesisir's feed whose page gives no article. `native_id` is what its link
    canonically says."""

    place: int
    title: str
    text: str
    link: str
    native_id: str
    date: str = ""


def _own(path: str) -> dict[str, str]:
    return {"link": "{base}/wartapesisir/" + path, "native_id": f"https://wartapesisir.example/{path}"}


FEED_TRAPS = (
    Trap(1, "Daftar lengkap harga ikan sepanjang masa", "Lima puluh megabita harga ikan.", **_own("raksasa/")),
    Trap(3, "Jadwal kapal putar-putar", "Jadwal sedang diperbarui.", **_own("putar/a/")),
    Trap(5, "Arsip foto dermaga", "Arsip pindah rumah.", **_own("awan/"), date="Mon, 01 Jan 0001 00:00:00 GMT"),
    Trap(
        7,
        "Uji coba tautan mesin",
        "Tautan ini tertinggal dari mesin redaksi.",
        link="http://169.254.169.254/latest/meta-data/",
        native_id="http://169.254.169.254/latest/meta-data/",
    ),
    Trap(
        9,
        "Berita yang ditarik",
        "Halaman ini sudah ditarik.",
        **_own("hilang/"),
        date="Fri, 31 Dec 9999 23:59:59 GMT",
    ),
    Trap(11, "Halaman kosong dari percetakan", "Tidak ada isi.", **_own("kosong/"), date="kemarin sore"),
    Trap(12, "Pengumuman lelang ikan selalu gagal", "Peladen kami sedang libur.", **_own("rusak/")),
)


class Moods:
    """What the server remembers between requests: which addresses were visited, and who already had their
    tantrum."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.hits: Counter[str] = Counter()
        self._done: set[str] = set()

    def visited(self, path: str) -> None:
        with self._lock:
            self.hits[path] += 1

    def first_time(self, path: str) -> bool:
        with self._lock:
            if path in self._done:
                return False
            self._done.add(path)
            return True

    def forbidden(self) -> int:
        """How often somebody fetched what robots.txt forbids to everyone."""
        with self._lock:
            return sum(n for path, n in self.hits.items() if is_forbidden(path))


def is_forbidden(path: str) -> bool:
    return path.startswith("/kabarnusa/internal/") or path.endswith("/cetak")


def trap(path: str, base: str) -> Reply | None:
    """The answer of an ugly address below `/wartapesisir/`; None when the address is none of them."""
    match path.strip("/"):
        case "raksasa":
            return Reply(_giant())
        case "putar/a":
            return redirect(f"{base}/wartapesisir/putar/b/")
        case "putar/b":
            return redirect(f"{base}/wartapesisir/putar/a/")
        case "awan":
            return redirect("http://169.254.169.254/latest/meta-data/")
        case "hilang":
            return page("<!DOCTYPE html><title>404</title><h1>Tidak ditemukan</h1>", status=404)
        case "kosong":
            return Reply(b"")
        case "rusak":
            return page("<!DOCTYPE html><title>500</title><h1>Kesalahan peladen</h1>", status=500)
    return None


def dressed(article: Article, text: str) -> Reply:
    """The article's page with its fault put on (`ugly` of the notebook)."""
    match article.ugly:
        case "charset":
            # Windows-1252 bytes under a header and a meta tag that both say UTF-8.
            return Reply(text.encode("cp1252", "xmlcharrefreplace"))
        case "gzip":
            packed = gzip.compress(text.encode(), mtime=0)
            return Reply(packed, "application/octet-stream", headers={"Content-Encoding": "gzip"})
        case "nul":
            return Reply(text.replace("<p>", "<p>\x00").encode())
        case "slow":
            return Reply(text.encode(), delay_s=2.0)
    return page(text)


def tantrum(article: Article, moods: Moods) -> Reply | None:
    """The first visit's 500 or 429 of articles that have one; the second visit gets the page."""
    if article.ugly == "500" and moods.first_time(article.canonical):
        return page("<!DOCTYPE html><title>500</title><h1>Kesalahan peladen</h1>", status=500)
    if article.ugly == "429" and moods.first_time(article.canonical):
        reply = page("<!DOCTYPE html><title>429</title><h1>Terlalu banyak permintaan</h1>", status=429)
        reply.headers["Retry-After"] = "1"
        return reply
    return None


def _giant() -> Iterator[bytes]:
    """50 MB of well-formed HTML, one piece at a time."""
    yield b"<!DOCTYPE html><html lang='id'><head><title>Raksasa</title></head><body>"
    sent = 0
    while sent < GIANT_BYTES:
        yield _CHUNK
        sent += len(_CHUNK)
    yield b"</body></html>"
