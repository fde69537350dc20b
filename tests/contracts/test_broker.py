"""What every Broker promises (`pipeline/ports.py`)."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from pipeline.adapters.choose import open_broker
from pipeline.ports import Broker, Fenced, Message, Partition, Progress, Record, RejectPost, RetryLater, Subscription
from pipeline.settings import Settings
from tests.contracts.conftest import Log
from tests.contracts.member import LEASE_S

PATIENCE_S = 75.0
"""A dead member is noticed after 10 s (Kafka) or LEASE_S (SQLite); the rest is for a busy machine."""


def take(subscription: Subscription, n: int, patience_s: float = PATIENCE_S) -> list[Message]:
    """At least n messages, or what came in time."""
    found: list[Message] = []
    until = time.monotonic() + patience_s
    while len(found) < n and time.monotonic() < until:
        found += subscription.poll(1000, 0.5)
    return found


def settle(subscription: Subscription, messages: list[Message], outcome: str = "stored") -> None:
    ends = {m.partition: m.offset + 1 for m in messages}
    subscription.commit(ends, {p: Counter(outcome for m in messages if m.partition == p) for p in ends})


def wait_until(true: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    until = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


def values(messages: list[Message]) -> list[bytes]:
    return [m.value for m in messages]


class TestPublishing:
    def test_what_is_published_is_read_back_byte_for_byte(self, broker: Broker) -> None:
        key, value = bytes(range(256)), b"\x00\xff\xfe" + bytes(range(256))
        headers = {"trace": b"\x00\xff", "kosong": b"", "nama": "é".encode()}
        broker.ensure({"t": 1})
        before = datetime.now(UTC) - timedelta(seconds=2)
        broker.publish([Record("t", value, key, headers), Record("t", b"", None)])
        first, second = take(broker.subscribe("g", ["t"]), 2)
        assert (first.value, first.key, dict(first.headers)) == (value, key, headers)
        assert (second.value, second.key, dict(second.headers)) == (b"", None, {})
        assert (first.partition, first.offset, first.position) == (Partition("t", 0), 0, "t.0.0")
        assert before < first.logged_at < datetime.now(UTC) + timedelta(seconds=2)

    def test_a_message_of_5_mb_passes(self, broker: Broker) -> None:
        broker.ensure({"t": 1})
        value = os.urandom(5 * 2**20)
        broker.publish([Record("t", b"before"), Record("t", value), Record("t", b"after")])
        assert values(take(broker.subscribe("g", ["t"]), 3)) == [b"before", value, b"after"]

    def test_a_message_too_large_for_any_log_is_rejected_and_nothing_of_the_call_is_written(
        self, broker: Broker
    ) -> None:
        broker.ensure({"t": 1})
        with pytest.raises(RejectPost, match="bytes for t"):
            broker.publish([Record("t", b"before"), Record("t", bytes(9 * 2**20))])
        broker.publish([Record("t", bytes(8 * 2**20))])
        assert [len(m.value) for m in broker.read("t")] == [8 * 2**20]

    def test_publishing_nothing_is_fine(self, broker: Broker) -> None:
        broker.publish([])

    def test_equal_keys_keep_their_order_in_one_partition(self, broker: Broker) -> None:
        broker.ensure({"t": 4})
        for turn in range(10):
            broker.publish([Record("t", f"{key}:{turn}".encode(), f"author{key}".encode()) for key in range(8)])
        messages = take(broker.subscribe("g", ["t"]), 80)
        for key in range(8):
            of_key = [m for m in messages if m.key == f"author{key}".encode()]
            assert values(of_key) == [f"{key}:{turn}".encode() for turn in range(10)]
            assert len({m.partition for m in of_key}) == 1
        assert len({m.partition for m in messages}) > 1, "eight keys all fell into one of four partitions"

    def test_a_topic_that_exists_keeps_its_partitions_and_messages(self, broker: Broker) -> None:
        broker.ensure({"t": 2})
        broker.publish([Record("t", b"a")])
        broker.ensure({"t": 5, "u": 1})
        broker.publish([Record("u", b"b")])
        assert values(broker.read("t")) == [b"a"]
        broker.publish([Record("t", b"x", str(i).encode()) for i in range(50)])
        assert {m.partition.number for m in broker.read("t")} == {0, 1}

    def test_a_topic_nobody_made_is_an_error_that_names_it(self, broker: Broker) -> None:
        with pytest.raises((LookupError, RetryLater), match=r"no\.such\.topic"):
            broker.publish([Record("no.such.topic", b"x")])

    def test_several_processes_publish_at_once_and_nothing_is_lost(self, log: Log, broker: Broker) -> None:
        broker.ensure({"t": 3})
        for process in [log.member("publish", "t", name, "40") for name in ("ani", "budi", "cici")]:
            assert process.wait(60) == 0
        messages = take(broker.subscribe("g", ["t"]), 120)
        for name in ("ani", "budi", "cici"):
            assert [v for v in values(messages) if v.startswith(name.encode())] == [
                f"{name}-{i}".encode() for i in range(40)
            ]
        assert broker.progress("g", "t").logged == 120

    def test_several_threads_use_one_broker(self, broker: Broker) -> None:
        broker.ensure({"t": 2})

        def publish(name: int) -> None:
            for i in range(20):
                broker.publish([Record("t", f"{name}-{i}".encode())])
                broker.progress("g", "t")

        threads = [threading.Thread(target=publish, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(values(broker.read("t")))) == 80


class TestReading:
    def test_the_first_poll_of_a_group_begins_at_the_oldest(self, broker: Broker) -> None:
        broker.ensure({"t": 1})
        broker.publish([Record("t", str(i).encode()) for i in range(5)])
        assert values(take(broker.subscribe("g", ["t"]), 5)) == [b"0", b"1", b"2", b"3", b"4"]

    def test_a_poll_takes_no_more_than_asked_and_each_message_once(self, broker: Broker) -> None:
        broker.ensure({"t": 1})
        broker.publish([Record("t", str(i).encode()) for i in range(7)])
        subscription = broker.subscribe("g", ["t"])
        got: list[bytes] = []
        until = time.monotonic() + PATIENCE_S
        while len(got) < 7 and time.monotonic() < until:
            messages = subscription.poll(3, 0.5)
            assert len(messages) <= 3
            got += values(messages)
        assert got == [str(i).encode() for i in range(7)]
        assert subscription.poll(3, 0.3) == []

    def test_a_poll_without_messages_comes_back_in_time(self, broker: Broker) -> None:
        broker.ensure({"t": 1})
        subscription = broker.subscribe("g", ["t"])
        take(subscription, 1, 2)
        began = time.monotonic()
        assert subscription.poll(10, 0.4) == []
        assert 0.3 < time.monotonic() - began < 10

    def test_polls_shorter_than_it_takes_to_join_get_their_messages_all_the_same(self, broker: Broker) -> None:
        broker.ensure({"t": 1})
        broker.publish([Record("t", b"x")])
        for turn in range(8):
            subscription = broker.subscribe(f"g{turn}", ["t"])
            until = time.monotonic() + 20
            while not (messages := subscription.poll(10, 0.01)):
                assert time.monotonic() < until, f"group {turn} never got its partition"
            assert values(messages) == [b"x"]
            subscription.close()

    def test_a_waiting_poll_wakes_soon_after_a_message_comes(self, broker: Broker) -> None:
        broker.ensure({"t": 1})
        subscription = broker.subscribe("g", ["t"])
        take(subscription, 1, 3)
        timer = threading.Timer(0.5, broker.publish, ([Record("t", b"x")],))
        timer.start()
        began = time.monotonic()
        assert values(subscription.poll(10, 60)) == [b"x"]
        assert time.monotonic() - began < 20, "it slept on"
        timer.join()

    def test_two_groups_each_get_everything(self, broker: Broker) -> None:
        broker.ensure({"t": 2})
        broker.publish([Record("t", str(i).encode()) for i in range(10)])
        for group in ("judge", "archive"):
            assert len(take(broker.subscribe(group, ["t"]), 10)) == 10

    def test_one_member_reads_several_topics(self, broker: Broker) -> None:
        broker.ensure({"t": 1, "u": 2})
        broker.publish([Record("t", b"t"), Record("u", b"u"), Record("u", b"v")])
        assert set(values(take(broker.subscribe("g", ["t", "u"]), 3))) == {b"t", b"u", b"v"}

    def test_reading_without_a_group_gives_the_newest_oldest_first(self, broker: Broker) -> None:
        broker.ensure({"t": 1})
        assert broker.read("t") == []
        broker.publish([Record("t", str(i).encode()) for i in range(20)])
        assert values(broker.read("t", 3)) == [b"17", b"18", b"19"]
        assert len(broker.read("t")) == 20
        assert broker.progress("g", "t").committed == 0

    def test_ping_names_the_server_and_its_version(self, broker: Broker) -> None:
        assert any(name in broker.ping() for name in ("SQLite 3.", "Kafka"))
        assert "\n" not in broker.ping()


class TestCommitting:
    def test_a_new_member_goes_on_behind_what_was_committed(self, broker: Broker) -> None:
        broker.ensure({"t": 1})
        broker.publish([Record("t", str(i).encode()) for i in range(4)])
        first = broker.subscribe("g", ["t"])
        settle(first, take(first, 4)[:2])
        first.close()
        assert values(take(broker.subscribe("g", ["t"]), 2)) == [b"2", b"3"]

    def test_rewind_begins_again_at_the_committed_position(self, broker: Broker) -> None:
        broker.ensure({"t": 2})
        broker.publish([Record("t", str(i).encode(), b"k") for i in range(4)])
        subscription = broker.subscribe("g", ["t"])
        messages = take(subscription, 4)
        settle(subscription, messages[:1])
        subscription.rewind()
        assert values(take(subscription, 3)) == [b"1", b"2", b"3"]
        subscription.rewind()
        assert values(take(subscription, 3)) == [b"1", b"2", b"3"]
        assert subscription.poll(10, 0.2) == []

    def test_rewind_of_a_group_that_never_committed_goes_to_the_oldest(self, broker: Broker) -> None:
        broker.ensure({"t": 1})
        broker.publish([Record("t", b"a"), Record("t", b"b")])
        subscription = broker.subscribe("g", ["t"])
        take(subscription, 2)
        subscription.rewind()
        assert values(take(subscription, 2)) == [b"a", b"b"]

    def test_progress_is_the_sum_over_partitions_and_tallies_add_up(self, broker: Broker) -> None:
        broker.ensure({"t": 3})
        assert broker.progress("g", "t") == Progress(0, 0, {})
        broker.publish([Record("t", b"x", str(i).encode()) for i in range(30)])
        assert broker.progress("g", "t") == Progress(30, 0, {})
        subscription = broker.subscribe("g", ["t"])
        messages = take(subscription, 30)
        settle(subscription, messages[:20], "stored")
        settle(subscription, messages[20:], "dead")
        progress = broker.progress("g", "t")
        assert progress.logged == progress.committed == 30
        assert progress.lag == 0
        assert dict(progress.tally) == {"stored": 20, "dead": 10}
        broker.publish([Record("t", b"y")])
        assert broker.progress("g", "t").lag == 1

    def test_tallies_go_on_from_where_another_member_stopped(self, broker: Broker) -> None:
        broker.ensure({"t": 1})
        for _turn in range(3):
            broker.publish([Record("t", b"x"), Record("t", b"y")])
            subscription = broker.subscribe("g", ["t"])
            messages = take(subscription, 2)
            assert len(messages) == 2
            settle(subscription, messages[:1], "stored")
            settle(subscription, messages[1:], "duplicate")
            subscription.close()
        assert dict(broker.progress("g", "t").tally) == {"stored": 3, "duplicate": 3}

    def test_groups_count_for_themselves(self, broker: Broker) -> None:
        broker.ensure({"t": 1})
        broker.publish([Record("t", b"x")])
        subscription = broker.subscribe("g", ["t"])
        settle(subscription, take(subscription, 1))
        assert broker.progress("g", "t").committed == 1
        assert broker.progress("other", "t") == Progress(1, 0, {})

    def test_the_same_commit_again_counts_nothing_twice(self, broker: Broker) -> None:
        """As after a commit whose answer was lost on the way."""
        broker.ensure({"t": 1})
        broker.publish([Record("t", b"x"), Record("t", b"y")])
        subscription = broker.subscribe("g", ["t"])
        messages = take(subscription, 2)
        settle(subscription, messages)
        settle(subscription, messages)
        settle(subscription, messages[:1])
        assert broker.progress("g", "t") == Progress(2, 2, {"stored": 2})

    def test_a_tally_needs_a_position(self, broker: Broker) -> None:
        broker.ensure({"t": 1})
        with pytest.raises(ValueError, match="position"):
            broker.subscribe("g", ["t"]).commit({}, {Partition("t", 0): {"stored": 1}})

    def test_a_partition_that_is_not_owned_cannot_be_committed(self, broker: Broker) -> None:
        broker.ensure({"t": 1, "u": 1})
        broker.publish([Record("t", b"x"), Record("u", b"x")])
        subscription = broker.subscribe("g", ["t"])
        messages = take(subscription, 1)
        strange = Partition("u", 0)
        with pytest.raises(Fenced, match=r"u\.0"):
            subscription.commit(
                {messages[0].partition: 1, strange: 1}, {messages[0].partition: {"ok": 1}, strange: {"ok": 1}}
            )
        assert broker.progress("g", "u") == Progress(1, 0, {})

    def test_progress_can_be_read_beside_the_member(self, log: Log, broker: Broker) -> None:
        broker.ensure({"t": 2})
        seen: list[Progress] = []
        stop = threading.Event()
        reader = log.open()

        def look() -> None:
            while not stop.is_set():
                seen.append(reader.progress("g", "t"))

        thread = threading.Thread(target=look)
        thread.start()
        subscription = broker.subscribe("g", ["t"])
        for turn in range(10):
            broker.publish([Record("t", b"x", str(turn).encode())])
            settle(subscription, take(subscription, 1))
        stop.set()
        thread.join()
        assert all(sum(p.tally.values()) == p.committed for p in seen)
        assert [p for a, b in pairwise(seen) for p in (a, b) if b.committed < a.committed] == []


class TestSharing:
    def test_two_members_share_the_partitions_and_no_message_is_read_twice(self, log: Log, broker: Broker) -> None:
        broker.ensure({"t": 4})
        one, two = broker.subscribe("g", ["t"]), log.open().subscribe("g", ["t"])
        share_out(broker, one, two)
        broker.publish([Record("t", f"m{i}".encode(), str(i).encode()) for i in range(40)])
        by_one, by_two = poll_together(one, two, 40)
        assert sorted(values(by_one + by_two)) == sorted(f"m{i}".encode() for i in range(40))
        assert len({m.partition for m in by_one}) == len({m.partition for m in by_two}) == 2
        settle(one, by_one)
        settle(two, by_two)
        assert broker.progress("g", "t").lag == 0

    def test_more_members_than_partitions_leaves_one_idle_and_loses_nothing(self, log: Log, broker: Broker) -> None:
        broker.ensure({"t": 1})
        one, two = broker.subscribe("g", ["t"]), log.open().subscribe("g", ["t"])
        poll_together(one, two, 1, patience_s=5)
        broker.publish([Record("t", str(i).encode()) for i in range(10)])
        by_one, by_two = poll_together(one, two, 10)
        assert sorted((len(by_one), len(by_two))) == [0, 10]

    def test_closing_hands_over_at_once(self, log: Log, broker: Broker) -> None:
        broker.ensure({"t": 2})
        one = broker.subscribe("g", ["t"])
        broker.publish([Record("t", b"a")])
        settle(one, take(one, 1))
        one.close()
        broker.publish([Record("t", b"b", b"1"), Record("t", b"c", b"2")])
        began = time.monotonic()
        assert len(take(log.open().subscribe("g", ["t"]), 2)) == 2
        assert time.monotonic() - began < 6, "slower than a dead member would be"

    def test_a_killed_members_partitions_pass_on_and_only_the_uncommitted_is_read_again(
        self, log: Log, broker: Broker
    ) -> None:
        broker.ensure({"t": 2})
        broker.publish([Record("t", f"old{i}".encode(), str(i).encode()) for i in range(10)])
        victim = log.member("consume", "g", "t")
        wait_until(lambda: broker.progress("g", "t").committed == 10)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        broker.publish([Record("t", f"new{i}".encode(), str(i).encode()) for i in range(10)])
        heir = broker.subscribe("g", ["t"])
        messages = take(heir, 10)
        assert sorted(values(messages)) == sorted(f"new{i}".encode() for i in range(10))
        settle(heir, messages)
        assert broker.progress("g", "t") == Progress(20, 20, {"ok": 10, "stored": 10})

    def test_what_a_killed_member_had_read_but_not_committed_is_read_again(self, log: Log, broker: Broker) -> None:
        broker.ensure({"t": 1})
        broker.publish([Record("t", str(i).encode()) for i in range(5)])
        victim = log.member("hold", "g", "t")
        assert victim.stdout is not None
        read = 0
        while read < 5:
            read += bool(json.loads(victim.stdout.readline()))
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        assert values(take(broker.subscribe("g", ["t"]), 5)) == [b"0", b"1", b"2", b"3", b"4"]

    def test_a_member_that_slept_too_long_is_fenced_and_changes_nothing(self, log: Log, broker: Broker) -> None:
        broker.ensure({"t": 1})
        broker.publish([Record("t", b"a"), Record("t", b"b")])
        sleeper = log.member("commit-when-told", "g", "t", "2")
        assert sleeper.stdout is not None
        assert sleeper.stdin is not None
        assert sleeper.stdout.readline() == '["a", "b"]\n'
        sleeper.send_signal(signal.SIGSTOP)
        heir = broker.subscribe("g", ["t"])
        messages = take(heir, 2)
        assert values(messages) == [b"a", b"b"]
        settle(heir, messages[:1], "by heir")
        sleeper.send_signal(signal.SIGCONT)
        sleeper.stdin.write("now\n")
        sleeper.stdin.flush()
        assert sleeper.stdout.readline().startswith("fenced: t.0")
        assert broker.progress("g", "t") == Progress(2, 1, {"by heir": 1})
        sleeper.kill()

    def test_what_was_outstanding_when_a_partition_was_lost_cannot_be_committed_even_if_it_came_back(
        self, log: Log, broker: Broker
    ) -> None:
        broker.ensure({"t": 4})
        one = broker.subscribe("g", ["t"])
        broker.publish([Record("t", str(i).encode(), str(i).encode()) for i in range(20)])
        outstanding = take(one, 20)
        two = log.open().subscribe("g", ["t"])
        by_two: list[Message] = []
        until = time.monotonic() + PATIENCE_S
        while not by_two and time.monotonic() < until:
            assert one.poll(100, 0.1) == []
            by_two += two.poll(100, 0.1)
        moved = {m.partition for m in by_two}
        settle(two, by_two, "by two")
        two.close()
        broker.publish([Record("t", b"again", str(i).encode()) for i in range(20)])
        again: list[Message] = []
        while not moved <= {m.partition for m in again} and time.monotonic() < until:
            again += one.poll(100, 0.1)
        with pytest.raises(Fenced):
            settle(one, outstanding + again, "by one")
        while broker.progress("g", "t").lag and time.monotonic() < until:
            settle(one, one.poll(100, 0.1), "by one")
        progress = broker.progress("g", "t")
        assert progress.committed == progress.logged == sum(progress.tally.values()) == 40

    def test_keep_alive_keeps_the_partitions_without_reading(self, log: Log, broker: Broker) -> None:
        broker.ensure({"t": 1, "other": 1})
        broker.publish([Record("t", b"a")])
        holder = broker.subscribe("g", ["t"])
        held = take(holder, 1)
        broker.publish([Record("t", b"b")])
        other = log.open().subscribe("g", ["other"])  # joins the group, wants another topic
        until = time.monotonic() + (13 if "Kafka" in broker.ping() else LEASE_S + 3)
        while time.monotonic() < until:
            holder.keep_alive()
            assert other.poll(10, 0) == []
            time.sleep(0.2)
        settle(holder, held)
        assert values(take(holder, 1)) == [b"b"]


def share_out(broker: Broker, one: Subscription, two: Subscription) -> None:
    """Poll and commit in turn, as two workers would, until each has two of the four partitions."""
    until = time.monotonic() + PATIENCE_S
    while True:
        assert time.monotonic() < until, "the partitions were never shared"
        broker.publish([Record("t", b"probe", f"{i}".encode()) for i in range(16)])
        shared: list[set[Partition]] = [set(), set()]
        idle_at = time.monotonic() + 0.5
        while time.monotonic() < idle_at:
            for partitions, subscription in zip(shared, (one, two), strict=True):
                messages = subscription.poll(100, 0.1)
                if messages:
                    with suppress(Fenced):  # given to the other meanwhile, and read again there
                        settle(subscription, messages, "probe")
                    partitions |= {m.partition for m in messages}
                    idle_at = time.monotonic() + 0.5
        if [len(partitions) for partitions in shared] == [2, 2] and not shared[0] & shared[1]:
            return


def poll_together(
    one: Subscription, two: Subscription, n: int, patience_s: float = PATIENCE_S
) -> tuple[list[Message], list[Message]]:
    by_one: list[Message] = []
    by_two: list[Message] = []
    until = time.monotonic() + patience_s
    while len(by_one) + len(by_two) < n and time.monotonic() < until:
        by_one += one.poll(100, 0.1)
        by_two += two.poll(100, 0.1)
    return by_one, by_two


class TestOutOfReach:
    @pytest.mark.parametrize("call", ["ensure", "publish", "progress", "read", "ping", "poll"])
    def test_an_unreachable_server_is_retry_later_and_named(self, call: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            host = f"127.0.0.1:{free.getsockname()[1]}"
        broker = open_broker(Settings(broker=f"kafka://{host}"))
        calls: dict[str, Callable[[], object]] = {
            "ensure": lambda: broker.ensure({"t": 1}),
            "publish": lambda: broker.publish([Record("t", b"x")]),
            "progress": lambda: broker.progress("g", "t"),
            "read": lambda: broker.read("t"),
            "ping": broker.ping,
            "poll": lambda: broker.subscribe("g", ["t"]).poll(1, 1),
        }
        with pytest.raises(RetryLater, match=host):
            calls[call]()
        broker.close()
