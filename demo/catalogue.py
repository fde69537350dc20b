"""The sources a crawler should watch to see all of the small web."""

from __future__ import annotations

from typing import TypedDict


class SourceEntry(TypedDict, total=False):
    """One place to watch. `url` is the first address to fetch; `region` is a province's name where the
    source has one."""

    id: str
    kind: str
    url: str
    platform: str
    name: str
    region: str
    legal_basis: str


_BASIS = "Demonstrasi: situs rekaan di mesin ini, konten publik."


def sources(base_url: str) -> list[SourceEntry]:
    """The entries for a small web that runs at `base_url` (e.g. `http://127.0.0.1:8765`)."""
    base = base_url.rstrip("/")
    return [
        SourceEntry(
            id="demo-cekfakta",
            kind="wordpress",
            url=f"{base}/cekfakta/wp-json/wp/v2/posts?per_page=5",
            platform="web",
            name="Cek Fakta Warga",
            legal_basis=_BASIS,
        ),
        SourceEntry(
            id="demo-kabarnusa",
            kind="feed",
            url=f"{base}/kabarnusa/rss.xml",
            platform="web",
            name="Kabar Nusa",
            legal_basis=_BASIS,
        ),
        SourceEntry(
            id="demo-kabarnusa-arsip",
            kind="sitemap",
            url=f"{base}/kabarnusa/sitemap.xml",
            platform="web",
            name="Kabar Nusa (arsip)",
            legal_basis=_BASIS,
        ),
        SourceEntry(
            id="demo-wartapesisir",
            kind="feed",
            url=f"{base}/wartapesisir/rss.xml",
            platform="web",
            name="Warta Pesisir",
            region="Jawa Tengah",
            legal_basis=_BASIS,
        ),
        SourceEntry(
            id="demo-mikro",
            kind="mastodon",
            url=f"{base}/mikro/api/v1/timelines/public?limit=40",
            platform="mastodon",
            name="Mikro",
            legal_basis=_BASIS,
        ),
        SourceEntry(
            id="demo-forum",
            kind="discourse",
            url=f"{base}/forum/latest.json",
            platform="discourse",
            name="Forum Warga Kita",
            legal_basis=_BASIS,
        ),
    ]
