"""Scores alerts against what the small web says of itself. Pure functions, no fetching.

An alert is judged by the majority of its posts: it is *right* when more than half of them spread one
narrative that deserves an alert, and that narrative is then *found*. Half is not a majority.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from demo.truth import Row, canonical

# An alert whose posts are mostly of these kinds harms somebody who did nothing wrong.
PROTECTED_KINDS = ("correction", "question", "criticism", "satire", "counter_speech", "ordinary", "abusive")

PostId = tuple[str, str]


@dataclass(frozen=True)
class Alert:
    """An alert as the scored system gave it: any name, and its posts as (platform, native id)."""

    id: str
    posts: tuple[PostId, ...]


@dataclass(frozen=True)
class JudgedAlert:
    """What an alert turned out to be. `share` is the part of its posts that belong to `narrative`, 0..1."""

    id: str
    narrative: str | None
    kind: str
    right: bool
    share: float
    posts: int
    unknown: int


@dataclass
class Score:
    """`recall` = narratives found / deserving an alert; `precision` = right alerts / alerts (1.0 when
    there is none); `purity` = member posts that spread their alert's own narrative / all known member
    posts; `coverage` = posts of deserving narratives that lie in a right alert of their narrative /
    all of them."""

    recall: float
    precision: float
    purity: float
    coverage: float
    found: list[str]
    missed: list[str]
    wrong: list[JudgedAlert]
    protected: list[JudgedAlert]
    split: dict[str, int]
    alerts: list[JudgedAlert] = field(default_factory=list)


def alerts_from(entries: Iterable[Mapping[str, Any]]) -> list[Alert]:
    """Alerts from JSON: each `{"id", "posts": [[platform, native_id], ...]}` or posts as objects with
    those names."""
    alerts = []
    for number, entry in enumerate(entries):
        posts = tuple(
            (str(post["platform"]), str(post["native_id"]))
            if isinstance(post, Mapping)
            else (str(post[0]), str(post[1]))
            for post in entry["posts"]
        )
        alerts.append(Alert(str(entry.get("id", number)), posts))
    return alerts


def score(alerts: Sequence[Alert], rows: Iterable[Row]) -> Score:
    """The score of `alerts` against the rows of `truth()`. The same post twice in an alert counts once."""
    known: dict[PostId, Row] = {(row["platform"], row["native_id"]): row for row in rows}
    deserving = sorted({_narrative(row) for row in known.values() if row["alert"]})
    judged = [_judged(alert, known) for alert in alerts]
    right = [alert for alert in judged if alert.right]
    found = {alert.narrative for alert in right if alert.narrative}
    held: set[PostId] = set()
    own = members = 0
    for alert, verdict in zip(alerts, judged, strict=True):
        rows_inside = {post: known[post] for post in _members(alert) if post in known}
        spreading = {p for p, row in rows_inside.items() if row["alert"] and row["narrative"] == verdict.narrative}
        members += len(rows_inside)
        own += len(spreading)
        if verdict.right:
            held |= spreading
    total = sum(row["alert"] for row in known.values())
    times = Counter(alert.narrative for alert in right if alert.narrative)
    return Score(
        recall=len(found) / len(deserving) if deserving else 1.0,
        precision=len(right) / len(judged) if judged else 1.0,
        purity=own / members if members else 1.0,
        coverage=len(held) / total if total else 1.0,
        found=sorted(found),
        missed=[name for name in deserving if name not in found],
        wrong=[alert for alert in judged if not alert.right],
        protected=[alert for alert in judged if not alert.right and alert.kind in PROTECTED_KINDS],
        split={name: n for name, n in sorted(times.items()) if n > 1},
        alerts=judged,
    )


def _judged(alert: Alert, known: Mapping[PostId, Row]) -> JudgedAlert:
    members = _members(alert)
    inside = [known[post] for post in members if post in known]
    spreading = Counter(_narrative(row) for row in inside if row["alert"])
    kinds = Counter(row["kind"] for row in inside)
    narrative, count = spreading.most_common(1)[0] if spreading else (None, 0)
    return JudgedAlert(
        id=alert.id,
        narrative=narrative,
        kind=kinds.most_common(1)[0][0] if kinds else "unknown",
        right=count * 2 > len(members),
        share=count / len(members) if members else 0.0,
        posts=len(members),
        unknown=len(members) - len(inside),
    )


def _members(alert: Alert) -> list[PostId]:
    return list(dict.fromkeys((platform, canonical(native_id)) for platform, native_id in alert.posts))


def _narrative(row: Row) -> str:
    return row["narrative"] or ""
