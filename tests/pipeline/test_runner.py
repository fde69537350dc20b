"""The runner's promises, with ports that fail when told to: in which order things become durable, and what a failure undoes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.ports import (
    Fenced,
    Message,
    Partition,
    Progress,
    Record,
    RejectPost,
    RetryLater,
    Tally,
    Write,
    Written,
)
from pipeline.runner import FIRST_PAUSE_S, Broken, Runner, Work
from pipeline.topology import Worker

HERE = Partition("in", 0)
AT = datetime(2026, 11, 20, tzinfo=UTC)


@dataclass
class Trouble:
    """What goes wrong: name of an act -> the errors it raises, one a call, before it works again."""

    errors: dict[str, list[Exception]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    """Every act that succeeded, in order."""

    def act(self, name: str) -> None:
        if waiting := self.errors.get(name):
            raise waiting.pop(0)
        self.done.append(name)


class SteppingClock:
    """Time passes only by sleeping."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.on_sleep: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return AT + timedelta(seconds=sum(self.slept))

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.on_sleep()


class ListedLog:
    """Broker and subscription on a list; all of one group, in one partition."""

    def __init__(self, trouble: Trouble, values: Sequence[bytes]) -> None:
        self._trouble = trouble
        self._values = list(values)
        self._next = 0
        self.committed = 0
        self.tally: dict[str, int] = {}
        self.published: list[Record] = []
        self.alive = 0

    def subscribe(self, group: str, topics: Sequence[str]) -> ListedLog:
        self._trouble.act("subscribe")
        return self

    def poll(self, max_records: int, timeout_s: float) -> list[Message]:
        self._trouble.act("poll")
        values = self._values[self._next : self._next + max_records]
        messages = [Message(HERE, self._next + n, value, None, {}, AT) for n, value in enumerate(values)]
        self._next += len(messages)
        return messages

    def keep_alive(self) -> None:
        self.alive += 1

    def commit(self, positions: Mapping[Partition, int], tallies: Mapping[Partition, Tally]) -> None:
        self._trouble.act("commit")
        self.committed = positions[HERE]
        for outcome, n in tallies[HERE].items():
            self.tally[outcome] = self.tally.get(outcome, 0) + n

    def rewind(self) -> None:
        self._trouble.act("rewind")
        self._next = self.committed

    def publish(self, records: Sequence[Record]) -> None:
        self._trouble.act("publish")
        self.published += records

    def progress(self, group: str, topic: str) -> Progress:
        return Progress(len(self._values), self.committed, self.tally)

    def close(self) -> None:
        self._trouble.act("close")


class DictStore:
    def __init__(self, trouble: Trouble) -> None:
        self._trouble = trouble
        self.documents: dict[tuple[str, str], dict[str, Any]] = {}
        self.refuses: set[str] = set()

    def put(self, writes: Sequence[Write]) -> list[Written]:
        self._trouble.act(f"put {writes[0].kind}")
        answers = []
        for write in writes:
            if write.id in self.refuses:
                answers.append(Written("refused", "too odd"))
                continue
            self.documents[write.kind, write.id] = write.document
            answers.append(Written("stored"))
        return answers


class Copier:
    """Stores each message as a post, then as an alert, publishes it, and notes it; `!` in it is poison, `?` breaks the program."""

    worker = Worker("copier", ("in",), ("out",))

    def __init__(self, *, forgets: str = "") -> None:
        self._forgets = forgets

    def process(self, messages: Sequence[Message]) -> Work:
        work = Work()
        for message in messages:
            text = message.value.decode()
            if "!" in text:
                raise RejectPost(f"{text} is poison")
            if "?" in text:
                raise ZeroDivisionError(text)
            if text != self._forgets:
                work.outcomes[message.position] = "copied"
            work.writes.append((message.position, Write("posts", text, {})))
            work.later.append((message.position, Write("alerts", text, {})))
            work.notes.append((message.position, Write("bands", text, {})))
            work.outputs.append((message.position, Record("out", message.value)))
        return work

    def settle(self, work: Work, written: Sequence[tuple[Write, Written]]) -> list[tuple[str, Write]]:
        return []


@dataclass
class Bench:
    """A runner and all it speaks to."""

    trouble: Trouble
    clock: SteppingClock
    log: ListedLog
    store: DictStore
    runner: Runner

    def run(self) -> None:
        self.runner.run(until_drained=True)


def bench(*values: str, processor: Copier | None = None, **options: Any) -> Bench:
    trouble, clock = Trouble(), SteppingClock()
    log, store = ListedLog(trouble, [value.encode() for value in values]), DictStore(trouble)
    runner = Runner(processor or Copier(), log, store, clock, **options)  # type: ignore[arg-type]
    return Bench(trouble, clock, log, store, runner)


def test_offsets_are_committed_only_after_everything_else_is_durable() -> None:
    it = bench("a", "b!", "c")
    it.run()
    acts = [act for act in it.trouble.done if act not in ("subscribe", "poll", "close")]
    assert acts == ["put posts", "put alerts", "publish", "put bands", "put dead_letters", "commit"]
    assert it.log.tally == {"copied": 2, "dead": 1}
    assert it.runner.counts == {"copied": 2, "dead": 1}


@pytest.mark.parametrize("act", ["put posts", "put alerts", "publish", "put bands", "put dead_letters", "commit"])
def test_a_failure_at_any_write_leaves_the_offset_where_it_was(act: str) -> None:
    it = bench("a", "b!", "c")
    it.trouble.errors[act] = [OSError("torn cable")]
    with pytest.raises(OSError, match="torn cable"):
        it.run()
    assert it.log.committed == 0
    assert it.log.tally == {}
    assert it.trouble.done[-1] == "close", "others can take over at once"


@pytest.mark.parametrize("act", ["put posts", "put alerts", "publish", "put bands", "put dead_letters", "commit"])
def test_what_cannot_be_done_now_is_done_later_and_only_then_what_follows(act: str) -> None:
    it = bench("a", "b!", "c")
    it.trouble.errors[act] = [RetryLater("busy")] * 5
    it.run()
    acts = [one for one in it.trouble.done if one not in ("subscribe", "poll", "close")]
    assert acts == ["put posts", "put alerts", "publish", "put bands", "put dead_letters", "commit"]
    assert it.log.tally == {"copied": 2, "dead": 1}


@pytest.mark.parametrize("act", ["subscribe", "poll"])
def test_a_log_out_of_reach_is_waited_for(act: str) -> None:
    it = bench("a")
    it.trouble.errors[act] = [RetryLater("no route")] * 3
    it.run()
    assert it.log.tally == {"copied": 1}


def test_pauses_grow_to_their_bound_and_the_membership_is_kept_alive_meanwhile() -> None:
    it = bench("a", retry_max_s=1.0)
    it.trouble.errors["put posts"] = [RetryLater("full")] * 6
    it.run()
    waited = sum(it.clock.slept)
    assert waited == pytest.approx(FIRST_PAUSE_S * (1 + 2 + 4) + 3 * 1.0)
    assert max(it.clock.slept) <= 1.0
    assert it.log.alive >= waited, "at least once a second"


def test_a_long_trouble_is_told_once_and_its_end_too(caplog: pytest.LogCaptureFixture) -> None:
    it = bench("a")
    it.trouble.errors["put posts"] = [RetryLater("disk is full")] * 9
    with caplog.at_level("INFO", "jaga.runner"):
        it.run()
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "copier: cannot write to the store: disk is full; trying again",
        "copier: could write to the store again",
    ]


def test_told_to_stop_while_it_waits_it_leaves_and_commits_nothing() -> None:
    it = bench("a")
    it.trouble.errors["put posts"] = [RetryLater("full")] * 1000
    it.clock.on_sleep = it.runner.stop
    it.run()
    assert it.log.committed == 0
    assert it.trouble.done[-1] == "close"
    assert sum(it.clock.slept) < 2, "at once, not after the pause"


def test_told_to_stop_at_work_it_commits_the_batch_in_hand_first() -> None:
    it = bench("a", "b", "c", batch=2)
    it.runner._observe = lambda step: it.runner.stop()
    it.run()
    assert it.log.committed == 2


def test_a_batch_whose_partition_went_to_another_is_dropped_and_read_again() -> None:
    it = bench("a", "b")
    it.trouble.errors["commit"] = [Fenced("in.0 belongs to another member")]
    it.run()
    assert it.log.tally == {"copied": 2}, "by this one again, or by the other: once"
    assert it.runner.counts == {"copied": 2}
    assert it.trouble.done.count("put posts") == 2


def test_a_log_that_fails_while_a_batch_is_dropped_does_not_end_the_worker() -> None:
    it = bench("a", "b")
    it.trouble.errors["commit"] = [Fenced("in.0 belongs to another member")]
    it.trouble.errors["rewind"] = [RetryLater("no route")] * 2
    it.run()
    assert it.log.tally == {"copied": 2}


def test_a_log_out_of_reach_at_the_end_is_no_failure_of_the_worker() -> None:
    it = bench("a")
    it.trouble.errors["close"] = [RetryLater("no route")]
    it.run()
    assert it.log.tally == {"copied": 1}


def test_a_message_without_an_outcome_stops_the_worker_before_it_is_lost() -> None:
    it = bench("a", "b", processor=Copier(forgets="b"))
    with pytest.raises(Broken, match=r"gave no outcome for in\.0\.1"):
        it.run()
    assert it.log.committed == 0


def test_a_document_that_the_store_refuses_becomes_a_dead_letter_and_is_not_told() -> None:
    it = bench("a", "b")
    it.store.refuses = {"b"}
    it.run()
    assert it.log.tally == {"copied": 1, "dead": 1}
    assert [record.value for record in it.log.published] == [b"a"]
    ((_, letter),) = [(key, doc) for key, doc in it.store.documents.items() if key[0] == "dead_letters"]
    assert letter["cause"] == "posts/b: too odd"


def test_a_dead_letter_that_the_store_refuses_stops_the_worker() -> None:
    it = bench("a!")
    it.store.refuses = {"in.0.0"}
    with pytest.raises(Broken, match="refuses a dead letter: too odd"):
        it.run()
    assert it.log.committed == 0


def test_poison_is_told_from_a_broken_program_by_how_much_of_a_batch_breaks() -> None:
    few = bench(*("a" if n % 2 else f"?{n}" for n in range(14)))
    few.run()
    assert few.log.tally == {"copied": 7, "dead": 7}
    many = bench(*("a" if n % 3 == 0 else f"?{n}" for n in range(14)))
    with pytest.raises(Broken, match="9 of 14 messages break alike"):
        many.run()
    assert many.log.committed == 0


def test_told_to_stop_before_the_log_was_ever_reached_it_just_leaves() -> None:
    it = bench("a")
    it.trouble.errors["subscribe"] = [RetryLater("no route")] * 1000
    it.clock.on_sleep = it.runner.stop
    it.run()
    assert it.trouble.done == []
