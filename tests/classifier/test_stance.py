"""Who tells a story, who corrects it, and who only asks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.stance import STANCES, cue, stance

CLAIM = "Tujuh kotak suara dibakar di TPS Sampang"

TABLE = [
    ("Tujuh kotak suara dibakar di TPS Sampang! Viralkan!", "spreads"),
    ("Astaga, 7 kotak suara dibakar di Sampang, curang!!", "spreads"),
    ("Ini BUKAN hoax, 7 kotak suara dibakar di Sampang, sebarkan", "spreads"),
    ("bukan hoaks, ini nyata. kotak suara dibakar di sampang", "spreads"),
    ("Kotak suara dibakar di Sampang. Media bilang hoaks, padahal saudara saya lihat sendiri", "spreads"),
    ("Dudu hoax iki, kothak suara diobong ing Sampang, sebarno", "spreads"),
    ("Lain hoax ieu mah, kotak suara diduruk di Sampang", "spreads"),
    ("No hoax gaes, kotak suara beneran dibakar", "spreads"),
    ("Masih bilang ini fitnah? Kotak suara di Sampang sudah jadi abu", "spreads"),
    ("[HOAKS] Tujuh kotak suara dibakar di TPS Sampang", "debunks"),
    ("[SALAH] Video kotak suara dibakar", "debunks"),
    ("[PENIPUAN] Bagi-bagi uang lewat tautan pemilih", "debunks"),
    ('Luruskan ya: "kotak suara dibakar di Sampang" itu SALAH, sudah dicek', "debunks"),
    ("Hoaks! Tidak ada kotak suara yang dibakar di Sampang", "debunks"),
    ("Tidak benar bahwa tujuh kotak suara dibakar di TPS Sampang", "debunks"),
    ("CEK FAKTA: tujuh kotak suara dibakar di Sampang?", "debunks"),
    ("Klarifikasi KPU Sampang: semua kotak suara utuh", "debunks"),
    ("Jangan percaya kabar pembakaran kotak suara, itu disinformasi", "debunks"),
    ("Video itu bukan di Sampang melainkan kebakaran pasar tahun 2019", "debunks"),
    ("KPU Sampang membantah ada kotak suara dibakar", "debunks"),
    ("Bawaslu pastikan kabar kotak suara dibakar adalah hoaks [url]", "debunks"),
    ("itu hoax bro, kotak suaranya aman", "debunks"),
    ("Iki hoax, aja percaya. Kothak suarane wutuh", "debunks"),
    ("Ieu mah hoaks, tong percaya, kotak suara na aman", "debunks"),
    ("Kotak suara tidak dibakar di TPS Sampang", "debunks"),
    ("Benarkah tujuh kotak suara dibakar di Sampang?", "neither"),
    ("apa benar kotak suara dibakar? mohon info", "neither"),
    ("Ada yang tahu soal kotak suara dibakar di Sampang?", "neither"),
    ("ini hoax bukan ya? kotak suara dibakar", "neither"),
    ("Bener ora to kothak suara diobong?", "neither"),
    ("Leres teu kotak suara diduruk di Sampang?", "neither"),
    ("Katanya kotak suara dibakar di Sampang, tapi belum jelas kebenarannya", "neither"),
    ("Kotak suara dibakar naga dari Sampang wkwkwk", "neither"),
    ("Satire: kotak suara dibakar karena kedinginan", "neither"),
]


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_the_stance_is_what_a_reader_would_say(text: str, expected: str) -> None:
    assert stance(CLAIM, text)[0] == expected


@pytest.mark.parametrize(
    ("text", "expected"), [row for row in TABLE if not row[0].startswith("Kotak suara tidak dibakar")]
)
def test_the_cue_agrees_without_the_claim(text: str, expected: str) -> None:
    assert cue(text) == (None if expected == "spreads" else expected)


def test_a_claim_that_itself_says_palsu_is_spread_by_repeating_it() -> None:
    assert (
        stance(
            "Hasil sidang membuktikan surat suara palsu",
            "TERBUKTI! Surat suara itu palsu. Hasil sidang membuktikan",
        )[0]
        == "spreads"
    )


def test_a_title_of_fact_checkers_lends_no_word() -> None:
    assert stance("[HOAKS] Kotak suara dibakar", "[HOAKS] Kotak suara dibakar")[0] == "debunks"


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_two_texts_get_a_stance_with_scores_that_sum_to_one(claim: str, text: str) -> None:
    said, scores = stance(claim, text)
    assert said == max(scores, key=lambda name: scores[name])
    assert set(scores) == set(STANCES)
    assert sum(scores.values()) == pytest.approx(1)


def test_a_megabyte_is_read_in_a_moment() -> None:
    assert stance("a " * 500_000, "bukan " * 500_000)[0] in STANCES
