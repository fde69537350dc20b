"""The API's description: OpenAPI 3.1 with an example for every answer, errors included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api import examples
from api.problems import KINDS, MEDIA_TYPE, ProblemBody

DESCRIPTION = """Alerts, posts, claims and counts of Jaga Ruang, read-only; and the sources, which tokens with the scope `sources` edit.

Send `Authorization: Bearer TOKEN`. Lists are paged by cursor: pass `next` back as `cursor` with the same filters until it is null.
Every list has a weak ETag: send it as `If-None-Match` and an unchanged list costs a 304. Times are UTC, RFC 3339.
Errors are `application/problem+json` (RFC 9457). Authors are pseudonyms.
"""

Responses = dict[int | str, dict[str, Any]]

_MEANING = {
    "bad-parameter": "A parameter is unknown or wrong; each is named.",
    "no-token": "No token, or one that is not in force.",
    "forbidden": "The token lacks the scope, or it is no token but a session.",
    "not-found": "Nothing has this id.",
    "unavailable": "Store or log cannot be reached; see Retry-After.",
}


def answers(
    example: BaseModel, *problems: str, tagged: bool = True, token: bool = True, status: int = 200
) -> Responses:
    """The responses of a route: its example, and the problems in which it can end."""
    found: Responses = {
        status: {
            "description": "Found" if status == 200 else "Made",
            "content": {"application/json": {"example": examples.plain(example)}},
        }
    }
    if tagged:
        etag = {"ETag": {"description": "Weak; changes with the content.", "schema": {"type": "string"}}}
        found[status]["headers"] = etag
        found[304] = {"description": "Unchanged since the ETag that came as If-None-Match."}
    return found | failures("bad-parameter", *(("no-token",) if token else ()), *problems)


def failures(*problems: str) -> Responses:
    return {
        KINDS[kind][0]: {
            "description": _MEANING[kind],
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": examples.problem(kind),
                }
            },
        }
        for kind in problems
    }


def describe(app: FastAPI, prefix: str, routers: Sequence[APIRouter]) -> None:
    """Give the app its description; FastAPI's own 422, which is never sent, is left out."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema:
            return app.openapi_schema
        schema = make()
        parts = schema.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            parts.pop(name, None)
        problem = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
        parts.update(problem.pop("$defs"))
        parts["Problem"] = problem
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        _restore_nulls(schema, prefix, routers)
        return schema

    app.openapi = openapi  # type: ignore[method-assign]


def _restore_nulls(schema: dict[str, Any], prefix: str, routers: Sequence[APIRouter]) -> None:
    """FastAPI drops every null from its description, those of the examples included, which then lack what they must have."""
    for route in (route for router in routers for route in router.routes if isinstance(route, APIRoute)):
        (method,) = route.methods or {"GET"}
        described = schema["paths"][prefix + route.path_format][method.lower()]["responses"]
        for status, response in route.responses.items():
            for media_type, content in response.get("content", {}).items():
                described[str(status)]["content"][media_type]["example"] = content["example"]
