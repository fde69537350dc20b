"""Words in disguise are read as they are meant, and what is no disguise is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.attacks import attack
from classifier.text import clean


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("rus4k m4ti 4njing g0bl0k k1t4", "rusak mati anjing goblok kita"),
        ("b u n u h dia", "bunuh dia"),
        ("b.a.k.a.r kotak suara", "bakar kotak suara"),
        ("b-a-k-a-r", "bakar"),
        ("ѕаmраһ kаu", "sampah kau"),
        ("bun😡uh mereka", "bunuh mereka"),
        ("b@ngsat kau, anj!ng", "bangsat kau, anjing"),
        ("sanés kitu", "sanes kitu"),
    ],
)
def test_a_disguised_word_is_read_as_it_is_meant(written: str, meant: str) -> None:
    assert clean(written) == meant


@pytest.mark.parametrize(
    "text",
    [
        "covid19 dan teman2 jalan2an",
        "5rb untuk 3orang, 4jam, 2periode, 10juta",
        "K.H. Ahmad, calon no. 1",
        "tps12 rt05 paslon1 2024",
        "RT @user: halo",
        "mantap!lanjut",
        "Rp1.500.000 jam 10.30 UU No.7/2017",
        "Привет мир",
        "a b saja",
    ],
)
def test_numbers_titles_handles_and_other_scripts_are_no_disguise(text: str) -> None:
    assert clean(text) == text


@given(st.sampled_from(["zero_width", "homoglyph"]), st.integers(0, 999))
def test_what_only_looks_the_same_is_the_same(kind: str, seed: int) -> None:
    text = "Ayo bakar gudang logistik malam ini, bawa bensin semua"
    assert clean(attack(text, kind, seed)).lower() == text.lower()
