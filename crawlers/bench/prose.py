"""Pages of the size and make of real ones, with invented text: news articles, feeds, WordPress listings, sitemaps, channels."""

from __future__ import annotations

import html
import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime

NUMBER = "@@NOMOR@@"
"""Where an article's own number goes, so that no two are alike."""
TITLE = "@@JUDUL@@"
ADDRESS = "@@ALAMAT@@"

_WHO = (
    "warga", "petani", "nelayan", "pedagang pasar", "kepala desa", "petugas lapangan", "guru sekolah dasar", "relawan", "sopir angkutan",
    "panitia", "pengurus koperasi", "penjaga bendung",
)  # fmt: skip
_DOES = (
    "memperbaiki", "menunggu", "mencatat", "membahas", "menolak", "menyepakati", "memeriksa", "membuka", "menunda", "membandingkan",
    "mengangkut", "menghitung",
)  # fmt: skip
_WHAT = (
    "saluran air", "harga cabai", "jadwal kapal", "jalan kebun", "daftar pemilih", "gudang beras", "jembatan gantung", "kotak suara",
    "bantuan benih", "tarif parkir", "atap pasar", "lampu jalan",
)  # fmt: skip
_WHEN = (
    "sejak pagi",
    "pada Senin malam",
    "selama tiga pekan",
    "sesudah hujan",
    "menjelang sore",
    "tahun lalu",
    "dua hari sebelum pemungutan suara",
)
_WHERE = (
    "di Garut",
    "di Kalisat",
    "di Ambon",
    "di Pontianak",
    "di Purwokerto",
    "di Maros",
    "di Bantul",
    "di tepi sungai",
    "di balai desa",
)
_WHY = (
    "karena pipa utama pecah", "agar ongkos angkut tidak naik", "meskipun anggaran belum cair", "sebab gelombang mencapai dua meter",
    "supaya anak-anak dapat bersekolah", "walaupun petugas hanya empat orang",
)  # fmt: skip


class Writer:
    """The same seed writes the same."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311

    def sentence(self) -> str:
        pick = self._dice.choice
        said = f"{pick(_WHO)} {pick(_DOES)} {pick(_WHAT)} {pick(_WHERE)} {pick(_WHEN)} {pick(_WHY)}"
        return f"{said[0].upper()}{said[1:]}, kata {pick(_WHO)} {self._dice.randint(2, 99)} kali."

    def headline(self) -> str:
        pick = self._dice.choice
        return f"{pick(_WHO)} {pick(_DOES)} {pick(_WHAT)} {pick(_WHERE)}".title()

    def paragraph(self) -> str:
        return " ".join(self.sentence() for _ in range(self._dice.randint(2, 4)))

    def article(self, size: int) -> str:
        """A page of about `size` bytes as news sites make them: a third of it scripts and styles, a third menus and teasers."""
        paragraphs = [f"<p>{self.paragraph()}</p>" for _ in range(max(3, min(24, size // 2_500)))]
        paragraphs[1:1] = [f"<p>Berita nomor {NUMBER} dari meja redaksi. {self.paragraph()}</p>"]
        for at in range(4, len(paragraphs), 5):
            paragraphs[at:at] = [f'<p><strong>Baca juga: <a href="/a/{at}">{self.headline()}</a></strong></p>']
        body = "\n".join(paragraphs)
        told = {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "headline": TITLE,
            "datePublished": "2024-11-20T07:10:00+07:00",
            "author": {"@type": "Person", "name": "Penulis Rekaan"},
            "mainEntityOfPage": ADDRESS,
        }
        rest = max(0, size - len(body) - 2_500)
        menu = "".join(self._link("menu") for _ in range(rest // 400))
        teasers = "".join(self._teaser() for _ in range(rest // 1_300))
        script = self._script(rest // 3)
        return (
            f'<!DOCTYPE html><html lang="id"><head><meta charset="utf-8"><title>{TITLE} - Kabar Rekaan</title>'
            f'<link rel="canonical" href="{ADDRESS}"><meta property="og:title" content="{TITLE}"><meta property="og:site_name" content="Kabar Rekaan">'
            f'<meta property="og:image" content="/gambar/{NUMBER}.jpg"><meta name="description" content="{self.sentence()}">'
            f'<script type="application/ld+json">{json.dumps(told)}</script><style>{self._style(rest // 8)}</style><script>{script}</script></head>'
            f'<body class="single"><header><nav><ul>{menu}</ul></nav></header><main><div class="row"><article class="post"><h1>{TITLE}</h1>'
            f'<div class="meta">Rabu, 20 November 2024 | 07:10 WIB</div><figure><img src="/gambar/{NUMBER}.jpg" width="640" height="360" alt="">'
            f'<figcaption>{self.sentence()}</figcaption></figure><div class="content">{body}</div></article>'
            f'<aside class="sidebar"><h3>Terpopuler</h3><ul>{teasers}</ul></aside></div></main>'
            f"<footer><ul>{menu[: len(menu) // 2].rpartition('<li')[0]}</ul><p>Hak cipta Kabar Rekaan</p></footer><script>{script[: len(script) // 4]}</script></body></html>"
        )

    def _link(self, name: str) -> str:
        return f'<li class="{name}-item {name}-item-{self._dice.randint(1, 999)}"><a href="/rubrik/{self._dice.randint(1, 99)}">{self._dice.choice(_WHAT).title()}</a></li>'

    def _teaser(self) -> str:
        n = self._dice.randint(1, 9_999)
        return (
            f'<li class="teaser"><a href="/a/{n}" class="thumb"><img src="/gambar/{n}.jpg" width="120" height="80" alt="" loading="lazy"></a>'
            f'<div class="teaser-body"><a href="/a/{n}">{self.headline()}</a><span class="ago">{n % 23} jam lalu</span></div></li>'
        )

    def _script(self, size: int) -> str:
        line = "window.dataLayer=window.dataLayer||[];(function(a,b){var c=a.createElement('b');c.async=true;a.body&&a.body.appendChild(c)})(document,%d);\n"
        return "".join(line % n for n in range(size // len(line)))

    def _style(self, size: int) -> str:
        line = ".menu-item-%d{display:inline-block;padding:0 1rem;font:400 1rem/1.5 sans-serif;color:#1a1a1a}\n"
        return "".join(line % n for n in range(size // len(line)))


def numbered(template: str, number: int, title: str, address: str) -> str:
    return template.replace(NUMBER, str(number)).replace(TITLE, title).replace(ADDRESS, address)


def checked(claim: str) -> str:
    """What a fact-checker's page holds besides."""
    told = {
        "@context": "https://schema.org",
        "@type": "ClaimReview",
        "url": ADDRESS,
        "claimReviewed": claim,
        "datePublished": "2024-11-20",
        "author": {"@type": "Organization", "name": "Cek Rekaan"},
        "reviewRating": {"@type": "Rating", "alternateName": "Salah", "ratingValue": 1, "bestRating": 5},
    }
    return f'<script type="application/ld+json">{json.dumps(told)}</script>'


Entry = tuple[int, str, str, float]
"""(number, title, address, seconds since 1970) of an article in a listing."""


def feed(entries: Sequence[Entry], teaser: str) -> str:
    rows = "".join(
        f"<item><title>{html.escape(title)}</title><link>{address}</link><guid isPermaLink='true'>{address}</guid>"
        f"<pubDate>{format_datetime(datetime.fromtimestamp(at, UTC))}</pubDate><description><![CDATA[<p>{teaser} Nomor {number}.</p>]]></description></item>"
        for number, title, address, at in entries
    )
    return f"<?xml version='1.0' encoding='UTF-8'?><rss version='2.0'><channel><title>Kabar Rekaan</title><description>Rekaan</description>{rows}</channel></rss>"


def wordpress(entries: Sequence[Entry], content: str) -> str:
    return json.dumps(
        [
            {
                "id": number,
                "date": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
                "date_gmt": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
                "link": address,
                "title": {"rendered": title},
                "content": {"rendered": f"<p>Nomor {number}.</p>{content}"},
                "excerpt": {"rendered": f"<p>{title}</p>"},
                "author": 7,
            }
            for number, title, address, at in entries
        ]
    )


def sitemap(entries: Sequence[Entry]) -> str:
    rows = "".join(f"<url><loc>{address}</loc></url>" for _, _, address, _ in entries)
    return f"<?xml version='1.0' encoding='UTF-8'?><urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{rows}</urlset>"
