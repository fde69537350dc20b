"""Words, fingerprints and places of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.analysis import MAX_TERM_CHARS, terms
from pipeline.stages.fingerprint import bands
from pipeline.stages.locate import locate, names

STORY = "Surat suara di TPS 12 Kota Malang sudah dicoblos semua untuk pasangan nomor dua, petugas diam saja"


@given(st.text())
def test_any_text_has_words_that_a_store_can_hold(text: str) -> None:
    found = terms(text)
    assert len(found) == len(set(found))
    assert all(word and len(word) <= MAX_TERM_CHARS and not any(c.isspace() for c in word) for word in found)


@given(st.text())
def test_any_text_has_a_fingerprint_and_it_is_always_the_same(text: str) -> None:
    assert bands(text) == bands(text)
    assert bands(text)


def test_slang_and_formal_spelling_find_each_other() -> None:
    assert terms("gak sah suaranya yg di tps") == terms("tidak sah suara yang di TPS")


@pytest.mark.parametrize(
    "copy",
    [
        STORY.upper() + "!!!",
        "VIRAL!! " + STORY,
        STORY + " #pilkada https://contoh.example/a",
        STORY.replace("saja", "aja"),
        "@akun " + STORY,
    ],
)
def test_a_copy_with_small_changes_shares_a_band(copy: str) -> None:
    assert set(bands(STORY)) & set(bands(copy))


def test_other_texts_share_none() -> None:
    other = "Jalan di depan pasar induk akhirnya diperbaiki setelah warga menunggu dua tahun lebih lamanya"
    assert not set(bands(STORY)) & set(bands(other))


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("banjir di Surabaya", ("35", "35.78")),
        ("serang lawan dari sayap kiri", ()),
        ("warga Serang mengantre", ("36", "36.73")),
        ("pilkada Jabar dan Jateng", ("32", "33")),
        ("ke Jogja lewat Solo", ("34", "34.71", "33", "33.72")),
        ("Papua Barat Daya dan Papua", ("96", "91")),
    ],
)
def test_places_are_found_by_name_and_everyday_words_are_not_places(text: str, codes: tuple[str, ...]) -> None:
    assert locate(text) == codes


def test_a_text_that_names_no_place_is_of_its_sources_region() -> None:
    assert locate("cuaca cerah", "35.78") == ("35", "35.78")


def test_all_38_provinces_and_514_regencies_and_cities_are_known() -> None:
    assert (len([c for c in names() if len(c) == 2]), len([c for c in names() if len(c) == 5])) == (38, 514)
