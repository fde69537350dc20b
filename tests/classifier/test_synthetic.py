"""Texts made for training are the same each time, and what is said of a group is labelled alike whichever group it is."""

from collections import defaultdict

from classifier.labels import LABELS, TARGETS
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
