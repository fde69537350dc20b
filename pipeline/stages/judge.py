"""What the model says of posts: labels, claims they speak of with their stance, fingerprint and place, in one go for a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from pipeline.contracts import ClaimMatch, Judged, Post, Reason, Verdict
from pipeline.ports import Scorer
from pipeline.stages.fingerprint import bands
from pipeline.stages.locate import locate

CLAIMS_KEPT = 3
REASON_CHARS = 300


def judge(
    posts: Sequence[tuple[Post, datetime]],
    scorer: Scorer,
    claim_text: Callable[[str], str],
    *,
    claims_version: int,
    now: datetime,
    run: str | None = None,
) -> list[Judged]:
    """For each (post, time it came into the log) what is handed to the alert worker, in order."""
    texts = [post.text for post, _ in posts]
    scores = scorer.judge(texts)
    whys = scorer.explain(texts, scores)
    found = scorer.match(texts, scores, k=CLAIMS_KEPT)
    # Only the few claims that a post may speak of are read beside it, all of a batch in one call.
    pairs = [(claim_text(one.claim_id), text) for text, near in zip(texts, found, strict=True) for one in near]
    stances = iter(scorer.stances(pairs))
    judged = []
    for (post, logged_at), score, why, near in zip(posts, scores, whys, found, strict=True):
        cue = scorer.cue(post.text)
        matches = tuple(
            ClaimMatch(
                claim_id=one.claim_id,
                score=round(min(1.0, max(0.0, one.score)), 4),
                decision=one.decision,
                stance=next(stances),
            )
            for one in near
        )
        verdict = Verdict(
            post_id=post.id,
            revision=post.revision,
            model=scorer.model,
            # Four places: what lies below differs between processors, and a verdict must not.
            scores={label: round(float(value), 4) for label, value in score.scores.items()},
            decisions=dict(score.decisions),  # type: ignore[arg-type]
            targets=tuple(score.targets),
            claims=matches,
            cue=cue,
            reasons=(
                *(
                    Reason(label="hoax", text=claim_text(m.claim_id)[:REASON_CHARS])
                    for m in matches[:1]
                    if m.decision == "yes" and m.stance == "spreads"
                ),
                *(Reason(label=label, text=text[:REASON_CHARS]) for label, text in why),
            ),
            claims_version=claims_version,
            judged_at=now,
            run=run,
        )
        judged.append(
            Judged(
                post=post,
                verdict=verdict,
                regions=locate(post.text, post.region),
                bands=bands(post.text),
                logged_at=logged_at,
            )
        )
    return judged
