"""A site that nobody wrote a spider for is an entry with a recipe; a recipe that cannot work is refused when it is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from crawlers.pages.items import LinkItem, PostItem, ProblemItem
from crawlers.pages.page import Page
from crawlers.pages.recipe import read_list
from crawlers.recipe import Recipe
from crawlers.sources import BadSources, read_sources

from . import shapes
from .fakes import Site

ENTRY = {"id": "dinas", "kind": "recipe", "url": "https://dinas.example/berita"}
HTML = {
    "items": "ul.daftar > li",
    "title": "h3",
    "time": ".tgl",
    "author": ".oleh::text",
    "next": "a.lanjut",
    "article": {"title": "h1", "text": ".isi p", "time": "time", "author": "meta[name=author]::attr(content)"},
}
JSON = {
    "format": "json",
    "items": "data.rows[?jenis=='berita']",
    "link": "alamat",
    "title": "judul",
    "text": "isi",
    "time": "terbit.detik",
    "author": "penulis.nama",
    "next": "data.lanjut",
}


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"recipe": None}, "recipe: kind recipe needs one"),
        ({"kind": "feed", "recipe": HTML}, "recipe: kind feed takes none"),
        ({"recipe": {**HTML, "items": "ul >"}}, "recipe.items: 'ul >' is no CSS selector"),
        ({"recipe": {**HTML, "time": "p::waktu(x)"}}, "recipe.time: 'p::waktu(x)' is no CSS selector"),
        ({"recipe": {"title": "h3"}}, "recipe.items: Field required"),
        ({"recipe": {**HTML, "judul": "h3"}}, "recipe.judul: Extra inputs are not permitted"),
        ({"recipe": {**HTML, "article": {"text": "[["}}}, "recipe.article.text: '[[' is no CSS selector"),
        ({"recipe": {**JSON, "items": "data.[["}}, "recipe.items: 'data.[[' is no JMESPath"),
        ({"recipe": {**HTML, "format": "xml"}}, "recipe.format: Input should be 'html' or 'json'"),
    ],
)
def test_a_mistake_in_a_recipe_is_named_with_file_entry_and_field(told: dict[str, Any], message: str) -> None:
    with pytest.raises(BadSources) as error:
        read_sources([{**ENTRY, **told}], "f")
    assert str(error.value).startswith(f"f: source 1 (dinas): {message}")


def listing(*rows: tuple[str, str], following: str = "") -> Any:
    items = "".join(
        f'<li><h3><a href="{link}">{title}</a></h3><span class="tgl">Kamis, 20 November 2025 09:15 WIB</span><span class="oleh">Humas</span></li>'
        for link, title in rows
    )
    return shapes.page(
        f'<ul class="daftar">{items}</ul>' + (f'<a class="lanjut" href="{following}">2</a>' if following else "")
    )


def article(title: str) -> Any:
    return shapes.page(
        f'<meta name="author" content="Humas"><h1>{title}</h1><time datetime="2025-11-20T09:20:00+07:00">x</time><div class="isi"><p>Satu.</p><p>Dua <a href="/b">di sini</a>.</p></div><p>Iklan</p>'
    )


def test_a_list_and_its_articles_are_read_and_later_only_the_new_ones(crawl: Callable[..., Any]) -> None:
    with Site({"/a": article("Judul A"), "/b": article("Judul B"), "/c": article("Judul C")}) as site:
        site.answers |= {"/berita": listing(("/a", "A"), following="?hal=2"), "/berita?hal=2": listing(("/b", "B"))}
        told = {**ENTRY, "url": f"{site.base}/berita", "recipe": HTML}
        first = crawl(site, [told])
        asked = len(site.asked)
        site.answers["/berita"] = listing(("/c", "C"), ("/a", "A"), following="?hal=2")
        second = crawl(site, [told])
    assert {post.native_id: post.text for post in first.posts} == {
        f"{site.base}/a": "Judul A\nSatu.\nDua di sini.",
        f"{site.base}/b": "Judul B\nSatu.\nDua di sini.",
    }
    assert {post.published_at.isoformat() for post in first.posts} == {"2025-11-20T02:20:00+00:00"}
    assert {post.links for post in first.posts} == {(f"{site.base}/b",), ()}
    assert len({post.author for post in first.posts} - {None}) == 1
    assert [post.text.split("\n")[0] for post in second.posts] == ["Judul C"]
    assert sorted(path for path, _ in site.asked[asked:]) == ["/berita", "/berita?hal=2", "/c", "/robots.txt"]


def test_fact_checks_behind_a_list_give_their_claims(crawl: Callable[..., Any]) -> None:
    review = {
        "@type": "ClaimReview",
        "url": "https://cek.example/1",
        "claimReviewed": "Kotak suara kardus dicuri",
        "reviewRating": {"alternateName": "Salah"},
        "datePublished": "2025-11-20",
    }
    body = f'<script type="application/ld+json">{json.dumps(review)}</script><h1>[SALAH] Kotak suara</h1><p>{"Isi. " * 60}</p>'
    recipe = {"items": "a[href*='/cek/']", "claims": True}
    with Site({"/": shapes.page('<a href="/cek/1">[SALAH] Kotak suara</a>'), "/cek/1": shapes.page(body)}) as site:
        result = crawl(site, [{**ENTRY, "url": f"{site.base}/", "recipe": recipe}])
    assert [(claim.text, claim.rating) for claim in result.claims] == [("Kotak suara kardus dicuri", "Salah")]
    assert len(result.posts) == 1


def test_an_api_is_read_by_its_keys(crawl: Callable[..., Any]) -> None:
    rows = [
        {
            "jenis": "berita",
            "alamat": "/x/1",
            "judul": "Rapat pleno",
            "isi": "<p>Dihadiri <b>semua</b> saksi.</p>",
            "terbit": {"detik": 1763604900},
            "penulis": {"nama": "Humas"},
        },
        {"jenis": "iklan", "judul": "Beli"},
    ]
    with Site() as site:
        site.answers |= {
            "/api": shapes.as_json({"data": {"rows": rows, "lanjut": "/api?hal=2"}}),
            "/api?hal=2": shapes.as_json({"data": {"rows": [{"jenis": "berita", "alamat": "/x/2", "judul": "Dua"}]}}),
        }
        result = crawl(site, [{**ENTRY, "url": f"{site.base}/api", "recipe": JSON, "follow": False}])
    assert [(p.native_id, p.text, p.published_at and p.published_at.isoformat()) for p in result.posts] == [
        (f"{site.base}/x/1", "Rapat pleno\nDihadiri semua saksi.", "2025-11-20T02:15:00+00:00"),
        (f"{site.base}/x/2", "Dua", None),
    ]


def test_links_alone_do_where_the_items_are_links() -> None:
    page = shapes.page(
        '<a href="/berita/detail/1">[HOAKS] Satu</a><a href="/lain">x</a><a href="/berita/detail/2">Dua</a>'
    )
    items = list(read_list(Page(page.body.encode(), "https://d.example/"), Recipe(items="a[href*='/berita/detail/']")))
    assert [i.text for i in items if isinstance(i, PostItem)] == ["[HOAKS] Satu", "Dua"]
    assert [i.url for i in items if isinstance(i, LinkItem)] == [
        "https://d.example/berita/detail/1",
        "https://d.example/berita/detail/2",
    ]


def test_a_site_that_was_rebuilt_is_told_and_is_a_gap(crawl: Callable[..., Any]) -> None:
    with Site({"/berita": shapes.page("<main><p>Tampilan baru</p></main>")}) as site:
        result = crawl(site, [{**ENTRY, "url": f"{site.base}/berita", "recipe": HTML}])
    assert [cause.partition(": http")[0] for cause in result.causes] == ["shape changed: recipe.items finds nothing"]


def test_a_part_that_no_item_has_any_more_is_told() -> None:
    page = Page(listing(("/a", "A"), ("/b", "B")).body.encode(), "https://d.example/")
    items = list(read_list(page, Recipe.model_validate({**HTML, "time": ".tanggal"})))
    assert [i.what for i in items if isinstance(i, ProblemItem)] == [
        "shape changed: recipe.time finds nothing in any of 2 items"
    ]


@pytest.mark.parametrize("form", [HTML, JSON], ids=["html", "json"])
@pytest.mark.parametrize("body", [b"", b"\x00" * 50, b"null", b"[]", b"{}", b"7", b"[" * 5000, b"<a><b", b"\x1f\x8b x"])
def test_a_body_of_another_shape_is_a_problem_and_never_a_crash(form: dict[str, Any], body: bytes) -> None:
    items = list(read_list(Page(body, "https://d.example/"), Recipe.model_validate(form)))
    assert items
    assert all(isinstance(item, ProblemItem) for item in items)


def test_values_of_an_unexpected_type_cost_their_part_alone() -> None:
    rows = [{"jenis": "berita", "judul": {"b": 2}, "isi": 7, "alamat": {"a": 1}, "terbit": "x"}]
    body = json.dumps({"data": {"rows": rows}}).encode()
    posts = [
        i for i in read_list(Page(body, "https://d.example/"), Recipe.model_validate(JSON)) if isinstance(i, PostItem)
    ]
    assert [post.text for post in posts] == ["7"]
