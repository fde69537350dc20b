"""The frontier's promises: never too early, never too late, never twice, never more than the budget, whoever asks and whoever dies."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.frontier import policy, traps, week
from crawlers.frontier.policy import Bounds, Purse
from crawlers.frontier.rates import Heat
from crawlers.frontier.store import LEASE_S, RESUME_S, Answer, Due, Frontier, Outcome, end_of
from crawlers.sources import Source

HOUR = 3_600.0


class Time:
    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def make(tmp_path: Path, clock: Time) -> Iterator[Callable[[], Frontier]]:
    made: list[Frontier] = []

    def one() -> Frontier:
        made.append(Frontier(tmp_path / "crawl.db", clock))
        return made[-1]

    yield one
    for frontier in made:
        if not frontier._lock_file.closed:
            frontier.close()


def sources(n: int, cadence_s: float = 900.0, **more: Any) -> list[Source]:
    return [Source(id=f"s{i}", kind="feed", url=f"https://{i}.example/", cadence_s=cadence_s, **more) for i in range(n)]


def die(frontier: Frontier) -> None:
    """As kill -9: the kernel takes the lock back, and nothing else happens."""
    frontier._lock_file.close()


def finish(frontier: Frontier, due: Due, **outcome: Any) -> None:
    frontier.mark([end_of(due, Outcome(**outcome))])


# -- rates


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("per_hour", [0.2, 2.0, 20.0])
def test_the_rate_of_a_source_is_learnt_from_irregular_visits(per_hour: float, counted: bool) -> None:
    random = np.random.default_rng(7)
    heat, rates = Heat(), []
    for n in range(3_000):
        elapsed = random.uniform(60, 1_800)
        found = int(random.poisson(per_hour / HOUR * elapsed))
        heat = heat.after(elapsed, found if counted else None, found > 0, prior=1 / HOUR)
        if n > 300:
            rates.append(heat.usual(1 / HOUR) * HOUR)
    assert np.mean(rates) == pytest.approx(per_hour, rel=0.15)


def test_a_source_that_catches_fire_is_hot_at_once_and_cools_down() -> None:
    heat = Heat()
    for _ in range(2_000):
        heat = heat.after(1_800, 0, False, 1 / HOUR)
    quiet = heat.now(1 / HOUR)
    burning = heat.after(1_800, 6, True, 1 / HOUR)
    assert burning.now(1 / HOUR) > 50 * quiet
    for _ in range(48):
        burning = burning.after(1_800, 0, False, 1 / HOUR)
    assert burning.now(1 / HOUR) < 10 * quiet


# -- policy

rates = st.lists(st.floats(1e-8, 1e-1), min_size=1, max_size=40)


@given(rates, st.floats(30, 86_400), st.floats(0.05, 20))
@settings(deadline=None)
def test_the_pivot_spends_the_budget_wherever_the_bounds_let_it(
    found: list[float], cadence: float, share: float
) -> None:
    bounds = [Bounds.of(cadence)] * len(found)
    budget = share * len(found) / cadence
    pivot = policy.pivot(found, bounds, budget)
    spent = sum(1 / policy.interval(rate, b, pivot) for rate, b in zip(found, bounds, strict=True))
    least = sum(1 / policy.interval(rate, b, 1e12) for rate, b in zip(found, bounds, strict=True))
    most = len(found) / bounds[0].fastest_s
    assert spent == pytest.approx(min(max(budget, least), most), rel=0.01)


@given(rates, st.floats(1e-12, 1e3))
def test_hotter_sources_never_wait_longer_and_hot_ones_no_longer_than_their_cadence(
    found: list[float], pivot: float
) -> None:
    bounds = Bounds.of(900)
    waits = [policy.interval(rate, bounds, pivot) for rate in sorted(found)]
    assert waits == sorted(waits, reverse=True)
    assert all(bounds.fastest_s <= wait <= bounds.slowest_s for wait in waits)
    assert all(w <= 900 for rate, w in zip(sorted(found), waits, strict=True) if rate * 900 >= 1)


def test_the_square_root_rule_beats_even_and_proportional_visits() -> None:
    found = list(np.random.default_rng(3).lognormal(-8, 1.5, 200))
    bounds = [Bounds.of(900, 1, 900 * 50)] * 200
    pivot = policy.pivot(found, bounds, 200 / 900)

    def delay(waits: list[float]) -> float:
        return sum(rate * wait / 2 for rate, wait in zip(found, waits, strict=True)) / sum(found)

    ours = [policy.interval(rate, b, pivot) for rate, b in zip(found, bounds, strict=True)]
    proportional = [900 * np.mean(found) / rate for rate in found]
    assert sum(1 / wait for wait in ours) <= 200 / 900 * 1.001
    assert delay(ours) < 0.75 * delay([900.0] * 200)
    assert delay(ours) < 0.75 * delay(proportional)


@given(st.integers(1, 200), st.floats(1, 1e5))
def test_pauses_after_failures_grow_to_the_longest_interval(failures: int, cadence: float) -> None:
    bounds = Bounds.of(cadence)
    assert bounds.fastest_s <= policy.pause(failures, bounds) <= policy.pause(failures + 1, bounds) <= bounds.slowest_s
    assert policy.page_pause(failures) <= policy.page_pause(failures + 1) <= policy.PAGE_PAUSE_MAX_S


# -- sources


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=4, deadline=None)
def test_no_source_is_visited_too_early_or_too_late_and_the_budget_is_kept(tmp_path_factory: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    clock = Time()
    frontier = Frontier(tmp_path_factory.mktemp("frontier") / "crawl.db", clock)
    made = sources(30, 600.0)
    rate = dict(zip((s.id for s in made), random.lognormal(-8, 2, 30), strict=True))
    fails = {s.id for s in made[:3]}
    frontier.enrol(made)
    bounds = Bounds.of(600.0)
    last: dict[str, float] = {}
    revisits: list[float] = []
    began = clock.now
    while clock.now < began + 12 * HOUR:
        frontier.beat()
        for due in frontier.take(100):
            if due.source in last:
                gap = clock.now - last[due.source]
                assert gap >= bounds.fastest_s - 1e-3, "too early"
                assert gap <= bounds.slowest_s + 1.1, "too late"
                revisits.append(clock.now)
            found = int(random.poisson(rate[due.source] * (clock.now - last.get(due.source, clock.now))))
            last[due.source] = clock.now
            finish(frontier, due, ok=due.source not in fails, changed=found > 0, found=found)
        clock.now = max(frontier.next_due(), clock.now + 1.0)
    assert all(clock.now - at <= bounds.slowest_s + 1.1 for at in last.values())
    budget = 30 / 600.0
    purse = Purse(budget, 0, 0)
    for start in range(12):
        for end in range(start + 1, 13):
            spent = sum(began + start * HOUR <= at < began + end * HOUR for at in revisits)
            assert spent <= budget * (end - start) * HOUR + purse.room + len(made)
    assert len(revisits) <= budget * 12 * HOUR + purse.room / 2 + len(made)
    frontier.close()


def test_every_due_source_comes_out_once_however_many_crawlers_ask(make: Callable[[], Frontier], clock: Time) -> None:
    made = sources(200)
    crawlers = [make() for _ in range(6)]
    for crawler in crawlers:
        crawler.enrol(made)
    held: list[tuple[Frontier, Due]] = []

    def ask(crawler: Frontier) -> None:
        while taken := crawler.take(7):
            held.extend((crawler, due) for due in taken)

    for _ in range(3):
        held.clear()
        threads = [threading.Thread(target=ask, args=(crawler,)) for crawler in crawlers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(due.source for _, due in held) == sorted(s.id for s in made)
        for crawler, due in held:
            finish(crawler, due)
        clock.now += 8 * 900


def test_a_dead_crawlers_visits_go_on_at_once_where_they_stood(make: Callable[[], Frontier], clock: Time) -> None:
    first, second = make(), make()
    for crawler in (first, second):
        crawler.enrol(sources(1))
    (due,) = first.take(9)
    assert first.claim("https://a.example/1", due) == "new"
    first.keep(
        due, "https://a.example/1", Answer("https://a.example/1", 200, [("A", "b")], b"isi", clock.now), listing=False
    )
    first.keep(due, "https://a.example/", Answer("https://a.example/", 200, [], b"daftar", clock.now), listing=True)
    clock.now += 10
    second.beat()
    assert second.take(9) == [], "its crawler lives"
    die(first)
    clock.now += 10
    second.beat()
    (again,) = second.take(9)
    assert (again.visit, again.resumed) == (due.visit, True)
    assert second.claim("https://a.example/1", again) == "again"
    for url, body in (("https://a.example/1", b"isi"), ("https://a.example/", b"daftar")):
        kept = second.kept(again, url)
        assert kept is not None
        assert kept.body == body
    finish(first, due)
    assert second.take_one("s0") is None, "the dead crawler's word no longer counts"
    finish(second, again)
    assert second.kept(again, "https://a.example/1") is None


def test_an_old_broken_visit_begins_anew_but_its_pages_are_not_fetched_again(
    make: Callable[[], Frontier], clock: Time
) -> None:
    first = make()
    first.enrol(sources(1))
    (due,) = first.take(9)
    for url, listing in (("https://a.example/1", False), ("https://a.example/", True)):
        first.keep(due, url, Answer(url, 200, [], b"isi", clock.now), listing=listing)
    die(first)
    clock.now += RESUME_S + 1
    second = make()
    second.enrol(sources(1))
    (again,) = second.take(9)
    assert (again.visit, again.resumed) == (due.visit + 1, False)
    assert second.kept(again, "https://a.example/") is None
    assert second.kept(again, "https://a.example/1") is not None


def test_a_crawler_that_slept_too_long_loses_what_it_held_and_starts_afresh(
    make: Callable[[], Frontier], clock: Time
) -> None:
    sleeper, other = make(), make()
    for crawler in (sleeper, other):
        crawler.enrol(sources(1))
    (due,) = sleeper.take(9)
    clock.now += LEASE_S + 10
    other.beat()
    (taken,) = other.take(9)
    finish(sleeper, due)
    sleeper.beat()
    assert sleeper.take(9) == []
    finish(other, taken)
    clock.now += 8 * 900
    sleeper.beat()
    other.beat()
    assert len(sleeper.take(9)) == 1


def test_a_host_with_many_sources_does_not_take_all_places(make: Callable[[], Frontier]) -> None:
    frontier = make()
    one_host = [Source(id=f"a{n}", kind="feed", url="https://a.example/") for n in range(50)]
    frontier.enrol([*one_host, Source(id="b", kind="feed", url="https://b.example/")])
    first = frontier.take(10)
    second = frontier.take(10)
    assert [due.source[0] for due in (*first, *second)] == ["a"] * 4 + ["b"]
    finish(frontier, first[0])
    assert len(frontier.take(10)) == 1


def test_what_was_cut_goes_on_at_once_and_does_not_pass_for_heat(make: Callable[[], Frontier], clock: Time) -> None:
    frontier = make()
    frontier.enrol(sources(1))
    for found, cut in ((500, True), (500, True), (300, False)):
        (due,) = frontier.take(9)
        clock.now += 30
        finish(frontier, due, changed=True, found=found, cut=cut)
    assert frontier.next_due() > clock.now + 300


def test_a_source_that_fails_is_asked_less_and_less(make: Callable[[], Frontier], clock: Time) -> None:
    frontier = make()
    frontier.enrol(sources(1))
    gaps = []
    for _ in range(9):
        clock.now = max(clock.now, frontier.next_due())
        (due,) = frontier.take(9)
        finish(frontier, due, ok=False)
        gaps.append(frontier.next_due() - clock.now)
    assert gaps[:3] == [60, 120, 240]
    assert gaps[-1] == 8 * 900


def test_five_thousand_sources_are_scheduled_without_lag(make: Callable[[], Frontier], clock: Time) -> None:
    frontier = make()
    frontier.enrol(sources(5_000, 300.0))
    for due in frontier.take(5_000):
        finish(frontier, due)
    visits, spent, began = 0, 0.0, clock.now
    while visits < 1_000:
        clock.now = max(clock.now, frontier.next_due())
        t = time.perf_counter()
        taken = frontier.take(100)
        frontier.mark([end_of(due, Outcome()) for due in taken])
        frontier.next_due()
        spent += time.perf_counter() - t
        visits += len(taken)
        if not taken:
            clock.now += 1
    # 5,000 sources every five minutes are 17 visits a second: 59 ms each.
    assert spent / visits < 0.01, f"{spent / visits * 1000:.2f} ms a visit"
    assert clock.now > began


# -- pages


def test_a_page_is_fetched_by_one_visit_only_until_it_is_done(make: Callable[[], Frontier], clock: Time) -> None:
    crawlers = [make() for _ in range(4)]
    for crawler in crawlers:
        crawler.enrol(sources(4))
    held = [crawler.take_one(f"s{n}") for n, crawler in enumerate(crawlers)]
    won: list[str] = []

    def ask(crawler: Frontier, due: Due) -> None:
        won.extend(f"{n}" for n in range(100) if crawler.claim(f"https://a.example/{n}", due) == "new")

    threads = [threading.Thread(target=ask, args=pair) for pair in zip(crawlers, held, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won, key=int) == [str(n) for n in range(100)]
    crawlers[0].mark([("page:https://a.example/7", "1")])
    assert held[1] is not None
    assert crawlers[1].claim("https://a.example/7", held[1]) == "leave"
    assert crawlers[1].claim("https://A.example/7?utm_source=x#komentar", held[1]) == "leave", (
        "other names of the same page"
    )


def test_a_page_that_failed_waits_longer_each_time_and_is_not_forgotten(
    make: Callable[[], Frontier], clock: Time
) -> None:
    frontier = make()
    frontier.enrol(sources(1, cadence_s=60.0))
    url = "https://a.example/1"
    pauses, failed_at = [], clock.now
    while len(pauses) < policy.PAGE_TRIES:
        clock.now = max(clock.now, frontier.next_due())
        (due,) = frontier.take(9)
        if frontier.waiting(due, 9) == [url] or not pauses:
            assert frontier.claim(url, due) in ("new", "again")
            pauses.append(clock.now - failed_at)
            failed_at = clock.now
        else:
            assert frontier.claim(url, due) == "later"
        finish(frontier, due)
    assert pauses[1:] == sorted(pauses[1:])
    assert sum(pauses) > 1.9 * 86_400
    due = frontier.take_one("s0") or pytest.fail("held")
    assert frontier.claim(url, due) == "leave", "given up"


# -- hosts


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["a", "b"]), st.floats(0, 3)), min_size=2, max_size=60))
@settings(max_examples=25, deadline=None)
def test_no_host_is_asked_sooner_than_its_pause_by_all_crawlers_together(
    tmp_path_factory: Any, asks: list[tuple[int, str, float]]
) -> None:
    clock = Time()
    path = tmp_path_factory.mktemp("frontier") / "crawl.db"
    crawlers = [Frontier(path, clock) for _ in range(3)]
    given_out: dict[str, list[float]] = {"a": [], "b": []}
    for crawler, host, passed in asks:
        clock.now += passed
        at = crawlers[crawler].turn(host, 1.0)
        assert at >= clock.now
        given_out[host].append(at)
    for times in given_out.values():
        assert all(later - earlier >= 1.0 - 1e-6 for earlier, later in pairwise(times))
    for crawler_ in crawlers:
        crawler_.close()


def test_a_host_that_asked_to_be_left_alone_is_left_alone_by_all(make: Callable[[], Frontier], clock: Time) -> None:
    first, second = make(), make()
    first.close_host("a.example", clock.now + 500)
    first.close_host("a.example", clock.now + 100)
    assert second.turn("a.example", 1.0) == clock.now + 500
    assert second.closed_until("a.example") == clock.now + 500
    assert second.turn("b.example", 1.0) == clock.now


def test_a_slow_host_is_asked_no_faster_than_it_answers(make: Callable[[], Frontier], clock: Time) -> None:
    frontier = make()
    frontier.turn("a", 1.0)
    for _ in range(20):
        frontier.answered_in("a", 10.0)
    first, second = frontier.turn("a", 1.0), frontier.turn("a", 1.0)
    assert second - first > 9


# -- traps

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/kalender?bulan=2029-01",
        "https://a.example/kalender/2031/05",
        "https://a.example/agenda?year=2031&month=3",
        "https://a.example/acara/2028-02-11/",
        "https://a.example/id/id/id/berita",
        "https://a.example/a/b/a/b/a/b/",
        "https://a.example/" + "x/" * 3,
        "https://a.example/" + "/".join(map(str, range(30))),
        "https://a.example/?" + "&".join(f"f{n}=1" for n in range(20)),
        "https://a.example/?q=" + "x" * 2_000,
    ],
)
def test_traps_are_known_by_their_address(url: str) -> None:
    assert traps.trap(url, NOW)


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/2026/11/23/judul-berita",
        "https://a.example/berita/2712045",
        "https://a.example/read/2026/11/23/08123451/judul",
        "https://a.example/t/2034/4.json",
        "https://a.example/sitemap.xml?yyyy=2031&mm=02",
        "https://a.example/post-sitemap-2031-01.xml",
        "https://a.example/arsip/2024/06/",
        "https://a.example/?p=12345",
        "https://a.example/api/v1/timelines/public?limit=40&max_id=1",
        "https://a.example/pilkada-2029/debat",
        "https://a.example/1/2/1/2",
    ],
)
def test_ordinary_addresses_are_no_traps(url: str) -> None:
    assert traps.trap(url, NOW) is None


def test_a_page_has_one_key_whatever_session_it_was_seen_in() -> None:
    names = [
        "https://a.example/x?id=3&PHPSESSID=0a9f8b7c6d5e4f3a2b1c",
        "https://A.example/x;jsessionid=F00BA4?id=3",
        "https://a.example/x?id=3&utm_source=rss#komentar",
        "https://a.example:443/x?sid=c0ffee0123456789abcd&id=3",
    ]
    assert {traps.key(url) for url in names} == {"https://a.example/x?id=3"}
    assert traps.key("https://a.example/rss#55bcddc9511f5eb8") != traps.key("https://a.example/rss#0123456789abcdef")
    assert traps.key("https://a.example/x?sid=7") != traps.key("https://a.example/x?sid=8")


# -- a week


def test_the_frontier_is_twice_as_fresh_as_fixed_visits_for_the_same_requests() -> None:
    days = 1.0
    changes = week.world(300, days, sigma=2.0, seed=20241127)
    visits = week.adaptive(changes, days)
    ours = week.figures(changes, visits, days)
    fixed = week.figures(changes, week.fixed(changes, days, ours.requests, seed=1), days)
    assert ours.requests <= 1.02 * 300 * days * week.DAY_S / week.CADENCE_S
    assert fixed.requests == pytest.approx(ours.requests, rel=0.01)
    assert ours.delay_s * 2 <= fixed.delay_s
    assert ours.delay_hot_s * 2 <= fixed.delay_hot_s
    assert ours.up_to_date >= fixed.up_to_date
    assert ours.fruitful > 1.5 * fixed.fruitful
    assert not math.isnan(ours.delay_p95_s)
