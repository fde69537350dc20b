"""Which stage reads and writes which topic: the only place that knows the order.

posts.raw --judge--> posts.judged --alert--> alerts
claims, gaps, deletions, heartbeats --register--> (store; posts that a new claim concerns go to posts.judged again)
"""

from __future__ import annotations

from dataclasses import dataclass

POSTS_RAW = "posts.raw.v1"
POSTS_REQUEUED = "posts.requeued.v1"
POSTS_JUDGED = "posts.judged.v1"
CLAIMS = "claims.v1"
GAPS = "gaps.v1"
DELETIONS = "deletions.v1"
HEARTBEATS = "heartbeats.v1"
ALERTS = "alerts.v1"

TOPICS = {
    POSTS_RAW: 4,  # as many judge workers can share the load; raise it before the first start of a larger site
    POSTS_REQUEUED: 1,  # what an operator sent back; apart, so that `in` counts each post once
    POSTS_JUDGED: 1,  # grouping sees every post in one order, see docs/decisions/0002
    CLAIMS: 1,
    GAPS: 1,
    DELETIONS: 1,
    HEARTBEATS: 1,  # one a visit
    ALERTS: 1,
}
"""Topic -> partitions."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A consumer group: its name, what it reads and what it may write."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]


WORKERS = {
    worker.name: worker
    for worker in (
        Worker("judge", (POSTS_RAW, POSTS_REQUEUED), (POSTS_JUDGED,)),
        Worker("register", (CLAIMS, GAPS, DELETIONS, HEARTBEATS), (POSTS_JUDGED,)),
        Worker("alert", (POSTS_JUDGED,), (ALERTS,)),
    )
}
