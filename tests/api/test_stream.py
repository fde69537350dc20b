"""Alerts as events, over a real connection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.api.conftest import World
from tests.api.small_store import NOW, TOKEN, alert, put_alert
from tests.browser.live_app import serving

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with serving(world.app) as url:
        yield f"{url}/api/v1/alerts/stream"


def events(lines: Iterator[str], count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    last_id = ""
    for line in lines:
        if line.startswith("id: "):
            last_id = line.removeprefix("id: ")
        elif line.startswith("data: "):
            found.append({"last": last_id, **json.loads(line.removeprefix("data: "))})
            if len(found) == count:
                break
    return found


def test_an_alert_that_opens_and_grows_is_told_both_times(world: World, address: str) -> None:
    with httpx.stream("GET", address, headers=HEADERS, params={"since": NOW.isoformat()}, timeout=20) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert [e["id"] for e in events(lines, 1)] == ["a0000"]
        put_alert(world.store, alert(77, updated_at=NOW + timedelta(seconds=1)))
        assert [(e["id"], e["version"]) for e in events(lines, 1)] == [("a0077", 1)]
        put_alert(world.store, alert(77, updated_at=NOW + timedelta(seconds=2), version=2, posts=9))
        assert [(e["id"], e["version"], e["posts"]) for e in events(lines, 1)] == [("a0077", 2, 9)]


def test_a_reader_who_comes_back_misses_nothing(world: World, address: str) -> None:
    since = (NOW - timedelta(minutes=50)).isoformat()
    with httpx.stream("GET", address, headers=HEADERS, params={"since": since}, timeout=20) as answer:
        first = events(answer.iter_lines(), 3)
    with httpx.stream("GET", address, headers={**HEADERS, "Last-Event-ID": first[-1]["last"]}, timeout=20) as answer:
        rest = events(answer.iter_lines(), 4)
    assert [e["id"] for e in first] == ["a0005", "a0004", "a0003"]
    assert {e["id"] for e in first + rest} == {f"a{n:04d}" for n in range(6)}


def test_a_wrong_event_id_is_refused_by_name(world: World) -> None:
    answer = world.client.get("/api/v1/alerts/stream", headers={"Last-Event-ID": "x"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "Last-Event-ID"


def test_more_streams_than_the_house_bears_are_turned_away(world: World) -> None:
    world.app.state.streams = 50
    answer = world.client.get("/api/v1/alerts/stream")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
