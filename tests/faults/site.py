"""Where a fault is tried: log and store of their own in either form, and worker processes that can be killed."""

from __future__ import annotations

import multiprocessing
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

from elastic_transport import TransportError
from elasticsearch import Elasticsearch

from pipeline.adapters import kafka_broker
from pipeline.adapters.choose import open_broker, open_store
from pipeline.adapters.sqlite_broker import SqliteBroker
from pipeline.ports import FIELDS, Broker, Record
from pipeline.settings import Settings
from pipeline.topology import WORKERS
from tests.faults.worker import Plan, work
from tests.pipeline.house import TestHouse

LEASE_S = {"sqlite": 2.0, "kafka": 3.0}
"""How long the log waits for a dead worker here; the usual 30 s and 10 s would make each kill cost as much. On SQLite half a second was
too little: on a loaded machine a living worker lost its lease in the midst of a batch, which is another fault than the one tried."""

DRAIN_S = 400.0
"""A few seconds on an idle machine; a busy one may take fifty times as long."""

# The children come from a server process that has everything loaded: a start costs some 20 ms, and none inherits our threads.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.faults.site"])


@dataclass
class Site:
    settings: Settings
    lease_s: float
    started: list[BaseProcess] = field(default_factory=list)
    houses: list[TestHouse] = field(default_factory=list)

    @classmethod
    def make(cls, home: Path, broker: str = "sqlite://", store: str = "sqlite://", lease_s: float = 0.0) -> Site:
        prefix = f"t{uuid.uuid4().hex[:10]}"
        lease_s = lease_s or LEASE_S[broker.partition(":")[0]]
        return cls(Settings(home=home, broker=broker, store=store, index_prefix=prefix), lease_s)

    def open(self) -> TestHouse:
        self.houses.append(open_site(self.settings, self.lease_s))
        return self.houses[-1]

    def start(self, plan: Plan | None = None) -> BaseProcess:
        process = _processes.Process(target=work, args=(self.settings, self.lease_s, plan or Plan()))
        process.start()
        self.started.append(process)
        return process

    def drain(self, plan: Plan | None = None, timeout_s: float = DRAIN_S) -> None:
        """One worker process until nothing waits."""
        process = self.start(plan)
        process.join(timeout_s)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise AssertionError(f"not drained after {timeout_s:.0f} s; see {self.settings.home / 'worker.log'}")
        assert process.exitcode == 0, self.told()

    def told(self) -> str:
        """What the workers said."""
        log = self.settings.home / "worker.log"
        return log.read_text() if log.exists() else ""

    def close(self) -> None:
        for process in self.started:
            if process.exitcode is None:
                process.kill()
            process.join()
        for house in self.houses:
            house.close()
        if self.settings.store.startswith("elasticsearch"):
            _forget(self.settings)


def open_site(settings: Settings, lease_s: float) -> TestHouse:
    settings.home.mkdir(parents=True, exist_ok=True)
    broker: Broker
    if settings.broker.startswith("sqlite"):
        broker = SqliteBroker(settings.log_file, lease_s=lease_s)
    else:
        kafka_broker.SESSION_MS = int(lease_s * 1000)
        broker = open_broker(settings)
    return TestHouse(settings.home, broker=broker, store=open_store(settings))


def _forget(settings: Settings) -> None:
    """A node takes 1,000 shards, and each site has eleven."""
    with suppress(TransportError), Elasticsearch(settings.store.replace("elasticsearch", "http")) as client:
        client.indices.delete(index=[f"{settings.index_prefix}-{kind}-v1" for kind in FIELDS], ignore_unavailable=True)


def publish(house: TestHouse, records: Iterable[Record]) -> None:
    house.broker.publish(list(records))


def lag(house: TestHouse) -> int:
    """Messages that some worker still has to take."""
    return sum(house.broker.progress(w.name, topic).lag for w in WORKERS.values() for topic in w.reads)


def wait_until(what: str, holds: Callable[[], bool], timeout_s: float = 300.0) -> None:
    until = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < until, f"waited {timeout_s:.0f} s in vain until {what}"
        time.sleep(0.02)


def committed(site: Site, process: BaseProcess, worker: str) -> int:
    """Batches that this process has committed as that worker."""
    return sum(f" {process.pid} root: {worker} committed" in line for line in site.told().splitlines())
