"""Servers that refuse, stop and die, and disks that are full: the worker waits, says so, and goes on by itself."""

from __future__ import annotations

import itertools
import json
import os
import random
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from elasticsearch import Elasticsearch

from pipeline.ports import FIELDS
from tests.contracts.proxy import Answer, Forward, Proxy, proxy
from tests.faults import load
from tests.faults.conftest import MakeSite
from tests.faults.result import Result, assert_same, result_of
from tests.faults.site import Site, lag, publish, wait_until
from tests.faults.worker import Plan
from tests.servers import Missing, Running, elasticsearch, kafka

FOLLOWING = Plan(until_drained=False, batch=8)


def drained(site: Site, expected: Result, timeout_s: float = 300.0) -> None:
    """What the worker that is still running must come to by itself."""
    house = site.open()
    wait_until("nothing waits", lambda: lag(house) == 0, timeout_s)
    assert site.started[-1].exitcode is None, site.told()
    assert_same(result_of(house), expected)
    house.close()


# ---------------------------------------------------------------- Elasticsearch that answers, but not as wished


def refuse(status: int) -> Callable[[bytes, Forward], Answer | None]:
    error = {"error": {"type": "es_rejected_execution_exception", "reason": "queue is full"}, "status": status}
    return lambda body, forward: Answer(status, json.dumps(error).encode())


def half(status: int) -> Callable[[bytes, Forward], Answer | None]:
    """A bulk of which every second item fails, inside an answer of 200; the others are stored."""

    def answer(body: bytes, forward: Forward) -> Answer:
        lines = body.rstrip(b"\n").split(b"\n")
        pairs = [lines[i : i + 2] for i in range(0, len(lines), 2)]
        kept = forward(b"\n".join(line for pair in pairs[::2] for line in pair) + b"\n")
        stored = iter(json.loads(kept.body)["items"])
        error = {"type": "es_rejected_execution_exception", "reason": "queue is full"}
        items = [
            next(stored) if i % 2 == 0 else {"index": {"status": status, "error": error}} for i in range(len(pairs))
        ]
        return Answer(200, json.dumps({"took": 1, "errors": True, "items": items}).encode())

    return answer


def lost(body: bytes, forward: Forward) -> None:
    """Stored, but the answer never comes."""
    forward(body)


def cut(body: bytes, forward: Forward) -> None:
    """The connection breaks before anything is stored."""


@pytest.fixture
def front(elasticsearch_url: str) -> Iterator[Proxy]:
    with proxy(elasticsearch_url) as front:
        yield front


@pytest.mark.servers
@pytest.mark.parametrize(
    ("broker", "seed"), [("sqlite", 1), pytest.param("kafka", 2, marks=pytest.mark.slow)], ids=["sqlite", "kafka"]
)
def test_an_elasticsearch_that_refuses_fails_by_halves_and_breaks_off_costs_only_time(
    broker: str, seed: int, make_site: MakeSite, front: Proxy, expected: Result, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("kafka_url") if broker == "kafka" else "sqlite://"
    site = make_site("sqlite", broker=url, store=front.url)
    house = site.open()
    publish(house, load.records())
    faults = itertools.cycle([refuse(429), half(429), refuse(503), lost, half(503), cut, refuse(502), half(507)])
    left = [24]
    chance = random.Random(seed)
    lock = threading.Lock()

    def rule(path: str, body: bytes, forward: Forward) -> Answer | None:
        bulk = path.startswith("/_bulk")
        with lock:
            faulty = left[0] > 0 and chance.random() < (0.7 if bulk else 0.1)
            fault = next(faults) if bulk and faulty else refuse(chance.choice((429, 503)))
            left[0] -= bulk and faulty
        return fault(body, forward) if faulty else forward(body)

    front.rule = rule
    site.start(FOLLOWING)
    wait_until("all faults were shown", lambda: left[0] == 0)
    drained(site, expected)
    told = site.told()
    for said in ("429", "503", "502", "507", "queue is full", urlsplit(front.url).netloc):
        assert said in told
    house.close()


@pytest.mark.servers
@pytest.mark.slow
def test_indices_blocked_by_a_full_disk_are_waited_for(
    make_site: MakeSite, elasticsearch_url: str, expected: Result
) -> None:
    site = make_site("sqlite", store=elasticsearch_url)
    house = site.open()
    publish(house, load.records())
    with Elasticsearch(elasticsearch_url.replace("elasticsearch", "http")) as client:
        # What Elasticsearch itself does to indices on a disk past its flood stage.
        name = "index.blocks.read_only_allow_delete"
        indices = [f"{site.settings.index_prefix}-{kind}-v1" for kind in FIELDS]
        site.start(FOLLOWING)
        wait_until("work has begun", lambda: "committed" in site.told())
        client.indices.put_settings(index=indices, settings={name: True})
        wait_until("the worker says why it waits", lambda: "read-only" in site.told())
        time.sleep(1)
        assert lag(house) > 0
        client.indices.put_settings(index=indices, settings={name: None})
    drained(site, expected)
    house.close()


# ---------------------------------------------------------------- a full disk under SQLite


@pytest.mark.parametrize("file", ["log.db", "store.db"])
def test_a_full_disk_is_waited_for_and_named(file: str, make_site: MakeSite, expected: Result) -> None:
    site = make_site("sqlite")
    house = site.open()
    publish(house, load.records())
    process = site.start(FOLLOWING)
    assert process.pid is not None
    wait_until("work has begun", lambda: "committed" in site.told())
    # No file of this process may grow beyond what it has now: writes fail, as they do on a full disk.
    size = (site.settings.home / file).stat().st_size
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    wait_until("the worker says why it waits", lambda: "cannot" in site.told() and "trying again" in site.told())
    time.sleep(1)
    assert process.exitcode is None, site.told()
    assert lag(house) > 0
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    drained(site, expected)
    house.close()


# ---------------------------------------------------------------- servers that stop and die


class Servers:
    """A Kafka and an Elasticsearch of our own, to be stopped and killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.running: dict[str, Running] = {}
        self._start = {"kafka": kafka.start, "elasticsearch": elasticsearch.start}
        for name in self._start:
            self.start(name)

    def start(self, name: str) -> None:
        port = urlsplit(self.running[name].url).port if name in self.running else None
        self.running[name] = self._start[name](self._folder, port)

    def signal(self, name: str, number: int) -> None:
        os.kill(self.running[name].process.pid, number)

    def close(self) -> None:
        for running in self.running.values():
            running.kill()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    try:
        servers = Servers(tmp_path_factory.mktemp("own"))
    except Missing as error:
        pytest.skip(str(error))
    yield servers
    servers.close()


@pytest.mark.servers
@pytest.mark.slow
@pytest.mark.parametrize("way", ["stopped for a while", "ended and started", "killed and started"])
@pytest.mark.parametrize("name", ["kafka", "elasticsearch"])
def test_a_server_that_goes_away_and_comes_back_is_waited_for(
    name: str, way: str, servers: Servers, make_site: MakeSite, expected: Result
) -> None:
    site = make_site(
        "sqlite", broker=servers.running["kafka"].url, store=servers.running["elasticsearch"].url, lease_s=6.0
    )
    house = site.open()
    records = load.records()
    publish(house, records[:200])
    site.start(FOLLOWING)
    wait_until("work has begun", lambda: site.told().count("committed") >= 3)
    if way == "stopped for a while":
        servers.signal(name, signal.SIGSTOP)
        time.sleep(12)
        servers.signal(name, signal.SIGCONT)
    else:
        if way == "killed and started":
            servers.running[name].kill()
        else:
            servers.running[name].stop()
        wait_until("the worker says why it waits", lambda: "trying again" in site.told())
        time.sleep(2)
        servers.start(name)
    publish(house, records[200:])
    drained(site, expected)
    house.close()
