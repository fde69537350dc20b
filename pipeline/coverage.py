"""How well a source is seen: one word for it, and for people the reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pipeline.contracts import Heartbeat

State = Literal["healthy", "late", "broken", "dead"]
STATES: tuple[State, ...] = ("dead", "broken", "late", "healthy")
"""The worst first."""

GRACE_S = 120.0
"""A visit takes time, and its end is what is told."""
DEAD_AFTER = timedelta(days=7)
"""A source that could not be had for a week will not come back by itself."""
FORGOTTEN = 4
"""Longest pauses gone by without any visit; with less than a day it may be the crawler that rests."""


def state(beat: Heartbeat, now: datetime) -> State:
    """dead: given up, or nobody visits it any more; broken: the last visit could not see it, or a gap is open; late: a visit is overdue."""
    silent_s = (now - beat.visited_at).total_seconds()
    if silent_s > max(FORGOTTEN * beat.slowest_s, 86_400.0):
        return "dead"
    if beat.failures and now - (beat.seen_at or beat.visited_at) > DEAD_AFTER:
        return "dead"
    if beat.failures or beat.open_gaps:
        return "broken"
    return "late" if silent_s > beat.slowest_s + GRACE_S else "healthy"
