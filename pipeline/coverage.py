"""How well a source is seen: one word for it, and for people the reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, get_args

from pipeline.contracts import Heartbeat

State = Literal["dead", "broken", "late", "waiting", "healthy", "off"]
STATES: tuple[State, ...] = get_args(State)
"""The worst first."""

GRACE_S = 120.0
"""A visit takes time, and its end is what is told."""
DEAD_AFTER = timedelta(days=7)
"""A source that could not be had for a week will not come back by itself."""
FORGOTTEN = 4
"""Longest pauses gone by without any visit; with less than a day it may be the crawler that rests."""


def state(beat: Heartbeat | None, now: datetime, *, on: bool = True) -> State:
    """dead: not to be had for a week, or nobody visits it any more; broken: the last visit could not see it, or a gap is open; late: a
    visit is overdue; waiting: on, and never visited; off: not to be visited."""
    if not on:
        return "off"
    if beat is None:
        return "waiting"
    silent_s = (now - beat.visited_at).total_seconds()
    if silent_s > max(FORGOTTEN * beat.slowest_s, 86_400.0):
        return "dead"
    if beat.failures and now - (beat.seen_at or beat.visited_at) > DEAD_AFTER:
        return "dead"
    if beat.failures or beat.open_gaps:
        return "broken"
    return "late" if silent_s > beat.slowest_s + GRACE_S else "healthy"
