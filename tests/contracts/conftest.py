"""Every adapter of a port, one after the other, behind one fixture."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.adapters.choose import open_store
from pipeline.ports import FIELDS, Broker, Filter, SearchStore
from pipeline.settings import Settings
from tests.contracts.member import open_log


@dataclass
class Log:
    """A broker of its own for one test, and the means to open it again, here or in another process."""

    settings: Settings
    brokers: list[Broker] = field(default_factory=list)
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def open(self) -> Broker:
        broker = open_log(self.settings)
        self.brokers.append(broker)
        return broker

    def member(self, *words: str) -> subprocess.Popen[str]:
        """See `tests/contracts/member.py`."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.contracts.member", *words],
            env={
                **os.environ,
                "JAGA_HOME": str(self.settings.home),
                "JAGA_BROKER": self.settings.broker,
                "JAGA_INDEX_PREFIX": self.settings.index_prefix,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        for broker in self.brokers:
            broker.close()


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.servers)])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Log]:
    url = "sqlite://" if request.param == "sqlite" else request.getfixturevalue("kafka_url")
    log = Log(Settings(home=tmp_path, broker=url, index_prefix=f"t{uuid.uuid4().hex[:8]}"))
    yield log
    log.close()


@pytest.fixture
def broker(log: Log) -> Broker:
    return log.open()


@pytest.fixture(scope="session")
def elastic(request: pytest.FixtureRequest) -> Iterator[SearchStore]:
    """One set of indices for the session: making eleven takes a second or two."""
    url = request.getfixturevalue("elasticsearch_url")
    store = open_store(Settings(store=url, index_prefix=f"t{uuid.uuid4().hex[:8]}"))
    store.prepare()
    yield store
    store.close()


@pytest.fixture(params=["sqlite", pytest.param("elasticsearch", marks=pytest.mark.servers)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SearchStore]:
    """An empty, prepared store."""
    if request.param == "sqlite":
        store = open_store(Settings(home=tmp_path))
        store.prepare()
        yield store
        store.close()
    else:
        store = request.getfixturevalue("elastic")
        empty(store)
        yield store


def empty(store: SearchStore) -> None:
    for kind in FIELDS:
        if ids := [hit.id for hit in store.scan(kind, Filter())]:
            store.delete(kind, ids)
    store.refresh()
