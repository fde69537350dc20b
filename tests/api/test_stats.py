"""Counts that can be trusted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.contracts import pack
from pipeline.ports import Record
from pipeline.topology import POSTS_RAW
from tests.api.conftest import World
from tests.api.small_store import NOW, post


def test_posts_still_on_the_log_show_as_lag(world: World) -> None:
    world.broker.publish([Record(POSTS_RAW, pack("post", post(n)), key=b"a") for n in range(3)])
    body = world.client.get("/api/v1/stats").json()
    assert body["conservation"] == {
        "in": 3,
        "indexed": 0,
        "duplicate": 0,
        "dead": 0,
        "discarded": 0,
        "lag": 3,
        "balanced": True,
    }
    assert body["stages"]["judge"][POSTS_RAW] == {"logged": 3, "lag": 3, "outcomes": {}}


def test_stats_count_alerts_by_rule_and_status(world: World) -> None:
    body = world.client.get("/api/v1/stats").json()
    assert body["alerts"] == {"by_rule": {"hoax": 9, "hate": 8, "provocation": 8}, "by_status": {"new": 25}}
    assert (body["posts"], body["claims"], body["gaps"], body["labels"]) == (46, 2, 2, {"hoax": 45})


def test_the_timeline_holds_every_post_of_its_stretch_once(world: World) -> None:
    body = world.client.get("/api/v1/stats/timeline").json()
    assert sum(point["count"] for point in body["points"]) == 46
    assert {point["value"] for point in body["points"]} == {None}
    assert body["until"] == "2024-11-24T10:00:00Z"


def test_a_split_by_region_counts_provinces_not_their_cities_again(world: World) -> None:
    points = world.client.get("/api/v1/stats/timeline", params={"split": "region"}).json()["points"]
    assert {p["value"] for p in points} == {"32", "35"}
    assert sum(p["count"] for p in points) == 46


@pytest.mark.parametrize("split", ["label", "platform", "region"])
def test_alerts_have_a_timeline_too(world: World, split: str) -> None:
    params = {"of": "alerts", "interval": "day", "split": split}
    assert world.client.get("/api/v1/stats/timeline", params=params).json()["points"]


def test_too_long_a_timeline_is_refused(world: World) -> None:
    since = (NOW - timedelta(days=3000)).isoformat()
    answer = world.client.get("/api/v1/stats/timeline", params={"since": since})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "interval"


def test_a_house_without_posts_has_an_empty_timeline(empty: World) -> None:
    body = empty.client.get("/api/v1/stats/timeline").json()
    assert body["points"] == []
    assert body["until"] == "2024-11-24T10:00:00Z"


def test_metrics_tell_where_posts_went_and_how_long_requests_took(world: World) -> None:
    world.client.get("/api/v1/alerts/a0000")
    world.client.get("/api/v1/alerts/nothing")
    text = world.client.get("/metrics").text
    assert 'jaga_posts{door="in"} 0.0' in text
    assert "jaga_lag_messages 0.0" in text
    assert 'jaga_alerts{rule="hoax",status="new"} 9.0' in text
    assert 'jaga_sources{state="broken"} 1.0' in text
    assert 'jaga_sources{state="off"} 0.0' in text
    assert "jaga_open_gaps 1.0" in text
    assert "jaga_store_up 1.0" in text
    assert 'jaga_http_requests_total{method="GET",route="/api/v1/alerts/{alert_id}",status="404"} 1.0' in text
    assert "nothing" not in text
