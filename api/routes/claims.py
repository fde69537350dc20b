"""Claims: statements that someone has fact-checked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api import examples, views
from api.caching import tagged
from api.house import HouseDep
from api.ids import Id, found
from api.openapi import answers
from api.paging import page
from api.queries import ClaimQuery, Nothing, words
from pipeline.contracts import Claim
from pipeline.ports import Filter

router = APIRouter(tags=["claims"])


@router.get(
    "/claims",
    summary="Search claims",
    response_model=views.ClaimPage,
    responses=answers(examples.CLAIMS, "unavailable"),
)
def list_claims(house: HouseDep, request: Request, query: Annotated[ClaimQuery, Query()]) -> Response:
    """Claims, the newest first; those without a date last."""
    where = Filter(terms=words(query.q, house.terms))
    hits, after = page(house.store, "claims", where, sort="date", limit=query.limit, cursor=query.cursor)
    return tagged(request, views.ClaimPage(items=[views.claim_item(h.document) for h in hits], next=after))


@router.get(
    # A claim's id may be an address: slashes belong to it.
    "/claims/{claim_id:path}",
    summary="One claim",
    response_model=Claim,
    responses=answers(examples.CLAIM, "not-found", "unavailable"),
)
def get_claim(house: HouseDep, request: Request, claim_id: Id, query: Annotated[Nothing, Query()]) -> Response:
    """The claim, its rating, who rated it, and the link to the fact-check."""
    return tagged(request, views.claim_item(found(house.store, "claims", claim_id, "claim")))
