"""The parameters of each list and what they ask of the store. Unknown parameters are refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.paging import MAX_CURSOR_CHARS
from api.problems import bad_parameter
from pipeline.contracts import CleanText, Instant
from pipeline.coverage import State
from pipeline.ports import Filter

MAX_ALTERNATIVES = 20
MAX_WORDS_CHARS = 300

# `+07:00` without percent-encoding arrives as ` 07:00`: nobody means anything else by it.
_BLANK_ZONE = re.compile(r" (\d\d:?\d\d)$")

Time = Annotated[
    Instant,
    BeforeValidator(lambda value: _BLANK_ZONE.sub(r"+\1", value) if isinstance(value, str) else value),
    Field(description="RFC 3339 with a zone, e.g. 2024-11-27T08:00:00+07:00."),
]
Word = Annotated[CleanText, Field(min_length=1, max_length=200)]
Region = Annotated[str, Field(pattern=r"^\d\d(\.\d\d)?$")]
Words = Annotated[
    CleanText | None,
    Field(max_length=MAX_WORDS_CHARS, description="Words that must all be there; slang and affixes are levelled."),
]
Limit = Annotated[int, Field(ge=1, le=200, description="Most items on a page.")]
Cursor = Annotated[
    str | None, Field(max_length=MAX_CURSOR_CHARS, description="`next` of the page before; with the same filters.")
]


class Nothing(BaseModel):
    """No parameters."""

    model_config = ConfigDict(extra="forbid")


class Paged(Nothing):
    limit: Limit = 50
    cursor: Cursor = None


class AlertQuery(Paged):
    status: list[Literal["new", "withdrawn"]] = Field(default=[], max_length=MAX_ALTERNATIVES)
    rule: list[Literal["hoax", "provocation", "hate"]] = Field(default=[], max_length=MAX_ALTERNATIVES)
    label: list[Word] = Field(default=[], max_length=MAX_ALTERNATIVES, description="Any of these labels.")
    region: list[Region] = Field(
        default=[], max_length=MAX_ALTERNATIVES, description="Code of a province (35) or regency (35.78)."
    )
    platform: list[Word] = Field(default=[], max_length=MAX_ALTERNATIVES)
    since: Time | None = Field(default=None, description="Last seen at or after.")
    until: Time | None = Field(default=None, description="Last seen before.")
    q: Words = None
    sort: Literal["last_seen_at", "opened_at", "updated_at", "reach", "score", "posts"] = Field(
        default="last_seen_at", description="The highest or newest first."
    )


class PostQuery(Paged):
    platform: list[Word] = Field(default=[], max_length=MAX_ALTERNATIVES)
    label: list[Word] = Field(default=[], max_length=MAX_ALTERNATIVES, description="Any of these labels.")
    region: list[Region] = Field(
        default=[], max_length=MAX_ALTERNATIVES, description="Code of a province (35) or regency (35.78)."
    )
    author: list[Word] = Field(default=[], max_length=MAX_ALTERNATIVES, description="Pseudonyms.")
    narrative: list[Word] = Field(default=[], max_length=MAX_ALTERNATIVES, description="Ids of narratives.")
    since: Time | None = Field(default=None, description="Seen at or after.")
    until: Time | None = Field(default=None, description="Seen before.")
    q: Words = None
    sort: Literal["seen_at", "fetched_at", "reach"] = Field(
        default="seen_at", description="The highest or newest first."
    )


class ClaimQuery(Paged):
    q: Words = None


class GapQuery(Paged):
    source: list[Word] = Field(default=[], max_length=MAX_ALTERNATIVES)


class CoverageQuery(Paged):
    state: list[State] = Field(default=[], max_length=MAX_ALTERNATIVES, description="Any of these states.")
    kind: list[Word] = Field(
        default=[], max_length=MAX_ALTERNATIVES, description="Kinds of sources, as in the registry."
    )


class SourceQuery(Paged):
    kind: list[Word] = Field(default=[], max_length=MAX_ALTERNATIVES, description="Any of these kinds.")
    region: list[Region] = Field(
        default=[], max_length=MAX_ALTERNATIVES, description="Code of a province (35) or regency (35.78)."
    )
    on: bool | None = Field(default=None, description="Only those that are on, or off.")


class TimelineQuery(Nothing):
    of: Literal["posts", "alerts"] = "posts"
    interval: Literal["hour", "day"] = "hour"
    split: Literal["label", "platform", "region"] | None = None
    since: Time | None = Field(default=None, description="Default: 7 days (hour) or 60 days (day) before `until`.")
    until: Time | None = Field(default=None, description="Default: the newest post or alert.")


class StreamQuery(Nothing):
    since: Time | None = Field(default=None, description="Also tell what was updated since; default: from now on.")


def alerts_where(query: AlertQuery, terms: Callable[[str], list[str]]) -> Filter:
    return _where(
        {
            "status": query.status,
            "rule": query.rule,
            "labels": query.label,
            "regions": query.region,
            "platforms": query.platform,
        },
        ("last_seen_at", query.since, query.until),
        words(query.q, terms),
    )


def posts_where(query: PostQuery, terms: Callable[[str], list[str]]) -> Filter:
    return _where(
        {
            "platform": query.platform,
            "labels": query.label,
            "regions": query.region,
            "author": query.author,
            "narrative_id": query.narrative,
        },
        ("seen_at", query.since, query.until),
        words(query.q, terms),
    )


def words(q: str | None, terms: Callable[[str], list[str]]) -> Sequence[str]:
    """The terms of a search. Raises Problem (400) if it has none: an empty search would find everything."""
    if q is None:
        return ()
    found = terms(q)
    if not found:
        raise bad_parameter("q", "holds no word to search for")
    return found


def _where(
    equals: dict[str, Sequence[str]],
    times: tuple[str, datetime | None, datetime | None],
    terms: Sequence[str],
) -> Filter:
    field, since, until = times
    if since is not None and until is not None and since >= until:
        raise bad_parameter("since", f"{since.isoformat()} is not before until ({until.isoformat()})")
    return Filter(
        equals={name: values for name, values in equals.items() if values},
        since={} if since is None else {field: since},
        before={} if until is None else {field: until},
        terms=terms,
    )
