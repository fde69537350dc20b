"""Alerts as server-sent events, for those who would rather not poll."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import TypeAdapter, ValidationError
from starlette.responses import StreamingResponse

from api import examples
from api.house import House, HouseDep
from api.openapi import failures
from api.problems import Problem, bad_parameter
from api.queries import StreamQuery, Time
from api.views import AlertItem, alert_item
from pipeline.ports import Filter, RetryLater

POLL_S = 1.0
HEARTBEAT_S = 15.0
"""Proxies cut a connection that is silent for 30 to 60 s."""
LOOK_BACK = timedelta(seconds=10)
"""Writes become visible within a second and workers' clocks differ a little: what was written late is still seen."""
MAX_STREAMS = 50
PAGE = 100

router = APIRouter(tags=["alerts"])
_time: TypeAdapter[datetime] = TypeAdapter(Time)


@router.get(
    "/alerts/stream",
    summary="Alerts as they open and grow",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events `alert`; data is the alert, id the time from which to resume.",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": examples.STREAM}},
        },
        **failures("bad-parameter", "no-token", "unavailable"),
    },
)
async def stream_alerts(
    house: HouseDep,
    request: Request,
    query: Annotated[StreamQuery, Query()],
    last_event_id: Annotated[
        str | None, Header(max_length=64, description="Id of the last event seen: goes on from there.")
    ] = None,
) -> Response:
    """One event an alert and version. After a break some may come again (same id and version), none is left out."""
    try:
        since = _time.validate_python(last_event_id) if last_event_id else query.since or house.clock.now()
    except ValidationError as error:
        raise bad_parameter("Last-Event-ID", "not an id of this stream", "header") from error
    state = request.app.state
    if state.streams >= MAX_STREAMS:
        raise Problem("unavailable", f"{MAX_STREAMS} streams are open already", headers={"Retry-After": "30"})
    await run_in_threadpool(house.store.ping)
    return StreamingResponse(_events(house, request, since), media_type="text/event-stream")


async def _events(house: House, request: Request, since: datetime) -> AsyncIterator[str]:
    state = request.app.state
    state.streams += 1
    try:
        told: dict[str, int] = {}
        quiet_s = 0.0
        yield "retry: 2000\n\n"
        while not await request.is_disconnected():
            try:
                news = await run_in_threadpool(_news, house, since, told)
            except RetryLater:
                news = []  # the reader stays; what it misses now comes with the next poll
            for alert in news:
                told[alert.id] = alert.version
                since = max(since, alert.updated_at)
                yield f"id: {alert.updated_at.isoformat()}\nevent: alert\ndata: {_line(alert)}\n\n"
            quiet_s = 0.0 if news else quiet_s + POLL_S
            if quiet_s >= HEARTBEAT_S:
                quiet_s = 0.0
                yield ": alive\n\n"
            await asyncio.sleep(POLL_S)
    finally:
        state.streams -= 1


def _news(house: House, since: datetime, told: dict[str, int]) -> list[AlertItem]:
    """Alerts updated since then, in that order, that were not told in this version."""
    found: list[AlertItem] = []
    after = None
    where = Filter(since={"updated_at": since - LOOK_BACK})
    while True:
        hits = house.store.search("alerts", where, sort="updated_at", descending=False, limit=PAGE, after=after)
        found += [alert for alert in (alert_item(hit.document) for hit in hits) if told.get(alert.id) != alert.version]
        if len(hits) < PAGE:
            return found
        after = hits[-1].sort


def _line(alert: AlertItem) -> str:
    return json.dumps(json.loads(alert.model_dump_json()), separators=(",", ":"))
