"""The search store in one SQLite file.

Each kind has a table of documents (JSON text, and a column for each time and number), a table of keywords, and, if it has terms,
an FTS5 index. Terms are escaped to plain ASCII, so that FTS5 compares words exactly and analyses nothing.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.adapters.entry import (
    Entry,
    Unfit,
    check_filter,
    instant,
    is_later,
    micros,
    need_field,
    read_entry,
    sort_value,
)
from pipeline.adapters.sqlite_file import SqliteFile
from pipeline.ports import FIELDS, Document, Filter, Hit, Kind, Write, Written

_PLAIN = re.compile(r"[a-z0-9]+")


def _columns(kind: Kind) -> list[str]:
    return [name for name, type_ in FIELDS[kind].items() if type_ in ("time", "number")]


def _has_terms(kind: Kind) -> bool:
    return "terms" in FIELDS[kind].values()


def _schema(kind: Kind) -> list[str]:
    columns = "".join(f", {name}" for name in _columns(kind))
    statements = [
        f"CREATE TABLE IF NOT EXISTS {kind} (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL{columns})",
        # One key for all keyword fields: finding is by value, removing by the values that the old document had.
        f"CREATE TABLE IF NOT EXISTS {kind}_words (field TEXT, value TEXT, n INTEGER, PRIMARY KEY (field, value, n))"
        " WITHOUT ROWID",
    ]
    statements += [f"CREATE INDEX IF NOT EXISTS {kind}_by_{name} ON {kind} ({name}, id)" for name in _columns(kind)]
    if _has_terms(kind):
        # Contentless, without positions or lengths: terms are asked for, never ranked or shown.
        statements.append(
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {kind}_terms"
            " USING fts5(terms, content='', detail=none, columnsize=0, tokenize='ascii')"
        )
    return statements


SHAPE = """CREATE TABLE IF NOT EXISTS shapes (kind TEXT PRIMARY KEY, fields TEXT NOT NULL)"""


class SqliteStore:
    """SearchStore on one file. Safe for threads and processes."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, SHAPE)

    def prepare(self) -> None:
        with self._file.writing() as db:
            known = dict(db.execute("SELECT kind, fields FROM shapes"))
            for kind in FIELDS:
                shape = json.dumps(FIELDS[kind])
                if known.get(kind) == shape:
                    continue
                if kind in known:
                    _reshape(db, kind)
                else:
                    _make(db, kind)
                db.execute("INSERT OR REPLACE INTO shapes VALUES (?, ?)", (kind, shape))

    def get(self, kind: Kind, ids: Sequence[str]) -> dict[str, Document]:
        with self._file.reading() as db:
            rows = db.execute(
                f"SELECT id, body FROM {kind} WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608
                (json.dumps(list(ids)),),
            )
            return {id_: json.loads(body) for id_, body in rows}

    def put(self, writes: Sequence[Write]) -> list[Written]:
        written = []
        with self._file.writing() as db:
            for write in writes:
                try:
                    entry = read_entry(write.kind, write.id, write.document)
                except Unfit as error:
                    written.append(Written("refused", str(error)))
                    continue
                written.append(_put(db, write.kind, entry, create=write.create, newest_by=write.newest_by))
        return written

    def delete(self, kind: Kind, ids: Sequence[str]) -> None:
        with self._file.writing() as db:
            for id_ in ids:
                old = _find(db, kind, id_)
                if old is not None:
                    n, body = old
                    _unindex(db, kind, n, read_entry(kind, id_, json.loads(body)))
                    db.execute(f"DELETE FROM {kind} WHERE n = ?", (n,))  # noqa: S608

    def refresh(self) -> None:
        """Nothing to do: what is committed can be found."""

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
        need_field(kind, sort, "time", "number")
        condition, values = _condition(kind, where)
        way, beyond = ("DESC", "<") if descending else ("ASC", ">")
        rows: list[tuple[str, str]] = []
        with self._file.reading() as db:
            # In two steps, so that each can follow an index: those that have the field, then those that have not.
            if after is None or after[0] is not None:
                start = f"AND (d.{sort}, d.id) {beyond} (?, ?)" if after else ""
                rows += db.execute(
                    f"SELECT d.id, d.body FROM {kind} d WHERE {condition} AND d.{sort} IS NOT NULL {start}"  # noqa: S608
                    f" ORDER BY d.{sort} {way}, d.id {way} LIMIT ?",
                    (*values, *(after or ()), limit),
                )
                after = None
            if len(rows) < limit:
                start = f"AND d.id {beyond} ?" if after else ""
                rows += db.execute(
                    f"SELECT d.id, d.body FROM {kind} d WHERE {condition} AND d.{sort} IS NULL {start}"  # noqa: S608
                    f" ORDER BY d.id {way} LIMIT ?",
                    (*values, *((after[1],) if after else ()), limit - len(rows)),
                )
        hits = []
        for id_, body in rows:
            document = json.loads(body)
            hits.append(Hit(id_, document, (sort_value(kind, sort, document), id_)))
        return hits

    def count(self, kind: Kind, where: Filter) -> int:
        condition, values = _condition(kind, where)
        with self._file.reading() as db:
            (found,) = db.execute(f"SELECT count(*) FROM {kind} d WHERE {condition}", values).fetchone()  # noqa: S608
        return int(found)

    def terms(self, kind: Kind, field: str, where: Filter, limit: int = 100) -> dict[str, int]:
        need_field(kind, field, "keyword", "flag")
        condition, values = _condition(kind, where)
        with self._file.reading() as db:
            rows = db.execute(
                f"SELECT w.value, count(*) FROM {kind}_words w JOIN {kind} d ON d.n = w.n"  # noqa: S608
                f" WHERE w.field = ? AND {condition} GROUP BY w.value ORDER BY count(*) DESC, w.value LIMIT ?",
                (field, *values, limit),
            )
            return dict(rows.fetchall())

    def histogram(
        self, kind: Kind, field: str, where: Filter, *, interval_s: int, split: str | None = None
    ) -> list[tuple[datetime, str | None, int]]:
        """Sorted by time, then by split value; documents without a split value are counted under None, which comes first."""
        need_field(kind, field, "time")
        condition, values = _condition(kind, where)
        step = interval_s * 1_000_000
        # SQLite's % keeps the sign of the left side; adding the step twice over floors times before 1970 too.
        begin = f"d.{field} - ((d.{field} % {step}) + {step}) % {step}"
        with self._file.reading() as db:
            if split is None:
                rows = db.execute(
                    f"SELECT {begin}, NULL, count(*) FROM {kind} d"  # noqa: S608
                    f" WHERE d.{field} IS NOT NULL AND {condition} GROUP BY 1 ORDER BY 1",
                    values,
                )
            else:
                need_field(kind, split, "keyword", "flag")
                rows = db.execute(
                    f"SELECT {begin}, w.value, count(*) FROM {kind}_words w JOIN {kind} d ON d.n = w.n"  # noqa: S608
                    f" WHERE w.field = ? AND d.{field} IS NOT NULL AND {condition} GROUP BY 1, 2"
                    f" UNION ALL SELECT {begin}, NULL, count(*) FROM {kind} d"
                    f" WHERE d.n NOT IN (SELECT n FROM {kind}_words WHERE field = ?)"
                    f" AND d.{field} IS NOT NULL AND {condition} GROUP BY 1 ORDER BY 1, 2",
                    (split, *values, split, *values),
                )
            return [(instant(at), value, n) for at, value, n in rows]

    def scan(self, kind: Kind, where: Filter, batch: int = 500) -> Iterator[Hit]:
        condition, values = _condition(kind, where)
        last = ""
        while True:
            # A page, then the connection is given back: a reader that lingers would keep the file from shrinking.
            with self._file.reading() as db:
                rows = db.execute(
                    f"SELECT d.id, d.body FROM {kind} d WHERE d.id > ? AND {condition} ORDER BY d.id LIMIT ?",  # noqa: S608
                    (last, *values, batch),
                ).fetchall()
            for id_, body in rows:
                yield Hit(id_, json.loads(body), (None, id_))
            if len(rows) < batch:
                return
            last = rows[-1][0]

    def ping(self) -> str:
        with self._file.reading() as db:
            db.execute("SELECT count(*) FROM shapes").fetchone()
        return f"SQLite {sqlite3.sqlite_version}, {self._file.path}"

    def close(self) -> None:
        self._file.close()


# ---------------------------------------------------------------- writing


def _put(
    db: sqlite3.Connection, kind: Kind, entry: Entry, *, create: bool = False, newest_by: str | None = None
) -> Written:
    old = _find(db, kind, entry.id)
    columns = _columns(kind)
    sortable = [entry.sortable.get(name) for name in columns]
    if old is None:
        marks = ", ".join("?" * (2 + len(columns)))
        cursor = db.execute(
            f"INSERT INTO {kind} ({', '.join(['id', 'body', *columns])}) VALUES ({marks})",  # noqa: S608
            (entry.id, entry.body, *sortable),
        )
        assert cursor.lastrowid is not None  # noqa: S101
        _index(db, kind, cursor.lastrowid, entry)
        return Written("stored")
    if create:
        return Written("exists")
    n, body = old
    if body != entry.body:
        before = read_entry(kind, entry.id, json.loads(body))
        if newest_by is not None and is_later(before, entry, newest_by):
            return Written("older")
        sets = "".join(f", {name} = ?" for name in columns)
        db.execute(f"UPDATE {kind} SET body = ?{sets} WHERE n = ?", (entry.body, *sortable, n))  # noqa: S608
        # Only what differs: a post that finds its story keeps its words, and those are most of the work.
        _index_words(db, kind, n, gone=_words(before) - _words(entry), come=_words(entry) - _words(before))
        if before.terms != entry.terms:
            _index_terms(db, kind, n, gone=before.terms, come=entry.terms)
    return Written("stored")


def _find(db: sqlite3.Connection, kind: Kind, id_: str) -> tuple[int, str] | None:
    """Its number and its JSON text."""
    row: tuple[int, str] | None = db.execute(f"SELECT n, body FROM {kind} WHERE id = ?", (id_,)).fetchone()  # noqa: S608
    return row


Words = set[tuple[str, str]]
"""(field, value) of a document's keywords and flags."""


def _words(entry: Entry) -> Words:
    return {(field, value) for field, values in entry.words.items() for value in values}


def _index(db: sqlite3.Connection, kind: Kind, n: int, entry: Entry) -> None:
    _index_words(db, kind, n, gone=set(), come=_words(entry))
    _index_terms(db, kind, n, gone=(), come=entry.terms)


def _unindex(db: sqlite3.Connection, kind: Kind, n: int, entry: Entry) -> None:
    _index_words(db, kind, n, gone=_words(entry), come=set())
    _index_terms(db, kind, n, gone=entry.terms, come=())


def _index_words(db: sqlite3.Connection, kind: Kind, n: int, *, gone: Words, come: Words) -> None:
    db.executemany(
        f"DELETE FROM {kind}_words WHERE field = ? AND value = ? AND n = ?",  # noqa: S608
        [(field, value, n) for field, value in gone],
    )
    db.executemany(
        f"INSERT INTO {kind}_words VALUES (?, ?, ?)",  # noqa: S608
        [(field, value, n) for field, value in come],
    )


def _index_terms(db: sqlite3.Connection, kind: Kind, n: int, *, gone: Sequence[str], come: Sequence[str]) -> None:
    if gone:
        # A contentless index has to be told what it forgets.
        db.execute(
            f"INSERT INTO {kind}_terms ({kind}_terms, rowid, terms) VALUES ('delete', ?, ?)",  # noqa: S608
            (n, _text(gone)),
        )
    if come:
        db.execute(f"INSERT INTO {kind}_terms (rowid, terms) VALUES (?, ?)", (n, _text(come)))  # noqa: S608


def _make(db: sqlite3.Connection, kind: Kind) -> None:
    for statement in _schema(kind):
        db.execute(statement)


def _reshape(db: sqlite3.Connection, kind: Kind) -> None:
    """FIELDS has changed since the tables were made: make them anew from the documents."""
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE ?", (f"{kind}_by_%",)):
        db.execute(f"DROP INDEX {name}")
    db.execute(f"ALTER TABLE {kind} RENAME TO old_{kind}")
    db.execute(f"DROP TABLE {kind}_words")
    db.execute(f"DROP TABLE IF EXISTS {kind}_terms")
    _make(db, kind)
    for id_, body in db.execute(f"SELECT id, body FROM old_{kind} ORDER BY n"):  # noqa: S608
        _put(db, kind, read_entry(kind, id_, json.loads(body)))
    db.execute(f"DROP TABLE old_{kind}")


def _text(terms: Sequence[str]) -> str:
    return " ".join(map(_token, terms))


def _token(word: str) -> str:
    """The word as letters and digits of ASCII alone, different for different words."""
    return "w" + word if _PLAIN.fullmatch(word) else "x" + word.encode().hex()


# ---------------------------------------------------------------- finding


def _condition(kind: Kind, where: Filter) -> tuple[str, list[Any]]:
    """SQL over the documents as `d`, and its values."""
    check_filter(kind, where)
    parts = ["1"]
    values: list[Any] = []
    for field, wanted in where.equals.items():
        parts.append(
            f"d.n IN (SELECT n FROM {kind}_words WHERE field = ? AND value IN (SELECT value FROM json_each(?)))"  # noqa: S608
        )
        values += [field, json.dumps(list(wanted))]
    for field, at in where.since.items():
        parts.append(f"d.{field} >= ?")
        values.append(micros(at))
    for field, at in where.before.items():
        parts.append(f"d.{field} < ?")
        values.append(micros(at))
    if where.terms:
        parts.append(f"d.n IN (SELECT rowid FROM {kind}_terms WHERE {kind}_terms MATCH ?)")  # noqa: S608
        values.append(" AND ".join(_token(word) for word in sorted(set(where.terms))))
    if where.any_terms:
        # CROSS JOIN keeps the words outside: one look into the index for each.
        parts.append(
            f"d.n IN (SELECT t.rowid FROM json_each(?) j CROSS JOIN {kind}_terms t ON {kind}_terms MATCH j.value"  # noqa: S608
            " GROUP BY t.rowid HAVING count(*) >= ?)"
        )
        values += [json.dumps([_token(word) for word in sorted(set(where.any_terms))]), max(1, where.min_terms)]
    return " AND ".join(parts), values
