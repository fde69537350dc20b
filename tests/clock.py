"""A clock that stands still until it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FakeClock:
    """The port Clock for tests. `pass_s` moves both hands."""

    def __init__(self, at: datetime = datetime(2024, 11, 27, 1, 0, tzinfo=UTC)) -> None:
        self._at = at
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._at

    def monotonic(self) -> float:
        return self._monotonic

    def pass_s(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)
        self._monotonic += seconds
