"""The registry of sources as the API reads and edits it, through its port."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api import views
from api.house import House
from api.paging import slice_of
from api.problems import ParameterError, Problem, bad_parameter
from api.queries import SourceQuery
from api.tokens import Token
from pipeline.ports import BadSource, NoSuchSource, SourceRegistry

MAX_BODY_BYTES = 64_000
"""A source with a long recipe has 3,000."""

T = TypeVar("T")
Body = TypeVar("Body", bound=BaseModel)

Why = Annotated[str, Field(min_length=3, max_length=1000, pattern=r"\S", description="Why; kept with the edit.")]


class Edit(BaseModel):
    """Other values of some fields of a source."""

    model_config = ConfigDict(extra="forbid")

    fields: dict[str, Any] = Field(
        min_length=1, description="Field -> new value; the fields are those of `docs/sources.md`."
    )
    why: Why


class NewSource(Edit):
    """The fields of a new source; `id`, `kind` and `url` are needed."""


def listing(house: House, query: SourceQuery) -> views.SourcePage:
    """Raises Problem."""
    found = [views.source_item(one) for one in _told(lambda registry: registry.sources(), house)]
    asked = [
        one
        for one in found
        if (not query.kind or one.kind in query.kind)
        and (query.on is None or one.enabled is query.on)
        and (not query.region or any(mine.startswith(code) for mine in one.region for code in query.region))
    ]
    question = f"sources {sorted(query.kind)} {query.on} {sorted(query.region)}"
    items, after = slice_of(asked, lambda one: one.id, question=question, limit=query.limit, cursor=query.cursor)
    return views.SourcePage(items=items, next=after)


def detail(house: House, name: str) -> views.SourceDetail:
    """Raises Problem."""
    return views.source_detail(_told(lambda registry: registry.source(name), house))


def add(house: House, body: NewSource, token: Token) -> views.SourceDetail:
    """Raises Problem."""
    return views.source_detail(_told(lambda registry: registry.add(body.fields, who=token.name, why=body.why), house))


def change(house: House, name: str, body: Edit, token: Token) -> views.SourceDetail:
    """Raises Problem."""
    return views.source_detail(
        _told(lambda registry: registry.change(name, body.fields, who=token.name, why=body.why), house)
    )


def _told(ask: Callable[[SourceRegistry], T], house: House) -> T:
    """What the registry answers. Raises Problem: 400 that names the field, 404, or 503 where the list itself is broken."""
    if house.sources is None:
        raise Problem("not-found", "this API was started without a registry of sources")
    try:
        return ask(house.sources)
    except NoSuchSource as error:
        raise Problem("not-found", str(error)) from error
    except BadSource as error:
        if error.field is None:
            raise Problem("unavailable", f"the sources cannot be read: {error}") from error
        named = ParameterError(parameter=error.field, where="body", detail=str(error))
        raise Problem("bad-parameter", str(error), errors=[named]) from error


# ---------------------------------------------------------------- bodies


async def new_source(request: Request) -> NewSource:
    return await _read(request, NewSource)


async def edit(request: Request) -> Edit:
    return await _read(request, Edit)


async def _read(request: Request, kind: type[Body]) -> Body:
    """The body. Raises Problem (400) that names what is wrong."""
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            raise bad_parameter("body", f"more than {MAX_BODY_BYTES} bytes", where="body")
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or "body"
        raise bad_parameter(name[:100], first["msg"], where="body") from error


def body_of(kind: type[BaseModel], example: Mapping[str, Any]) -> dict[str, Any]:
    """How the API's description shows the body."""
    content = {"application/json": {"schema": kind.model_json_schema(), "example": example}}
    return {"requestBody": {"required": True, "content": content}}
