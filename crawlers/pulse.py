"""What is remembered of a source's visits, and the heartbeat that is told at the end of each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipeline.contracts import HEARTBEAT_GAPS, HEARTBEAT_VISITS, Heartbeat, OpenGap

DELAYS = 200
"""Posts whose way from publication to fetch is remembered: a p95 stands on ten of them."""


@dataclass(frozen=True)
class Ended:
    """A visit that came to its end."""

    source: str
    kind: str
    name: str
    cadence_s: float
    slowest_s: float
    ended_at: datetime
    ok: bool
    """Whether the listing could be had."""
    whole: bool
    """Whether nothing was missed."""
    found: int | None
    """How many things were new, where the spider knows."""


@dataclass
class Since:
    """What one visit has put on the log so far."""

    pages: int = 0
    posts: int = 0
    problems: int = 0
    published: list[tuple[datetime, datetime]] = field(default_factory=list)
    """(published, fetched) of each post with a time of its own."""


@dataclass
class Pulse:
    """The visits of one source, as kept in `crawl.db` under `pulse:SOURCE`. Times are seconds since 1970."""

    visits: list[list[int]] = field(default_factory=list)
    """[pages, posts, new, problems] of each, the oldest first."""
    delays_s: list[float] = field(default_factory=list)
    visited_at: float | None = None
    seen_at: float | None = None
    whole_at: float | None = None
    new_at: float | None = None
    newest_post_at: float | None = None
    failures: int = 0

    @classmethod
    def of(cls, kept: str | None) -> Pulse:
        """From its mark; a mark that another version wrote begins anew."""
        try:
            return cls(**json.loads(kept)) if kept else cls()
        except (TypeError, ValueError):
            return cls()

    def mark(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    def beat(self, ended: Ended, since: Since, open_gaps: Iterable[tuple[datetime, str]]) -> Heartbeat:
        """Take the visit in and say how the source is now."""
        at = ended.ended_at.timestamp()
        new = since.posts if ended.found is None else min(ended.found, since.posts)
        self.visits = [*self.visits, [since.pages, since.posts, new, since.problems]][-HEARTBEAT_VISITS:]
        if self.visited_at is not None:
            # Older posts were shown before, or lie before the first visit: how late they come says nothing.
            late = [
                max(0.0, fetched.timestamp() - published.timestamp())
                for published, fetched in since.published
                if published.timestamp() > self.visited_at
            ]
            self.delays_s = [*self.delays_s, *(round(delay, 1) for delay in late)][-DELAYS:]
        newest = max((published.timestamp() for published, _ in since.published), default=None)
        if newest is not None:
            self.newest_post_at = max(newest, self.newest_post_at or newest)
        self.visited_at = at
        self.failures = 0 if ended.ok else self.failures + 1
        self.seen_at = at if ended.ok else self.seen_at
        self.whole_at = at if ended.whole else self.whole_at
        self.new_at = at if new else self.new_at
        pages, posts, news, problems = (sum(column) for column in zip(*self.visits, strict=True))
        told: dict[str, Any] = {
            name: _when(getattr(self, name)) for name in ("seen_at", "whole_at", "new_at", "newest_post_at")
        }
        return Heartbeat(
            source=ended.source,
            kind=ended.kind,
            name=ended.name,
            cadence_s=ended.cadence_s,
            slowest_s=ended.slowest_s,
            visited_at=ended.ended_at,
            failures=self.failures,
            visits=len(self.visits),
            pages=pages,
            posts=posts,
            new=news,
            problems=problems,
            delay_median_s=quantile(self.delays_s, 0.5),
            delay_p95_s=quantile(self.delays_s, 0.95),
            delays=len(self.delays_s),
            open_gaps=tuple(
                OpenGap(began_at=began_at, cause=cause) for began_at, cause in sorted(open_gaps)[:HEARTBEAT_GAPS]
            ),
            **told,
        )


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that so many of them do not exceed; None of none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def _when(at: float | None) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if at is not None else None
