"""The load has in it what the fault runs are about: without this, they could pass by luck."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pipeline.documents import narrative_of
from pipeline.ports import Filter
from pipeline.stages.fingerprint import bands
from tests.faults import load
from tests.faults.result import Result, result_of
from tests.faults.site import publish
from tests.pipeline.house import TestHouse


def test_the_load_is_the_same_each_time() -> None:
    assert load.records() == load.records()
    assert load.small() == load.small()


def test_an_undisturbed_run_gives_every_kind_of_outcome_and_alert(expected: Result) -> None:
    assert min(expected.doors[door] for door in ("indexed", "duplicate", "dead")) >= 10, expected.doors
    assert set(expected.alerts.values()) == {1}
    rules = Counter(rule for rule, _, _, _ in expected.alerts)
    assert rules == {"hoax": load.STORIES, "provocation": 5, "hate": 1}
    assert expected.gaps == 4
    assert expected.claims == load.CLAIM_COUNT


def test_the_texts_meant_to_bridge_two_stories_do() -> None:
    left, middle, right = (set(bands(text)) for text in load.bridge())
    assert left & middle
    assert middle & right
    assert not left & right


def test_stories_are_merged_attached_and_withdrawn_while_the_small_load_runs(tmp_path: Path) -> None:
    house = TestHouse(tmp_path)
    publish(house, load.small())
    house.drain(batch=3)
    result_of(house)
    narratives = [narrative_of(hit.document) for hit in house.store.scan("narratives", Filter())]
    assert any(one.merged_into for one in narratives)
    assert any(one.near for one in narratives)
    assert house.alerts("withdrawn")
    house.close()
