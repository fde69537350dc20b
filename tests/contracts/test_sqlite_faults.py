"""SQLite files in trouble: full disks, locks, killed processes, times that change."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.adapters import sqlite_file, sqlite_store
from pipeline.adapters.sqlite_broker import SqliteBroker
from pipeline.adapters.sqlite_store import SqliteStore
from pipeline.ports import FIELDS, Filter, Record, RetryLater, Write

FULL = """
import json, resource, sys
from pathlib import Path
from pipeline.adapters.sqlite_broker import SqliteBroker
from pipeline.adapters.sqlite_store import SqliteStore
from pipeline.ports import Record, RetryLater, Write

what, home = sys.argv[1], Path(sys.argv[2])
if what == "log":
    broker = SqliteBroker(home / "log.db")
    broker.ensure({"t": 1})
    put = lambda i: broker.publish([Record("t", b"%06d" % i + bytes(20_000))])
    there = lambda: [int(m.value[:6]) for m in broker.read("t", 10_000)]
else:
    store = SqliteStore(home / "store.db")
    store.prepare()
    put = lambda i: store.put([Write("posts", f"{i:06d}", {"text": "x" * 20_000, "terms": ["a"]})])
    there = lambda: [int(h.id) for h in store.scan("posts", Filter(terms=["a"]))]
from pipeline.ports import Filter
# No file may grow beyond 2 MB: writes fail as they do on a full disk.
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
i = 0
try:
    while True:
        put(i)
        i += 1
except RetryLater as error:
    said = str(error)
during = there()
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
put(i)
print(json.dumps({"acknowledged": i, "said": said, "during": during, "after": there()}))
"""


@pytest.mark.parametrize(("what", "file"), [("log", "log.db"), ("store", "store.db")])
def test_a_full_disk_is_retry_later_that_names_the_file_and_nothing_acknowledged_is_lost(
    tmp_path: Path, what: str, file: str
) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, what, tmp_path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert file in told["said"]
    assert told["acknowledged"] > 10
    assert told["during"] == list(range(told["acknowledged"]))
    assert told["after"] == list(range(told["acknowledged"] + 1))


def test_a_locked_file_is_retry_later_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_S", 0.2)
    broker = SqliteBroker(tmp_path / "log.db")
    broker.ensure({"t": 1})
    other = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RetryLater, match=r"log\.db is locked"):
        broker.publish([Record("t", b"x")])
    assert broker.progress("g", "t").logged == 0, "readers go on"
    other.execute("ROLLBACK")
    other.close()
    broker.publish([Record("t", b"x")])
    assert broker.progress("g", "t").logged == 1
    broker.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RetryLater, match="file"):
        SqliteStore(tmp_path / "file" / "store.db")


KILLED = """
import sys
from pathlib import Path
from pipeline.adapters.sqlite_broker import SqliteBroker
from pipeline.adapters.sqlite_store import SqliteStore
from pipeline.ports import Record, Write

home = Path(sys.argv[1])
broker, store = SqliteBroker(home / "log.db"), SqliteStore(home / "store.db")
broker.ensure({"t": 3})
store.prepare()
i = 0
print("ready", flush=True)
while True:
    broker.publish([Record("t", f"{i}.{j}".encode(), str(j).encode()) for j in range(5)])
    store.put([Write("posts", f"{i}.{j}", {"terms": ["a"], "labels": ["hate"], "i": i}) for j in range(5)])
    store.put([Write("posts", f"{i}.0", {"terms": ["b"]})])
    print(i, flush=True)
    i += 1
"""


def test_what_was_acknowledged_survives_a_killed_process_whole(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, tmp_path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(random.uniform(0.3, 1.0))
    process.send_signal(signal.SIGKILL)
    done = len(process.stdout.read().splitlines())
    process.wait()
    broker, store = SqliteBroker(tmp_path / "log.db"), SqliteStore(tmp_path / "store.db")
    values = {m.value.decode() for m in broker.read("t", 1_000_000)}
    assert values >= {f"{i}.{j}" for i in range(done) for j in range(5)}
    assert len(values) % 5 == 0, "a call of publish is there as a whole or not at all"
    a, b = store.count("posts", Filter(terms=["a"])), store.count("posts", Filter(terms=["b"]))
    assert b in (done, done + 1)
    assert a + b == store.count("posts", Filter()) == len(list(store.scan("posts", Filter())))
    assert store.count("posts", Filter(equals={"labels": ["hate"]})) == a
    broker.close()
    store.close()


def test_a_lease_written_before_the_clock_was_set_back_does_not_last_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = SqliteBroker(tmp_path / "log.db")
    broker.ensure({"t": 1})
    broker.publish([Record("t", b"x")])
    real = time.time
    with monkeypatch.context() as later:
        later.setattr(time, "time", lambda: real() + 86_400)
        assert len(broker.subscribe("g", ["t"]).poll(10, 1)) == 1
    assert len(broker.subscribe("g", ["t"]).poll(10, 1)) == 1
    broker.close()


def test_a_changed_list_of_fields_is_applied_to_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = {"source": "forum", "began_at": "2024-11-27T00:00:00Z", "cause": "503", "tries": 4, "terms": ["satu"]}
    with monkeypatch.context() as before:
        before.setattr(sqlite_store, "FIELDS", {**FIELDS, "gaps": {"source": "keyword", "began_at": "time"}})
        before.setattr("pipeline.adapters.entry.FIELDS", sqlite_store.FIELDS)
        store = SqliteStore(tmp_path / "store.db")
        store.prepare()
        store.put([Write("gaps", "g", document)])
        store.close()
    fields = {**FIELDS, "gaps": {"cause": "keyword", "tries": "number", "began_at": "time", "terms": "terms"}}
    monkeypatch.setattr(sqlite_store, "FIELDS", fields)
    monkeypatch.setattr("pipeline.adapters.entry.FIELDS", fields)
    store = SqliteStore(tmp_path / "store.db")
    for _ in range(2):
        store.prepare()
        assert store.count("gaps", Filter(equals={"cause": ["503"]}, terms=["satu"])) == 1
        assert store.search("gaps", Filter(), sort="tries")[0].sort == (4.0, "g")
    store.put([Write("gaps", "g", {"cause": "404"})])
    assert store.count("gaps", Filter(equals={"cause": ["503"]})) == store.count("gaps", Filter(terms=["satu"])) == 0
    store.close()
