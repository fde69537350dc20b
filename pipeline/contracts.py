"""The words of the house as types: what travels through the log and lies in the stores.

One word, one meaning: see `docs/words.md`. Every message on the log is an `Envelope` of UTF-8 JSON with a schema name and a
version; older versions are lifted by upcasters, unknown ones are refused. Nothing here knows a broker, a store or a clock.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

MAX_TEXT_CHARS = 100_000
"""Longest text of one post. The longest real posts seen (forum threads, articles) stay under 60,000 characters."""

EARLIEST_AT = datetime(1995, 1, 1, tzinfo=UTC)
"""No public post in Indonesia is older; an earlier date is a broken clock or a default value."""

LATEST_AHEAD = timedelta(days=2)
"""How far a post's own time may lie ahead of its fetch: zones written wrongly move it by at most a day."""

# Tab, line feed and carriage return are text; the other C0 characters and DEL are damage.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

Decision = Literal["yes", "no", "unsure"]
Stance = Literal["spreads", "debunks", "neither"]
Rule = Literal["hoax", "provocation", "hate"]


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs a zone, e.g. 2024-11-27T08:00:00+07:00")
    return value.astimezone(UTC)


def _no_controls(value: str) -> str:
    found = _CONTROL.search(value)
    if found:
        raise ValueError(f"control character U+{ord(found.group()):04X} at position {found.start()}")
    return value


Instant = Annotated[datetime, AfterValidator(_utc)]
"""A point in time with a zone; kept as UTC."""

CleanText = Annotated[str, AfterValidator(_no_controls)]


class _Words(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Evidence(_Words):
    """Where the bytes lie from which a post was read."""

    warc: str
    record_id: str
    sha256: str


class Post(_Words):
    """One public item as it stood at one fetch."""

    platform: str = Field(pattern=r"^[a-z0-9_]{1,32}$")
    native_id: CleanText = Field(min_length=1, max_length=1000)
    text: CleanText = Field(max_length=MAX_TEXT_CHARS)
    fetched_at: Instant
    url: CleanText | None = Field(default=None, max_length=4000)
    author: CleanText | None = Field(default=None, max_length=200)
    """A pseudonym (keyed hash), never an account's name."""
    published_at: Instant | None = None
    edited_at: Instant | None = None
    reply_to: CleanText | None = Field(default=None, max_length=1000)
    repost_of: CleanText | None = Field(default=None, max_length=1000)
    links: tuple[CleanText, ...] = ()
    media: tuple[CleanText, ...] = ()
    counts: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    """Engagement as the platform shows it: likes, reposts, replies, views ..."""
    source: CleanText | None = Field(default=None, max_length=200)
    region: str | None = Field(default=None, pattern=r"^\d\d(\.\d\d)?$")
    """The source's own region code (Kepmendagri), where it has one."""
    evidence: Evidence | None = None

    @model_validator(mode="after")
    def _times_are_possible(self) -> Self:
        for name in ("fetched_at", "published_at", "edited_at"):
            at: datetime | None = getattr(self, name)
            if at is None:
                continue
            if at < EARLIEST_AT:
                raise ValueError(f"{name} {at:%Y-%m-%d} lies before {EARLIEST_AT:%Y-%m-%d}")
            if at > self.fetched_at + LATEST_AHEAD:
                raise ValueError(f"{name} {at:%Y-%m-%d} lies after the fetch ({self.fetched_at:%Y-%m-%d})")
        return self

    @property
    def id(self) -> str:
        """21 characters, from (platform, native id) alone."""
        return "p" + digest(self.platform, self.native_id)[:20]

    @property
    def revision(self) -> str:
        """16 characters, from the content alone; engagement counts and the fetch do not change it."""
        return digest(self.text, *self.links, "|", *self.media)[:16]

    @property
    def seen_at(self) -> datetime:
        """When the public could read it, else when we did."""
        return self.published_at or self.fetched_at

    @property
    def reach(self) -> int:
        """Acts of others upon the post (likes, reposts, replies ...); views are left out: few platforms tell them.

        Where a platform tells all `reactions`, its likes are among them.
        """
        left_out = {"views", "likes"} if "reactions" in self.counts else {"views"}
        return sum(n for name, n in self.counts.items() if name not in left_out)


class Claim(_Words):
    """A statement that someone has fact-checked."""

    claim_id: CleanText = Field(min_length=1, max_length=500)
    text: CleanText = Field(min_length=1, max_length=5000)
    rating: CleanText | None = Field(default=None, max_length=2000)
    publisher: CleanText | None = Field(default=None, max_length=500)
    url: CleanText | None = Field(default=None, max_length=4000)
    date: Instant | None = None


class Gap(_Words):
    """A stretch of time in which a source could not be seen."""

    source: str
    began_at: Instant
    ended_at: Instant | None = None
    cause: str

    @property
    def id(self) -> str:
        return "g" + digest(self.source, self.began_at.isoformat(), self.cause)[:20]


class Deletion(_Words):
    """That a post was seen to be gone from its platform, where the platform says so for certain. What was fetched of it stays."""

    platform: str = Field(pattern=r"^[a-z0-9_]{1,32}$")
    native_id: CleanText = Field(min_length=1, max_length=1000)
    seen_at: Instant
    how: CleanText = Field(min_length=1, max_length=200)
    """By what it was seen: `HTTP 404`, `HTTP 410`, the platform's own message."""
    source: CleanText | None = Field(default=None, max_length=200)
    evidence: Evidence | None = None

    @property
    def post_id(self) -> str:
        return "p" + digest(self.platform, self.native_id)[:20]

    @property
    def id(self) -> str:
        return "d" + digest(self.post_id, self.seen_at.isoformat(), self.how)[:20]


class OpenGap(_Words):
    """A gap that lasts still."""

    began_at: Instant
    cause: str


class Heartbeat(_Words):
    """How a source was when it was last visited. One per source; the latest counts, as in `visited_at`.

    Sums are over the last `visits` visits, at most HEARTBEAT_VISITS.
    """

    source: str = Field(min_length=1, max_length=200)
    kind: str = ""
    name: str = ""
    cadence_s: float = Field(gt=0)
    """Pause between two visits that its owner asked for."""
    slowest_s: float = Field(gt=0)
    """Longest pause that the crawler leaves."""
    visited_at: Instant
    """End of the last visit, whatever came of it."""
    seen_at: Instant | None = None
    """End of the last one in which the source's own listing could be had."""
    whole_at: Instant | None = None
    """End of the last one that missed nothing."""
    new_at: Instant | None = None
    """End of the last one that found something new."""
    newest_post_at: Instant | None = None
    """When the newest post that was ever read there was published."""
    failures: int = Field(default=0, ge=0)
    """Visits in a row in which the listing could not be had."""
    visits: int = Field(ge=1)
    pages: int = Field(default=0, ge=0)
    posts: int = Field(default=0, ge=0)
    """Posts and claims put on the log, known ones with new counts too."""
    new: int = Field(default=0, ge=0)
    """Those that were not known."""
    problems: int = Field(default=0, ge=0)
    delay_median_s: float | None = Field(default=None, ge=0)
    """From publication to fetch, of posts that came since the visit before; null while there were none with a time."""
    delay_p95_s: float | None = Field(default=None, ge=0)
    delays: int = Field(default=0, ge=0)
    """How many posts these two stand on."""
    open_gaps: tuple[OpenGap, ...] = ()
    """At most HEARTBEAT_GAPS, the oldest first."""


HEARTBEAT_VISITS = 20
HEARTBEAT_GAPS = 10


class ClaimMatch(_Words):
    claim_id: str
    score: float = Field(ge=0, le=1)
    decision: Decision
    stance: Stance


class Reason(_Words):
    """Why a label was given: a word of the post's text as the model read it, a labelled example like it (after "contoh: "), or a
    claim that it matched."""

    label: str
    text: str


class Verdict(_Words):
    """What one model said of one revision. Never overwritten; a newer one supersedes."""

    post_id: str
    revision: str
    model: str
    scores: dict[str, float]
    decisions: dict[str, Decision]
    targets: tuple[str, ...] = ()
    claims: tuple[ClaimMatch, ...] = ()
    cue: Stance | None = None
    """Stance that the text shows without any claim: a correction, a question, satire."""
    reasons: tuple[Reason, ...] = ()
    claims_version: int = 0
    """How many claims the model could match against."""
    judged_at: Instant
    run: str | None = None
    """The rerun that made it; None for live work."""

    @property
    def id(self) -> str:
        return f"{self.post_id}.{self.revision}.{self.model}.{self.claims_version}"

    @property
    def claim(self) -> ClaimMatch | None:
        """The best claim that the post surely speaks of."""
        return next((m for m in self.claims if m.decision == "yes"), None)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels decided `yes`, with `hoax` where the post spreads a known claim."""
        found = [name for name, decision in sorted(self.decisions.items()) if decision == "yes"]
        claim = self.claim
        return (*found, "hoax") if claim is not None and claim.stance == "spreads" else tuple(found)


class Judged(_Words):
    """What the judge hands to the alert worker: the post, its verdict, its place and its fingerprint."""

    post: Post
    verdict: Verdict
    regions: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    """Locality-sensitive hashes: posts sharing one say nearly the same."""
    logged_at: Instant
    """When the post came into the log: alerts are timed from here."""


class Member(_Words):
    """What a narrative keeps of each of its posts."""

    author: str | None
    platform: str
    regions: tuple[str, ...]
    seen_at: Instant
    reach: int
    labels: tuple[str, ...]
    scores: dict[str, float]
    targets: tuple[str, ...] = ()
    model: str
    bands: tuple[str, ...]
    claim: ClaimMatch | None = None


class Narrative(_Words):
    """Posts that say the same with the same stance.

    Of a claim: the posts that match it, and the narratives attached to it. Of no claim: near copies of each other; attached to a
    claim's narrative when they are near copies of its posts too.
    """

    id: str
    kind: Stance
    claim_id: str | None = None
    members: dict[str, Member] = Field(default_factory=dict)
    near: tuple[str, ...] = ()
    """Narratives of claims whose posts these are near copies of; it is attached to the first."""
    attached: tuple[str, ...] = ()
    """Narratives without a claim that are attached to this one."""
    merged_into: str | None = None


class Alert(_Words):
    """A narrative that a rule holds worth a person's eyes. One per narrative, growing."""

    id: str
    narrative_id: str
    rule: Rule
    status: Literal["new", "withdrawn"] = "new"
    labels: tuple[str, ...]
    targets: tuple[str, ...] = ()
    headline: str
    reasons: tuple[str, ...]
    """Why, in plain Indonesian."""
    claim: Claim | None = None
    score: float = Field(ge=0, le=1)
    posts: int
    authors: int
    reach: int
    platforms: tuple[str, ...]
    regions: tuple[str, ...]
    first_seen_at: Instant
    last_seen_at: Instant
    opened_at: Instant
    updated_at: Instant
    version: int
    models: tuple[str, ...]
    post_ids: tuple[str, ...]
    """The widest reaching posts first, at most 200; all of them are found by `narrative_id`."""


class DeadLetter(_Words):
    """A message that a stage could not take, with its bytes as they came."""

    topic: str
    partition: int
    offset: int
    stage: str
    cause: str
    value: str
    """The original bytes, base64."""
    key: str | None = None
    failed_at: Instant
    status: Literal["open", "requeued", "discarded"] = "open"
    by: str | None = None
    """The operator who requeued or discarded it."""
    settled_at: Instant | None = None

    @property
    def id(self) -> str:
        return f"{self.topic}.{self.partition}.{self.offset}"


def digest(*parts: str) -> str:
    """SHA-256 over the parts, each ended by NUL so that no two lists share bytes; 64 hex characters."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(part.encode("utf-8", "surrogatepass"))
        hashed.update(b"\0")
    return hashed.hexdigest()


class Refused(ValueError):
    """A message that is not in the form of its contract; says which field and why."""


def explain(error: ValidationError) -> str:
    """A validation error in one line: each field and what is wrong with it."""
    return "; ".join(
        f"{'.'.join(str(p) for p in e['loc']) + ': ' if e['loc'] else ''}{e['msg'].removeprefix('Value error, ')}"
        for e in error.errors(include_url=False, include_context=False, include_input=False)[:5]
    )


Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

SCHEMAS: Mapping[str, tuple[type[_Words], int]] = {
    "post": (Post, 1),
    "claim": (Claim, 1),
    "gap": (Gap, 1),
    "deletion": (Deletion, 1),
    "heartbeat": (Heartbeat, 1),
    "judged": (Judged, 1),
    "alert": (Alert, 1),
}
"""Schema name -> its type and its present version."""

UPCASTERS: dict[tuple[str, int], Upcaster] = {}
"""(schema, version) -> how a body of that version becomes one of the next."""


def pack(schema: str, body: _Words) -> bytes:
    """The envelope as bytes for the log."""
    return b'{"schema":"%s","version":%d,"body":%s}' % (
        schema.encode(),
        SCHEMAS[schema][1],
        body.model_dump_json(exclude_defaults=True).encode(),
    )


def unpack(schema: str, value: bytes) -> Any:
    """The body of an envelope of that schema. Raises `Refused` with the field and the cause."""
    kind, newest = SCHEMAS[schema]
    try:
        envelope = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise Refused(f"not JSON: {error}") from error
    if not isinstance(envelope, dict) or not {"schema", "version", "body"} <= envelope.keys():
        raise Refused("not an envelope: needs schema, version and body")
    if envelope["schema"] != schema:
        raise Refused(f"schema: expected {schema!r}, got {envelope['schema']!r}")
    version, body = envelope["version"], envelope["body"]
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= newest:
        raise Refused(f"version: {version!r} of {schema} is unknown here (1 to {newest} are known)")
    if not isinstance(body, dict):
        raise Refused("body: not an object")
    for old in range(version, newest):
        body = UPCASTERS[schema, old](body)
    try:
        # As JSON text, not as a dict: tuples and times are then read by the JSON rules.
        return kind.model_validate(body)
    except ValidationError as error:
        raise Refused(explain(error)) from error
