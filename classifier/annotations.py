"""Reading and checking the rows that this project labelled itself: see docs/model/labelling.md for what the
labels mean.

`written.csv` holds texts of our own; `relabelled.csv` (of a public hate set) and `elections.csv` (of public
election posts) hold our labels of public rows by their id, never their text; `readings.csv` holds each reader's labels as first given, before disagreements were settled;
`stance.csv` holds pairs of a claim and a text.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from .labels import TARGETS
from .stance import STANCES
from .tables import MASKED, OURS, key, rows

ANNOTATED = ("hate", "provocation", "abusive", "suspect", "criticism", "counter_speech")
RELABELLED = ("provocation", "suspect", "criticism", "counter_speech")
# What protects a text cannot stand beside what accuses it: rule 5 of the guide.
PROTECTIVE = ("criticism", "counter_speech")
ACCUSING = ("hate", "provocation", "suspect")
LANGUAGES = ("id", "jv", "su")
PARTS = ("train", "test")
SECOND = ("", "agreed", "settled")
SOURCES = {"ibrohim_2019": "hate/ibrohim_2019.csv"}
ELECTIONS = {name: f"ordinary/{name}.csv" for name in ("pilpres_2024", "pilpres_2024_debates", "pilkada_dki_2017")}

# The edge cases of the guide, by the label whose line they draw; `plain` is talk without any label.
KINDS = (
    "p-report", "p-quote", "p-protest", "p-slogan", "p-metaphor", "p-worry", "p-curse", "p-approval",
    "p-vote", "p-place", "p-coded", "p-satire", "p-guard", "p-question",
    "h-critic", "h-belief", "h-general", "h-slur", "h-body", "h-local", "h-banter", "h-gender",
    "h-followers", "h-foreign", "h-irony",
    "a-swear", "a-insult",
    "s-forward", "s-claim", "s-ask", "s-voteinfo", "s-scam", "s-theory", "s-satire",
    "c-substance", "c-mixed",
    "k-quote", "k-but", "k-return", "k-hoax", "k-general",
    "plain",
)  # fmt: skip
STANCE_KINDS = (
    "assertion", "paraphrase", "forward", "katanya", "quote-approve", "denial-of-denial",
    "negation", "correction", "tag", "factcheck", "irony",
    "question", "clarification", "report", "quotation", "joke",
    "other-claim", "other-candidate", "other-place", "other-number", "other-date",
)  # fmt: skip


class BadAnnotation(ValueError):
    """A labelled row that cannot be taken; the message names the file, the line and the field."""


@dataclass(frozen=True, slots=True)
class Written:
    """A text of our own. `labels` are 0, 1 or MASKED where the guide does not decide."""

    id: str
    text: str
    labels: dict[str, float]
    targets: tuple[str, ...]
    topic: str  # whole topics are held back, so that both sides of a minimal pair lie in one part
    kind: str
    language: str
    part: str
    labelled_by: str
    second: str


@dataclass(frozen=True, slots=True)
class Relabelled:
    """Our labels of a public row, found by `source` and `id`; `sha256` holds 12 hex digits of its text's.

    A row of a hate set has the labels RELABELLED and no target: it keeps its own annotators' hate. A row of
    an election set, which came without labels, has all of ANNOTATED.
    """

    id: str
    source: str
    sha256: str
    labels: dict[str, float]
    labelled_by: str
    second: str
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reader said of one row before anything was settled; MASKED where the reader left it open."""

    id: str
    reader: str
    labels: dict[str, float]


@dataclass(frozen=True, slots=True)
class StancePair:
    id: str
    claim: str
    text: str
    stance: str
    kind: str
    topic: str
    part: str
    labelled_by: str


class _Row:
    """One row of a file, which says where it stands when something in it is wrong."""

    def __init__(self, path: Path, line: int, cells: dict[str, str]) -> None:
        self.path, self.line, self.cells = path, line, cells

    def fail(self, field: str, why: str) -> NoReturn:
        raise BadAnnotation(f"{self.path.name}, line {self.line}, field {field}: {why}")

    def text(self, field: str) -> str:
        value = self.cells[field]
        if not value.strip():
            self.fail(field, "empty")
        if value != value.strip():
            self.fail(field, "begins or ends with a blank")
        return value

    def one_of(self, field: str, allowed: tuple[str, ...]) -> str:
        value = self.cells[field]
        if value not in allowed:
            self.fail(field, f"{value!r} is none of {', '.join(repr(one) for one in allowed)}")
        return value

    def labels(self, fields: tuple[str, ...]) -> dict[str, float]:
        found = {field: {"1": 1.0, "0": 0.0, "": MASKED}[self.one_of(field, ("0", "1", ""))] for field in fields}
        for field in PROTECTIVE:
            for other in ACCUSING:
                if found.get(field) == found.get(other) == 1:
                    self.fail(field, f"cannot be 1 where {other} is 1")
        return found

    def targets(self, hate: float) -> tuple[str, ...]:
        names = tuple(self.cells["targets"].split())
        for name in names:
            if name not in TARGETS:
                self.fail("targets", f"{name!r} is no target")
        if tuple(target for target in TARGETS if target in names) != names:
            self.fail("targets", f"must be in the order {' '.join(TARGETS)}, each once")
        if bool(names) != (hate == 1):
            self.fail("targets", "must name a target where hate is 1, and none elsewhere")
        return names


def read_written(path: Path = OURS / "written.csv") -> list[Written]:
    """Return our own labelled texts; BadAnnotation for the first bad row."""
    fields = ("id", "text", *ANNOTATED, "targets", "topic", "kind", "language", "part", "labelled_by", "second")
    found = []
    once, alone, together = _unique("id"), _unique("text", key), _one_part()
    for row in _table(path, fields):
        labels = row.labels(ANNOTATED)
        found.append(
            Written(
                once(row),
                alone(row),
                labels,
                row.targets(labels["hate"]),
                together(row),
                row.one_of("kind", KINDS),
                row.one_of("language", LANGUAGES),
                row.one_of("part", PARTS),
                row.text("labelled_by"),
                row.one_of("second", SECOND),
            )
        )
    return found


def read_relabelled(path: Path = OURS / "relabelled.csv") -> list[Relabelled]:
    """Return our labels of the rows of public hate sets; BadAnnotation for the first bad row."""
    return _public(path, RELABELLED, SOURCES)


def read_elections(path: Path = OURS / "elections.csv") -> list[Relabelled]:
    """Return our labels of public election posts; BadAnnotation for the first bad row."""
    return _public(path, ANNOTATED, ELECTIONS)


def read_readings(path: Path = OURS / "readings.csv") -> list[Reading]:
    """Return every reader's labels; a reader reads a row once. BadAnnotation for the first bad row."""
    seen: set[tuple[str, str]] = set()
    found = []
    for row in _table(path, ("id", "reader", *ANNOTATED)):
        reading = Reading(row.text("id"), row.text("reader"), row.labels(ANNOTATED))
        if (reading.id, reading.reader) in seen:
            row.fail("id", f"{reading.reader} has read {reading.id!r} before")
        seen.add((reading.id, reading.reader))
        found.append(reading)
    return found


def read_stance_pairs(path: Path = OURS / "stance.csv") -> list[StancePair]:
    """Return our pairs of a claim and a text; BadAnnotation for the first bad row."""
    once, alone, together = _unique("id"), _unique("text", key), _one_part()
    return [
        StancePair(
            once(row),
            row.text("claim"),
            alone(row),
            row.one_of("stance", STANCES),
            row.one_of("kind", STANCE_KINDS),
            together(row),
            row.one_of("part", PARTS),
            row.text("labelled_by"),
        )
        for row in _table(path, ("id", "claim", "text", "stance", "kind", "topic", "part", "labelled_by"))
    ]


def with_texts(relabelled: list[Relabelled], data: Path) -> list[tuple[str, Relabelled]]:
    """Return each relabelled row with its public text from the folder `data`.

    BadAnnotation where the set there lacks a row, or holds another text under its id.
    """
    files = SOURCES | ELECTIONS
    named = {one.source for one in relabelled}
    public = {source: {row["id"]: row["text"] for row in rows(data / files[source])} for source in named}
    found = []
    for one in relabelled:
        text = public[one.source].get(one.id)
        if text is None:
            raise BadAnnotation(f"{files[one.source]} has no row {one.id}, which we labelled")
        if hashlib.sha256(text.encode()).hexdigest()[:12] != one.sha256:
            raise BadAnnotation(f"{files[one.source]}, row {one.id}: another text than the one we labelled")
        found.append((text, one))
    return found


def _public(path: Path, labels: tuple[str, ...], sources: dict[str, str]) -> list[Relabelled]:
    with_hate = "hate" in labels
    fields = ("id", "source", "sha256", *labels, *(("targets",) if with_hate else ()), "labelled_by", "second")
    once = _unique("id")
    found = []
    for row in _table(path, fields):
        digest = row.text("sha256")
        if len(digest) != 12 or set(digest) - set("0123456789abcdef"):
            row.fail("sha256", f"{digest!r} is not 12 hex digits")
        given = row.labels(labels)
        found.append(
            Relabelled(
                once(row),
                row.one_of("source", tuple(sources)),
                digest,
                given,
                row.text("labelled_by"),
                row.one_of("second", SECOND),
                row.targets(given["hate"]) if with_hate else (),
            )
        )
    return found


def _table(path: Path, fields: tuple[str, ...]) -> Iterator[_Row]:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadAnnotation(f"{path.name}, line {line}: not UTF-8") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    missing = [field for field in fields if field not in (reader.fieldnames or ())]
    if missing:
        raise BadAnnotation(f"{path.name}, line 1: lacks the column {', '.join(missing)}")
    try:
        for cells in reader:
            if None in cells or None in cells.values():
                raise BadAnnotation(f"{path.name}, line {reader.line_num}: not as many fields as the first line")
            yield _Row(path, reader.line_num, cells)
    except csv.Error as error:
        raise BadAnnotation(f"{path.name}, line {reader.reader.line_num}: {error}") from None


def _unique(field: str, form: Callable[[str], str] = str) -> Callable[[_Row], str]:
    # Two copies of a text under two labels, or in two parts, would spoil both training and test.
    lines: dict[str, int] = {}

    def check(row: _Row) -> str:
        value = row.text(field)
        before = lines.setdefault(form(value), row.line)
        if before != row.line:
            row.fail(field, f"stands in line {before} already")
        return value

    return check


def _one_part() -> Callable[[_Row], str]:
    parts: dict[str, str] = {}

    def check(row: _Row) -> str:
        topic = row.text("topic")
        if parts.setdefault(topic, row.cells["part"]) != row.cells["part"]:
            row.fail("part", f"the topic {topic!r} lies in {parts[topic]!r} already")
        return topic

    return check
