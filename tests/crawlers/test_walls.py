"""Login walls and soft 404s are told from pages that only speak of them."""

from __future__ import annotations

import pytest

from crawlers.walls import wall

HTML = b"text/html; charset=utf-8"
FIELD = "<input type='password' name='p'>"


def html(title: str, body: str = "") -> bytes:
    return f"<html><head><title>{title}</title></head><body>{body}</body></html>".encode()


@pytest.mark.parametrize(
    "title",
    [
        "Masuk",
        "Masuk - Forum Warga",
        "Login | Kabar Desa",
        "Forum Warga » Sign in",
        "Silakan masuk untuk melanjutkan",
        "Log in to Forum Warga",
    ],
)
def test_a_page_called_login_that_asks_for_a_password_is_a_wall(title: str) -> None:
    assert (wall("http://x.example/a", "http://x.example/a", html(title, FIELD), HTML) or "").startswith("login wall")


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("Masuk musim hujan, warga diminta waspada - Kabar Desa", FIELD),
        ("Cara login ke laman KPU - Kabar Desa", FIELD),
        ("Warga masuk daftar pemilih ganda", FIELD),
        ("Masuk", "<p>Pintu masuk TPS dijaga."),
        ("Jadwal rekapitulasi | Kabar Desa", FIELD),
    ],
)
def test_an_article_about_it_is_none(title: str, body: str) -> None:
    assert wall("http://x.example/a", "http://x.example/a", html(title, body), HTML) is None


@pytest.mark.parametrize(
    "title",
    ["404", "404 Not Found", "Error 404", "Halaman tidak ditemukan", "Halaman Tidak Ditemukan - Kabar Desa", "Kabar Desa | Page not found",
     "Maaf, halaman yang Anda cari tidak ditemukan", "404 - Halaman tidak ditemukan", "Berita tidak ditemukan | Kabar"],
)  # fmt: skip
def test_a_page_called_not_found_is_a_soft_404(title: str) -> None:
    assert (wall("http://x.example/a", "http://x.example/a", html(title), HTML) or "").startswith("soft 404")


@pytest.mark.parametrize(
    "title",
    [
        "Surat suara tidak ditemukan di gudang - Kabar Desa",
        "404 TPS gelar pemungutan suara ulang",
        "Korban banjir belum ditemukan",
        "",
    ],
)
def test_a_headline_about_lost_things_is_none(title: str) -> None:
    assert wall("http://x.example/a", "http://x.example/a", html(title), HTML) is None


@pytest.mark.parametrize(
    ("asked", "got", "what"),
    [
        ("http://x.example/a", "http://x.example/login?next=/a", "login wall"),
        ("http://x.example/a", "https://sso.example/auth/signin", "login wall"),
        ("http://x.example/a", "http://x.example/wp-login.php?redirect_to=a", "login wall"),
        ("http://x.example/a", "http://x.example/", "soft 404"),
        ("http://x.example/a", "https://www.x.example/", "soft 404"),
        ("http://x.example/", "https://www.x.example/", None),
        ("http://pendek.example/a", "https://x.example/", None),
        ("http://x.example/a", "http://x.example/berita/login-massal-gagal", None),
        ("http://x.example/login", "http://x.example/login/", None),
        ("http://x.example/a", "http://x.example/authors/a", None),
    ],
)
def test_where_a_redirect_leads_tells_too(asked: str, got: str, what: str | None) -> None:
    found = wall(asked, got, html("Kabar"), HTML)
    assert found is None if what is None else (found or "").startswith(what)


def test_other_content_than_html_is_left_alone() -> None:
    assert wall("http://x.example/a", "http://x.example/a", html("404"), b"application/json") is None
