"""A wrong file of sources is told with file, entry and field; the one we ship is right and watches nothing by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

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


def test_regions_may_be_said_in_words() -> None:
    assert [
        s.region
        for s in read_sources([{**ENTRY, "region": "jawa tengah"}, {**ENTRY, "id": "b", "region": "33.74"}], "f")
    ] == ["33", "33.74"]


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(BadSources, match="no source 'z'; known are a"):
        choose(read_sources([ENTRY], "f"), ["z"])


def test_the_example_is_right_and_watches_nothing_by_itself() -> None:
    sources = load_sources(Path(__file__).parents[2] / "crawlers" / "sources.example.yaml")
    assert len(sources) >= 5
    assert choose(sources, []) == []
    assert all(source.legal_basis for source in sources)
