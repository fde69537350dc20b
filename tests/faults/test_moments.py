"""Death at every moment of a small load, one by one: after each step of each batch, and inside each write to the store.

In this process, so that all moments can be tried: the worker's death is an exception that nothing catches, and a write that dies
leaves any part of itself behind, as a bulk request may.
"""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from pipeline.adapters.sqlite_broker import SqliteBroker
from pipeline.adapters.sqlite_file import SqliteFile
from pipeline.adapters.sqlite_store import SqliteStore
from pipeline.ports import Write, Written
from pipeline.runner import STEPS, Step
from pipeline.topology import WORKERS
from tests.faults import load
from tests.faults.result import Result, assert_same, result_of
from tests.faults.site import publish
from tests.pipeline.house import TestHouse

ORDERS = (
    ("judge", "alert", "register", "judge", "alert"),
    ("register", "judge", "alert"),
    ("judge", "register", "alert"),
)
"""In which order the workers come to their messages; at the end all are drained again."""


SLOW = [pytest.mark.slow, pytest.mark.timeout(900)]


class Death(BaseException):
    """Caught by nobody, as kill -9."""


class DyingStore(SqliteStore):
    """Dies in its nth `put`, of which a part may be stored."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.puts = 0
        self.die_at = 0
        self.chance = random.Random(0)

    def put(self, writes: Sequence[Write]) -> list[Written]:
        self.puts += 1
        if self.puts == self.die_at:
            super().put([write for write in writes if self.chance.random() < 0.5])
            raise Death
        return super().put(writes)


@pytest.fixture(autouse=True, scope="module")
def _in_memory_speed() -> Iterator[None]:
    """No fsync here: this process lives on, and hundreds of small runs would wait for the disk most of their time."""
    with pytest.MonkeyPatch.context() as patch:
        open_file = SqliteFile.open

        def open_fast(file: SqliteFile) -> sqlite3.Connection:
            connection = open_file(file)
            connection.execute("PRAGMA synchronous = OFF")
            return connection

        patch.setattr(SqliteFile, "open", open_fast)
        yield


def a_house(home: Path) -> TestHouse:
    home.mkdir(parents=True, exist_ok=True)
    return TestHouse(home, broker=SqliteBroker(home / "log.db", lease_s=0.2), store=DyingStore(home / "store.db"))


def drain(house: TestHouse, order: Sequence[str], batch: int, observe: Callable[[str, Step], None]) -> None:
    for name in order:

        def seen(step: Step, name: str = name) -> None:
            observe(name, step)

        house.runner(name, batch=batch, observe=seen).run(until_drained=True)


@pytest.fixture(scope="module")
def expected_small(tmp_path_factory: pytest.TempPathFactory) -> Result:
    house = a_house(tmp_path_factory.mktemp("small"))
    publish(house, load.small())
    house.drain()
    result = result_of(house)
    house.close()
    return result


def moments(home: Path, order: Sequence[str], batch: int) -> tuple[Counter[tuple[str, Step]], int]:
    """How often each step is passed and how many writes there are in an undisturbed run."""
    house = a_house(home)
    publish(house, load.small())
    passed: Counter[tuple[str, Step]] = Counter()
    assert isinstance(house.store, DyingStore)
    house.store.puts = 0
    drain(house, order, batch, lambda name, step: passed.update([(name, step)]))
    house.close()
    return passed, house.store.puts


def tries(
    tmp_path: Path, order: Sequence[str], batch: int, part: int, parts: int
) -> Iterator[tuple[str, TestHouse, Callable[[], None]]]:
    """(what dies, house, how it dies) for every moment of a run in this order, or each `parts`th of them."""
    passed, puts = moments(tmp_path / "moments", order, batch)
    for (worker, step), times in sorted(passed.items()):
        for nth in range(1 + part, times + 1, parts):
            house = a_house(tmp_path / f"{worker}.{step}.{nth}")
            yield f"{worker} after {step}, time {nth}", house, at_step(house, order, batch, worker, step, nth)
    for nth in range(1 + part, puts + 1, parts):
        house = a_house(tmp_path / f"put.{nth}")
        yield f"in write {nth}", house, in_put(house, order, batch, nth)


def at_step(
    house: TestHouse, order: Sequence[str], batch: int, worker: str, step: Step, nth: int
) -> Callable[[], None]:
    left = nth

    def observe(name: str, passed: Step) -> None:
        nonlocal left
        left -= (name, passed) == (worker, step)
        if left == 0:
            left = -1
            raise Death

    return lambda: drain(house, order, batch, observe)


def in_put(house: TestHouse, order: Sequence[str], batch: int, nth: int) -> Callable[[], None]:
    def die() -> None:
        assert isinstance(house.store, DyingStore)
        house.store.chance = random.Random(nth)
        house.store.die_at = house.store.puts + nth
        drain(house, order, batch, lambda name, step: None)

    return die


@pytest.mark.parametrize(
    ("order", "batch", "part", "parts"),
    [
        (ORDERS[1], 40, 0, 3),
        # Small batches have hundreds of moments: in parts, each of which ends in time on a slow machine too, and each part with one of
        # the orders, so that every moment is tried, but not in every order.
        *(
            pytest.param(ORDERS[part % len(ORDERS)], batch, part, parts, marks=SLOW)
            for batch, parts in ((1, 20), (3, 8), (8, 3))
            for part in range(parts)
        ),
        *(pytest.param(order, 40, 0, 1, marks=SLOW) for order in ORDERS),
    ],
)
def test_death_at_any_moment_changes_nothing(
    order: Sequence[str], batch: int, part: int, parts: int, tmp_path: Path, expected_small: Result
) -> None:
    wrong = []
    count = 0
    for what, house, die in tries(tmp_path, order, batch, part, parts):
        publish(house, load.small())
        count += 1
        with pytest.raises(Death):
            die()
        # Another batch size: who comes after cuts the log elsewhere.
        try:
            house.drain(batch=batch + count % 3)
            assert_same(result_of(house), expected_small)
        except AssertionError as error:
            wrong.append(f"{what}: {str(error)[:400]}")
        house.close()
    assert count * parts > len(STEPS) * len(WORKERS)
    assert not wrong, f"{len(wrong)} of {count}\n" + "\n".join(wrong[:8])
