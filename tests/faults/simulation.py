"""The real workers on a log and a store in memory, taking turns at every call of a port as a seed decides: each interleaving and
each death can be had again.

One thread of several runs at a time. Whoever calls a port gives its turn away; who goes on is drawn. A death falls upon all at once,
and a write or a publication in hand leaves any part of itself behind.
"""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any, cast

from pipeline.ports import (
    FIELDS,
    Document,
    Filter,
    Hit,
    Kind,
    Message,
    Partition,
    Progress,
    Record,
    Tally,
    Write,
    Written,
)
from pipeline.runner import Runner
from pipeline.topology import TOPICS
from tests.contracts.model import DictStore
from tests.pipeline.house import TestHouse

WAIT_S = 60.0
"""Only a defect of the simulation itself takes so long."""


class Death(BaseException):
    """Caught by nobody, as kill -9."""


class Turns:
    """Lets one act run at a time; `give` hands over to a drawn one, and may be where all of them die."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.dying = False
        self._left: int | None = None
        self._gates: dict[int, threading.Semaphore] = {}
        self._mine = threading.local()

    def give(self) -> None:
        """Comes back with the turn, or with `dying` set: then leave behind what you must and raise Death."""
        me: int | None = getattr(self._mine, "at", None)
        if me is None:
            return  # the test itself, outside of a run
        if self._left is not None:
            self._left -= 1
            self.dying = self.dying or self._left <= 0
        gate = self._gates[me]
        if (other := self._drawn()) is not gate:
            other.release()
            assert gate.acquire(timeout=WAIT_S)

    def run(self, acts: Sequence[Callable[[], None]], die_in: int | None = None) -> list[BaseException]:
        """All acts side by side until each has ended, or until so many turns are over; returns what broke, Death not counted."""
        problems: list[BaseException] = []
        self.dying, self._left = False, die_in
        self._gates = {at: threading.Semaphore(0) for at in range(len(acts))}

        def live(at: int) -> None:
            self._mine.at = at
            assert self._gates[at].acquire(timeout=WAIT_S)
            try:
                if not self.dying:
                    acts[at]()
            except Death:
                pass
            except BaseException as error:
                problems.append(error)
            del self._gates[at]
            if self._gates:
                self._drawn().release()

        threads = [threading.Thread(target=live, args=(at,), daemon=True) for at in range(len(acts))]
        for thread in threads:
            thread.start()
        self._drawn().release()
        for thread in threads:
            thread.join(WAIT_S)
            assert not thread.is_alive()
        return problems

    def _drawn(self) -> threading.Semaphore:
        return self._gates[self.chance.choice(sorted(self._gates))]


class SimulatedClock:
    """Goes on by a moment whenever somebody looks."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._at = datetime(2026, 11, 21, tzinfo=UTC)

    def now(self) -> datetime:
        self._at += timedelta(milliseconds=1)
        return self._at

    def monotonic(self) -> float:
        return self._at.timestamp()

    def sleep(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)
        self._turns.give()


class SimulatedStore:
    """SearchStore in dictionaries; documents go in and out as JSON, as with the real ones."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._kinds = {kind: DictStore() for kind in FIELDS}

    def _turn(self) -> None:
        self._turns.give()
        if self._turns.dying:
            raise Death

    def prepare(self) -> None: ...

    def refresh(self) -> None: ...

    def close(self) -> None: ...

    def ping(self) -> str:
        return "simulated"

    def get(self, kind: Kind, ids: Sequence[str]) -> dict[str, Document]:
        self._turn()
        held = self._kinds[kind].documents
        return {id_: _copy(held[id_]) for id_ in ids if id_ in held}

    def put(self, writes: Sequence[Write]) -> list[Written]:
        self._turns.give()
        if self._turns.dying:
            for write in writes:
                if self._turns.chance.random() < 0.5:
                    self._store(write)
            raise Death
        written = [self._store(write) for write in writes]
        self._turn()
        return written

    def _store(self, write: Write) -> Written:
        if "\x00" in json.dumps(write.document, ensure_ascii=False):
            return Written("refused", "holds a NUL")
        model = self._kinds[write.kind]
        held = model.documents
        if write.create and write.id in held:
            return Written("exists")
        if write.newest_by is not None and model.is_later(write.id, write.document, write.newest_by):
            return Written("older")
        held[write.id] = _copy(write.document)
        return Written("stored")

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
        self._turn()
        found = self._kinds[kind].search(kind, where, sort, descending, limit, after[1] if after else None)
        return [Hit(id_, _copy(document), (document.get(sort), id_)) for id_, document in found]

    def count(self, kind: Kind, where: Filter) -> int:
        self._turn()
        return len(self._kinds[kind].matching(where))

    def terms(self, kind: Kind, field: str, where: Filter, limit: int = 100) -> dict[str, int]:
        return dict(self._kinds[kind].terms(field, where)[:limit])

    def histogram(
        self, kind: Kind, field: str, where: Filter, *, interval_s: int, split: str | None = None
    ) -> list[tuple[datetime, str | None, int]]:
        return self._kinds[kind].histogram(field, where, interval_s, split)

    def scan(self, kind: Kind, where: Filter, batch: int = 500) -> Iterator[Hit]:
        self._turn()
        for id_, document in sorted(self._kinds[kind].matching(where).items()):
            yield Hit(id_, _copy(document), (None, id_))

    def delete(self, kind: Kind, ids: Sequence[str]) -> None:
        self._turn()
        for id_ in ids:
            self._kinds[kind].documents.pop(id_, None)


class SimulatedBroker:
    """Broker in lists, with one member a group."""

    def __init__(self, turns: Turns, clock: SimulatedClock) -> None:
        self.turns = turns
        self._clock = clock
        self._logs = {Partition(topic, n): [] for topic, count in TOPICS.items() for n in range(count)}  # type: ignore[var-annotated]
        self.committed: Counter[tuple[str, Partition]] = Counter()
        self.tallies: dict[tuple[str, Partition], Counter[str]] = {}

    def ensure(self, topics: Mapping[str, int]) -> None: ...

    def close(self) -> None: ...

    def ping(self) -> str:
        return "simulated"

    def publish(self, records: Sequence[Record]) -> None:
        self.turns.give()
        if self.turns.dying:
            # Of each partition, a beginning.
            come = {partition: self.turns.chance.randrange(len(records) + 1) for partition in self._logs}
            for record in records:
                partition = self._partition(record)
                come[partition] -= 1
                if come[partition] >= 0:
                    self.append(record)
            raise Death
        for record in records:
            self.append(record)
        self.turns.give()
        if self.turns.dying:
            raise Death

    def _partition(self, record: Record) -> Partition:
        of_topic = self.partitions([record.topic])
        return of_topic[int.from_bytes(blake2b(record.key or b"", digest_size=8).digest(), "big") % len(of_topic)]

    def append(self, record: Record) -> None:
        partition = self._partition(record)
        log = self._logs[partition]
        log.append(Message(partition, len(log), record.value, record.key, dict(record.headers), self._clock.now()))

    def subscribe(self, group: str, topics: Sequence[str]) -> SimulatedSubscription:
        return SimulatedSubscription(self, group, topics)

    def progress(self, group: str, topic: str) -> Progress:
        partitions = [partition for partition in self._logs if partition.topic == topic]
        tally: Counter[str] = Counter()
        for partition in partitions:
            tally.update(self.tallies.get((group, partition), {}))
        return Progress(
            sum(len(self._logs[p]) for p in partitions), sum(self.committed[group, p] for p in partitions), tally
        )

    def read(self, topic: str, limit: int = 1000) -> list[Message]:
        found = [m for partition, log in self._logs.items() if partition.topic == topic for m in log]
        found.sort(key=lambda m: (m.logged_at, m.partition, m.offset))
        return found[-limit:]

    def after(self, partition: Partition, offset: int, limit: int) -> list[Message]:
        return self._logs[partition][offset : offset + limit]

    def partitions(self, topics: Sequence[str]) -> list[Partition]:
        return sorted(partition for partition in self._logs if partition.topic in topics)


class SimulatedSubscription:
    def __init__(self, broker: SimulatedBroker, group: str, topics: Sequence[str]) -> None:
        self._broker = broker
        self._group = group
        self._at = {p: broker.committed[group, p] for p in broker.partitions(topics)}

    def poll(self, max_records: int, timeout_s: float) -> list[Message]:
        turns = self._broker.turns
        turns.give()
        if turns.dying:
            raise Death
        partitions = list(self._at)
        turns.chance.shuffle(partitions)
        found: list[Message] = []
        for partition in partitions:
            found += self._broker.after(partition, self._at[partition], max_records - len(found))
        for message in found:
            self._at[message.partition] = message.offset + 1
        return found

    def keep_alive(self) -> None: ...

    def commit(self, positions: Mapping[Partition, int], tallies: Mapping[Partition, Tally]) -> None:
        turns = self._broker.turns
        turns.give()
        # The answer to a commit may be lost, the commit itself is done or not.
        if not turns.dying or turns.chance.random() < 0.5:
            for partition, position in positions.items():
                self._broker.committed[self._group, partition] = position
                self._broker.tallies.setdefault((self._group, partition), Counter()).update(tallies[partition])
        if turns.dying:
            raise Death

    def rewind(self) -> None:
        raise AssertionError("nobody takes partitions away here")

    def close(self) -> None: ...


def _copy(document: Document) -> Document:
    return cast(Document, json.loads(json.dumps(document)))


class SimulatedHouse(TestHouse):
    """A house whose workers run side by side until they have drained the log, or until they die."""

    def __init__(self, home: Path, seed: int, records: Sequence[Record]) -> None:
        self.left = list(records)
        """What has yet to come in."""
        self.turns = Turns(random.Random(seed))
        clock = SimulatedClock(self.turns)
        super().__init__(home, broker=SimulatedBroker(self.turns, clock), store=SimulatedStore(self.turns), clock=clock)

    def live(self, die_in: int | None = None) -> list[BaseException]:
        """All three workers, with batches of any size, while the records come in; returns what broke."""
        chance = self.turns.chance
        ended = {name: threading.Event() for name in ("crawl", "register", "judge", "alert")}
        before = {"register": ["crawl"], "judge": ["crawl", "register"], "alert": ["register", "judge"]}

        def crawl() -> None:
            assert isinstance(self.broker, SimulatedBroker)
            while self.left and not self.turns.dying:
                for _ in range(min(len(self.left), chance.choice((1, 4, 16, 64)))):
                    self.broker.append(self.left.pop(0))
                self.turns.give()
            ended["crawl"].set()

        def work(name: str, runner: Runner) -> None:
            runner.run(until_drained=True, may_end=lambda: all(ended[other].is_set() for other in before[name]))
            ended[name].set()

        runners = {name: self.runner(name, batch=chance.choice((1, 3, 8, 16, 40))) for name in before}
        acts: list[Callable[[], None]] = [crawl]
        acts += [lambda name=name, runner=runner: work(name, runner) for name, runner in runners.items()]  # type: ignore[misc]
        return self.turns.run(acts, die_in)
