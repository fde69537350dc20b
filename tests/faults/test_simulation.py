"""Interleavings and deaths by the hundred, in memory; a failing one is had again by its seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.ports import Record
from tests.faults import load
from tests.faults.result import Result, assert_same, result_of
from tests.faults.simulation import SimulatedHouse
from tests.faults.site import publish
from tests.pipeline.house import TestHouse

SLOW = pytest.mark.slow


Load = Callable[[], list[Record]]


def one_run(home: Path, seed: int, records: list[Record], deaths: int) -> Result:
    """So many lives that end in death, and one in which all is done."""
    chance = random.Random(f"deaths {seed}")
    house = SimulatedHouse(home, seed, records)
    for die_in in [*(chance.randrange(5, 300) for _ in range(deaths)), None]:
        problems = house.live(die_in)
        assert not problems, problems
    return result_of(house)


@pytest.mark.parametrize(
    ("make", "seeds", "deaths"),
    [
        (load.small, range(20), 0),
        (load.small, range(100, 120), 3),
        (load.records, range(110, 114), 6),
        pytest.param(load.small, range(20, 60), 0, marks=SLOW),
        pytest.param(load.small, range(120, 160), 3, marks=SLOW),
        pytest.param(load.records, range(114, 120), 6, marks=SLOW),
        # In parts: on a slow machine the whole of them would take longer than any guard against hanging should wait.
        *(pytest.param(load.small, range(first, first + 100), 4, marks=SLOW) for first in range(1000, 2500, 100)),
        *(pytest.param(load.records, range(first, first + 50), 8, marks=SLOW) for first in range(1000, 1400, 50)),
    ],
)
def test_workers_that_take_turns_and_die_anywhere_leave_no_trace(
    make: Load, seeds: range, deaths: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL")
    records = make()
    house = TestHouse(tmp_path / "undisturbed")
    publish(house, records)
    house.drain()
    expected = result_of(house)
    house.close()
    wrong = []
    for seed in seeds:
        try:
            assert_same(one_run(tmp_path, seed, records, deaths), expected)
        except AssertionError as error:
            wrong.append(f"seed {seed}: {str(error)[:400]}")
    assert not wrong, f"{len(wrong)} of {len(seeds)}\n" + "\n".join(wrong[:8])
