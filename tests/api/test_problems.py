"""Every error is a problem that helps, and none tells what is none of the client's business."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.ports import RetryLater
from tests.api.conftest import World
from tests.api.small_store import TOKEN

LISTS = ["alerts", "posts", "claims", "gaps", "alerts/a0000/posts"]


def problem(answer: Any, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:jaga:problem:{kind}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["instance"] == answer.request.url.path
    return body


@pytest.mark.parametrize(
    "path",
    [
        "alerts",
        "alerts/a0000",
        "alerts/a0000/posts",
        "alerts/stream",
        "posts",
        "claims",
        "gaps",
        "stats",
        "stats/timeline",
    ],
)
def test_an_unknown_parameter_is_named(world: World, path: str) -> None:
    body = problem(world.client.get(f"/api/v1/{path}", params={"stauts": "new"}), 400, "bad-parameter")
    assert [(e["parameter"], e["where"]) for e in body["errors"]] == [("stauts", "query")]


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"status": "open"}, "status"),
        ({"rule": "spam"}, "rule"),
        ({"sort": "terms"}, "sort"),
        ({"region": "Surabaya"}, "region"),
        ({"region": "35.7"}, "region"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2024-11-24T08:00:00"}, "since"),
        ({"since": "2024-11-25T00:00:00Z", "until": "2024-11-24T00:00:00Z"}, "since"),
        ({"q": "!!!"}, "q"),
        ({"q": "x" * 301}, "q"),
        ({"q": "a\u0000b"}, "q"),
        ({"label": ["x"] * 21}, "label"),
        ({"cursor": "x" * 2001}, "cursor"),
    ],
)
def test_a_wrong_parameter_is_named(world: World, params: dict[str, Any], name: str) -> None:
    body = problem(world.client.get("/api/v1/alerts", params=params), 400, "bad-parameter")
    assert body["errors"][0]["parameter"] == name


def test_all_wrong_parameters_are_named_at_once(world: World) -> None:
    body = problem(world.client.get("/api/v1/alerts?limit=0&foo=1&region=x"), 400, "bad-parameter")
    assert {e["parameter"] for e in body["errors"]} == {"limit", "foo", "region"}


def forged(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


FORGED = [
    "",
    "x",
    "====",
    "not base64!",
    "ÿÿÿÿ",
    forged(),
    forged("a", 1),
    forged("a", 1, "b", "c"),
    forged("a", {"$gt": 0}, "b"),
    forged("a", [1], "b"),
    forged("a", True, "b"),
    forged("a", 10**40, "b"),
    forged("a", 1, 2),
    forged(None, 1, "b"),
    base64.urlsafe_b64encode(b"[NaN," * 300).decode(),
    base64.urlsafe_b64encode(b"\xff\xfe").decode(),
]


@pytest.mark.parametrize("path", LISTS)
def test_a_forged_cursor_is_refused_by_name(world: World, path: str) -> None:
    for cursor in FORGED:
        body = problem(world.client.get(f"/api/v1/{path}", params={"cursor": cursor}), 400, "bad-parameter")
        assert body["errors"][0]["parameter"] == "cursor"


def test_a_cursor_of_other_filters_or_another_sort_is_refused(world: World) -> None:
    cursor = world.client.get("/api/v1/alerts", params={"limit": 1}).json()["next"]
    for other in ({"rule": "hoax"}, {"sort": "reach"}, {"q": "surat"}, {"since": "2024-01-01T00:00:00Z"}):
        body = problem(world.client.get("/api/v1/alerts", params={"cursor": cursor, **other}), 400, "bad-parameter")
        assert "other filters" in body["errors"][0]["detail"]


HOSTILE_IDS = [
    "nothing",
    "..%2F..%2Fetc%2Fpasswd",
    "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "'%20OR%201=1--",
    "%7B%7B7*7%7D%7D",
    "%F0%9F%97%B3" * 100,
    "%ff%fe",
    "_search",
    "a%0d%0aSet-Cookie:%20x=1",
    "%00",
    "x" * 5000,
]


@pytest.mark.parametrize("path", ["alerts", "posts", "claims"])
def test_a_hostile_id_is_not_found_or_refused(world: World, path: str) -> None:
    for hostile in HOSTILE_IDS:
        answer = world.client.get(f"/api/v1/{path}/{hostile}")
        assert answer.status_code in (400, 404), hostile
        assert answer.headers["content-type"] == "application/problem+json"
        assert "set-cookie" not in answer.headers
        assert "Traceback" not in answer.text


def test_an_unknown_path_and_another_method_are_problems_too(world: World) -> None:
    problem(world.client.get("/api/v1/nothing"), 404, "not-found")
    answer = world.client.delete("/api/v1/alerts")
    problem(answer, 405, "bad-method")
    assert answer.headers["allow"] == "GET"


class Broken:
    """A store of which every call fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        def fail(*_: Any, **__: Any) -> Any:
            raise self.error

        return fail


@pytest.mark.parametrize(
    "path",
    [
        "alerts",
        "alerts/x",
        "alerts/x/posts",
        "alerts/stream",
        "posts",
        "posts/x",
        "posts/x/evidence",
        "claims",
        "claims/x",
        "gaps",
        "stats",
        "stats/timeline",
        "readyz",
    ],
)
def test_a_store_out_of_reach_is_a_503_that_says_when_to_come_back(world: World, path: str) -> None:
    world.app.state.house.store = Broken(RetryLater("Elasticsearch at 10.0.0.1:9200 does not answer"))
    answer = world.client.get(f"/api/v1/{path}")
    body = problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "5"
    assert "does not answer" in body["detail"]


@pytest.mark.logs_errors
def test_what_nobody_foresaw_is_a_500_without_its_cause(world: World) -> None:
    world.app.state.house.store = Broken(RuntimeError("password=rahasia at /srv/x.py"))
    client = TestClient(world.app, raise_server_exceptions=False, headers={"Authorization": f"Bearer {TOKEN}"})
    answer = client.get("/api/v1/alerts")
    problem(answer, 500, "internal")
    assert "rahasia" not in answer.text
    assert answer.headers["content-security-policy"]


def test_metrics_say_that_the_store_is_down_instead_of_failing(world: World) -> None:
    world.app.state.house.store = Broken(RetryLater("down"))
    answer = world.client.get("/metrics")
    assert answer.status_code == 200
    assert "jaga_store_up 0.0" in answer.text


def test_alive_does_not_depend_on_the_store(world: World) -> None:
    world.app.state.house.store = Broken(RetryLater("down"))
    assert world.stranger.get("/healthz").json() == {"status": "alive"}
    assert world.stranger.get("/readyz").status_code == 503
