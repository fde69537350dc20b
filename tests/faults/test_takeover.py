"""Two workers share the load; one dies, leaves or falls asleep, the other goes on with all of it."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.faults import load
from tests.faults.conftest import GROWN, SQLITE, MakeSite
from tests.faults.result import Result, assert_same, result_of
from tests.faults.site import Site, committed, lag, publish, wait_until
from tests.faults.worker import Kill, Plan
from tests.pipeline.house import TestHouse

JUDGES = Plan(names=("judge",), batch=8, until_drained=False)
OTHERS = Plan(names=("register", "alert"), until_drained=False)
PART = 8


def feed_until(house: TestHouse, feed: list, holds: object, what: str) -> None:  # type: ignore[type-arg]
    """Publish the load part by part, until something holds; the rest stays in `feed`."""
    while not holds():  # type: ignore[operator]
        assert feed, f"the load ended before {what}"
        publish(house, feed[:PART])
        del feed[:PART]
        time.sleep(1.0)


def both_work(site: Site, *judges: object) -> object:
    return lambda: all(committed(site, judge, "judge") >= 2 for judge in judges)  # type: ignore[arg-type]


@pytest.mark.parametrize("form", [SQLITE, GROWN])
def test_two_workers_share_the_load_and_one_that_is_killed_is_replaced_by_the_other(
    form: str, make_site: MakeSite, expected: Result
) -> None:
    site = make_site(form)
    house = site.open()
    site.start(OTHERS)
    other = site.start(JUDGES)
    feed = load.records()
    # On a busy machine the first to start may have done half of the load before the second is there.
    feed_until(house, feed, lambda: committed(site, other, "judge") >= 1, "the first worker works")
    one = site.start(Plan(names=("judge",), batch=8, until_drained=False, kill=Kill("judge", "stored", 4)))
    feed_until(house, feed, lambda: one.exitcode is not None, "one was killed")
    publish(house, feed)
    assert one.exitcode == -signal.SIGKILL
    before = committed(site, other, "judge")
    wait_until("nothing waits", lambda: lag(house) == 0)
    assert committed(site, one, "judge") == 3
    assert 0 < before < committed(site, other, "judge")
    assert_same(result_of(house), expected)
    house.close()


@pytest.mark.parametrize("form", [SQLITE, GROWN])
def test_a_worker_told_to_stop_hands_over_at_once(form: str, make_site: MakeSite, expected: Result) -> None:
    # So long a lease that on SQLite waiting for it to run out would fail the test. On Kafka the heartbeats, by which members hear of
    # each other, are a quarter of it.
    site = make_site(form, lease_s=100.0 if form == "sqlite" else 16.0)
    house = site.open()
    site.start(OTHERS)
    one, other = site.start(JUDGES), site.start(JUDGES)
    feed = load.records()
    feed_until(house, feed, both_work(site, one, other), "both worked")
    assert one.pid is not None
    os.kill(one.pid, signal.SIGTERM)
    one.join(60)
    assert one.exitcode == 0, site.told()
    publish(house, feed)
    wait_until("nothing waits", lambda: lag(house) == 0, 95)
    assert_same(result_of(house), expected)
    house.close()


@pytest.mark.parametrize("form", [SQLITE, GROWN])
def test_a_worker_that_wakes_up_late_settles_nothing_that_another_has_done(
    form: str, make_site: MakeSite, expected: Result
) -> None:
    site = make_site(form)
    house = site.open()
    site.start(OTHERS)
    one, other = site.start(JUDGES), site.start(JUDGES)
    feed = load.records()
    feed_until(house, feed, both_work(site, one, other), "both worked")
    assert one.pid is not None
    os.kill(one.pid, signal.SIGSTOP)
    publish(house, feed)
    wait_until("the other has done all", lambda: lag(house) == 0)
    os.kill(one.pid, signal.SIGCONT)
    time.sleep(1.0)
    publish(house, load.records()[-25:])
    wait_until("nothing waits", lambda: lag(house) == 0)
    again = result_of(house)
    assert again.doors["indexed"] == expected.doors["indexed"]
    assert (again.alerts, again.revisions) == (expected.alerts, expected.revisions)
    house.close()
