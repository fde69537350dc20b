"""How well each source is seen, told honestly."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from pipeline.documents import heartbeat_write
from tests.api.conftest import World
from tests.api.small_store import NOW, TOKEN, Listed, StandingClock, beat, open_small, put_all


def test_the_worst_seen_source_comes_first(world: World) -> None:
    body = world.client.get("/api/v1/coverage").json()
    assert [(one["source"], one["state"]) for one in body["items"]] == [
        ("lama", "dead"),
        ("saluran", "broken"),
        ("forum-kota", "late"),
        ("kabarwarga", "healthy"),
    ]
    assert body["sums"] == {
        "states": {"dead": 1, "broken": 1, "late": 1, "healthy": 1},
        "open_gaps": 1,
        "newest_post_at": "2024-11-24T09:22:00Z",
    }
    assert body["items"][3]["posts_per_visit"] == 1.5
    assert body["items"][1]["heartbeat"]["open_gaps"] == [{"began_at": "2024-11-24T04:30:00Z", "cause": "HTTP 503"}]


def test_what_was_healthy_becomes_late_when_nobody_visits_it_any_more(world: World) -> None:
    world.clock.at = NOW + timedelta(hours=3)
    states = {one["source"]: one["state"] for one in world.client.get("/api/v1/coverage").json()["items"]}
    assert states["kabarwarga"] == "late"


def test_pages_hold_every_source_once(world: World) -> None:
    put_all(world.store, [heartbeat_write(beat(f"s{n:03}")) for n in range(50)])
    found: list[str] = []
    cursor = None
    while True:
        params = {"limit": "7"} | ({"cursor": cursor} if cursor else {})
        body = world.client.get("/api/v1/coverage", params=params).json()
        found += [one["source"] for one in body["items"]]
        if (cursor := body["next"]) is None:
            break
    assert len(found) == len(set(found)) == 54


def test_a_cursor_of_another_question_is_refused(world: World) -> None:
    cursor = world.client.get("/api/v1/coverage", params={"limit": 1}).json()["next"]
    for other in ({"state": "late", "cursor": cursor}, {"cursor": "x"}):
        answer = world.client.get("/api/v1/coverage", params=other)
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "cursor")
    assert world.client.get("/api/v1/gaps", params={"cursor": cursor}).status_code == 400


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({"state": "broken"}, ["saluran"]),
        ({"state": ["late", "dead"]}, ["lama", "forum-kota"]),
        ({"kind": "telegram"}, []),
    ],
)
def test_sources_are_found_by_state_and_kind(world: World, params: dict[str, Any], wanted: list[str]) -> None:
    body = world.client.get("/api/v1/coverage", params=params).json()
    assert [one["source"] for one in body["items"]] == wanted
    assert body["sums"]["states"]["healthy"] == 1


def test_an_unknown_state_is_named(world: World) -> None:
    answer = world.client.get("/api/v1/coverage", params={"state": "bagus"})
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "state")


def test_nothing_new_costs_no_body(world: World) -> None:
    for path in ("/api/v1/coverage", "/api/v1/coverage/saluran"):
        etag = world.client.get(path).headers["etag"]
        assert world.client.get(path, headers={"If-None-Match": etag}).status_code == 304
        assert world.stranger.get(path).status_code == 401


def test_one_source_is_shown_with_its_gaps(world: World) -> None:
    body = world.client.get("/api/v1/coverage/kabarwarga").json()
    assert (body["name"], body["state"]) == ("Kabar kabarwarga", "healthy")
    assert [gap["cause"] for gap in body["gaps"]] == ["503"]


@pytest.mark.parametrize("name", ["tidak-ada", "x" * 500, "é" * 300])
def test_a_source_that_nobody_knows_is_not_found(world: World, name: str) -> None:
    answer = world.client.get(f"/api/v1/coverage/{name}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:jaga:problem:not-found")


def test_sources_that_are_off_or_were_never_visited_are_told_from_dead_ones(tmp_path: Path) -> None:
    settings, store, broker = open_small(tmp_path)
    listed = Listed()
    put_all(store, [heartbeat_write(beat("kabarwarga")), heartbeat_write(beat("mati-lampu", 60 * 24 * 9))])
    app = create_app(settings, store, broker, StandingClock(), sources=listed)
    client = TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"})
    items = client.get("/api/v1/coverage").json()["items"]
    assert [(one["source"], one["state"]) for one in items] == [
        ("saluran", "waiting"),
        ("kabarwarga", "healthy"),
        ("mati-lampu", "off"),
    ]
    assert (items[0]["name"], items[0]["heartbeat"], items[0]["posts_per_visit"]) == ("Daftar saluran", None, None)
    assert client.get("/api/v1/coverage/saluran").json()["state"] == "waiting"
    listed.broken = True
    assert {one["source"] for one in client.get("/api/v1/coverage").json()["items"]} == {"kabarwarga", "mati-lampu"}
    store.close()
    broker.close()
