"""What a user may paste, and what the model then reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.text import MAX_CHARS, clean
from tests.pace import cpu_units

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()), max_size=300)


@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(ANY_TEXT)
def test_clean_text_is_short_valid_and_on_one_line(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) <= MAX_CHARS
    assert cleaned == " ".join(cleaned.split())
    cleaned.encode("utf-8")  # no lone surrogate is left
    assert "\x00" not in cleaned
    assert "\u200b" not in cleaned


@given(
    st.lists(
        st.sampled_from(
            [
                "@abc",
                "&amp;",
                "&",
                "amp;",
                "lt;",
                "http://x.y",
                "a",
                "aaa",
                "!!!!",
                "0812",
                "34567890",
                "@",
                "a@b.co",
                ".",
                " ",
                "\ud83d",
                "\ude42",
                "www.",
                "[url]",
                "<",
                "t.me/x",
            ]
        ),
        max_size=14,
    )
)
def test_cleaning_settles_at_once_on_tangled_links_mails_and_entities(parts: list[str]) -> None:
    cleaned = clean("".join(parts))
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("", ""),
        (" \t\r\n ", ""),
        ("\x00\x07\x1b", ""),
        ("\ud800", ""),
        ("\ud83d\ude42", "🙂"),
        ("Sela\u200bmat\u00ad pa\u2060gi", "Selamat pagi"),
        ("ＡＮＪＩＮＧ", "ANJING"),
        ("bangeeeeet", "bangeet"),
        ("tahun 2000 dan 10000", "tahun 2000 dan 10000"),
        ("woy!!!!!!!!", "woy!!!"),
        ("lihat https://contoh.id/a?b=c&d ya", "lihat [url] ya"),
        ("lihat www.contoh.id.", "lihat [url]"),
        ("RT @siti_123: halo @user", "RT @user: halo @user"),
        ("surel: warga@contoh.co.id ya", "surel: [email] ya"),
        ("hubungi 0812-3456-7890", "hubungi [phone]"),
        ("rakyat &amp;amp;lt;3 &quot;damai&quot;", 'rakyat <3 "damai"'),
        ("satu\u2028dua", "satu dua"),
    ],
)
def test_disguises_and_marks_of_person_are_removed(dirty: str, expected: str) -> None:
    assert clean(dirty) == expected


@pytest.mark.parametrize(
    "text", ["x" * 100_000, "😀" * 1_500_000, "@a " * 1_700_000, "&amp;" * 1_000_000, "\ud800" * 5_000_000]
)
def test_a_text_of_megabytes_costs_no_more_than_a_long_post(text: str) -> None:
    with cpu_units() as spent:
        assert len(clean(text)) <= MAX_CHARS
    assert spent() < 2.5
