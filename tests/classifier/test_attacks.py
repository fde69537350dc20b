"""The disguises are what they say, and the same whenever they are made."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.attacks import COMMON, KINDS, attack, halves, read_respellings
from classifier.text import clean

TEXT = "Jangan rusak kotak suara di TPS karena itu hak semua orang @user [url]"


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_changes_the_text_and_leaves_handles_and_placeholders(kind: str) -> None:
    for seed in range(20):
        disguised = attack(TEXT, kind, seed)
        assert disguised != TEXT
        assert disguised.endswith("@user [url]")


@pytest.mark.parametrize("kind", KINDS)
def test_a_disguise_is_the_same_in_another_process(kind: str) -> None:
    code = (
        "import sys; from classifier.attacks import attack; sys.stdout.buffer.write(attack(*sys.argv[1:3], 7).encode())"
    )
    ran = subprocess.run([sys.executable, "-c", code, TEXT, kind], capture_output=True, check=True)
    assert ran.stdout.decode() == attack(TEXT, kind, 7)
    assert len({attack(TEXT, kind, seed) for seed in range(20)}) > 1


@given(st.text(max_size=80), st.sampled_from(KINDS), st.integers(0, 5))
def test_any_text_can_be_attacked(text: str, kind: str, seed: int) -> None:
    assert attack(text, kind, seed) == attack(text, kind, seed)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", "  ", "123 !!", "@user [url]"])
def test_a_text_without_words_comes_back_as_it_is(text: str, kind: str) -> None:
    assert attack(text, kind, 0) == text


def test_invisible_characters_change_nothing_that_can_be_seen() -> None:
    assert clean(attack(TEXT, "zero_width", 3)) == clean(TEXT)


@pytest.mark.parametrize("kind", ["leet", "homoglyph"])
def test_replaced_letters_keep_the_length(kind: str) -> None:
    assert len(attack(TEXT, kind, 3)) == len(TEXT)


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(ValueError, match="abacus"):
        attack(TEXT, "abacus", 0)


def test_slang_comes_from_the_lexicons_given(tmp_path: Path) -> None:
    (tmp_path / "lexicon").mkdir()
    (tmp_path / "lexicon/mini.csv").write_text("slang,formal\nrusuk,rusak\nyg,yang\ndua kata,satu\n", encoding="utf-8")
    known = read_respellings(tmp_path)
    assert known["rusak"] == ("rusuk",)
    assert known["tidak"] == COMMON["tidak"]
    assert "rusuk" in attack("rusak", "slang", 0, known)


def test_spellings_kept_back_are_none_of_those_trained_on() -> None:
    trained, kept_back = halves(COMMON)
    assert not {word for words in trained.values() for word in words} & {
        word for words in kept_back.values() for word in words
    }
    assert {word for part in (trained, kept_back) for words in part.values() for word in words} == {
        word for words in COMMON.values() for word in words
    }
    assert trained
    assert kept_back


def test_a_lexicon_without_its_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="lexicon"):
        read_respellings(tmp_path)
    (tmp_path / "lexicon").mkdir()
    (tmp_path / "lexicon/mini.csv").write_text("slang,baku\na,b\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"mini\.csv: column formal"):
        read_respellings(tmp_path)
