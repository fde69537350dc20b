"""Which state of a post counts, when states come out of order.

Three write about one post: the judge when it is seen, the register when a claim comes, a rerun when it is promoted. Between two of
them, and between two tries of one, the log has no order, so the newer text, the newer counts and the newer verdict are each taken
from where they are.
"""

from __future__ import annotations

from pipeline.contracts import Judged, Verdict


def in_force(held: Judged | None, came: Judged, *, seen_again: bool = False) -> Judged | None:
    """What `came` makes of the state held so far; None if it is history already.

    `seen_again`: it brings counts alone, its verdict is a copy of one held when it was made.
    """
    if held is None:
        return came
    if held.post.revision != came.post.revision:
        return came if came.post.fetched_at >= held.post.fetched_at else None
    post = came.post if came.post.fetched_at >= held.post.fetched_at else held.post
    verdict = held.verdict if seen_again or _knew_less(came.verdict, held.verdict) else came.verdict
    return came.model_copy(update={"post": post, "verdict": verdict})


def _knew_less(one: Verdict, other: Verdict) -> bool:
    """Of the same model at work, against fewer claims. Between models the log decides: a promotion can be undone."""
    return (one.model, one.run) == (other.model, other.run) and one.claims_version < other.claims_version
