"""kill -9: at each named step of each worker, and at random moments. Afterwards all is as if nothing had happened."""

from __future__ import annotations

import itertools
import random
import signal
from collections.abc import Sequence

import pytest

from pipeline.runner import STEPS, Step
from pipeline.topology import WORKERS
from tests.faults import load
from tests.faults.conftest import GROWN, SQLITE, MakeSite
from tests.faults.result import Result, assert_same, result_of
from tests.faults.site import Site, publish
from tests.faults.worker import Kill, Plan

SEED = 20260209


def killed_at(site: Site, kill: Kill) -> None:
    process = site.start(Plan(kill=kill, until_drained=False))
    process.join(300)
    assert process.exitcode == -signal.SIGKILL, f"{kill} was not reached: {process.exitcode}\n{site.told()}"


@pytest.mark.parametrize("form", [SQLITE, GROWN])
@pytest.mark.parametrize("worker", sorted(WORKERS))
def test_a_worker_killed_at_one_step_after_the_other_leaves_no_trace(
    worker: str, form: str, make_site: MakeSite, expected: Result
) -> None:
    site = make_site(form)
    house = site.open()
    publish(house, load.records())
    for step in STEPS:
        killed_at(site, Kill(worker, step))
    site.drain()
    assert_same(result_of(house), expected)
    house.close()


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("worker", sorted(WORKERS))
def test_a_worker_killed_in_the_midst_of_its_work_leaves_no_trace(
    worker: str, step: Step, make_site: MakeSite, expected: Result
) -> None:
    site = make_site("sqlite")
    house = site.open()
    publish(house, load.records())
    killed_at(site, Kill(worker, step, nth=2 if worker == "register" else 4))
    site.drain()
    assert_same(result_of(house), expected)
    house.close()


def kill_at_random(site: Site, chance: random.Random, kills: int) -> None:
    """Kill worker after worker while the load comes in, part by part, so that each dies with work in hand."""
    house = site.open()
    records = load.records()
    cuts: Sequence[int] = [round(n * len(records) / kills) for n in range(kills + 1)]
    for start, end in itertools.pairwise(cuts):
        publish(house, records[start:end])
        process = site.start(Plan(batch=chance.choice((3, 8, 16, 40)), until_drained=False))
        # The first moments go by with the start and with waiting until the dead one's place is free.
        process.join(chance.uniform(0.0, 1.0) + (site.lease_s if start else 0.1))
        assert process.exitcode is None, site.told()
        process.kill()
        process.join()
    house.close()


@pytest.mark.parametrize(
    ("form", "seed", "kills"),
    [
        ("sqlite", 0, 6),
        pytest.param("grown", 0, 4, marks=pytest.mark.servers),
        *(pytest.param("sqlite", seed, 10, marks=pytest.mark.slow) for seed in range(1, 13)),
        *(pytest.param("grown", seed, 10, marks=[pytest.mark.slow, pytest.mark.servers]) for seed in range(1, 8)),
    ],
)
def test_workers_killed_at_random_moments_leave_no_trace(
    form: str, seed: int, kills: int, make_site: MakeSite, expected: Result
) -> None:
    site = make_site(form)
    kill_at_random(site, random.Random(SEED + seed), kills)
    site.drain()
    house = site.open()
    assert_same(result_of(house), expected)
    house.close()
