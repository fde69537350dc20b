"""Unknown words are read as the known ones they stand for; known words, names, numbers and placeholders are left alone."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.engine import Classifier
from classifier.manifest import ModelError
from classifier.reasons import words_of
from classifier.respelling import FREQUENT, KNOWN, Respelling
from classifier.text import clean

WORDS = [
    "pernah",
    "goblok",
    "semua",
    "yang",
    "dihina",
    "kelas",
    "jangan",
    "pemilu",
    "suara",
    "saya",
    "penipu",
    "dibakar",
    "gudang",
    "saat",
    "banget",
    "warga",
    "tangan",
    "adalah",
    "bunuh",
    "artinya",
    "pilih",
    "bohong",
    "negara",
    "kalau",
    "berapa",
    "rakyat",
    "sendiri",
    "saling",
    "orang",
    "ketua",
]
READS = Respelling({**dict.fromkeys(WORDS, 50), "jarang": KNOWN, "bohung": 1})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("prnah liat", "pernah liat"),
        ("gobllookk bangett", "goblok banget"),
        ("GOBLOOK kau", "GOBLOK kau"),
        ("semu4 k3las", "semua kelas"),
        ("semu@ pen!pu", "semua penipu"),
        ("83rapa raky4t", "berapa rakyat"),
        ("ssaya, jangn!", "saya, jangan!"),
        ("sapa sendri", "sapa sendiri"),
        ("artix", "artinya"),
        ("pemiluu", "pemilu"),
        ("bohong bohung", "bohong bohong"),
        ("Nnegara", "Negara"),
    ],
)
def test_a_word_in_haste_or_disguise_is_read_as_the_known_one(written: str, meant: str) -> None:
    assert READS.read(written) == meant


@pytest.mark.parametrize(
    "text",
    [
        "jarang saat",  # known, though another word is near
        "dibina",  # one letter from "dihina", and another matter
        "Prnah",  # a name, as far as we can tell
        "kelas4 kelas 4",  # a number behind a word
        "suara2",
        "negaramu bohongnya dipilih",  # known words with what the language puts around them
        "@user [url] #prnah",
        "5jam s1 4an 17",
        "xyzzy",
        "",
    ],
)
def test_what_is_known_or_no_word_is_left_alone(text: str) -> None:
    assert READS.read(text) == text


@given(st.text(st.sampled_from("abegnopsruky 4@!.$[]#U"), max_size=60))
def test_as_many_words_stand_there_as_before(text: str) -> None:
    cleaned = clean(text)
    assert len(words_of(READS.read(cleaned))) == len(words_of(cleaned))


@given(st.lists(st.sampled_from(WORDS)))
def test_known_words_are_never_touched(words: list[str]) -> None:
    assert READS.read(" ".join(words)) == " ".join(words)


def test_the_words_are_counted_by_text_and_rare_ones_are_not_kept(tmp_path: Path) -> None:
    made = Respelling.of(["Suara suara warga"] * FREQUENT + ["warga sekali"])
    assert made.words == {"suara": FREQUENT, "warga": FREQUENT + 1}
    assert made.read("suaara wrga") == "suara warga"


def test_the_shipped_model_judges_a_word_in_haste_as_the_word(shipped: Classifier) -> None:
    plain, hasty = shipped.judge(["Dasar orang goblok semua", "Dasar orang gobllok semu4"])
    assert hasty.scores == plain.scores


def test_a_damaged_list_of_words_is_told_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "words.tsv").write_text("saya\t9\nkamu\n", encoding="utf-8")
    with pytest.raises(ModelError, match=r"words\.tsv: line 2"):
        Respelling.load(tmp_path / "words.tsv")
