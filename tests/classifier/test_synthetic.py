"""Texts made for training are the same each time, and what is said of a group is labelled alike whichever group it is."""

import math
import re
from collections import defaultdict

from classifier import datasets
from classifier.labels import HEADS, LABELS, TARGETS
from classifier.synthetic import GROUPS, OTHER_SLOTS, made
from classifier.tables import OURS, rows


def test_made_texts_are_the_same_for_the_same_seed() -> None:
    assert list(made(2, seed=3)) == list(made(2, seed=3)) != list(made(2, seed=4))


def test_every_pattern_names_known_slots_and_a_known_label() -> None:
    for row in rows(OURS / "patterns.csv"):
        assert row["label"] in ("", *LABELS, "hate+provocation")
        slots = {part.split("}")[0] for part in row["pattern"].split("{")[1:]}
        assert slots <= {"G", "Y", *OTHER_SLOTS}


def test_no_text_keeps_an_open_slot_and_only_hate_names_targets() -> None:
    for one in made(3, seed=1):
        assert "{" not in one.text
        assert not one.targets or "hate" in one.labels
        assert set(one.targets) <= set(TARGETS)


def test_a_reply_begins_with_those_it_answers_and_nothing_before() -> None:
    patterns = [row["pattern"] for row in rows(OURS / "patterns.csv") for _ in range(6)]
    replies = [pair for pair in zip(patterns, made(6, seed=2), strict=True) if pair[0].startswith("@user")]
    assert replies
    for pattern, one in replies:
        answered = re.match(r"(@user )+", pattern)
        assert answered
        assert one.text.lower().startswith(answered[0])


def test_no_two_patterns_are_alike() -> None:
    letters = [re.sub(r"\W|@user", "", row["pattern"].lower()) for row in rows(OURS / "patterns.csv")]
    assert len(letters) == len(set(letters))


def test_training_learns_from_questions_and_corrections_that_they_are_no_rumours() -> None:
    told: dict[str, set[float]] = defaultdict(set)
    for row, one in zip(rows(OURS / "patterns.csv"), datasets.made(1), strict=True):
        suspect = one.labels[HEADS.index("suspect")]
        told[row["label"]].add(-1.0 if math.isnan(suspect) else suspect)
    assert told.pop("suspect") == {1.0}
    assert {label for label, values in told.items() if values == {0.0}} == {"", "criticism", "counter_speech"}
    assert {label for label, values in told.items() if values == {-1.0}} == {"hate", "provocation", "hate+provocation"}


def test_a_pattern_s_label_does_not_depend_on_the_group() -> None:
    texts = [
        one
        for one in made(40, seed=5)
        if "selalu bisa bikin suasana" in one.text.lower() or "kayak hama" in one.text.lower()
    ]
    seen: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for one in texts:
        seen["hama" if "hama" in one.text.lower() else "hangat"].add(one.labels)
    assert seen == {"hama": {("hate",)}, "hangat": {()}}
    assert set(GROUPS) < set(TARGETS)
