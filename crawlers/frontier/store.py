"""The frontier as tables of `crawl.db`: sources, pages, hosts, and the crawlers that hold them.

They lie beside the marks and not in the log's file: a page is done in the same transaction that marks it, the log may be Kafka, and
a crawler's many small writes never wait behind the workers' large ones.

Sources are held, not taken: by a *token* that names a crawler; pages are held by the visit. A crawler lives as long as it has the lock
on its file in `crawlers/` (the kernel lets go of it however the process ends, `kill -9` included) and has been heard of within LEASE_S. What
a dead crawler held is free at once: its visit goes on under the same number where it stood, with the answers it had already got.
A crawler that was only asleep finds its token worthless; what it still brings in is there twice on the log and told once.
"""

from __future__ import annotations

import fcntl
import json
import logging
import time
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from ..seen import Mark, Seen
from ..sources import CLAIM_KINDS, Source
from . import policy, traps
from .policy import Bounds, Purse
from .rates import Heat

log = logging.getLogger("jaga.crawl")

LEASE_S = 120.0
"""A crawler that was not heard of for so long hangs. It says something every BEAT_S."""
BEAT_S = 5.0
REPRICE_S = 300.0
VISITS_PER_HOST = 4
"""More at a time would only wait for each other's turns."""
RESUME_S = 1_800.0
"""A visit that broke off longer ago begins anew: its listings are no longer news."""
ANSWER_S = 86_400.0
"""For so long a page that was fetched but not published need not be fetched again."""
MOST_STREAMED = 500_000
"""Posts of one stream whose deletion would be known, the newest; some 100 MB."""
JITTER = 0.1
"""Intervals are shorter by up to a tenth, so that sources of one cadence do not march in step."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS crawlers (id TEXT PRIMARY KEY, seen_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sources (
    id TEXT PRIMARY KEY, host TEXT NOT NULL, cadence_s REAL NOT NULL, fastest_s REAL NOT NULL, slowest_s REAL NOT NULL,
    due_at REAL NOT NULL, latest_at REAL NOT NULL, holder TEXT, visit INTEGER NOT NULL DEFAULT 0, began_at REAL, open INTEGER NOT NULL DEFAULT 0,
    visited_at REAL, cut INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, rate REAL NOT NULL DEFAULT 0,
    slow_n REAL NOT NULL DEFAULT 0, slow_s REAL NOT NULL DEFAULT 0, fast_n REAL NOT NULL DEFAULT 0, fast_s REAL NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sources_due ON sources (due_at) WHERE holder IS NULL;
CREATE INDEX IF NOT EXISTS sources_latest ON sources (latest_at) WHERE holder IS NULL;
CREATE INDEX IF NOT EXISTS sources_holder ON sources (holder) WHERE holder IS NOT NULL;
CREATE TABLE IF NOT EXISTS pages (
    key TEXT PRIMARY KEY, url TEXT NOT NULL, source TEXT NOT NULL, holder TEXT, tries INTEGER NOT NULL DEFAULT 0, due_at REAL NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pages_holder ON pages (holder);
CREATE INDEX IF NOT EXISTS pages_source ON pages (source, due_at);
CREATE TABLE IF NOT EXISTS answers (
    url TEXT, source TEXT, visit INTEGER NOT NULL, listing INTEGER NOT NULL, at REAL NOT NULL, final_url TEXT NOT NULL,
    status INTEGER NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (url, source)
);
CREATE INDEX IF NOT EXISTS answers_source ON answers (source);
CREATE TABLE IF NOT EXISTS hosts (
    host TEXT PRIMARY KEY, next_at REAL NOT NULL DEFAULT 0, closed_until REAL NOT NULL DEFAULT 0, latency_s REAL NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS streamed (
    source TEXT NOT NULL, name TEXT NOT NULL, native_id TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (source, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS streamed_at ON streamed (source, at);
CREATE TABLE IF NOT EXISTS budgets (
    name TEXT PRIMARY KEY, per_s REAL NOT NULL, tokens REAL NOT NULL, at REAL NOT NULL, pivot REAL NOT NULL, priced_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS chosen (id TEXT PRIMARY KEY, claims INTEGER NOT NULL) WITHOUT ROWID;
"""


Claim = Literal["new", "again", "later", "leave"]
"""new: never seen, fetch it; again: fetch what an earlier visit could not; later: it waits, or another visit is at it; leave: it is done."""


@dataclass(frozen=True)
class Due:
    """A source to visit now, held by its token until its end is marked or its crawler is dead."""

    source: str
    token: str
    visit: int
    began_at: float
    resumed: bool = False
    """An earlier crawler died or stopped in it."""
    forced: bool = False
    """Asked for by name: pages that wait for another try come at once."""

    @property
    def holder(self) -> str:
        """By what its pages know the visit: the same for all crawlers that have a hand in it."""
        return f"{self.source}#{self.visit}"


@dataclass(frozen=True)
class Outcome:
    """What is to be remembered of a visit that came to its end."""

    ok: bool = True
    """Whether the source's own listing could be had."""
    changed: bool = False
    found: int | None = None
    """How many things were new, where the spider knows."""
    cut: bool = False
    """Whether it took all it may and there is more."""


@dataclass(frozen=True)
class Answer:
    """A response that a visit got and may still need."""

    url: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    at: float


class Frontier(Seen):
    """What to fetch when. Thread-safe; several processes may have one on the same file."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        super().__init__(path)
        self.clock = clock
        with self._lock:
            self._db.executescript(SCHEMA)
        self._locks = path.parent / "crawlers"
        self._locks.mkdir(exist_ok=True)
        self._nth = 0
        self._budget = ""
        self._budget_per_s = 0.0
        self._beat_at = float("-inf")
        self._be_born()
        self.beat()

    # -- sources

    def enrol(self, sources: Sequence[Source], budget_per_s: float = 0.0) -> None:
        """These are the sources of this crawler. `budget_per_s`: visits per second that it shares with all crawlers of the
        same sources; 0: as many as their cadences add up to."""
        now = self.clock()
        bounds = {s.id: bounds_of(s) for s in sources}
        with self._writing() as db:
            db.execute("DELETE FROM chosen")
            db.executemany("INSERT INTO chosen VALUES (?, ?)", [(s.id, s.kind in CLAIM_KINDS) for s in sources])
            db.executemany(
                "INSERT INTO sources (id, host, cadence_s, fastest_s, slowest_s, due_at, latest_at) VALUES (?, ?, ?, ?, ?, ?, 0)"
                " ON CONFLICT (id) DO UPDATE SET host = excluded.host, cadence_s = excluded.cadence_s, fastest_s = excluded.fastest_s,"
                " slowest_s = excluded.slowest_s, due_at = min(due_at, coalesce(visited_at, 0) + excluded.slowest_s),"
                " latest_at = min(latest_at, coalesce(visited_at, 0) + excluded.slowest_s)",
                [
                    (s.id, host_of(s), b.cadence_s, b.fastest_s, b.slowest_s, now)
                    for s, b in zip(sources, bounds.values(), strict=True)
                ],
            )
            self._budget = f"{zlib.crc32(json.dumps(sorted(bounds)).encode()):08x}"
            self._budget_per_s = budget_per_s or sum(1 / b.cadence_s for b in bounds.values())
            db.execute(
                "INSERT INTO budgets VALUES (?, ?, ?, ?, 1, ?) ON CONFLICT (name) DO UPDATE SET per_s = excluded.per_s, priced_at = excluded.priced_at",
                (self._budget, self._budget_per_s, Purse(self._budget_per_s, 0.0, now).room / 2, now, -1e18),
            )
            self._reprice(db, now)

    def take(self, limit: int, *, claims_only: bool = False) -> list[Due]:
        """Sources that are due, first those that must not wait longer, each to one crawler only. At most `limit`."""
        now = self.clock()
        if limit <= 0 or self.next_due(claims_only=claims_only) > now:
            return []
        with self._writing() as db:
            purse, priced_at = self._purse(db, now)
            if now - priced_at >= REPRICE_S:
                self._reprice(db, now)
            hosts = Counter(
                dict(db.execute("SELECT host, count(*) FROM sources WHERE holder IS NOT NULL GROUP BY host"))
            )
            full = json.dumps([host for host, n in hosts.items() if n >= VISITS_PER_HOST])

            def pick(rows: list[tuple[str, str, float | None]], most: int) -> list[tuple[str, bool]]:
                picked: list[tuple[str, bool]] = []
                for source, host, visited_at in rows:
                    if hosts[host] < VISITS_PER_HOST and len(picked) < most:
                        hosts[host] += 1
                        picked.append((source, visited_at is not None))
                return picked

            overdue = db.execute(
                "SELECT s.id, host, visited_at FROM sources s INDEXED BY sources_latest CROSS JOIN chosen USING (id)"
                " WHERE holder IS NULL AND latest_at <= ? AND claims >= ? AND host NOT IN (SELECT value FROM json_each(?))"
                " ORDER BY latest_at LIMIT ?",
                (now, claims_only, full, limit),
            ).fetchall()
            found = pick(overdue, limit)
            # A source's first visit is nobody's revisit.
            purse = purse.less(sum(again for _, again in found))
            room = min(limit - len(found), int(purse.tokens))
            if room > 0:
                due = db.execute(
                    "SELECT s.id, host, visited_at FROM sources s INDEXED BY sources_due CROSS JOIN chosen USING (id)"
                    " WHERE holder IS NULL AND due_at <= ? AND latest_at > ? AND claims >= ?"
                    " AND host NOT IN (SELECT value FROM json_each(?)) ORDER BY due_at LIMIT ?",
                    (now, now, claims_only, full, limit),
                ).fetchall()
                more = pick(due, room)
                purse = purse.less(len(more))
                found += more
            db.execute("UPDATE budgets SET tokens = ?, at = ? WHERE name = ?", (purse.tokens, purse.at, self._budget))
            return [self._hold(db, source, now, forced=False) for source, _ in found]

    def take_one(self, source: str) -> Due | None:
        """This source now, due or not; None while another crawler visits it."""
        with self._writing() as db:
            row = db.execute("SELECT holder FROM sources WHERE id = ?", (source,)).fetchone()
            return None if row is None or row[0] is not None else self._hold(db, source, self.clock(), forced=True)

    def _hold(self, db: Any, source: str, now: float, forced: bool) -> Due:
        visit, began_at, unfinished = db.execute(
            "SELECT visit, began_at, open FROM sources WHERE id = ?", (source,)
        ).fetchone()
        resumed = bool(unfinished and now - began_at <= RESUME_S)
        if not resumed:
            visit, began_at = visit + 1, now
        self._nth += 1
        due = Due(source, f"{self.crawler}:{self._nth}", visit, began_at, resumed, forced)
        db.execute(
            "UPDATE sources SET holder = ?, visit = ?, began_at = ?, open = 1 WHERE id = ?",
            (due.token, visit, began_at, source),
        )
        return due

    def next_due(self, *, claims_only: bool = False) -> float:
        """When the next source of this crawler is due; infinity if none ever."""
        with self._lock:
            row = self._db.execute(
                "SELECT due_at FROM sources s INDEXED BY sources_due CROSS JOIN chosen USING (id)"
                " WHERE holder IS NULL AND claims >= ? ORDER BY due_at LIMIT 1",
                (claims_only,),
            ).fetchone()
        return float(row[0]) if row else float("inf")

    def let_go(self, due: Due) -> None:
        """End a visit without a result: whoever takes the source next goes on with it."""
        with self._writing() as db:
            db.execute("UPDATE sources SET holder = NULL WHERE holder = ?", (due.token,))

    def _purse(self, db: Any, now: float) -> tuple[Purse, float]:
        row = db.execute("SELECT per_s, tokens, at, priced_at FROM budgets WHERE name = ?", (self._budget,)).fetchone()
        return (Purse(*row[:3]).filled(now), row[3]) if row else (Purse(0, 0, now), now)

    def _reprice(self, db: Any, now: float) -> None:
        rows = db.execute("SELECT rate, cadence_s, fastest_s, slowest_s FROM sources JOIN chosen USING (id)").fetchall()
        bounds = [Bounds(*row[1:]) for row in rows]
        pivot = policy.pivot([r[0] or b.prior for r, b in zip(rows, bounds, strict=True)], bounds, self._budget_per_s)
        db.execute("UPDATE budgets SET pivot = ?, priced_at = ? WHERE name = ?", (pivot, now, self._budget))

    def _end(self, db: Any, source: str, token: str, outcome: Outcome) -> None:
        row = db.execute(
            "SELECT cadence_s, fastest_s, slowest_s, visit, began_at, visited_at, cut, failures, slow_n, slow_s, fast_n, fast_s"
            " FROM sources WHERE id = ? AND holder = ?",
            (source, token),
        ).fetchone()
        if row is None:
            return  # another crawler took it over
        now = self.clock()
        bounds, heat = Bounds(*row[:3]), Heat(*row[8:])
        visit, began_at, visited_at, cut, failures = row[3:8]
        if outcome.ok:
            # What was left over from a visit that was cut is old, however new to us.
            if visited_at is not None and not (cut or outcome.cut):
                heat = heat.after(began_at - visited_at, outcome.found, outcome.changed, bounds.prior)
            failures, visited_at = 0, began_at
            purse, _ = self._purse(db, now)
            (pivot,) = db.execute("SELECT pivot FROM budgets WHERE name = ?", (self._budget,)).fetchone() or (1.0,)
            wait = policy.interval(heat.now(bounds.prior), bounds, pivot * purse.thrift)
            spread = zlib.crc32(f"{source}/{visit}".encode()) / 2**32
            due_at = began_at + max(bounds.fastest_s, wait * (1 - JITTER * spread))
            latest_at = began_at + min(bounds.slowest_s, max(wait, bounds.cadence_s))
            if outcome.cut:
                due_at = latest_at = now
        else:
            failures += 1
            due_at = latest_at = now + policy.pause(failures, bounds)
        db.execute(
            "UPDATE sources SET holder = NULL, open = 0, due_at = ?, latest_at = ?, visited_at = ?, failures = ?, cut = ?, rate = ?,"
            " slow_n = ?, slow_s = ?, fast_n = ?, fast_s = ? WHERE id = ?",
            (
                due_at, latest_at, visited_at, failures, outcome.cut, heat.usual(bounds.prior),
                heat.slow_n, heat.slow_s, heat.fast_n, heat.fast_s, source,
            ),
        )  # fmt: skip
        db.execute("DELETE FROM answers WHERE source = ?", (source,))
        for key, url, tries in db.execute(
            "SELECT key, url, tries FROM pages WHERE holder = ?", (f"{source}#{visit}",)
        ).fetchall():
            if tries + 1 >= policy.PAGE_TRIES:
                log.warning("%s: %s: given up after %d visits", source, url, tries + 1)
                self._done(db, [url])
            else:
                db.execute(
                    "UPDATE pages SET holder = NULL, tries = ?, due_at = ? WHERE key = ?",
                    (tries + 1, now + policy.page_pause(tries + 1), key),
                )

    # -- pages

    def claim(self, url: str, due: Due) -> Claim:
        """What this visit is to do with a page that it came upon. `new` and `again` make it the visit's own, until its end or the
        page's; a visit that goes on after a crash gets `again` for what it had already."""
        key = traps.key(url)
        with self._lock:
            found = self._claimed(self._db, url, key)
        if found == "leave" or (isinstance(found, tuple) and found[0] == due.holder):
            return "leave" if found == "leave" else "again"
        with self._writing() as db:
            found = self._claimed(db, url, key)
            if found == "leave":
                return "leave"
            if found is None:
                db.execute(
                    "INSERT INTO pages (key, url, source, holder) VALUES (?, ?, ?, ?)",
                    (key, url, due.source, due.holder),
                )
                return "new"
            holder, due_at, held = found
            if held or (holder is None and due_at > self.clock() and not due.forced):
                return "later"
            db.execute("UPDATE pages SET holder = ?, source = ? WHERE key = ?", (due.holder, due.source, key))
            return "again"

    def _claimed(self, db: Any, url: str, key: str) -> Literal["leave"] | tuple[str | None, float, bool] | None:
        """`leave` for a page that is done, else its holder, when it is due, and whether the holder's visit goes on; None for a new one."""
        if db.execute("SELECT 1 FROM seen WHERE key IN (?, ?)", (f"page:{url}", f"page:{key}")).fetchone():
            return "leave"
        row = db.execute(
            "SELECT p.holder, p.due_at, p.holder IS NOT NULL AND s.open AND p.holder = s.id || '#' || s.visit"
            " AND (s.holder IS NOT NULL OR s.began_at > ?) FROM pages p LEFT JOIN sources s ON s.id = p.source WHERE p.key = ?",
            (self.clock() - RESUME_S, key),
        ).fetchone()
        return (row[0], row[1], bool(row[2])) if row else None

    def is_done(self, url: str) -> bool:
        """Whether nobody need fetch the page."""
        return any(self.get(f"page:{name}") is not None for name in (traps.key(url), url))

    def release(self, url: str, due: Due) -> None:
        """The visit does not fetch the page after all; any visit may, at once."""
        with self._writing() as db:
            db.execute(
                "UPDATE pages SET holder = NULL, due_at = 0 WHERE key = ? AND holder = ?", (traps.key(url), due.holder)
            )

    def waiting(self, due: Due, limit: int) -> list[str]:
        """Pages of the source that no listing need name again: they failed earlier, or their visit was given up, and are due."""
        at = float("inf") if due.forced else self.clock()
        with self._lock:
            rows = self._db.execute(
                "SELECT url FROM pages WHERE source = ? AND due_at <= ? AND coalesce(holder, '') != ? ORDER BY due_at LIMIT ?",
                (due.source, at, due.holder, limit),
            ).fetchall()
        return [url for (url,) in rows]

    # -- answers

    def keep(self, due: Due, asked: str, answer: Answer, *, listing: bool) -> None:
        """Remember a response until what it gave is published."""
        with self._writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    asked, due.source, due.visit, listing, answer.at, answer.url, answer.status, json.dumps(answer.headers), answer.body,
                ),
            )  # fmt: skip

    def kept(self, due: Due, asked: str) -> Answer | None:
        """The response that an earlier crawler got for this address and could not publish."""
        if not due.resumed:
            # The visit is new: all that it can find are pages left by one long ago.
            with self._lock:
                if not self._db.execute("SELECT 1 FROM answers WHERE source = ? LIMIT 1", (due.source,)).fetchone():
                    return None
        with self._lock:
            row = self._db.execute(
                "SELECT final_url, status, headers, body, at FROM answers WHERE url = ? AND source = ? AND ((listing AND visit = ?) OR (NOT listing AND at > ?))",
                (asked, due.source, due.visit, self.clock() - ANSWER_S),
            ).fetchone()
        return Answer(row[0], row[1], [(n, v) for n, v in json.loads(row[2])], row[3], row[4]) if row else None

    # -- streams

    def holds(self, due: Due) -> bool:
        """Whether the source is still this visit's: a crawler that slept too long has lost it."""
        with self._lock:
            return bool(
                self._db.execute(
                    "SELECT 1 FROM sources WHERE id = ? AND holder = ?", (due.source, due.token)
                ).fetchone()
            )

    def streamed(self, source: str, name: str) -> str | None:
        """The native id of a post that the stream brought, by the server's name for it."""
        with self._lock:
            row = self._db.execute(
                "SELECT native_id FROM streamed WHERE source = ? AND name = ?", (source, name)
            ).fetchone()
        return row[0] if row else None

    def forget_streamed(self, source: str) -> None:
        """All but the newest MOST_STREAMED."""
        with self._lock:
            row = self._db.execute(
                "SELECT at FROM streamed INDEXED BY streamed_at WHERE source = ? ORDER BY at DESC LIMIT 1 OFFSET ?",
                (source, MOST_STREAMED),
            ).fetchone()
        if row:
            with self._writing() as db:
                db.execute("DELETE FROM streamed WHERE source = ? AND at <= ?", (source, row[0]))

    # -- hosts

    def turn(self, host: str, delay_s: float) -> float:
        """The next moment at which this host may be asked; it is the caller's, and the next one is `delay_s` later, for all crawlers.

        A host that answers slowly is asked no faster than it answers.
        """
        now = self.clock()
        with self._writing() as db:
            row = db.execute("SELECT next_at, closed_until, latency_s FROM hosts WHERE host = ?", (host,)).fetchone()
            next_at, closed_until, latency_s = row or (0.0, 0.0, 0.0)
            at = max(now, next_at, closed_until)
            db.execute(
                "INSERT INTO hosts (host, next_at) VALUES (?, ?) ON CONFLICT (host) DO UPDATE SET next_at = excluded.next_at",
                (host, at + max(delay_s, latency_s)),
            )
        return float(at)

    def closed_until(self, host: str) -> float:
        """Until when the host asked to be left alone; 0 if it did not."""
        with self._lock:
            row = self._db.execute("SELECT closed_until FROM hosts WHERE host = ?", (host,)).fetchone()
        return float(row[0]) if row else 0.0

    def close_host(self, host: str, until: float) -> None:
        """Nobody asks the host before then."""
        with self._writing() as db:
            db.execute(
                "INSERT INTO hosts (host, closed_until) VALUES (?, ?)"
                " ON CONFLICT (host) DO UPDATE SET closed_until = max(closed_until, excluded.closed_until)",
                (host, until),
            )

    def answered_in(self, host: str, latency_s: float) -> None:
        with self._writing() as db:
            db.execute("UPDATE hosts SET latency_s = 0.7 * latency_s + 0.3 * ? WHERE host = ?", (latency_s, host))

    # -- marks

    def mark(self, marks: Iterable[Mark]) -> None:
        """Remember all in one transaction. `page:` marks end pages; `visit:` marks (see `end_of`) end visits; `streamed:` marks (see
        `streamed`) name posts."""
        plain: list[Mark] = []
        names: list[tuple[str, str, str, float]] = []
        now = self.clock()
        pages: list[str] = []
        ends: list[tuple[str, Mapping[str, Any]]] = []
        for key, value in marks:
            if key.startswith("visit:"):
                ends.append((key.removeprefix("visit:"), json.loads(value)))
            elif key.startswith("page:"):
                pages.append(key.removeprefix("page:"))
            elif key.startswith("streamed:"):
                source, _, name = key.removeprefix("streamed:").partition("\t")
                names.append((source, name, value, now))
            else:
                plain.append((key, value))
        if not (plain or pages or ends or names):
            return
        with self._writing() as db:
            db.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?)", plain)
            db.executemany("INSERT OR REPLACE INTO streamed VALUES (?, ?, ?, ?)", names)
            self._done(db, pages)
            for source, told in ends:
                told = dict(told)
                self._end(db, source, told.pop("token"), Outcome(**told))

    def _done(self, db: Any, urls: Iterable[str]) -> None:
        for url in urls:
            key = traps.key(url)
            db.executemany("INSERT OR REPLACE INTO seen VALUES (?, '1')", {(f"page:{url}",), (f"page:{key}",)})
            db.execute("DELETE FROM pages WHERE key = ?", (key,))
            db.execute("DELETE FROM answers WHERE url = ? AND NOT listing", (url,))

    # -- crawlers

    def _be_born(self) -> None:
        self.crawler = uuid.uuid4().hex[:16]
        # The lock is there before the row: who finds a row without a lock may bury it.
        self._lock_file = (self._locks / self.crawler).open("w")
        fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with self._writing() as db:
            db.execute("INSERT INTO crawlers VALUES (?, ?)", (self.crawler, self.clock()))

    def beat(self) -> None:
        """Say that this crawler lives, and free what the dead ones held. To be called at least every LEASE_S."""
        now = self.clock()
        if abs(now - self._beat_at) < BEAT_S:
            return
        self._beat_at = now
        with self._writing() as db:
            cursor = db.execute("UPDATE crawlers SET seen_at = ? WHERE id = ?", (now, self.crawler))
            buried = cursor.rowcount == 0
            for other, seen_at in db.execute("SELECT * FROM crawlers WHERE id != ?", (self.crawler,)).fetchall():
                if now - seen_at > LEASE_S or self._is_dead(other):
                    self._bury(db, other)
        if buried:
            log.warning("this crawler was not heard of for %.0f s; others go on with its visits", LEASE_S)
            self._lock_file.close()
            self._be_born()

    def _is_dead(self, crawler: str) -> bool:
        try:
            with (self._locks / crawler).open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return True
        except BlockingIOError:
            return False
        return True

    def _bury(self, db: Any, crawler: str) -> None:
        db.execute("UPDATE sources SET holder = NULL WHERE holder >= ? AND holder < ?", (f"{crawler}:", f"{crawler};"))
        db.execute("DELETE FROM crawlers WHERE id = ?", (crawler,))
        (self._locks / crawler).unlink(missing_ok=True)

    def close(self) -> None:
        with self._writing() as db:
            self._bury(db, self.crawler)
        self._lock_file.close()
        super().close()


def end_of(due: Due, outcome: Outcome) -> Mark:
    """The mark that ends a visit, once all before it is published."""
    return f"visit:{due.source}", json.dumps({"token": due.token, **vars(outcome)})


def streamed(source: str, name: str, native_id: str) -> Mark:
    """The mark by which the deletion of a post will be known; `name` is what the server calls it."""
    return f"streamed:{source}\t{name}", native_id


def host_of(source: Source) -> str:
    return (urlsplit(source.url).hostname or "").lower()


def bounds_of(source: Source) -> Bounds:
    return Bounds.of(source.cadence_s, source.cadence_min_s, source.cadence_max_s)
