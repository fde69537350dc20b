"""A source that is not seen never looks healthy, and one that rests never looks dead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.contracts import Heartbeat, OpenGap
from pipeline.coverage import GRACE_S, state

NOW = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)


def beat(ago_s: float, **changes: Any) -> Heartbeat:
    at = NOW - timedelta(seconds=ago_s)
    told = {
        "source": "s",
        "cadence_s": 900,
        "slowest_s": 7200,
        "visited_at": at,
        "seen_at": at,
        "whole_at": at,
        "visits": 3,
    }
    return Heartbeat(**(told | changes))


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (beat(60), "healthy"),
        (beat(7200 + GRACE_S), "healthy"),
        (beat(7200 + GRACE_S + 1), "late"),
        (beat(60, failures=1), "broken"),
        (beat(60, open_gaps=(OpenGap(began_at=NOW, cause="503"),)), "broken"),
        (beat(8000, failures=1), "broken"),
        (beat(4 * 7200 + 60), "late"),
        (beat(86_400 + 1), "dead"),
        (beat(60, failures=50, seen_at=NOW - timedelta(days=8)), "dead"),
        (beat(60, failures=0, seen_at=NOW - timedelta(days=8)), "healthy"),
        (beat(2 * 86_400, slowest_s=86_400.0), "late"),
        (beat(5 * 86_400, slowest_s=86_400.0), "dead"),
    ],
)  # fmt: skip
def test_a_source_is_as_well_as_it_was_last_seen(made: Heartbeat, wanted: str) -> None:
    assert state(made, NOW) == wanted
