"""What the API answers: the words of `pipeline.contracts`, with what a reader needs beside them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from api import regions
from pipeline.contracts import Alert, Claim, Deletion, Evidence, Gap, Heartbeat, Post, Verdict
from pipeline.coverage import State
from pipeline.ports import Document

Count = Annotated[int, Field(ge=0)]
Tally = dict[str, Count]


class AlertItem(Alert):
    """An alert, with the names of its provinces."""

    region_names: list[str]


class PostItem(BaseModel):
    """A post with the verdict in force."""

    id: str
    post: Post
    verdict: Verdict | None = Field(description="The verdict in force; null while none is.")
    labels: list[str] = Field(description="Labels decided `yes`, and `hoax` where the post spreads a known claim.")
    unsure: list[str] = Field(description="Labels on which the model abstains.")
    regions: list[str] = Field(description="Codes of regencies and their provinces.")
    region_names: list[str]
    claim_id: str | None
    narrative_id: str | None
    reach: Count
    seen_at: datetime
    evidence_url: str | None = Field(description="Where the pointer to the fetched bytes is; null if none were kept.")
    deleted: Deletion | None = Field(
        description="When and by what it was seen, since the last fetch, to be gone from its platform; else null."
    )


class PostDetail(PostItem):
    verdicts: list[Verdict] = Field(description="All verdicts ever given on this post, the newest first.")


class AlertDetail(AlertItem):
    widest_posts: list[PostItem] = Field(description="The posts of widest reach, with verdicts; the rest is paged.")
    posts_url: str = Field(description="All posts of the alert, paged.")


class EvidencePointer(Evidence):
    """Where the bytes lie from which the post was read."""

    post_id: str
    url: str | None = Field(description="The address that was fetched.")
    fetched_at: datetime


Next = Annotated[str | None, Field(description="Cursor of the next page; null at the end.")]


class AlertPage(BaseModel):
    items: list[AlertItem]
    next: Next


class PostPage(BaseModel):
    items: list[PostItem]
    next: Next


class ClaimPage(BaseModel):
    items: list[Claim]
    next: Next


class GapItem(Gap):
    gap_id: str


class GapPage(BaseModel):
    items: list[GapItem]
    next: Next


class SourceCoverage(BaseModel):
    """How well one source is seen, from its last visits."""

    source: str
    name: str = Field(description="As people know it; empty where nobody named it.")
    kind: str
    state: State = Field(
        description="`healthy`; `late`: a visit is overdue; `broken`: the last visit could not see it, or a gap is open; `dead`: not to be "
        "had for a week, or visited no more; `waiting`: on, and not visited yet; `off`: not to be visited."
    )
    heartbeat: Heartbeat | None = Field(description="What the last visit told; null before the first.")
    posts_per_visit: float | None = Field(
        description="New posts and claims per visit, over the visits of the heartbeat."
    )


class CoverageSums(BaseModel):
    """All sources together."""

    states: Tally = Field(description="Sources by state.")
    open_gaps: Count = Field(description="Gaps that last still.")
    newest_post_at: datetime | None = Field(description="When the newest post of any source was published.")


class CoveragePage(BaseModel):
    sums: CoverageSums
    items: list[SourceCoverage] = Field(description="The worst state first, then by id.")
    next: Next


class CoverageDetail(SourceCoverage):
    gaps: list[GapItem] = Field(
        description="Its gaps, the newest first, at most 50; `/gaps?source=` pages through all."
    )


class SourceItem(BaseModel):
    """A place to watch."""

    model_config = ConfigDict(extra="allow")

    id: str
    kind: str
    url: str
    name: str
    region: list[str]
    cadence_s: float = Field(description="Pause between two visits, for a source that changes as often as most.")
    legal_basis: str = Field(description="Empty: it cannot be turned on.")
    enabled: bool
    origin: Literal["file", "added"] = Field(description="`file`: of the reviewed list; `added`: by an edit.")


class SourceEdit(BaseModel):
    """One edit of a source."""

    number: int
    at: datetime
    who: str
    source: str
    act: Literal["add", "set", "on", "off", "remove"]
    fields: dict[str, Any] = Field(description="What was set, by field.")
    was: dict[str, Any] = Field(description="The same fields before.")
    why: str


class SourcePage(BaseModel):
    items: list[SourceItem]
    next: Next


class SourceDetail(BaseModel):
    source: SourceItem
    edits: list[SourceEdit] = Field(description="The first one first.")


class Conservation(BaseModel):
    """in = indexed + duplicate + dead + discarded + lag: nothing is lost in silence."""

    in_: Count = Field(alias="in", serialization_alias="in", description="Posts ever put on the log.")
    indexed: Count = Field(description="Stored as a new post or revision.")
    duplicate: Count = Field(description="Known already; changed nothing.")
    dead: Count = Field(description="Dead letters that wait for an operator.")
    discarded: Count = Field(description="Dead letters that a named operator has discarded.")
    lag: Count = Field(description="Posts on the log and not yet settled.")
    balanced: bool = Field(description="Whether the sum holds.")


class StageProgress(BaseModel):
    logged: Count = Field(description="Messages ever put on the topic.")
    lag: Count = Field(description="Those not yet settled.")
    outcomes: Tally = Field(description="What became of the settled ones.")


class AlertCounts(BaseModel):
    by_rule: Tally
    by_status: Tally


class Stats(BaseModel):
    conservation: Conservation
    stages: dict[str, dict[str, StageProgress]] = Field(description="Worker -> topic -> how far it has come.")
    alerts: AlertCounts
    posts: Count
    claims: Count
    gaps: Count
    labels: Tally = Field(description="Posts by label in force.")


class Point(BaseModel):
    at: datetime = Field(description="Begin of the interval, UTC.")
    value: str | None = Field(description="Value of the split; null without one.")
    count: Count


class Timeline(BaseModel):
    of: str
    interval: str
    split: str | None
    since: datetime
    until: datetime
    points: list[Point] = Field(description="Empty intervals are left out.")


class Health(BaseModel):
    status: str


class Ready(BaseModel):
    status: str
    store: str = Field(description="The store in words.")
    log: str = Field(description="The log in words.")


def _fields(kind: type[BaseModel], document: Document) -> Document:
    return {name: document[name] for name in kind.model_fields if name in document}


def alert_item(document: Document) -> AlertItem:
    fields = _fields(Alert, document)
    return AlertItem(**fields, region_names=regions.names(fields.get("regions", ())))


def post_fields(document: Document, deleted: Deletion | None = None) -> dict[str, Any]:
    post = Post.model_validate(document["post"])
    verdict = Verdict.model_validate(document["verdict"]) if document.get("verdict") else None
    codes = list(document.get("regions") or ())
    return {
        "id": post.id,
        "post": post,
        "verdict": verdict,
        "labels": list(document.get("labels") or ()),
        "unsure": list(document.get("unsure") or ()),
        "regions": codes,
        "region_names": regions.names(codes),
        "claim_id": document.get("claim_id"),
        "narrative_id": document.get("narrative_id"),
        "reach": post.reach,
        "seen_at": post.seen_at,
        "evidence_url": f"/api/v1/posts/{post.id}/evidence" if post.evidence else None,
        "deleted": deleted,
    }


def post_item(document: Document, deleted: Deletion | None = None) -> PostItem:
    return PostItem(**post_fields(document, deleted))


def claim_item(document: Document) -> Claim:
    return Claim(**_fields(Claim, document))


def gap_item(document: Document) -> GapItem:
    gap = Gap(**_fields(Gap, document))
    return GapItem(**gap.model_dump(), gap_id=gap.id)


def source_item(document: Document) -> SourceItem:
    return SourceItem.model_validate({name: value for name, value in document.items() if name != "edits"})


def source_detail(document: Document) -> SourceDetail:
    return SourceDetail(
        source=source_item(document), edits=[SourceEdit.model_validate(one) for one in document["edits"]]
    )


def posts_url(alert_id: str) -> str:
    return f"/api/v1/alerts/{quote(alert_id, safe='')}/posts"
