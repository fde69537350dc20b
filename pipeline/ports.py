"""What the pipeline asks of technology. The docstrings are the promises; `tests/contracts` holds every adapter to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol


class RetryLater(Exception):
    """The other side cannot take it now (down, full, busy). Nothing is lost by trying again, later."""


class RejectPost(Exception):
    """This one message can never be taken; it goes to the dead letters with this cause."""


class Fenced(Exception):
    """Another worker owns the partition now; what was not committed will be done by it."""


# ---------------------------------------------------------------- the log


class Partition(NamedTuple):
    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class Record:
    """A message to be put on the log. Equal keys keep their order."""

    topic: str
    value: bytes
    key: bytes | None = None
    headers: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A message read from the log."""

    partition: Partition
    offset: int
    value: bytes
    key: bytes | None
    headers: Mapping[str, bytes]
    logged_at: datetime

    @property
    def position(self) -> str:
        """Where it stands: `topic.partition.offset`, unique for ever."""
        return f"{self.partition.topic}.{self.partition.number}.{self.offset}"


Tally = Mapping[str, int]
"""Outcome -> how many messages had it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a group has come in a topic, summed over its partitions."""

    logged: int
    """Messages ever put on the topic."""
    committed: int
    """Messages whose outcome is settled."""
    tally: Tally
    """Outcomes of the settled ones; sums to `committed`."""

    @property
    def lag(self) -> int:
        return self.logged - self.committed


class Subscription(Protocol):
    """One member of a consumer group. Not thread-safe."""

    def poll(self, max_records: int, timeout_s: float) -> list[Message]:
        """Next messages of the partitions owned, in order within each; empty when none came in time.

        The first poll of a group that never committed begins at the oldest message. Each partition has one owner in the group at a
        time; a dead member's partitions pass to another. A message is returned once per ownership until `rewind`.
        Raises RetryLater while the log is out of reach.
        """

    def keep_alive(self) -> None:
        """Stay a member without reading: for back-pressure and long waits. Raises RetryLater as `poll`."""

    def commit(self, positions: Mapping[Partition, int], tallies: Mapping[Partition, Tally]) -> None:
        """Settle, for each partition, all messages before the offset given, and add the tallies: both or neither.

        Offset and tally of a partition are one act, so that a crash can neither lose nor double a count. Raises Fenced if a
        partition has gone to another member (nothing of that partition is then changed), RetryLater if the log is out of reach.
        """

    def rewind(self) -> None:
        """The next poll begins again at the committed positions."""

    def close(self) -> None:
        """Leave the group at once, so that others take over without waiting."""


class Broker(Protocol):
    """The log: topics of partitions of messages that stay."""

    def ensure(self, topics: Mapping[str, int]) -> None:
        """Make the topics that are missing, with so many partitions. Existing ones stay as they are."""

    def publish(self, records: Sequence[Record]) -> None:
        """Append all; returns when all are durable. On RetryLater any part may have been written: publishing again is safe."""

    def subscribe(self, group: str, topics: Sequence[str]) -> Subscription: ...

    def progress(self, group: str, topic: str) -> Progress: ...

    def read(self, topic: str, limit: int = 1000) -> list[Message]:
        """The newest messages of a topic, oldest first, without any group: for people and tests."""

    def ping(self) -> str:
        """One line that names the server and its version. Raises RetryLater when it is out of reach."""

    def close(self) -> None: ...


# ---------------------------------------------------------------- the search store

Kind = Literal[
    "posts",
    "revisions",
    "verdicts",
    "narratives",
    "bands",
    "alerts",
    "claims",
    "gaps",
    "deletions",
    "heartbeats",
    "dead_letters",
    "runs",
    "meta",
]
FieldType = Literal["keyword", "time", "number", "terms", "flag"]

FIELDS: Mapping[Kind, Mapping[str, FieldType]] = {
    "posts": {
        "platform": "keyword",
        "source": "keyword",
        "author": "keyword",
        "regions": "keyword",
        "labels": "keyword",
        "unsure": "keyword",
        "claim_id": "keyword",
        "narrative_id": "keyword",
        "model": "keyword",
        "seen_at": "time",
        "fetched_at": "time",
        "reach": "number",
        "terms": "terms",
    },
    "revisions": {"post_id": "keyword", "fetched_at": "time"},
    "verdicts": {"post_id": "keyword", "model": "keyword", "run": "keyword", "judged_at": "time"},
    "narratives": {},
    "bands": {},
    "alerts": {
        "status": "keyword",
        "rule": "keyword",
        "labels": "keyword",
        "targets": "keyword",
        "platforms": "keyword",
        "regions": "keyword",
        "claim_id": "keyword",
        "narrative_id": "keyword",
        "first_seen_at": "time",
        "last_seen_at": "time",
        "opened_at": "time",
        "updated_at": "time",
        "posts": "number",
        "reach": "number",
        "score": "number",
        "terms": "terms",
    },
    "claims": {"date": "time", "seq": "number", "terms": "terms"},
    "gaps": {"source": "keyword", "began_at": "time", "cause": "keyword"},
    "deletions": {"post_id": "keyword", "seen_at": "time"},
    "heartbeats": {"kind": "keyword", "visited_at": "time"},
    "dead_letters": {"status": "keyword", "stage": "keyword", "topic": "keyword", "failed_at": "time"},
    "runs": {"status": "keyword", "started_at": "time"},
    "meta": {},
}
"""What can be filtered, sorted and counted, by kind. A document may hold more: it is kept and given back, not indexed.

A keyword field holds a string, a list of strings or null. A time is an RFC 3339 string. `terms` is a list of words that
`pipeline.analysis` made; stores do no analysis of their own, so that all find the same.
"""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Write:
    kind: Kind
    id: str
    document: Document
    create: bool = False
    """Only if there is none with this id."""
    newest_by: str | None = None
    """Only if the one there has no later value in this time field."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one write."""

    outcome: Literal["stored", "exists", "older", "refused"]
    """`exists`: a `create` found one there, `older`: a `newest_by` found a later one; nothing was changed. `refused`: the store can
    never take this document."""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """All conditions must hold. Values within one `equals` entry are alternatives."""

    equals: Mapping[str, Sequence[str]] = field(default_factory=dict)
    since: Mapping[str, datetime] = field(default_factory=dict)
    """time field -> at or after"""
    before: Mapping[str, datetime] = field(default_factory=dict)
    """time field -> strictly before"""
    terms: Sequence[str] = ()
    """Words that must all be in `terms`."""
    any_terms: Sequence[str] = ()
    """Words of which at least `min_terms` must be in `terms`."""
    min_terms: int = 1


@dataclass(frozen=True, slots=True)
class Hit:
    id: str
    document: Document
    sort: tuple[Any, str]
    """Pass it as `after` to go on behind this hit."""


class SearchStore(Protocol):
    """Documents by id and by search. `get` and `put` see every write at once; `search`, `count` and the rest see it after `refresh`
    or within a second."""

    def prepare(self) -> None:
        """Make tables or indices that are missing. Safe to call from several processes at once."""

    def get(self, kind: Kind, ids: Sequence[str]) -> dict[str, Document]:
        """Those of the documents that exist."""

    def put(self, writes: Sequence[Write]) -> list[Written]:
        """Store all, durable on return; one outcome each, in order. Writes of one id in one call are applied in order.

        A refused document hinders no other. Raises RetryLater when the store cannot take them now (down, 429, 503, disk full):
        any part may then be stored, and putting all again is safe.
        """

    def delete(self, kind: Kind, ids: Sequence[str]) -> None:
        """Remove those that exist."""

    def refresh(self) -> None: ...

    def search(
        self,
        kind: Kind,
        where: Filter,
        *,
        sort: str,
        descending: bool = True,
        limit: int = 50,
        after: tuple[Any, str] | None = None,
    ) -> list[Hit]:
        """Sorted by a time or number field, then by id, in the same direction; documents without the field come last."""

    def count(self, kind: Kind, where: Filter) -> int: ...

    def terms(self, kind: Kind, field: str, where: Filter, limit: int = 100) -> dict[str, int]:
        """Documents per value of a keyword field, most frequent first, ties by value."""

    def histogram(
        self, kind: Kind, field: str, where: Filter, *, interval_s: int, split: str | None = None
    ) -> list[tuple[datetime, str | None, int]]:
        """Documents per interval of a time field (aligned to the epoch, empty ones left out), split by a keyword field if named."""

    def scan(self, kind: Kind, where: Filter, batch: int = 500) -> Iterator[Hit]:
        """Every document that matches, each once, in the order of ids; sees at least what was there at the start."""

    def ping(self) -> str:
        """As Broker.ping."""

    def close(self) -> None: ...


# ---------------------------------------------------------------- sources


class BadSource(Exception):
    """A source, or an edit of one, that cannot be; names the source and the field."""

    field: str | None = None
    """The field that is wrong, where it is one."""


class NoSuchSource(BadSource):
    """No source in force has this id."""


class SourceRegistry(Protocol):
    """The places to watch, and who changed them. A source is a document with the fields of its entry; every edit names who, when, why.

    All raise BadSource, also where the list in force cannot be read. Thread-safe.
    """

    def sources(self) -> list[Document]:
        """Every source in force, in the order of the list, with `origin` (`file` or `added`)."""

    def source(self, name: str) -> Document:
        """One of them, with all its `edits`, the first one first. Raises NoSuchSource."""

    def add(self, fields: Mapping[str, Any], *, who: str, why: str) -> Document:
        """A new source, off unless it says otherwise; returns it as `source` does. One that is on needs a `legal_basis`."""

    def change(self, name: str, fields: Mapping[str, Any], *, who: str, why: str) -> Document:
        """Other values of some fields; what is the same already is no edit. Raises NoSuchSource, and changes nothing if the
        source would be wrong, or turned on without a `legal_basis`."""

    def edits(self, name: str | None = None) -> list[Document]:
        """Every edit ever made, or those of one source, the first first; also of sources that are gone."""


# ---------------------------------------------------------------- judging


@dataclass(frozen=True, slots=True)
class Score:
    scores: Mapping[str, float]
    decisions: Mapping[str, str]
    targets: Sequence[str]
    embedding: Any
    """(dim,) float32, L2-normalised."""


EXAMPLE = "contoh: "
"""Begins a reason that is a labelled example, not a word of the text."""


@dataclass(frozen=True, slots=True)
class Found:
    """A claim that a text may speak of."""

    claim_id: str
    score: float
    decision: Literal["yes", "no", "unsure"]


class Scorer(Protocol):
    """The classifier as the pipeline sees it. Scores of a text do not depend on what else is in the batch."""

    @property
    def model(self) -> str: ...

    def judge(self, texts: Sequence[str]) -> list[Score]: ...

    def explain(self, texts: Sequence[str], scores: Sequence[Score]) -> list[list[tuple[str, str]]]:
        """For each text (label, a word that carried it) of every label decided `yes`, most telling first, and after a label's words
        (label, EXAMPLE + its text) of the nearest labelled example where one is near. May be empty; costs little beside `judge`."""

    def load_claims(self, claims: Sequence[tuple[str, str]]) -> None:
        """(claim id, text) of all claims that can be matched; replaces what was there. Only new ones cost time."""

    def match(self, texts: Sequence[str], scores: Sequence[Score], k: int = 3) -> list[list[Found]]:
        """For each text the best claims, best first, without those decided `no`."""

    def stances(self, pairs: Sequence[tuple[str, str]]) -> list[Literal["spreads", "debunks", "neither"]]:
        """How each text of (claim, text) stands to its claim; "spreads" only where that is sure enough to act upon."""

    def cue(self, text: str) -> Literal["debunks", "neither"] | None:
        """What the text alone shows of its stance."""


class Clock(Protocol):
    def now(self) -> datetime:
        """UTC, aware."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...
