"""Gaps: when a source could not be seen."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api import examples, views
from api.caching import tagged
from api.house import HouseDep
from api.openapi import answers
from api.paging import page
from api.queries import GapQuery
from pipeline.ports import Filter

router = APIRouter(tags=["gaps"])


@router.get(
    "/gaps",
    summary="Stretches of time in which a source could not be seen",
    response_model=views.GapPage,
    responses=answers(examples.GAPS, "unavailable"),
)
def list_gaps(house: HouseDep, request: Request, query: Annotated[GapQuery, Query()]) -> Response:
    """Gaps, the newest first. Every number of this API stands under the reservation of these."""
    where = Filter(equals={"source": query.source} if query.source else {})
    hits, after = page(house.store, "gaps", where, sort="began_at", limit=query.limit, cursor=query.cursor)
    return tagged(request, views.GapPage(items=[views.gap_item(h.document) for h in hits], next=after))
