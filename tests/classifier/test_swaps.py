"""A swap puts someone else into the same sentence, and nothing more."""

import pytest

from classifier.swaps import CLASSES, KINDS, names_in, swaps


def test_every_kind_is_swapped_by_its_like() -> None:
    text = "Orang Batak dan umat Kristen memilih Golkar kata pak Wirangga"
    found = {swap.kind: swap for swap in swaps(text, 1, names=["wirangga", "satyapala"])}
    assert tuple(found) == KINDS
    assert found["candidate"].text == text.replace("Wirangga", "Satyapala")
    for swap in found.values():
        assert swap.after not in text.lower()
        assert swap.text.lower() == text.lower().replace(swap.before, swap.after)


def test_every_occurrence_is_swapped_in_its_own_case() -> None:
    (swap,) = swaps("BATAK itu batak, Batak!", 3)
    after = swap.after
    assert swap.text == f"{after.upper()} itu {after}, {after.capitalize()}!"


def test_swaps_are_the_same_for_the_same_seed_and_differ_between_seeds() -> None:
    text = "masjid dan orang Sunda"
    assert swaps(text, 5) == swaps(text, 5)
    assert len({swap.text for seed in range(20) for swap in swaps(text, seed)}) > 4


@pytest.mark.parametrize(
    "text", ["Pantai di Jawa Timur", "lagu islamiah", "#batak", "gula Jawa", "", "makan di pan besar"]
)
def test_places_tags_and_longer_words_are_left_alone(text: str) -> None:
    assert swaps(text, 0) == []


def test_no_word_is_in_two_classes() -> None:
    words = [word for _, members in CLASSES for word in members]
    assert len(words) == len(set(words))


def test_two_names_of_one_people_are_no_swap() -> None:
    assert all(swap.after not in {"china", "tionghoa"} for seed in range(30) for swap in swaps("orang cina", seed))


def test_names_are_found_by_the_titles_before_them() -> None:
    texts = [
        "kata pak Wirangga begitu",
        "Pak Wirangga dan pak camat",
        "pak camat datang",
        "Pak Polisi",
        "pak polisi",
    ] * 3
    assert names_in(texts, at_least=5) == ["wirangga"]
    assert names_in(texts, known_words=["Wirangga"], at_least=5) == []
