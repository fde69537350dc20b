"""Errors as RFC 9457 problems: one body for all of them, never a stack trace."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from pipeline.ports import RetryLater

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
"""A store that restarts here is back within 5 to 8 s."""

KINDS: Mapping[str, tuple[int, str]] = {
    "bad-parameter": (400, "A parameter is wrong"),
    "no-token": (401, "A valid bearer token is needed"),
    "forbidden": (403, "This token may not do that"),
    "not-found": (404, "There is no such thing"),
    "bad-method": (405, "This method is not allowed here"),
    "unavailable": (503, "The store or the log cannot be reached"),
    "internal": (500, "Something broke on our side"),
}
"""Kind -> HTTP status and title; the `type` of a problem is `urn:jaga:problem:<kind>`."""

AsPage = Callable[[Request, "Problem"], Response | None]

log = logging.getLogger("jaga.api")


class ParameterError(BaseModel):
    """What is wrong with one parameter."""

    parameter: str = Field(description="Name of the parameter.")
    where: str = Field(description="Where it stood: query, path, header or body.")
    detail: str = Field(description="What is wrong with it.")


class ProblemBody(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="`urn:jaga:problem:` and the kind; for programs.")
    title: str = Field(description="The kind in words; the same for all problems of the kind.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened this time.")
    instance: str = Field(description="The path that was asked for.")
    errors: list[ParameterError] = Field(default=[], description="Each wrong parameter, where parameters are wrong.")


class Problem(Exception):
    """Stops a request with a problem of that kind."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        errors: Sequence[ParameterError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})


def bad_parameter(name: str, detail: str, where: str = "query") -> Problem:
    """A 400 that names one parameter."""
    return Problem(
        "bad-parameter", f"{name}: {detail}", errors=[ParameterError(parameter=name, where=where, detail=detail)]
    )


def body_of(problem: Problem, path: str) -> dict[str, Any]:
    status, title = KINDS[problem.kind]
    body = ProblemBody(
        type=f"urn:jaga:problem:{problem.kind}",
        title=title,
        status=status,
        detail=problem.detail,
        instance=path,
        errors=problem.errors,
    )
    return body.model_dump(exclude_defaults=True)


def respond(problem: Problem, path: str) -> Response:
    """The problem as a response. A path may hold any bytes: it goes out as JSON with ASCII only."""
    return Response(
        json.dumps(body_of(problem, path)),
        status_code=KINDS[problem.kind][0],
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **problem.headers},
    )


def unavailable(error: RetryLater) -> Problem:
    return Problem(
        "unavailable",
        f"{error or 'no answer'}; try again in {RETRY_AFTER_S} s",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


def _of_validation(error: RequestValidationError) -> Problem:
    errors = []
    for e in error.errors():
        where, *rest = [str(part) for part in e["loc"]]
        name = rest[0] if rest else where
        detail = "unknown parameter" if e["type"] == "extra_forbidden" else e["msg"].removeprefix("Value error, ")
        errors.append(ParameterError(parameter=name[:100], where=where, detail=detail))
    return Problem("bad-parameter", "; ".join(f"{e.parameter}: {e.detail}" for e in errors[:5]), errors=errors[:20])


def _of_http(error: HTTPException) -> Problem:
    kind = {404: "not-found", 405: "bad-method", 401: "no-token"}.get(
        error.status_code, "bad-parameter" if error.status_code < 500 else "internal"
    )
    detail = {404: "nothing lies at this path", 405: "this method is not served here"}.get(
        error.status_code, str(error.detail)
    )
    return Problem(kind, detail, headers=error.headers)


def install(app: FastAPI, as_page: AsPage) -> None:
    """Every way in which a request can fail ends in a problem; `as_page` may show it to a person instead."""

    def on_problem(request: Request, error: Exception) -> Response:
        if isinstance(error, RetryLater):
            log.warning("%s %s: out of reach: %s", request.method, request.url.path, error)
            problem = unavailable(error)
        elif isinstance(error, RequestValidationError):
            problem = _of_validation(error)
        elif isinstance(error, HTTPException):
            problem = _of_http(error)
        else:
            assert isinstance(error, Problem)  # noqa: S101 - only these four are registered
            problem = error
        return as_page(request, problem) or respond(problem, request.url.path)

    for kind in (Problem, RetryLater, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, on_problem)
