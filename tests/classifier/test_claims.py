"""Which claim a post tells, and which it only looks like."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.claim_vectors import CLAIMS as CLAIMS_FILE
from classifier.claim_vectors import VECTORS, ClaimVectors, plain
from classifier.claims import ClaimIndex, ClaimText
from classifier.manifest import SHIPPED, ModelError

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
def vectors() -> ClaimVectors:
    return ClaimVectors.load()


@pytest.fixture(scope="module")
def index(vectors: ClaimVectors) -> ClaimIndex:
    return ClaimIndex.build(CLAIMS, vectors)


def best(index: ClaimIndex, vectors: ClaimVectors, text: str) -> tuple[str, str]:
    match = index.search([text], k=1)[0][0]
    return match.claim_id, vectors.decide(match.score)


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
    index: ClaimIndex, vectors: ClaimVectors, text: str, claim: str
) -> None:
    assert best(index, vectors, text) == (claim, "yes")


@pytest.mark.parametrize(
    "text",
    [
        "Tujuh kotak suara dibakar warga di TPS Nabire",  # another place
        "TPS di Kupang tutup jam 13 siang",  # another number
        "Tinta pemilu tidak bisa dihapus dengan pasta gigi",  # the opposite
    ],
)
def test_a_near_miss_is_not_matched_with_confidence(index: ClaimIndex, vectors: ClaimVectors, text: str) -> None:
    assert best(index, vectors, text)[1] != "yes"


@pytest.mark.parametrize(
    "text", ["Selamat pagi, sarapan apa hari ini?", "Antrean di TPS tertib", "pasta gigi lagi diskon nih"]
)
def test_ordinary_talk_matches_no_claim(index: ClaimIndex, vectors: ClaimVectors, text: str) -> None:
    assert best(index, vectors, text)[1] == "no"


def test_claims_added_later_answer_like_claims_built_at_once(vectors: ClaimVectors, index: ClaimIndex) -> None:
    grown = ClaimIndex.build(CLAIMS[:2], vectors)
    for claim in CLAIMS[2:]:
        grown.add([claim])
    texts = [claim.text for claim in CLAIMS] + ["apa saja"]
    assert grown.search(texts) == index.search(texts)


def test_a_batch_answers_as_one_by_one_and_best_comes_first(vectors: ClaimVectors, index: ClaimIndex) -> None:
    texts = [claim.text for claim in CLAIMS]
    together = index.search(texts, k=3)
    assert [row[0].claim_id for row in together] == [claim.id for claim in CLAIMS]
    for text, row in zip(texts, together, strict=True):
        assert row == index.search([text], k=3)[0]
        assert [m.score for m in row] == sorted((m.score for m in row), reverse=True)
        assert all(0 <= m.score <= 1 and 0 <= m.lexical <= 1 for m in row)


def test_an_id_given_twice_is_refused(vectors: ClaimVectors) -> None:
    with pytest.raises(ValueError, match="sampang"):
        ClaimIndex.build([CLAIMS[0], CLAIMS[0]], vectors)


def test_nothing_to_search_gives_empty_answers(vectors: ClaimVectors, index: ClaimIndex) -> None:
    assert index.search([]) == []
    assert index.search([""]) == [[]]
    empty = ClaimIndex.build([], vectors)
    assert empty.search(["halo"]) == [[]]


@given(text=st.text(max_size=200))
def test_any_text_can_be_searched(index: ClaimIndex, text: str) -> None:
    found = index.search([text])[0]
    assert len(found) <= len(CLAIMS)
    assert all(0 <= match.score <= 1 for match in found)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("B4W4SLU t4ngkap k3tua", "bawaslu tangkap ketua"),
        ("hadiah 50jt untuk 100 orang, covid19", "hadiah 50jt untuk 100 orang, covid19"),
    ],
)
def test_digits_that_stand_for_letters_are_read_as_letters_and_figures_stay(text: str, read: str) -> None:
    assert plain(text) == read


def test_a_vector_does_not_depend_on_its_neighbours(vectors: ClaimVectors) -> None:
    texts = [claim.text for claim in CLAIMS] + ["", "x" * 5_000]
    together = vectors.embed(vectors.pieces(texts))
    for text, row in zip(texts, together, strict=True):
        assert np.array_equal(row, vectors.embed(vectors.pieces([text]))[0])
    assert not together[len(CLAIMS)].any()


@pytest.mark.parametrize(
    ("name", "break_it", "said"),
    [
        (CLAIMS_FILE, lambda path: path.unlink(), "cannot be read"),
        (CLAIMS_FILE, lambda path: path.write_text("{", encoding="utf-8"), "field missing or wrong"),
        (CLAIMS_FILE, lambda path: path.write_text("{}", encoding="utf-8"), "field missing or wrong"),
        (VECTORS, lambda path: path.write_bytes(path.read_bytes()[:-100]), "cut or changed"),
        ("tokenizer.json", lambda path: path.write_text("{}", encoding="utf-8"), "cut or changed"),
    ],
)
def test_a_missing_cut_or_foreign_file_is_named(
    tmp_path: Path, name: str, break_it: Callable[[Path], object], said: str
) -> None:
    for one in (CLAIMS_FILE, VECTORS, "tokenizer.json"):
        shutil.copy(SHIPPED / one, tmp_path / one)
    break_it(tmp_path / name)
    with pytest.raises(ModelError, match=said) as told:
        ClaimVectors.load(tmp_path)
    assert name in str(told.value)


# A post, and a claim of the same kind that it does not tell: another place, number, hour, or the opposite. All invented.
NEAR_MISSES = [
    ("Gudang logistik KPU {} terbakar dini hari tadi", "Kupang", "Manado"),
    ("Ribuan surat suara tercoblos ditemukan di kantor kelurahan di {}", "Garut", "Palu"),
    ("Kotak suara dari {} hilang di jalan saat dibawa ke gudang", "Sampang", "Biak"),
    ("Warga {} dilarang mencoblos bila belum bayar pajak", "Cirebon", "Ambon"),
    ("Kabel listrik ke TPS di {} sengaja diputus saat penghitungan", "Jember", "Kendari"),
    ("Saksi pasangan calon di {} dipukuli petugas TPS", "Blitar", "Sorong"),
    ("Rumah ketua KPU {} digeledah polisi karena suap", "Medan", "Ternate"),
    ("Kapal pembawa logistik pilkada ke {} tenggelam", "Nunukan", "Flores"),
    ("Ada {} pemilih hantu dalam daftar pemilih", "5.000", "12.000"),
    ("Pemerintah mencetak {} juta surat suara lebih dari jumlah pemilih", "7", "30"),
    ("Bansos {} ribu dibagikan kepada yang memilih calon petahana", "300", "750"),
    ("Sebanyak {} petugas KPPS meninggal karena diracun", "40", "900"),
    ("Denda {} juta bagi warga yang golput", "36", "2"),
    ("Pemilih di atas {} tahun tidak boleh mencoblos", "60", "75"),
    ("TPS di seluruh kota tutup jam {} siang", "11", "13"),
    ("Pencoblosan diundur ke tanggal {} karena banjir", "27", "30"),
    ("Internet dimatikan mulai jam {} saat penghitungan suara", "4", "9"),
    ("Pendaftaran saksi ditutup tanggal {} tanpa pengumuman", "3", "19"),
    ("Undangan memilih {} dipakai tanpa KTP", "bisa", "tidak bisa"),
    ("Petugas KPPS {} menerima vaksin sebelum bertugas", "wajib", "tidak wajib"),
    ("Penghitungan ulang suara {} dilakukan di semua TPS", "akan", "tidak akan"),
    ("Hasil hitung cepat {} diumumkan hari ini", "boleh", "tidak boleh"),
]
"""A sentence, what the post says in it, and what the claim says."""

PAIRS = [
    (sentence.format(mine), sentence.format(other), opening)
    for sentence, mine, other in NEAR_MISSES
    for opening in ("", "Viralkan!! ", "info dari grup sebelah: ")
]


@pytest.mark.parametrize(("told", "claimed", "opening"), PAIRS)
def test_another_place_number_or_denial_is_another_claim(
    vectors: ClaimVectors, told: str, claimed: str, opening: str
) -> None:
    index = ClaimIndex.build([ClaimText("own", told), ClaimText("other", claimed)], vectors)
    found = index.search([opening + told])[0]
    assert (found[0].claim_id, vectors.decide(found[0].score)) == ("own", "yes")
    other = ClaimIndex.build([ClaimText("other", claimed)], vectors).search([opening + told])[0][0]
    assert vectors.decide(other.score) != "yes"
