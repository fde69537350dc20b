"""The description of the API is complete and true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from api.problems import KINDS
from tests.api.conftest import World

DOCS = Path(__file__).parents[2] / "docs" / "api.md"


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


@pytest.fixture
def schema(empty: World) -> dict[str, Any]:
    found: dict[str, Any] = empty.client.get("/api/v1/openapi.json").json()
    return found


def test_it_is_openapi_3_1_with_all_routes(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    edits = {"POST /api/v1/sources", "PATCH /api/v1/sources/{source}"}
    assert {name for name, _ in operations(schema)} - edits == {
        f"GET /api/v1/{path}"
        for path in (
            "alerts",
            "alerts/stream",
            "alerts/{alert_id}",
            "alerts/{alert_id}/posts",
            "posts",
            "posts/{post_id}",
            "posts/{post_id}/evidence",
            "claims",
            "claims/{claim_id}",
            "gaps",
            "coverage",
            "coverage/{source}",
            "sources",
            "sources/{source}",
            "stats",
            "stats/timeline",
            "healthz",
            "readyz",
            "metrics",
        )
    }


def test_every_route_says_what_it_does_and_shows_every_answer(schema: dict[str, Any]) -> None:
    for name, operation in operations(schema):
        assert operation["summary"], name
        assert len(operation["description"]) > 20, name
        assert {"201" if name.startswith("POST") else "200", "400"} <= operation["responses"].keys(), name
        for status, response in operation["responses"].items():
            assert response["description"], f"{name} {status}"
            for media_type, content in response.get("content", {}).items():
                assert "example" in content, f"{name} {status} {media_type}"
            assert response.get("content") or status == "304", f"{name} {status}"


def test_every_example_is_valid(schema: dict[str, Any]) -> None:
    checked = 0
    for name, operation in operations(schema):
        for status, response in operation["responses"].items():
            for content in response.get("content", {}).values():
                whole = {**content["schema"], "components": schema["components"]}
                errors = list(Draft202012Validator(whole).iter_errors(content["example"]))
                assert not errors, f"{name} {status}: {errors[0].message}"
                checked += 1
    assert checked >= 45


def test_errors_are_problems_in_the_description_too(schema: dict[str, Any]) -> None:
    for name, operation in operations(schema):
        for status, response in operation["responses"].items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"], f"{name} {status}"
    assert "HTTPValidationError" not in schema["components"]["schemas"]


def test_answers_are_as_described(world: World) -> None:
    schema = world.client.get("/api/v1/openapi.json").json()
    post_id = world.client.get("/api/v1/posts").json()["items"][0]["id"]
    names = {"{source}": "saluran", "{alert_id}": "a0000", "{post_id}": post_id, "{claim_id}": "cek-118"}
    for name, operation in operations(schema):
        if not name.startswith("GET"):
            continue  # tests of their own make edits
        content = operation["responses"]["200"]["content"]
        if "application/json" not in content:
            continue
        path = name.removeprefix("GET ")
        for template, value in names.items():
            path = path.replace(template, value)
        whole = {**content["application/json"]["schema"], "components": schema["components"]}
        answer = world.client.get(path)
        assert answer.status_code == 200, path
        errors = list(Draft202012Validator(whole).iter_errors(answer.json()))
        assert not errors, f"{path}: {errors[0].message}"


def test_every_route_parameter_and_problem_is_documented(schema: dict[str, Any]) -> None:
    text = DOCS.read_text(encoding="utf-8")
    for name, operation in operations(schema):
        assert f"`{name.replace('/api/v1', '', 1)}`" in text, name
        for parameter in operation.get("parameters", []):
            assert f"`{parameter['name']}`" in text or parameter["in"] in ("path", "cookie"), parameter["name"]
    for kind in KINDS:
        assert f"`{kind}`" in text, kind
