"""The log in one SQLite file: for one machine, with as many processes as it can bear.

Members of a group hold leases on partitions. A lease has an epoch that grows whenever its owner changes; a commit checks owner
and epoch inside its own transaction, so that a member which slept too long cannot settle what another has taken over.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import count
from pathlib import Path

from pipeline.adapters.record_size import check_sizes
from pipeline.adapters.sqlite_file import SqliteFile, transaction
from pipeline.ports import Fenced, Message, Partition, Progress, Record, Tally

LEASE_S = 30.0
"""A member that has not been heard of for so long is dead. Renewed only between batches: it must outlast the slowest batch."""

BALANCE_S = 0.3
"""How often a polling member looks for others that came or went."""

WAIT_S = 0.02
"""Pause between two looks for new messages; a look is one PRAGMA, about 5 microseconds."""

POLL_BYTES = 32 * 2**20
"""A poll returns no more than about this, so that 128 posts of 5 MB do not fill the memory."""

SHIFT = 40
"""place = partition id * 2^40 + offset: one integer key keeps each partition's messages together and in order."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SCHEMA = """
CREATE TABLE IF NOT EXISTS partitions (
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL, number INTEGER NOT NULL, next INTEGER NOT NULL DEFAULT 0,
    UNIQUE (topic, number)
);
CREATE TABLE IF NOT EXISTS messages (
    place INTEGER PRIMARY KEY, logged_ms INTEGER NOT NULL, key BLOB, headers TEXT, value BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS members (
    grp TEXT NOT NULL, member TEXT NOT NULL, topics TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (grp, member)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS leases (
    grp TEXT NOT NULL, partition INTEGER NOT NULL, member TEXT, epoch INTEGER NOT NULL, PRIMARY KEY (grp, partition)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS offsets (
    grp TEXT NOT NULL, partition INTEGER NOT NULL, committed INTEGER NOT NULL, PRIMARY KEY (grp, partition)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tallies (
    grp TEXT NOT NULL, partition INTEGER NOT NULL, outcome TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (grp, partition, outcome)
) WITHOUT ROWID
"""


class SqliteBroker:
    """Broker on one file. Safe for threads; each subscription belongs to one thread."""

    def __init__(self, path: Path, lease_s: float = LEASE_S) -> None:
        self._file = SqliteFile(path, SCHEMA)
        self._lease_s = lease_s
        self._turn = count(int.from_bytes(os.urandom(2), "big"))

    def ensure(self, topics: Mapping[str, int]) -> None:
        with self._file.writing() as db:
            for topic, partitions in topics.items():
                if _partitions(db, [topic]):
                    continue
                db.executemany(
                    "INSERT INTO partitions (topic, number) VALUES (?, ?)", [(topic, n) for n in range(partitions)]
                )

    def publish(self, records: Sequence[Record]) -> None:
        check_sizes(records)
        if not records:
            return
        with self._file.writing() as db:
            known = _partitions(db, {r.topic for r in records})
            sizes: dict[str, int] = {}
            for partition in known:
                sizes[partition.topic] = sizes.get(partition.topic, 0) + 1
            ends = dict(db.execute("SELECT id, next FROM partitions"))
            logged_ms = time.time_ns() // 1_000_000
            rows = []
            for record in records:
                if record.topic not in sizes:
                    raise LookupError(f"topic {record.topic!r} does not exist: make it with ensure()")
                number = self._number(record.key, sizes[record.topic])
                partition_id = known[Partition(record.topic, number)]
                headers = json.dumps({k: v.decode("latin-1") for k, v in record.headers.items()})
                place = (partition_id << SHIFT) + ends[partition_id]
                ends[partition_id] += 1
                rows.append((place, logged_ms, record.key, headers if record.headers else None, record.value))
            db.executemany("INSERT INTO messages VALUES (?, ?, ?, ?, ?)", rows)
            db.executemany(
                "UPDATE partitions SET next = ? WHERE id = ?", [(ends[i], i) for i in {r[0] >> SHIFT for r in rows}]
            )

    def _number(self, key: bytes | None, partitions: int) -> int:
        if key is None:
            return next(self._turn) % partitions
        return int.from_bytes(blake2b(key, digest_size=8).digest(), "big") % partitions

    def subscribe(self, group: str, topics: Sequence[str]) -> SqliteSubscription:
        return SqliteSubscription(self._file, group, topics, self._lease_s)

    def progress(self, group: str, topic: str) -> Progress:
        with self._file.reading() as db:
            (logged,) = db.execute("SELECT coalesce(sum(next), 0) FROM partitions WHERE topic = ?", (topic,)).fetchone()
            (committed,) = db.execute(
                "SELECT coalesce(sum(committed), 0) FROM offsets JOIN partitions ON id = partition WHERE grp = ? AND topic = ?",
                (group, topic),
            ).fetchone()
            tally = db.execute(
                "SELECT outcome, sum(n) FROM tallies JOIN partitions ON id = partition WHERE grp = ? AND topic = ?"
                " GROUP BY outcome",
                (group, topic),
            )
            return Progress(logged, committed, dict(tally.fetchall()))

    def read(self, topic: str, limit: int = 1000) -> list[Message]:
        with self._file.reading() as db:
            found: list[Message] = []
            for partition, id_ in _partitions(db, [topic]).items():
                rows = db.execute(
                    "SELECT * FROM messages WHERE place >= ? AND place < ? ORDER BY place DESC LIMIT ?",
                    (id_ << SHIFT, (id_ + 1) << SHIFT, limit),
                )
                found += [_message(partition, row) for row in rows]
        found.sort(key=lambda m: (m.logged_at, m.partition, m.offset))
        return found[-limit:] if limit > 0 else []

    def ping(self) -> str:
        with self._file.reading() as db:
            db.execute("SELECT count(*) FROM partitions").fetchone()
        return f"SQLite {sqlite3.sqlite_version}, {self._file.path}"

    def close(self) -> None:
        self._file.close()


@dataclass(slots=True)
class _Held:
    """A partition that this member owns."""

    id: int
    epoch: int
    position: int
    """Offset of the next message to return."""
    settled: int
    """Offset up to which all that was returned is committed."""


class SqliteSubscription:
    def __init__(self, file: SqliteFile, group: str, topics: Sequence[str], lease_s: float) -> None:
        self._file = file
        self._group = group
        self._topics = list(topics)
        self._lease_s = lease_s
        self._member = uuid.uuid4().hex
        self._held: dict[Partition, _Held] = {}
        self._forfeit: set[Partition] = set()
        """Partitions lost while messages of them were outstanding: those must not be committed, even if they come back."""
        self._renewed_at = self._balanced_at = float("-inf")
        self._turn = 0
        # A connection of its own: `PRAGMA data_version` tells a connection only of the writes of others.
        with file.errors():
            self._db = file.open()

    def poll(self, max_records: int, timeout_s: float) -> list[Message]:
        until = time.monotonic() + timeout_s
        with self._file.errors():
            while True:
                self._stay(balance=True)
                version = self._version()
                found = self._read(max_records)
                if found:
                    return found
                while self._version() == version:
                    now = time.monotonic()
                    if now >= until:
                        return []
                    if now >= self._balanced_at + self._balance_s:
                        break
                    time.sleep(min(WAIT_S, until - now))

    def keep_alive(self) -> None:
        # Does not hand partitions over: whoever waits here holds messages that it has yet to commit.
        with self._file.errors():
            self._stay(balance=False)

    def commit(self, positions: Mapping[Partition, int], tallies: Mapping[Partition, Tally]) -> None:
        if stray := set(tallies) - set(positions):
            raise ValueError(f"tallies without a position: {sorted(stray)}")
        lost = []
        with self._file.errors(), transaction(self._db):
            for partition, position in positions.items():
                held = self._held.get(partition)
                if held is None or partition in self._forfeit or not self._owns(held):
                    lost.append(partition)
                # Positions only go forward: a commit whose answer was lost, made again, counts nothing twice.
                elif position > self._committed(held.id):
                    self._db.execute(
                        "INSERT INTO offsets VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET committed = excluded.committed",
                        (self._group, held.id, position),
                    )
                    self._db.executemany(
                        "INSERT INTO tallies VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
                        [(self._group, held.id, outcome, n) for outcome, n in tallies.get(partition, {}).items()],
                    )
        for partition, position in positions.items():
            if partition not in lost:
                self._held[partition].settled = max(position, self._held[partition].settled)
        if lost:
            for partition in lost:
                self._held.pop(partition, None)  # the next poll takes it anew, from what was committed
                self._forfeit.discard(partition)
            names = ", ".join(f"{p.topic}.{p.number}" for p in lost)
            raise Fenced(f"{names} belongs to another member of group {self._group} now")

    def rewind(self) -> None:
        with self._file.errors():
            for held in self._held.values():
                held.position = held.settled = self._committed(held.id)
        self._forfeit.clear()

    def close(self) -> None:
        try:
            with self._file.errors(), transaction(self._db):
                self._db.execute(
                    "UPDATE leases SET member = NULL WHERE grp = ? AND member = ?", (self._group, self._member)
                )
                self._db.execute("DELETE FROM members WHERE grp = ? AND member = ?", (self._group, self._member))
        finally:
            self._held.clear()
            self._db.close()

    # ------------------------------------------------------------ reading

    def _version(self) -> int:
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        return int(version)

    def _read(self, max_records: int) -> list[Message]:
        found: list[Message] = []
        size = 0
        held = sorted(self._held.items())
        if held:  # begin with another partition each time, so that a full one does not starve the rest
            self._turn = (self._turn + 1) % len(held)
        for partition, hold in held[self._turn :] + held[: self._turn]:
            rows = self._db.execute(
                "SELECT * FROM messages WHERE place >= ? AND place < ? ORDER BY place LIMIT ?",
                ((hold.id << SHIFT) + hold.position, (hold.id + 1) << SHIFT, max_records - len(found)),
            )
            for row in rows:
                message = _message(partition, row)
                if found and size + len(message.value) > POLL_BYTES:
                    rows.close()
                    return found
                size += len(message.value)
                found.append(message)
                hold.position = message.offset + 1
        return found

    # ------------------------------------------------------------ membership

    @property
    def _balance_s(self) -> float:
        return min(BALANCE_S, self._lease_s / 4)

    def _stay(self, *, balance: bool) -> None:
        """Renew the lease when due; with `balance`, also hand over and take over."""
        now = time.monotonic()
        if now >= self._renewed_at + self._lease_s / 4:  # three renewals may fail before the lease is lost
            with transaction(self._db):
                self._db.execute(
                    "INSERT INTO members VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET until = excluded.until",
                    (self._group, self._member, json.dumps(self._topics), time.time() + self._lease_s),
                )
            self._renewed_at = now
        if balance and now >= self._balanced_at + self._balance_s:
            self._balance()
            self._balanced_at = time.monotonic()

    def _balance(self) -> None:
        # A look first: in the steady state nobody writes.
        if any(self._changes()):
            with transaction(self._db):
                drop, take = self._changes()
                self._db.executemany(
                    "UPDATE leases SET member = NULL WHERE grp = ? AND partition = ?", [(self._group, i) for i in drop]
                )
                self._db.executemany(
                    "INSERT INTO leases VALUES (?, ?, ?, 1)"
                    " ON CONFLICT DO UPDATE SET member = excluded.member, epoch = epoch + 1",
                    [(self._group, i, self._member) for i in take],
                )
                self._db.execute("DELETE FROM members WHERE grp = ? AND until <= ?", (self._group, time.time()))
        self._load_held()

    def _changes(self) -> tuple[set[int], set[int]]:
        """Ids of the partitions to hand over and of the free ones to take, for every member to have its fair share."""
        now = time.time()
        members: dict[str, set[str]] = {
            member: set(json.loads(topics))
            for member, topics, until in self._db.execute(
                "SELECT member, topics, until FROM members WHERE grp = ?", (self._group,)
            )
            # Further ahead than a lease: written before the clock was set back, so nobody knows whether that member lives.
            if now < until <= now + self._lease_s + 1
        }
        fair: set[int] = set()
        for turn, (partition, id_) in enumerate(sorted(_partitions(self._db, set().union(*members.values())).items())):
            candidates = sorted(m for m, topics in members.items() if partition.topic in topics)
            if candidates[turn % len(candidates)] == self._member:
                fair.add(id_)
        owners = dict(self._db.execute("SELECT partition, member FROM leases WHERE grp = ?", (self._group,)))
        mine = {id_ for id_, member in owners.items() if member == self._member}
        return mine - fair, {id_ for id_ in fair - mine if owners.get(id_) not in members}

    def _load_held(self) -> None:
        rows = self._db.execute(
            "SELECT topic, number, id, epoch FROM leases JOIN partitions ON id = partition WHERE grp = ? AND member = ?",
            (self._group, self._member),
        ).fetchall()
        held = {}
        for topic, number, id_, epoch in rows:
            before = self._held.get(Partition(topic, number))
            if before is not None and before.epoch == epoch:
                held[Partition(topic, number)] = before
            else:
                at = self._committed(id_)
                held[Partition(topic, number)] = _Held(id_, epoch, at, at)
        self._forfeit |= {p for p, h in self._held.items() if held.get(p) is not h and h.position > h.settled}
        self._held = held

    def _owns(self, held: _Held) -> bool:
        row = self._db.execute(
            "SELECT member, epoch FROM leases WHERE grp = ? AND partition = ?", (self._group, held.id)
        ).fetchone()
        return bool(row == (self._member, held.epoch))

    def _committed(self, partition_id: int) -> int:
        row = self._db.execute(
            "SELECT committed FROM offsets WHERE grp = ? AND partition = ?", (self._group, partition_id)
        ).fetchone()
        return int(row[0]) if row else 0


def _partitions(db: sqlite3.Connection, topics: Sequence[str] | set[str]) -> dict[Partition, int]:
    rows = db.execute(
        "SELECT topic, number, id FROM partitions WHERE topic IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(topics)),),
    )
    return {Partition(topic, number): id_ for topic, number, id_ in rows}


def _message(partition: Partition, row: tuple[int, int, bytes | None, str | None, bytes]) -> Message:
    place, logged_ms, key, headers, value = row
    return Message(
        partition=partition,
        offset=place & ((1 << SHIFT) - 1),
        value=value,
        key=key,
        headers={k: v.encode("latin-1") for k, v in json.loads(headers).items()} if headers else {},
        logged_at=EPOCH + timedelta(milliseconds=logged_ms),
    )
