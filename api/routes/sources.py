"""The registry of sources: read by all, changed by tokens with the scope `sources`, each edit with who and why."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api import examples, sources, views
from api.caching import tagged
from api.house import HouseDep, editor
from api.ids import Id
from api.openapi import answers, failures
from api.queries import Nothing, SourceQuery
from api.sources import Edit, NewSource
from api.tokens import Token

router = APIRouter(prefix="/sources", tags=["sources"])
_EDITS = ("forbidden", "unavailable")


@router.get(
    "",
    summary="The places to watch",
    response_model=views.SourcePage,
    responses=answers(examples.SOURCES, "not-found", "unavailable"),
)
def list_sources(house: HouseDep, request: Request, query: Annotated[SourceQuery, Query()]) -> Response:
    """Every source in force, by id: the reviewed list with the edits over it. How each is seen is under `/coverage`."""
    return tagged(request, sources.listing(house, query))


@router.get(
    "/{source}",
    summary="One place to watch, with its edits",
    response_model=views.SourceDetail,
    responses=answers(examples.SOURCE_DETAIL, "not-found", "unavailable"),
)
def get_source(house: HouseDep, request: Request, source: Id, query: Annotated[Nothing, Query()]) -> Response:
    """All its fields, and every edit ever made: who, when, what from what to what, why."""
    return tagged(request, sources.detail(house, source))


@router.post(
    "",
    status_code=201,
    summary="Add a source",
    response_model=views.SourceDetail,
    responses=answers(examples.SOURCE_DETAIL, *_EDITS, "not-found", tagged=False, status=201),
    openapi_extra=sources.body_of(NewSource, examples.NEW_SOURCE),
)
def add_source(
    house: HouseDep,
    request: Request,
    token: Annotated[Token, Depends(editor)],
    body: Annotated[NewSource, Depends(sources.new_source)],
    query: Annotated[Nothing, Query()],
) -> Response:
    """A new source, off unless `enabled` is true, which needs a `legal_basis`. The edit keeps the token's name and `why`. Crawlers take it
    up at their next start."""
    made = sources.add(house, body, token)
    location = {"Location": f"{request.url.path.rstrip('/')}/{made.source.id}", "Cache-Control": "no-store"}
    return Response(made.model_dump_json(), status_code=201, media_type="application/json", headers=location)


@router.patch(
    "/{source}",
    summary="Change a source",
    response_model=views.SourceDetail,
    responses=answers(examples.SOURCE_DETAIL, *_EDITS, "not-found", tagged=False) | failures("bad-parameter"),
    openapi_extra=sources.body_of(Edit, examples.SOURCE_EDIT),
)
def change_source(
    house: HouseDep,
    source: Id,
    token: Annotated[Token, Depends(editor)],
    body: Annotated[Edit, Depends(sources.edit)],
    query: Annotated[Nothing, Query()],
) -> Response:
    """Other values of some fields: all of them, or none if the source would be wrong. `{"enabled": true}` turns it on, which needs a
    `legal_basis`; what is the same already makes no edit."""
    made = sources.change(house, source, body, token)
    return Response(made.model_dump_json(), media_type="application/json", headers={"Cache-Control": "no-store"})
