"""One SQLite file, used by many threads and processes: its connections, its transactions and what its errors mean."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from pipeline.ports import RetryLater

BUSY_S = 10.0
"""How long to wait for another writer. One transaction takes well under a second; ten mean that the disk is in trouble."""

_LATER = {
    sqlite3.SQLITE_BUSY: "is locked by another process",
    sqlite3.SQLITE_LOCKED: "is locked by another process",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full",
    sqlite3.SQLITE_IOERR: "cannot be read or written",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_READONLY: "cannot be written: it is read-only",
    sqlite3.SQLITE_PERM: "cannot be opened: no permission",
}
"""Errors that pass once someone makes room or lets go; every other one is a defect and is raised as it is."""


class SqliteFile:
    """Connections to one file. Safe for threads: each use has a connection of its own, idle ones are kept."""

    def __init__(self, path: Path, schema: str) -> None:
        """`schema`: SQL that makes what is missing; run once per object."""
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = Lock()
        self._closed = False
        with self.errors():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise RetryLater(f"{path.parent} cannot be made: {error.strerror}") from error
            connection = self.open()
            try:
                self._make(connection, schema)
            finally:
                connection.close()

    def open(self) -> sqlite3.Connection:
        """A connection in autocommit mode, for a caller who keeps and closes it."""
        connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        # FULL: what was acknowledged survives a power cut, not only the end of the process.
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    @staticmethod
    def _make(connection: sqlite3.Connection, schema: str) -> None:
        # The change to WAL needs the file alone and does not wait for it by itself.
        until = time.monotonic() + BUSY_S
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError as error:
                if _primary(error) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or time.monotonic() > until:
                    raise
                time.sleep(0.05)
        with transaction(connection):
            for statement in schema.split(";\n"):
                connection.execute(statement)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """SQLite's errors of a passing kind become RetryLater, in words that name the file."""
        try:
            yield
        except sqlite3.Error as error:
            cause = _LATER.get(_primary(error))
            if cause is None:
                raise
            raise RetryLater(f"{self.path} {cause} ({error})") from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection in a read transaction: all its queries see the same state."""
        with self._lent() as connection, transaction(connection, "BEGIN"):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection in a write transaction: committed and durable at the end, or, on any error, undone."""
        with self._lent() as connection, transaction(connection):
            yield connection

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        with self.errors():
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            connection = connection or self.open()
            try:
                yield connection
            finally:
                with self._lock:
                    if not self._closed:
                        self._idle.append(connection)
                        connection = None
                if connection is not None:
                    connection.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


@contextmanager
def transaction(connection: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """All or nothing. IMMEDIATE waits for its turn at the start, where waiting is possible."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk may have rolled back already.
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise


def _primary(error: sqlite3.Error) -> int:
    # The low byte is the kind, the rest its detail. Errors made by Python itself carry no code.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
