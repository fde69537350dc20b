from classifier.labels import LABEL_DEFINITIONS, LABELS, TARGET_DEFINITIONS, TARGETS


def test_every_label_and_target_is_defined_in_one_sentence() -> None:
    assert tuple(LABEL_DEFINITIONS) == LABELS
    assert tuple(TARGET_DEFINITIONS) == TARGETS
    for text in (*LABEL_DEFINITIONS.values(), *TARGET_DEFINITIONS.values()):
        assert text.endswith(".")
        assert ". " not in text
