"""Judging again: the difference is shown before anything changes, a promotion can be taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.documents import judged_of
from pipeline.ports import Filter
from pipeline.rerun import NoSuchRun, Selection, find_run, promote, rerun, undo
from tests.pipeline.house import AT, TestHouse, a_post
from tests.scorer import WordScorer


class OtherScorer(WordScorer):
    """Takes `rusak`, not `bakar`, for provocation."""

    model = "words-2"


def other() -> OtherScorer:
    return OtherScorer(provoking="rusak")


@pytest.fixture
def judged(house: TestHouse) -> TestHouse:
    house.publish(
        *(a_post(f"b{n}", "ayo bakar kantor kecamatan malam ini juga kawan", author=f"x{n}") for n in range(3))
    )
    house.publish(
        *(a_post(f"r{n}", "mari rusak semua kotak suara di kampung sebelah", author=f"y{n}") for n in range(4))
    )
    house.publish(a_post("o1", "selamat pagi semua"))
    house.drain()
    return house


def told(house: TestHouse, status: str = "new") -> set[tuple[str, int]]:
    return {(alert.headline.split()[1], alert.posts) for alert in house.alerts(status)}


def test_a_run_prints_what_would_change_and_changes_nothing(judged: TestHouse) -> None:
    before = judged.alerts()
    documents = {h.id: h.document for h in judged.store.scan("posts", Filter())}
    report = rerun(judged.store, other(), judged.clock, judged.thresholds, Selection(), run="r1")["report"]
    assert report["changed"] == 7
    assert {(f["label"], f["platform"], f["from"], f["to"], f["posts"]) for f in report["flips"]} == {
        ("provocation", "mastodon", "yes", "no", 3),
        ("provocation", "mastodon", "no", "yes", 4),
    }
    assert [one["text"].split()[1] for one in report["appear"]] == ["rusak"]
    assert [one["text"].split()[1] for one in report["vanish"]] == ["bakar"]
    judged.drain()
    assert judged.alerts() == before
    assert {h.id: h.document for h in judged.store.scan("posts", Filter())} == documents


def test_the_new_verdicts_lie_beside_the_old(judged: TestHouse) -> None:
    rerun(judged.store, other(), judged.clock, judged.thresholds, Selection(), run="r1")
    judged.store.refresh()
    for hit in judged.store.scan("posts", Filter()):
        models = {v.document["model"] for v in judged.store.scan("verdicts", Filter(equals={"post_id": [hit.id]}))}
        assert models == {"words-1", "words-2"}


def test_promoting_a_run_changes_the_alerts_and_undoing_it_brings_them_back(judged: TestHouse) -> None:
    assert told(judged) == {("bakar", 3)}
    rerun(judged.store, other(), judged.clock, judged.thresholds, Selection(), run="r1")
    assert promote(judged.store, judged.broker, "r1", judged.clock) == 8
    judged.drain()
    assert told(judged) == {("rusak", 4)}
    assert told(judged, "withdrawn") == {("bakar", 3)}
    assert {judged_of(h.document).verdict.model for h in judged.store.scan("posts", Filter())} == {"words-2"}
    assert undo(judged.store, judged.broker, "r1", judged.clock) == 8
    judged.drain()
    assert told(judged) == {("bakar", 3)}
    assert {judged_of(h.document).verdict.model for h in judged.store.scan("posts", Filter())} == {"words-1"}


def test_a_promotion_leaves_posts_edited_since_the_run_alone(judged: TestHouse) -> None:
    rerun(judged.store, other(), judged.clock, judged.thresholds, Selection(), run="r1")
    judged.publish(a_post("r0", "isi yang lain sama sekali", fetched_at=AT + timedelta(hours=1)))
    judged.drain()
    assert promote(judged.store, judged.broker, "r1", judged.clock) == 7


def test_only_posts_since_the_time_named_are_judged_again(judged: TestHouse) -> None:
    judged.publish(a_post("n1", "pesan dari besok", published_at=AT + timedelta(days=1)))
    judged.drain()
    document = rerun(
        judged.store, other(), judged.clock, judged.thresholds, Selection(since=AT + timedelta(hours=1)), run="r2"
    )
    assert document["posts"] == 1


def test_a_run_must_be_there_and_finished_to_be_promoted(judged: TestHouse) -> None:
    with pytest.raises(NoSuchRun):
        promote(judged.store, judged.broker, "r9", judged.clock)
    rerun(judged.store, other(), judged.clock, judged.thresholds, Selection(), run="r1")
    with pytest.raises(NoSuchRun, match="needs to be promoted"):
        undo(judged.store, judged.broker, "r1", judged.clock)
    promote(judged.store, judged.broker, "r1", judged.clock)
    assert find_run(judged.store, "r1")["status"] == "promoted"
    with pytest.raises(NoSuchRun, match="is promoted"):
        promote(judged.store, judged.broker, "r1", judged.clock)
