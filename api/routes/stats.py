"""Counts: what came in, where it went, what it holds."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api import examples, statistics, views
from api.caching import tagged, tagged_bytes
from api.house import HouseDep
from api.openapi import answers
from api.queries import Nothing, TimelineQuery

router = APIRouter(prefix="/stats", tags=["stats"])


@router.get(
    "",
    summary="Conservation counts, lag, alerts",
    response_model=views.Stats,
    responses=answers(examples.STATS, "unavailable"),
)
def get_stats(house: HouseDep, request: Request, query: Annotated[Nothing, Query()]) -> Response:
    """Where every post went (in = indexed + duplicate + dead + discarded, once lag is 0), the lag of each stage, and what is stored."""
    body = statistics.stats(house).model_dump_json(by_alias=True)
    return tagged_bytes(request, body.encode(), "application/json")


@router.get(
    "/timeline",
    summary="Posts or alerts over time",
    response_model=views.Timeline,
    responses=answers(examples.TIMELINE, "unavailable"),
)
def get_timeline(house: HouseDep, request: Request, query: Annotated[TimelineQuery, Query()]) -> Response:
    """Counts per hour or day (UTC), split by label, platform or province if asked. A post with two labels counts for both."""
    return tagged(request, statistics.timeline(house, query))
