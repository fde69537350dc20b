"""Contracts as documents of the search store: the contract itself, and beside it the fields by which it is found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.analysis import terms
from pipeline.contracts import Alert, Claim, Deletion, Gap, Heartbeat, Judged, Narrative, Post, Verdict
from pipeline.ports import Document, Write
from pipeline.stages.alert import LIKE
from pipeline.stages.group import Band, Stories


def _time(value: Any) -> str | None:
    return value.isoformat() if value is not None else None


def revision_id(post: Post) -> str:
    return f"{post.id}.{post.revision}"


def revision_write(post: Post, position: str) -> Write:
    """The first message to bring this revision owns it: that is how a message read again is told from a duplicate."""
    document: Document = {"post_id": post.id, "position": position, "fetched_at": _time(post.fetched_at)}
    if post.evidence is not None:
        # The post keeps only the newest; what an edit replaced must be found, too.
        document["evidence"] = post.evidence.model_dump()
    return Write("revisions", revision_id(post), document, create=True)


def verdict_write(verdict: Verdict) -> Write:
    return Write("verdicts", verdict.id, verdict.model_dump(mode="json"), create=True)


def post_document(judged: Judged, narrative_id: str | None) -> Document:
    post, verdict = judged.post, judged.verdict
    return {
        "id": post.id,
        "post": post.model_dump(mode="json"),
        "verdict": verdict.model_dump(mode="json"),
        "bands": list(judged.bands),
        "logged_at": _time(judged.logged_at),
        "platform": post.platform,
        "source": post.source,
        "author": post.author,
        "regions": list(judged.regions),
        "labels": list(verdict.labels),
        "unsure": sorted(name for name, decision in verdict.decisions.items() if decision == "unsure"),
        "claim_id": verdict.claim.claim_id if verdict.claim else None,
        "narrative_id": narrative_id,
        "model": verdict.model,
        "seen_at": _time(post.seen_at),
        "fetched_at": _time(post.fetched_at),
        "reach": post.reach,
        "terms": terms(post.text),
    }


def post_write(document: Document) -> Write:
    """Judge and alert worker write the same posts, each at its own place in the log: none puts back what was fetched earlier."""
    return Write("posts", document["id"], document, newest_by="fetched_at")


def judged_of(document: Document) -> Judged:
    """A stored post as the judge once handed it on."""
    return Judged.model_validate(
        {name: document[name] for name in ("post", "verdict", "bands", "regions", "logged_at")}
    )


def alert_document(alert: Alert) -> Document:
    claim = alert.claim
    told = [reason for reason in alert.reasons if not reason.startswith(LIKE)]
    found_by = " ".join([alert.headline, claim.text if claim else "", *told])
    return alert.model_dump(mode="json") | {"claim_id": claim.claim_id if claim else None, "terms": terms(found_by)}


def alert_of(document: Document) -> Alert:
    return Alert.model_validate({name: document[name] for name in Alert.model_fields if name in document})


def claim_document(claim: Claim, seq: int) -> Document:
    return claim.model_dump(mode="json") | {"seq": seq, "terms": terms(claim.text)}


def claim_of(document: Document) -> Claim:
    return Claim.model_validate({name: document[name] for name in Claim.model_fields if name in document})


def gap_write(gap: Gap) -> Write:
    return Write("gaps", gap.id, gap.model_dump(mode="json"))


def deletion_write(deletion: Deletion) -> Write:
    return Write("deletions", deletion.id, deletion.model_dump(mode="json") | {"post_id": deletion.post_id})


def deletion_of(document: Document) -> Deletion:
    return Deletion.model_validate({name: document[name] for name in Deletion.model_fields if name in document})


def heartbeat_write(beat: Heartbeat) -> Write:
    """The latest counts, whatever order they come in."""
    return Write("heartbeats", beat.source, beat.model_dump(mode="json"), newest_by="visited_at")


def heartbeat_of(document: Document) -> Heartbeat:
    return Heartbeat.model_validate(document)


def story_writes(stories: Stories, known_bands: Mapping[str, Document]) -> tuple[list[Write], list[Write], list[Write]]:
    """What a placed batch changes, in three steps so that a crash between or in them loses no member: the narratives that live; when
    all is told, those that were taken into another; after them the bands that are new or have moved, which may point to any."""
    touched = [stories.narratives[narrative_id] for narrative_id in sorted(stories.touched)]
    living = [_narrative_write(narrative) for narrative in touched if narrative.merged_into is None]
    merged = [_narrative_write(narrative) for narrative in touched if narrative.merged_into is not None]
    bands = []
    for key, band in sorted(stories.bands.items()):
        document = {"loose": band.loose, "claimed": sorted(band.claimed)}
        if known_bands.get(key) != document:
            bands.append(Write("bands", key, document))
    return living, merged, bands


def home_key(post_id: str) -> str:
    """Where it is kept which narrative has the post as a member: beside the bands, which are read together with it."""
    return f"post.{post_id}"


def home_document(home: str, judged: Judged) -> Document:
    """The narrative that has the post as a member, and the state in which it was placed there."""
    return {"home": home, "judged": judged.model_dump(mode="json")}


def band_of(document: Document) -> Band:
    return Band(document["loose"], frozenset(document["claimed"]))


def _narrative_write(narrative: Narrative) -> Write:
    return Write("narratives", narrative.id, narrative.model_dump(mode="json"))


def narrative_of(document: Document) -> Narrative:
    return Narrative.model_validate(document)
