"""Alerts: the feed, one alert, its posts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api import examples, views
from api.caching import tagged
from api.deletions import post_items
from api.house import HouseDep
from api.ids import Id, found
from api.openapi import answers
from api.paging import page
from api.queries import AlertQuery, Nothing, Paged, alerts_where
from pipeline.ports import Filter

WIDEST_POSTS = 20

router = APIRouter(tags=["alerts"])


@router.get(
    "/alerts",
    summary="The alert feed",
    response_model=views.AlertPage,
    responses=answers(examples.ALERTS, "unavailable"),
)
def list_alerts(house: HouseDep, request: Request, query: Annotated[AlertQuery, Query()]) -> Response:
    """Alerts, the last seen first. A filter that is given several times holds if any of its values does."""
    where = alerts_where(query, house.terms)
    hits, after = page(house.store, "alerts", where, sort=query.sort, limit=query.limit, cursor=query.cursor)
    return tagged(request, views.AlertPage(items=[views.alert_item(h.document) for h in hits], next=after))


@router.get(
    "/alerts/{alert_id}",
    summary="One alert with its widest posts",
    response_model=views.AlertDetail,
    responses=answers(examples.ALERT_DETAIL, "not-found", "unavailable"),
)
def get_alert(house: HouseDep, request: Request, alert_id: Id, query: Annotated[Nothing, Query()]) -> Response:
    """The alert, its reasons and claim, and the 20 posts of widest reach with their verdicts and evidence."""
    alert = views.alert_item(found(house.store, "alerts", alert_id, "alert"))
    where = Filter(equals={"narrative_id": [alert.narrative_id]})
    hits = house.store.search("posts", where, sort="reach", limit=WIDEST_POSTS)
    body = views.AlertDetail(
        **alert.model_dump(),
        widest_posts=post_items(house.store, [hit.document for hit in hits]),
        posts_url=views.posts_url(alert_id),
    )
    return tagged(request, body)


@router.get(
    "/alerts/{alert_id}/posts",
    summary="All posts of an alert",
    response_model=views.PostPage,
    responses=answers(examples.POSTS, "not-found", "unavailable"),
)
def list_alert_posts(house: HouseDep, request: Request, alert_id: Id, query: Annotated[Paged, Query()]) -> Response:
    """The posts of the alert's narrative, the widest reaching first."""
    alert = views.alert_item(found(house.store, "alerts", alert_id, "alert"))
    where = Filter(equals={"narrative_id": [alert.narrative_id]})
    hits, after = page(house.store, "posts", where, sort="reach", limit=query.limit, cursor=query.cursor)
    return tagged(request, views.PostPage(items=post_items(house.store, [h.document for h in hits]), next=after))
