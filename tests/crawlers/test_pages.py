"""Page objects read what real sites send, faults included, and say what they could not read.

Each folder of `fixtures/<kind>/<case>` holds invented content in a shape that was seen in the wild: the input, its address
(`case.json`) and the items it must give (`output.jsonl`).
"""

from __future__ import annotations

import json
import random
from datetime import datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from crawlers.pages import BUILT, KINDS, NotBuilt, read, reader
from crawlers.pages.address import resolve
from crawlers.pages.items import ClaimItem, Item, PostItem, ProblemItem, as_dict
from crawlers.pages.page import Page
from crawlers.pages.text import clean
from crawlers.pseudonym import maker
from crawlers.publish import as_claim, as_post

FIXTURES = Path(__file__).parent / "fixtures"
CASES = sorted(path.parent for path in FIXTURES.glob("*/*/case.json"))
FIELDS = {
    "post": "type platform native_id url author text published_at edited_at reply_to repost_of links media counts",
    "claim": "type claim_id text rating publisher url date",
    "link": "type url why",
    "problem": "type what where",
}


def page_of(case: Path, body: bytes | None = None) -> Page:
    told = json.loads((case / "case.json").read_text())
    source = next(case.glob("input.*")).read_bytes() if body is None else body
    return Page(
        source,
        told["url"],
        told["content_type"],
        maker(b"key of the tests"),
        datetime.fromisoformat(told["fetched_at"]),
    )


def items_of(case: Path) -> list[Item]:
    return read(case.parent.name, page_of(case))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_a_page_gives_the_items_that_were_reviewed(case: Path) -> None:
    expected = [json.loads(line) for line in (case / "output.jsonl").read_text().splitlines()]
    assert [as_dict(item) for item in items_of(case)] == expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_items_have_the_fields_that_others_script_against(case: Path) -> None:
    for item in items_of(case):
        assert list(as_dict(item)) == FIELDS[item.type].split()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_every_post_and_claim_of_a_page_is_taken_by_the_contract(case: Path) -> None:
    page = page_of(case)
    for item in read(case.parent.name, page):
        if isinstance(item, PostItem):
            as_post(item, fetched_at=page.fetched_at, source="s", region=None, evidence=None)
        elif isinstance(item, ClaimItem):
            as_claim(item, page.fetched_at)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_no_account_name_leaves_a_page(case: Path) -> None:
    authors = [item.author for item in items_of(case) if isinstance(item, PostItem) and item.author]
    assert all(author.startswith("a_") and len(author) == 22 for author in authors)


@pytest.mark.parametrize("kind", BUILT)
def test_a_damaged_page_is_a_problem_and_never_a_crash(kind: str) -> None:
    chance = random.Random(5)  # fixed, so that a failure can be seen again
    for case in (FIXTURES / kind).iterdir():
        whole = next(case.glob("input.*")).read_bytes()
        for _ in range(12):
            body = bytearray(whole)
            for _ in range(chance.randint(1, 8)):
                if body:
                    body[chance.randrange(len(body))] = chance.randrange(256)
            del body[chance.randint(0, len(body)) :]
            page = page_of(case, bytes(body))
            for item in read(kind, page):
                assert not (isinstance(item, ProblemItem) and item.what.startswith("page cannot be read further")), item
                if isinstance(item, PostItem):
                    as_post(item, fetched_at=page.fetched_at, source="s", region=None, evidence=None)


@pytest.mark.parametrize("kind", BUILT)
@pytest.mark.parametrize(
    "body", [b"", b"\x00" * 50, b"null", b"[]", b"{}", b"7", b'"x"', b"[" * 5000, b"<", b"<a><b", b"\x1f\x8b broken"]
)
def test_a_body_of_another_shape_is_told_or_empty(kind: str, body: bytes) -> None:
    items = read(kind, Page(body, "https://x.example/"))
    assert all(isinstance(item, ProblemItem) or kind == "article" for item in items)


def test_a_kind_that_is_not_built_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawlers.pages.BUILT", ())
    with pytest.raises(NotBuilt, match="not built yet: feed"):
        reader("feed")


def test_every_kind_is_built() -> None:
    assert set(BUILT) == set(KINDS)


def test_an_unknown_kind_is_told_with_the_known_ones() -> None:
    with pytest.raises(LookupError, match="unknown kind 'koran'; known are feed, "):
        reader("koran")


def test_a_gzip_bomb_is_a_problem() -> None:
    import gzip

    (item,) = read("sitemap", Page(gzip.compress(b" " * 60_000_000), "https://x.example/"))[-1:]
    assert isinstance(item, ProblemItem)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["claimreview", "article", "feed", "forum", "telegram", "mastodon"])
@pytest.mark.parametrize("start", ["", "<rss><item>"])
@pytest.mark.parametrize(
    "piece", ['<script type="application/ld+json">{"@type":', "<style>", "<meta ", "<", "<![CDATA[", "<!--"]
)
def test_a_page_of_opening_tags_alone_costs_no_more_than_its_length(kind: str, start: str, piece: str) -> None:
    read(kind, Page((start + piece * (1_000_000 // len(piece))).encode(), "https://x.example/"))


@pytest.mark.parametrize(
    "href",
    [
        "https://warta.example",
        "http://warta.example//a/../b/./c",
        "https://warta.example/a;b?x=1&y=%20#bagian",
        "https://warta.example/a?",
        "https://warta.example/a#",
        "https://WARTA.example/A?B=C",
        "http://warta.example:8080/a",
        "https://warta.example?a=1",
        "https://./a",
        "https:///a",
        "https://warta.example/é",
    ],
)
def test_a_whole_address_is_what_joining_it_to_the_page_gives(href: str) -> None:
    for base in ("https://lain.example/x/y?z", "http://lain.example/x/y?z"):
        joined = urljoin(base, href)
        assert resolve(base, href) == (joined if urlsplit(joined).hostname else None)


def test_links_within_a_feed_s_entry_are_joined_to_what_the_feed_says_and_not_to_the_entry() -> None:
    feed = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://warta.example/dasar/"><title>t</title><entry><title>Judul</title>
    <link href="artikel/1"/><content type="html">&lt;p&gt;Lihat &lt;a href="dua"&gt;ini&lt;/a&gt;.&lt;/p&gt;</content></entry>
    <entry xml:base="https://lain.example/sana/"><title>Judul dua</title><link href="artikel/2"/>
    <content type="html">&lt;p&gt;Lihat &lt;a href="dua"&gt;ini&lt;/a&gt;.&lt;/p&gt;</content></entry></feed>"""
    posts = [
        item for item in read("feed", Page(feed.encode(), "https://warta.example/feed")) if isinstance(item, PostItem)
    ]
    assert [post.links for post in posts] == [["https://warta.example/dasar/dua"], ["https://lain.example/sana/dua"]]


def test_no_character_that_a_post_must_not_have_is_left_in_a_text_whatever_stands_beside_it() -> None:
    damage = [
        *map(chr, range(9)),
        "\x0b",
        "\x0c",
        *map(chr, range(14, 32)),
        "\x7f",
        "\ud800",
        "\udfff",
        "\ufffe",
        "\uffff",
    ]
    for one in damage:
        for words in ("kata", "kata é", "kata 漢", "kata \U0001f600"):
            assert clean(f"{words}{one} lagi") == f"{words} lagi", repr(one)
    kept = "a\tb\nc \x80\x85\xa0\u2028\ufeff\ufffd\U0001fffe"
    assert clean(kept) == kept
    assert clean("a\r\nb\rc") == "a\nb\nc"
