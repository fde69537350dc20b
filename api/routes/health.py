"""For those who watch the watcher: alive, ready, metrics."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api import examples, views
from api.house import HouseDep
from api.openapi import answers
from api.queries import Nothing

router = APIRouter(tags=["health"])
metrics = APIRouter(tags=["health"])


@router.get(
    "/healthz",
    summary="Is the process alive?",
    response_model=views.Health,
    responses=answers(examples.HEALTH, tagged=False, token=False),
)
def healthz(query: Annotated[Nothing, Query()]) -> views.Health:
    """Answers as long as the process can. Needs no token."""
    return views.Health(status="alive")


@router.get(
    "/readyz",
    summary="Can it serve?",
    response_model=views.Ready,
    responses=answers(examples.READY, "unavailable", tagged=False, token=False),
)
def readyz(house: HouseDep, query: Annotated[Nothing, Query()]) -> views.Ready:
    """Asks store and log; 503 while one of them is out of reach. Needs no token."""
    return views.Ready(status="ready", store=house.store.ping(), log=house.broker.ping())


@metrics.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus text format.",
            "content": {"text/plain": {"schema": {"type": "string"}, "example": 'jaga_posts{door="indexed"} 622.0\n'}},
        },
        **{status: body for status, body in answers(examples.HEALTH, tagged=False).items() if status != 200},
    },
)
def get_metrics(request: Request, query: Annotated[Nothing, Query()]) -> Response:
    """Requests and latency, conservation counts, lag, alerts by rule. `jaga_store_up` is 0 while the store is out of reach."""
    return Response(generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)
