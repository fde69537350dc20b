"""What was seen in earlier runs: validators of listings, addresses fetched, newest ids, and gaps that are still open."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pipeline.contracts import Gap

BUSY_S = 30.0
_SCHEMA = """
PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;
CREATE TABLE IF NOT EXISTS seen (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS open_gaps (source TEXT, url TEXT, cause TEXT, began_at TEXT, PRIMARY KEY (source, url)) WITHOUT ROWID;
"""

Mark = tuple[str, str]
"""(key, value): something not to do again."""


class Seen:
    """`crawl.db` in JAGA_HOME. Marks are written only after what they stand for was published. Thread-safe."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, timeout=BUSY_S, isolation_level=None)
        self._laid_out()

    def _laid_out(self) -> None:
        until = time.monotonic() + BUSY_S
        while True:
            try:
                self._db.executescript(_SCHEMA)
                return
            except sqlite3.OperationalError as error:
                # Crawlers that start at once on a new home: the change to WAL does not wait for a lock as all else does.
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(0.05)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, the only one that writes. Raises OSError where the disk is full or another holds the file too long."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield self._db
                    self._db.execute("COMMIT")
                except BaseException:
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
                    raise
            except sqlite3.OperationalError as error:
                raise OSError(f"crawl.db: {error}") from error

    def get(self, key: str) -> str | None:
        with self._lock:
            row = self._db.execute("SELECT value FROM seen WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def mark(self, marks: Iterable[Mark]) -> None:
        """Remember all, durable on return."""
        marks = list(marks)
        if marks:
            with self._writing() as db:
                db.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?)", marks)

    def blinded(self, source: str, url: str, cause: str, at: datetime) -> list[Gap]:
        """The gap that this failure belongs to: the one already open there, or a new one, which ends one of another cause."""
        with self._writing() as db:
            row = db.execute(
                "SELECT cause, began_at FROM open_gaps WHERE source = ? AND url = ?", (source, url)
            ).fetchone()
            began_at = datetime.fromisoformat(row[1]) if row else at
            if row and row[0] == cause:
                return [Gap(source=source, began_at=began_at, cause=cause)]
            db.execute("INSERT OR REPLACE INTO open_gaps VALUES (?, ?, ?, ?)", (source, url, cause, at.isoformat()))
        ended = [Gap(source=source, began_at=began_at, ended_at=max(at, began_at), cause=row[0])] if row else []
        return [*ended, Gap(source=source, began_at=at, cause=cause)]

    def sighted(self, source: str, url: str, at: datetime) -> Gap | None:
        """The gap that ends now, if one was open there."""
        with self._lock:
            if not self._db.execute("SELECT 1 FROM open_gaps WHERE source = ? AND url = ?", (source, url)).fetchone():
                return None
        with self._writing() as db:
            row = db.execute(
                "SELECT cause, began_at FROM open_gaps WHERE source = ? AND url = ?", (source, url)
            ).fetchone()
            if row is None:
                return None
            db.execute("DELETE FROM open_gaps WHERE source = ? AND url = ?", (source, url))
        return Gap(source=source, began_at=datetime.fromisoformat(row[1]), ended_at=at, cause=row[0])

    def open_gaps(self, source: str) -> list[tuple[datetime, str]]:
        """(when it began, cause) of those that last."""
        with self._lock:
            rows = self._db.execute("SELECT began_at, cause FROM open_gaps WHERE source = ?", (source,)).fetchall()
        return [(datetime.fromisoformat(began_at), cause) for began_at, cause in rows]

    def close(self) -> None:
        self._db.close()
