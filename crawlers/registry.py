"""The sources in force: a reviewed file, and over it the edits that people made by name. Nothing of either is ever forgotten.

The file is changed by review, like code. An edit is an event in `sources.db` (JAGA_HOME): who, when, what, why. Events are only ever
added; what is in force is the file with all of them over it, in order.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import ValidationError

from pipeline.ports import NoSuchSource
from pipeline.settings import Settings

from .sources import BadSources, Source, choose, load_sources

SHIPPED = Path(__file__).with_name("sources.yaml")
"""The list that comes along: public Indonesian sources, all of them off."""

Act = Literal["add", "set", "on", "off", "remove"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL, who TEXT NOT NULL, source TEXT NOT NULL, act TEXT NOT NULL,
    fields TEXT NOT NULL, was TEXT NOT NULL, why TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER IF NOT EXISTS events_last BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are never removed'); END;
"""
BUSY_S = 30.0
NEEDS_A_BASIS = "legal_basis: a source is turned on only with one"


class NoSource(BadSources, NoSuchSource):
    """No source in force has this id."""


@dataclass(frozen=True)
class Event:
    """One edit."""

    number: int
    at: datetime
    who: str
    source: str
    act: Act
    fields: dict[str, Any]
    """What was set, by field; all of them for `add`."""
    was: dict[str, Any]
    """The same fields before."""
    why: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "at": self.at.isoformat().replace("+00:00", "Z")}


@dataclass
class Entry:
    """A source in force, and how it came to be so."""

    source: Source
    origin: Literal["file", "added"]
    events: list[Event] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        told = self.source.model_dump(mode="json")
        return {**told, "origin": self.origin, "edits": [event.as_dict() for event in self.events]}


@dataclass
class _Draft:
    """A source's fields before anyone looked whether they go together."""

    fields: dict[str, Any]
    origin: Literal["file", "added"]
    events: list[Event] = field(default_factory=list)


class Registry:
    """`base`: the reviewed list, `base_name` for messages; `path`: the database of edits, made at the first one."""

    def __init__(self, base: Sequence[Source], base_name: str, path: Path) -> None:
        self.base, self.base_name, self.path = base, base_name, path

    @classmethod
    def of(cls, settings: Settings) -> Registry:
        """The one in force: the file of JAGA_SOURCES, else the list that comes along. Raises BadSources."""
        file = settings.sources or SHIPPED
        return cls(load_sources(file), str(file), settings.registry_file)

    # -- reading

    def entries(self) -> dict[str, Entry]:
        """Every source in force by its id. Raises BadSources if an edit no longer fits the file."""
        return {name: self._made(draft) for name, draft in self._over(self.events()).items()}

    def _made(self, draft: _Draft) -> Entry:
        try:
            return Entry(Source.model_validate(draft.fields), draft.origin, draft.events)
        except ValidationError as error:
            last = draft.events[-1]
            where = f"{self.path}: edit {last.number} of {last.source} by {last.who} no longer fits {self.base_name}"
            raise BadSources(f"{where}: {_first(error)}") from error

    def sources(self, ids: Sequence[str] = ()) -> list[Source]:
        """Those named, or all that are on. Raises BadSources for a name that is not there."""
        return choose([entry.source for entry in self.entries().values()], list(ids))

    def entry(self, name: str) -> Entry:
        """Raises BadSources for a name that is not there."""
        return self._made(_named(self._over(self.events()), name))

    def events(self, name: str | None = None) -> list[Event]:
        """All edits, or those of one source, the first first; also of sources that are gone."""
        if not self.path.exists():
            return []
        with self._open() as db:
            return [event for event in _events(db) if name in (None, event.source)]

    def stray(self) -> list[Event]:
        """Edits of sources that the file no longer has, and that therefore do nothing."""
        present = {source.id for source in self.base}
        found = []
        for event in self.events():
            if event.act == "add":
                present.add(event.source)
            elif event.source not in present:
                found.append(event)
        return found

    def _over(self, events: Sequence[Event]) -> dict[str, _Draft]:
        """The file with the edits over it, not looked at yet: an edit that no longer fits must not keep people from mending it."""
        drafts = {source.id: _Draft(source.model_dump(mode="json"), "file") for source in self.base}
        gone: dict[str, list[Event]] = {}
        for event in events:
            draft = drafts.get(event.source)
            if event.act == "add":
                draft = drafts[event.source] = _Draft(dict(event.fields), "added", gone.pop(event.source, []))
            elif draft is None:
                continue
            elif event.act == "remove":
                gone[event.source] = [*drafts.pop(event.source).events, event]
                continue
            else:
                draft.fields |= event.fields
            draft.events.append(event)
        return drafts

    # -- editing

    def add(self, fields: Mapping[str, Any], *, who: str, why: str = "", at: datetime | None = None) -> Event:
        """A new source. Raises BadSources if it is wrong or its id is taken."""
        try:
            source = Source.model_validate(dict(fields))
        except ValidationError as error:
            raise BadSources(f"{fields.get('id') or 'new source'}: {_first(error)}", _field(error)) from error
        if source.enabled and not source.legal_basis.strip():
            raise BadSources(f"{source.id}: {NEEDS_A_BASIS}", "legal_basis")
        with self._write() as db:
            if source.id in self._over(list(_events(db))):
                raise BadSources(
                    f"{source.id}: id: there is such a source already; `jaga sources set` changes it", "id"
                )
            return _append(db, who, source.id, "add", source.model_dump(mode="json"), {}, why, at)

    def change(
        self,
        name: str,
        fields: Mapping[str, Any],
        *,
        act: Act = "set",
        who: str,
        why: str = "",
        at: datetime | None = None,
    ) -> Event | None:
        """Other values of some fields; None if they had them already. Raises BadSources and changes nothing if the source would be wrong."""
        with self._write() as db:
            before = _named(self._over(list(_events(db))), name).fields
            _check_names(name, fields)
            try:
                after = Source.model_validate({**before, **fields})
            except ValidationError as error:
                raise BadSources(f"{name}: {_first(error)}", _field(error)) from error
            if after.enabled and not after.legal_basis.strip() and not before.get("enabled"):
                raise BadSources(f"{name}: {NEEDS_A_BASIS}", "legal_basis")
            told = after.model_dump(mode="json")
            changed = {key: value for key, value in told.items() if value != before.get(key)}
            if not changed:
                return None
            return _append(db, who, name, act, changed, {key: before.get(key) for key in changed}, why, at)

    def remove(self, name: str, *, who: str, why: str = "", at: datetime | None = None) -> Event:
        """It is watched no more; its history stays. Raises BadSources for a name that is not there."""
        with self._write() as db:
            draft = _named(self._over(list(_events(db))), name)
            return _append(db, who, name, "remove", {}, draft.fields, why, at)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise BadSources(f"{self.path}: {error}") from error
        try:
            db.executescript(_SCHEMA)
            yield db
        except sqlite3.Error as error:
            raise BadSources(f"{self.path}: {error}") from error
        finally:
            db.close()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """What is read here and what is written then are one act: two people cannot edit past each other."""
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")


def value_of(name: str, text: str) -> Any:
    """A field's value as typed on a command line: words as they are, everything else as YAML. Empty: the default."""
    known = Source.model_fields.get(name)
    if known is None:
        raise BadSources(f"no field {name!r}; known are {', '.join(Source.model_fields)}")
    if text == "":
        return known.get_default(call_default_factory=True)
    if known.annotation is str or name in ("kind", "platform"):
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadSources(f"{name}: {text!r} is no YAML: {' '.join(str(error).split())}") from error


def _named(drafts: Mapping[str, _Draft], name: str) -> _Draft:
    if name not in drafts:
        raise NoSource(f"no source {name!r}; `jaga sources list` shows them")
    return drafts[name]


def _check_names(name: str, fields: Mapping[str, Any]) -> None:
    for key in fields:
        if key not in Source.model_fields:
            raise BadSources(f"{name}: no field {key!r}; known are {', '.join(Source.model_fields)}", key)
    if fields.get("id", name) != name:
        raise BadSources(f"{name}: id: cannot be changed; add another source and remove this one", "id")


def _field(error: ValidationError) -> str | None:
    where = error.errors()[0]["loc"]
    return str(where[0]) if where else None


def _first(error: ValidationError) -> str:
    told = error.errors()[0]
    where = ".".join(str(part) for part in told["loc"]) or "entry"
    return f"{where}: {told['msg'].removeprefix('Value error, ')}"


def _events(db: sqlite3.Connection) -> Iterator[Event]:
    rows = db.execute("SELECT number, at, who, source, act, fields, was, why FROM events ORDER BY number")
    for number, at, who, source, act, fields, was, why in rows:
        if act in get_args(Act):
            yield Event(number, datetime.fromisoformat(at), who, source, act, json.loads(fields), json.loads(was), why)


def _append(
    db: sqlite3.Connection,
    who: str,
    source: str,
    act: Act,
    fields: dict[str, Any],
    was: dict[str, Any],
    why: str,
    at: datetime | None,
) -> Event:
    if not who.strip():
        raise BadSources("an edit needs the name of who makes it")
    at = (at or datetime.now(UTC)).astimezone(UTC)
    row = (at.isoformat(), who.strip(), source, act, json.dumps(fields), json.dumps(was), why.strip())
    made = db.execute("INSERT INTO events (at, who, source, act, fields, was, why) VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return Event(int(made.lastrowid or 0), at, who.strip(), source, act, fields, was, why.strip())
