"""Which narratives are worth a person's eyes, and why, in plain Indonesian.

A rule looks at the narrative as a whole. Only narratives that tell a story alert: corrections, questions and satire never do.
The machine finds and explains; whether something is a crime is for people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.contracts import Alert, Claim, Member, Narrative, Reason, Rule
from pipeline.ports import EXAMPLE
from pipeline.stages.locate import names

MAX_POST_IDS = 200
PROTECTED_BY: dict[Rule, frozenset[str]] = {
    "hoax": frozenset({"counter_speech"}),
    "provocation": frozenset({"criticism", "counter_speech"}),
    "hate": frozenset({"criticism", "counter_speech"}),
}
"""Labels that hold a rule's alert back. Criticism may well spread a hoax; an answer to one does not."""

HEADLINE_CHARS = 200
LIKE = "Mirip contoh yang sudah diberi label"
"""Begins the reason whose words are not the story's: an alert is not found by them."""

TARGET_NAMES = {
    "religion": "agama",
    "ethnicity": "suku atau ras",
    "group": "kelompok",
    "person": "perorangan",
    "gender": "gender",
    "body": "tubuh atau disabilitas",
    "other": "lainnya",
}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From when on provocation and hate alert: posts with at least this score, and of these so many, or so many acts of others
    upon them."""

    posts: int
    reach: int
    score: float


def rule_of(narrative: Narrative, thresholds: Thresholds) -> Rule | None:
    """The rule that holds for a narrative, the gravest first; None if none does."""
    if narrative.kind != "spreads" or not narrative.members:
        return None
    members = narrative.members.values()
    if narrative.claim_id is not None and any(_accused(member, "hoax") for member in members):
        return "hoax"
    rule: Rule
    for rule in ("provocation", "hate"):
        flagged = [m for m in members if _accused(m, rule) and m.scores.get(rule, 0.0) >= thresholds.score]
        # Where most of the copies are not flagged, the flag is an accident of one wording.
        if 2 * len(flagged) < len(members) or not flagged:
            continue
        if len(flagged) >= thresholds.posts or sum(member.reach for member in flagged) >= thresholds.reach:
            return rule
    return None


def alert_id(narrative_id: str) -> str:
    return "a" + narrative_id[1:]


def raise_alert(
    narrative: Narrative,
    rule: Rule,
    *,
    headline: str,
    claim: Claim | None,
    why: Sequence[Reason] = (),
    now: datetime,
    before: Alert | None,
) -> Alert:
    """The alert of a narrative as it stands; keeps id and opening time of the one before, and its version unless more is known.

    why: the reasons of the flagged post with the widest reach."""
    members = narrative.members
    widest = sorted(members, key=lambda post_id: (-members[post_id].reach, post_id))
    flagged = [m for m in members.values() if _accused(m, rule)]
    targets = sorted({t for m in flagged for t in m.targets}) if rule == "hate" else []
    alert = Alert(
        id=alert_id(narrative.id),
        narrative_id=narrative.id,
        rule=rule,
        labels=tuple(sorted({label for m in members.values() for label in m.labels})),
        targets=tuple(targets),
        headline=headline[:HEADLINE_CHARS],
        reasons=_reasons(members, flagged, rule, claim, targets, why),
        claim=claim,
        score=round(max(_score(m, rule) for m in flagged), 4),
        posts=len(members),
        authors=len({m.author or post_id for post_id, m in members.items()}),
        reach=sum(m.reach for m in members.values()),
        platforms=tuple(sorted({m.platform for m in members.values()})),
        regions=tuple(sorted({r for m in members.values() for r in m.regions})),
        first_seen_at=min(m.seen_at for m in members.values()),
        last_seen_at=max(m.seen_at for m in members.values()),
        opened_at=before.opened_at if before else now,
        updated_at=now,
        version=before.version + 1 if before else 1,
        models=tuple(sorted({m.model for m in members.values()})),
        post_ids=tuple(widest[:MAX_POST_IDS]),
    )
    if (
        before is not None
        and alert.model_copy(update={"updated_at": before.updated_at, "version": before.version}) == before
    ):
        return before
    return alert


def withdraw(before: Alert, why: str, now: datetime) -> Alert:
    """The alert of a narrative for which no rule holds any more. It stays, with the reason."""
    if before.status == "withdrawn":
        return before
    return before.model_copy(
        update={"status": "withdrawn", "reasons": (why,), "updated_at": now, "version": before.version + 1}
    )


def _accused(member: Member, rule: Rule) -> bool:
    return rule in member.labels and not PROTECTED_BY[rule].intersection(member.labels)


def _score(member: Member, rule: Rule) -> float:
    if rule == "hoax":
        return member.claim.score if member.claim else 0.0
    return min(1.0, max(0.0, member.scores.get(rule, 0.0)))


def _reasons(
    members: dict[str, Member],
    flagged: list[Member],
    rule: Rule,
    claim: Claim | None,
    targets: list[str],
    why: Sequence[Reason],
) -> tuple[str, ...]:
    said = []
    if rule == "hoax" and claim is not None:
        by = f" oleh {claim.publisher}" if claim.publisher else ""
        rated = f' ("{claim.rating}")' if claim.rating else ""
        said.append(f'Menyebarkan klaim yang sudah diperiksa{by}{rated}: "{claim.text[:HEADLINE_CHARS]}".')
        said.append(
            f"{len(flagged)} dari {len(members)} unggahan cocok langsung dengan klaim itu; selebihnya salinan atau hampir sama."
        )
    elif rule == "provocation":
        said.append(
            f"{len(flagged)} dari {len(members)} unggahan dinilai mengajak pada kekerasan atau mengganggu pemungutan suara."
        )
    elif rule == "hate":
        to = f" terhadap {', '.join(TARGET_NAMES.get(t, t) for t in targets)}" if targets else ""
        said.append(f"{len(flagged)} dari {len(members)} unggahan dinilai ujaran kebencian{to}.")
    words = [f'"{one.text}"' for one in why if one.label == rule and not one.text.startswith(EXAMPLE)]
    if words and rule != "hoax":
        said.append(f"Kata yang paling menentukan: {', '.join(words)}.")
    examples = [one.text.removeprefix(EXAMPLE) for one in why if one.label == rule and one.text.startswith(EXAMPLE)]
    if examples and rule != "hoax":
        said.append(f'{LIKE}: "{examples[0][:HEADLINE_CHARS]}".')
    score = max(_score(m, rule) for m in flagged)
    said.append(
        f"Skor tertinggi {score:.2f} menurut model {', '.join(sorted({m.model for m in flagged}))}.".replace(
            ".", ",", 1
        )
    )
    reach = sum(m.reach for m in members.values())
    authors = len({m.author or post_id for post_id, m in members.items()})
    platforms = Counter(m.platform for m in members.values())
    where = ", ".join(f"{name} ({count})" for name, count in sorted(platforms.items()))
    said.append(f"{len(members)} unggahan oleh {authors} akun di {where}; {reach} tanggapan warganet.")
    regions = Counter(r for m in members.values() for r in m.regions)
    if regions:
        known = names()
        top = sorted(regions, key=lambda r: (-regions[r], r))[:4]
        said.append(f"Wilayah yang disebut: {', '.join(known.get(r, r) for r in top)}.")
    return tuple(said)
