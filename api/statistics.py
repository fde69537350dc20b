"""Sums over the store: what the stats routes and the pages' footer show."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from api import views
from api.house import House
from api.metrics import COUNTS
from api.problems import bad_parameter
from api.queries import TimelineQuery
from api.regions import provinces
from pipeline.ports import Filter

INTERVAL_S = {"hour": 3600, "day": 86_400}
DEFAULT_SPAN = {"hour": timedelta(days=7), "day": timedelta(days=60)}
MAX_INTERVALS = 2000
"""83 days of hours: more than any chart shows."""

# The day of Indonesia's west begins at 17:00 UTC, but stores align to the epoch: days here are UTC days.
_TIME: dict[str, str] = {"posts": "seen_at", "alerts": "first_seen_at"}
_SPLIT: dict[str, dict[str, str]] = {
    "posts": {"label": "labels", "platform": "platform", "region": "regions"},
    "alerts": {"label": "labels", "platform": "platforms", "region": "regions"},
}


def stats(house: House) -> views.Stats:
    """Raises RetryLater."""
    sums = house.sums()
    counts = sums["counts"]
    return views.Stats(
        conservation=views.Conservation(**{name: counts[name] for name in (*COUNTS, "balanced")}),
        stages=counts["stages"],
        alerts=views.AlertCounts(by_rule=sums["by_rule"], by_status=sums["by_status"]),
        posts=sums["posts"],
        claims=sums["claims"],
        gaps=sums["gaps"],
        labels=sums["labels"],
    )


def timeline(house: House, query: TimelineQuery) -> views.Timeline:
    """Counts per interval of posts (when seen) or alerts (when first seen). Raises Problem (400) for too long a stretch."""
    kind: Literal["posts", "alerts"] = query.of
    field = _TIME[kind]
    interval_s = INTERVAL_S[query.interval]
    until = query.until or _newest(house, kind, field, interval_s)
    since = query.since or until - DEFAULT_SPAN[query.interval]
    if since >= until:
        raise bad_parameter("since", f"{since.isoformat()} is not before until ({until.isoformat()})")
    if (until - since).total_seconds() / interval_s > MAX_INTERVALS:
        raise bad_parameter("interval", f"more than {MAX_INTERVALS} intervals lie between since and until")
    buckets = house.store.histogram(
        kind,
        field,
        Filter(since={field: since}, before={field: until}),
        interval_s=interval_s,
        split=_SPLIT[kind][query.split] if query.split else None,
    )
    known = provinces()
    return views.Timeline(
        of=query.of,
        interval=query.interval,
        split=query.split,
        since=since,
        until=until,
        # A document's regions name its regency and its province: provinces alone count each once.
        points=[
            views.Point(at=at, value=value, count=count)
            for at, value, count in buckets
            if query.split != "region" or value in known
        ],
    )


def _newest(house: House, kind: Literal["posts", "alerts"], field: str, interval_s: int) -> datetime:
    """The end of the interval in which the newest one lies; now, where there is none."""
    hits = house.store.search(kind, Filter(), sort=field, limit=1)
    value = hits[0].document.get(field) if hits else None
    newest = datetime.fromisoformat(value) if isinstance(value, str) else house.clock.now()
    return datetime.fromtimestamp((newest.timestamp() // interval_s + 1) * interval_s, tz=newest.tzinfo)
