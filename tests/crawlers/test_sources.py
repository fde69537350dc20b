"""A wrong file of sources is told with file, entry and field; the one we ship is right and watches nothing by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crawlers import places
from crawlers.registry import SHIPPED
from crawlers.sources import BadSources, choose, load_sources, read_sources

ENTRY = {"id": "a", "kind": "feed", "url": "https://a.example/rss"}


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"x": 1}, "f: needs a list of sources"),
        (["x"], "f: source 1: is no mapping"),
        ([{**ENTRY, "kind": "koran"}], "f: source 1 (a): kind: "),
        ([{**ENTRY, "url": "file:///etc/passwd"}], "f: source 1 (a): url: 'file:///etc/passwd' must begin with"),
        ([{**ENTRY, "region": "Atlantis"}], "f: source 1 (a): region: 'Atlantis' is neither"),
        ([{**ENTRY, "cadence_s": 0}], "f: source 1 (a): cadence_s: "),
        ([{**ENTRY, "tempo": 5}], "f: source 1 (a): tempo: "),
        ([ENTRY, ENTRY], "f: source 2 (a): id: used twice"),
        ([{"kind": "feed", "url": "https://a.example"}], "f: source 1: id: Field required"),
    ],
)
def test_a_mistake_is_named(told: Any, message: str) -> None:
    with pytest.raises(BadSources) as error:
        read_sources(told, "f")
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("content", [b"{", b"\xff", b"a: [", None])
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "s.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadSources, match=r"s\.yaml"):
        load_sources(path)


@pytest.mark.parametrize(
    ("told", "codes", "home"),
    [
        ("jawa tengah", ("33",), "33"),
        ("33.74", ("33.74",), "33.74"),
        (33, ("33",), "33"),
        (["Jawa Tengah", "DIY"], None, None),
        (["33.74", "33.72"], ("33.74", "33.72"), "33"),
        (["Bali", "NTB", "Bali"], ("51", "52"), None),
        (None, (), None),
    ],
)
def test_regions_may_be_one_or_several_in_words_or_codes(told: Any, codes: Any, home: str | None) -> None:
    if codes is None:
        with pytest.raises(BadSources, match="region: 'DIY' is neither"):
            read_sources([{**ENTRY, "region": told}], "f")
    else:
        (source,) = read_sources([{**ENTRY, "region": told}], "f")
        assert (source.region, source.home) == (codes, home)


@pytest.mark.parametrize(
    ("kind", "url", "message"),
    [
        ("telegram", "https://t.me/+AbCdEf123", "names no public channel"),
        ("telegram", "https://t.me/joinchat/AbC", "names no public channel"),
        ("youtube", "https://www.youtube.com/@kabarkota", "a name with @ does not do"),
        ("reddit", "https://www.reddit.com/", "neither /r/NAME nor"),
        ("bluesky", "https://bsky.app/", "is none of /profile/NAME"),
        ("mastodon", "https://m.example/@a@b.example", "account of another server"),
        ("factcheck_api", "https://factchecktools.googleapis.com/v1alpha1/claims:search?key=x", "JAGA_FACTCHECK_KEY"),
    ],
)
def test_an_address_that_its_kind_cannot_be_read_from_is_refused_at_once(kind: str, url: str, message: str) -> None:
    with pytest.raises(BadSources) as error:
        read_sources([{"id": "a", "kind": kind, "url": url}], "f")
    assert str(error.value).startswith("f: source 1 (a): url: ")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("kind", "told", "fetched"),
    [
        ("telegram", "https://t.me/kabarkota", "https://t.me/s/kabarkota"),
        ("telegram", "https://t.me/s/kabarkota?before=7", "https://t.me/s/kabarkota"),
        ("telegram", "https://t.me/kabarkota/12", "https://t.me/s/kabarkota"),
        ("mastodon", "https://m.example/tags/pilkada", "https://m.example/api/v1/timelines/tag/pilkada"),
        ("mastodon", "https://m.example/@kpu", "https://m.example/api/v1/accounts/lookup?acct=kpu"),
        ("mastodon", "https://m.example/public/local", "https://m.example/api/v1/timelines/public?local=true"),
        (
            "bluesky",
            "https://bsky.app/profile/kpu.example",
            "https://public.api.bsky.app/xrpc/app.bsky.feed.getAuthorFeed?actor=kpu.example&limit=100",
        ),
        (
            "bluesky",
            "https://bsky.app/hashtag/pilkada",
            "https://api.bsky.app/xrpc/app.bsky.feed.searchPosts?q=%23pilkada&sort=latest&limit=100",
        ),
        ("reddit", "https://www.reddit.com/r/kota/top/", "https://www.reddit.com/r/kota/new.json?limit=100&raw_json=1"),
        (
            "youtube",
            "https://www.youtube.com/channel/UCabc",
            "https://www.youtube.com/feeds/videos.xml?channel_id=UCabc",
        ),
        (
            "youtube",
            "https://youtu.be/VIDEO000001",
            "https://www.googleapis.com/youtube/v3/commentThreads?part=snippet%2Creplies&videoId=VIDEO000001&maxResults=100&order=time&textFormat=plainText",
        ),
        ("feed", "https://a.example/rss?before=7", "https://a.example/rss?before=7"),
    ],
)
def test_places_are_named_as_people_know_them_and_fetched_where_they_can_be_read(
    kind: str, told: str, fetched: str
) -> None:
    assert places.first(kind, told) == fetched


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(BadSources, match="no source 'z'; known are a"):
        choose(read_sources([ENTRY], "f"), ["z"])


def test_the_list_that_comes_along_is_right_and_watches_nothing_by_itself() -> None:
    sources = load_sources(SHIPPED)
    assert choose(sources, []) == []
    assert all(source.legal_basis and source.publisher for source in sources)
    assert all("Unverified" in source.notes and "jaga sources check" in source.notes for source in sources)
    places_watched = [(source.kind, source.url) for source in sources]
    assert len(set(places_watched)) == len(places_watched) > 100


def test_the_list_that_comes_along_covers_fact_checkers_election_bodies_and_the_country() -> None:
    sources = load_sources(SHIPPED)
    assert {"turnbackhoax", "cekfakta", "komdigi-hoaks", "kpu", "bawaslu"} <= {source.id for source in sources}
    assert {"wordpress", "factcheck_api", "feed", "sitemap", "youtube", "mastodon", "bluesky", "reddit", "forum"} <= {
        source.kind for source in sources
    }
    assert len({code[:2] for source in sources for code in source.region}) >= 34
