"""Coverage: how well each source is seen."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api import coverage, examples, views
from api.caching import tagged
from api.house import HouseDep
from api.ids import Id
from api.openapi import answers
from api.queries import CoverageQuery, Nothing

router = APIRouter(prefix="/coverage", tags=["coverage"])


@router.get(
    "",
    summary="How well each source is seen",
    response_model=views.CoveragePage,
    responses=answers(examples.COVERAGE, "unavailable"),
)
def list_coverage(house: HouseDep, request: Request, query: Annotated[CoverageQuery, Query()]) -> Response:
    """Each source with its state, its last visits, yield, delay and open gaps; the worst state first. `sums` are of all sources, whatever
    is asked for."""
    return tagged(request, coverage.listing(house, query))


@router.get(
    "/{source}",
    summary="How well one source is seen, with its gaps",
    response_model=views.CoverageDetail,
    responses=answers(examples.COVERAGE_DETAIL, "not-found", "unavailable"),
)
def get_coverage(house: HouseDep, request: Request, source: Id, query: Annotated[Nothing, Query()]) -> Response:
    """As in the list, with the source's newest gaps."""
    return tagged(request, coverage.detail(house, source))
