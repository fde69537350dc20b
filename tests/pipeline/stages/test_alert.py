"""Which narratives alert, and what holds an alert back."""

from __future__ import annotations

import pytest

from pipeline.contracts import Member, Narrative
from pipeline.stages.alert import Thresholds, rule_of
from tests.pipeline.house import AT

THRESHOLDS = Thresholds(posts=2, reach=100, score=0.8)


def member(*labels: str, reach: int = 500) -> Member:
    scores = {label: 0.95 for label in labels if label != "hoax"}
    return Member(
        author="a", platform="mastodon", regions=(), seen_at=AT, reach=reach, labels=labels, scores=scores, model="m", bands=("b",)
    )  # fmt: skip


def story(*members: Member, claim_id: str | None = None) -> Narrative:
    return Narrative(
        id="n1", kind="spreads", claim_id=claim_id, members={str(place): one for place, one in enumerate(members)}
    )


@pytest.mark.parametrize("rule", ["hate", "provocation"])
@pytest.mark.parametrize("protective", ["criticism", "counter_speech"])
def test_criticism_and_counter_speech_hold_an_alert_back_whatever_else_a_post_scores(
    rule: str, protective: str
) -> None:
    assert rule_of(story(member(rule)), THRESHOLDS) == rule
    assert rule_of(story(member(rule, protective)), THRESHOLDS) is None


def test_an_answer_to_a_hoax_that_matches_its_claim_raises_no_alert() -> None:
    assert rule_of(story(member("hoax"), claim_id="k"), THRESHOLDS) == "hoax"
    assert rule_of(story(member("hoax", "counter_speech"), claim_id="k"), THRESHOLDS) is None


def test_criticism_that_spreads_a_hoax_is_still_told_as_the_hoax() -> None:
    assert rule_of(story(member("hoax", "criticism"), claim_id="k"), THRESHOLDS) == "hoax"


@pytest.mark.parametrize("label", ["abusive", "suspect", "criticism", "counter_speech"])
def test_style_alone_never_alerts(label: str) -> None:
    assert rule_of(story(member(label), member(label)), THRESHOLDS) is None
