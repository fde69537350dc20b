"""Which claim a post tells, and which it only looks like."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.claims import ClaimIndex, ClaimText
from classifier.engine import Classifier

CLAIMS = [
    ClaimText("sampang", "Tujuh kotak suara dibakar warga di TPS Sampang", date(2024, 11, 20)),
    ClaimText("tinta", "Tinta pemilu bisa dihapus dengan pasta gigi sehingga bisa mencoblos dua kali"),
    ClaimText("kartu", "KTP digital menggantikan undangan mencoblos mulai pilkada 2024"),
    ClaimText("tutup", "TPS di Kupang tutup jam 10 pagi"),
    ClaimText("tka", "10.000 pekerja asing masuk daftar pemilih di Morowali"),
    ClaimText("vaksin", "Petugas KPPS wajib vaksin ulang sebelum hari pencoblosan"),
    ClaimText("gempa", "Gempa besar akan terjadi di Bandung pada hari pemungutan suara"),
]


@pytest.fixture(scope="module")
def index(shipped: Classifier) -> ClaimIndex:
    return ClaimIndex.build(CLAIMS, shipped.embed)


def best(index: ClaimIndex, shipped: Classifier, text: str) -> tuple[str, str]:
    match = index.search([text], shipped.embed([text]), k=1)[0][0]
    return match.claim_id, shipped.claim_decision(match.score)


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("Viralkan!! Tujuh kotak suara dibakar warga di TPS Sampang", "sampang"),
        ("WASPADA tinta pemilu bisa dihapus pakai pasta gigi jadi bisa mencoblos dua kali", "tinta"),
        (
            "info dari grup sebelah: gempa besar akan terjadi di Bandung pas hari pemungutan suara, hati2",
            "gempa",
        ),
        ("10.000 pekerja asing masuk daftar pemilih di Morowali!!! bangun bangsaku", "tka"),
    ],
)
def test_a_copy_or_rewording_is_matched_with_confidence(
    index: ClaimIndex, shipped: Classifier, text: str, claim: str
) -> None:
    assert best(index, shipped, text) == (claim, "yes")


@pytest.mark.parametrize(
    "text",
    [
        "Tujuh kotak suara dibakar warga di TPS Nabire",  # another place
        "TPS di Kupang tutup jam 13 siang",  # another number
        "Tinta pemilu tidak bisa dihapus dengan pasta gigi",  # the opposite
    ],
)
def test_a_near_miss_is_not_matched_with_confidence(index: ClaimIndex, shipped: Classifier, text: str) -> None:
    assert best(index, shipped, text)[1] != "yes"


@pytest.mark.parametrize(
    "text", ["Selamat pagi, sarapan apa hari ini?", "Antrean di TPS tertib", "pasta gigi lagi diskon nih"]
)
def test_ordinary_talk_matches_no_claim(index: ClaimIndex, shipped: Classifier, text: str) -> None:
    assert best(index, shipped, text)[1] == "no"


def test_claims_added_later_answer_like_claims_built_at_once(shipped: Classifier, index: ClaimIndex) -> None:
    grown = ClaimIndex.build(CLAIMS[:2], shipped.embed)
    for claim in CLAIMS[2:]:
        grown.add([claim])
    texts = [claim.text for claim in CLAIMS] + ["apa saja"]
    assert grown.search(texts, shipped.embed(texts)) == index.search(texts, shipped.embed(texts))


def test_a_batch_answers_as_one_by_one_and_best_comes_first(shipped: Classifier, index: ClaimIndex) -> None:
    texts = [claim.text for claim in CLAIMS]
    together = index.search(texts, shipped.embed(texts), k=3)
    assert [row[0].claim_id for row in together] == [claim.id for claim in CLAIMS]
    for text, row in zip(texts, together, strict=True):
        assert row == index.search([text], shipped.embed([text]), k=3)[0]
        assert [m.score for m in row] == sorted((m.score for m in row), reverse=True)
        assert all(0 <= m.score <= 1 and 0 <= m.lexical <= 1 for m in row)


def test_an_id_given_twice_is_refused(shipped: Classifier) -> None:
    with pytest.raises(ValueError, match="sampang"):
        ClaimIndex.build([CLAIMS[0], CLAIMS[0]], shipped.embed)


def test_nothing_to_search_gives_empty_answers(shipped: Classifier, index: ClaimIndex) -> None:
    assert index.search([], np.zeros((0, shipped.dim), dtype=np.float32)) == []
    assert index.search([""], np.zeros((1, shipped.dim), dtype=np.float32)) == [[]]
    empty = ClaimIndex.build([], shipped.embed)
    assert empty.search(["halo"], np.zeros((1, shipped.dim), dtype=np.float32)) == [[]]


def flat(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    return np.full((len(texts), 4), 0.5, dtype=np.float32)


@given(st.text(max_size=200))
def test_any_text_can_be_searched(text: str) -> None:
    found = ClaimIndex.build(CLAIMS, flat).search([text], flat([text]))[0]
    assert len(found) <= len(CLAIMS)
    assert all(0 <= match.score <= 1 for match in found)
