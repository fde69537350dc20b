"""The way of every message, in one place; the only file that commits an offset.

    poll -> process -> write to the store -> settle (and write what may only follow) -> publish -> note -> dead letters -> commit

A message leaves only as an outcome in the tally (`indexed`, `duplicate`, `dead` ...), and the tally is committed in one act with
the offset. Whatever happens between two steps, the message is read again and every step is safe to repeat.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from pipeline.dead_letters import dead_letter, write_of
from pipeline.ports import (
    Broker,
    Clock,
    Fenced,
    Message,
    Partition,
    Record,
    RejectPost,
    RetryLater,
    SearchStore,
    Write,
    Written,
)
from pipeline.topology import Worker

log = logging.getLogger("jaga.runner")
T = TypeVar("T")

Step = Literal["polled", "processed", "stored", "settled", "published", "noted", "dead_lettered", "committed"]
STEPS: tuple[Step, ...] = (
    "polled",
    "processed",
    "stored",
    "settled",
    "published",
    "noted",
    "dead_lettered",
    "committed",
)

POLL_S = 0.5
DRAINING_POLL_S = 0.05
"""When the log is to be emptied, an empty poll leads to a look at the lag, not to a wait."""

FIRST_PAUSE_S = 0.2
KEEP_ALIVE_S = 1.0
"""How often a waiting worker tells its group that it lives; well under every session timeout."""

UNFORESEEN = "unforeseen"
"""Begins the cause of a dead letter that no stage foresaw: a defect of ours, not of the post's."""

BROKEN_SHARE = 0.5
BROKEN_AT_LEAST = 8
"""If so many of a batch's messages fail by an error that no stage foresaw, it is the program that is broken, not the posts."""


class Broken(Exception):
    """The worker must stop: going on would bury good posts among the dead letters."""


@dataclass
class Work:
    """What a batch comes to. `outcomes` names one for every message, by position."""

    outcomes: dict[str, str] = field(default_factory=dict)
    writes: list[tuple[str, Write]] = field(default_factory=list)
    """(position of the message it comes from, write)"""
    later: list[tuple[str, Write]] = field(default_factory=list)
    """Writes that may only be seen once all of `writes` are stored."""
    notes: list[tuple[str, Write]] = field(default_factory=list)
    """Writes by which a later batch sees that this one was done: only once its outputs are published. A try that died before that
    is then repeated from the same state, and tells the same."""
    last: list[tuple[str, Write]] = field(default_factory=list)
    """Notes that may only be found once all of `notes` are stored, because they point to what those say."""
    carried: dict[str, Any] = field(default_factory=dict)
    """What the processor's own `settle` needs to know again, by position."""
    outputs: list[tuple[str, Record]] = field(default_factory=list)
    dead: dict[str, tuple[str, str]] = field(default_factory=dict)
    """position -> (stage, cause)"""

    def reject(self, position: str, stage: str, cause: str) -> None:
        self.outcomes[position] = "dead"
        self.dead.setdefault(position, (stage, cause))

    def add(self, other: Work) -> None:
        self.outcomes.update(other.outcomes)
        self.writes += other.writes
        self.later += other.later
        self.notes += other.notes
        self.last += other.last
        self.carried.update(other.carried)
        self.outputs += other.outputs
        self.dead.update(other.dead)


class Processor(Protocol):
    """What one worker does with a batch. Must be safe to repeat: same messages, same store, same work."""

    worker: Worker

    def process(self, messages: Sequence[Message]) -> Work: ...

    def settle(self, work: Work, written: Sequence[tuple[Write, Written]]) -> list[tuple[str, Write]]:
        """Look at what the store answered; may change outcomes and outputs, returns further writes (usually none)."""


class Runner:
    """Runs one processor as a member of its consumer group until told to stop.

    observe is called after each step: the tests cut the power there. Raises Broken, and whatever a port raises that is not
    RetryLater or Fenced.
    """

    def __init__(
        self,
        processor: Processor,
        broker: Broker,
        store: SearchStore,
        clock: Clock,
        *,
        batch: int = 128,
        retry_max_s: float = 30.0,
        observe: Callable[[Step], None] = lambda step: None,
    ) -> None:
        self._processor = processor
        self._broker = broker
        self._store = store
        self._clock = clock
        self._batch = batch
        self._retry_max_s = retry_max_s
        self._observe = observe
        self._stop = threading.Event()
        self.counts: Counter[str] = Counter()
        """Outcomes committed by this runner since it began."""
        self.busy_s = 0.0
        """Time spent on batches, waiting for servers included."""

    def stop(self) -> None:
        """Finish the batch in hand, commit it and return. Safe from signal handlers and other threads."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def run(self, *, until_drained: bool = False, may_end: Callable[[], bool] = lambda: True) -> None:
        """Until `stop`, or until nothing is left to read once `may_end` (nobody writes for this worker any more)."""
        worker = self._processor.worker
        poll_s = DRAINING_POLL_S if until_drained else POLL_S
        try:
            self._subscription = self._insist(
                "join the group", lambda: self._broker.subscribe(worker.name, worker.reads)
            )
            while not self.stopping:
                try:
                    messages = self._insist("read the log", lambda: self._subscription.poll(self._batch, poll_s))
                    if messages:
                        self.take(messages)
                    elif until_drained and may_end() and self._drained():
                        return
                except Fenced as fenced:
                    log.info("%s: %s; another worker goes on with it", worker.name, fenced)
                    self._insist("read the log", self._subscription.rewind)
        except _Stopped:
            return
        finally:
            self._leave()

    def take(self, messages: Sequence[Message]) -> None:
        """One batch through every step."""
        began = self._clock.monotonic()
        self._observe("polled")
        work = self._insist("judge a batch", lambda: self._process(messages))
        self._observe("processed")
        written = self._write(work, work.writes)
        self._observe("stored")
        more = self._insist("settle a batch", lambda: self._processor.settle(work, written))
        self._write(work, work.later + more)
        self._observe("settled")
        outputs = [record for position, record in work.outputs if work.outcomes.get(position) != "dead"]
        if outputs:
            self._insist("write to the log", lambda: self._broker.publish(outputs))
        self._observe("published")
        self._write(work, work.notes)
        self._write(work, work.last)
        self._observe("noted")
        self._bury(messages, work)
        self._observe("dead_lettered")
        self._commit(messages, work)
        self._observe("committed")
        self.busy_s += self._clock.monotonic() - began

    # ------------------------------------------------------------ steps

    def _process(self, messages: Sequence[Message]) -> Work:
        """The batch as a whole; if it breaks, the messages that break alone are rejected and the others tried again together."""
        try:
            return self._processor.process(messages)
        except (RetryLater, Fenced):
            raise
        except Exception as error:
            log.info(
                "%s: a batch of %d broke (%r); looking for the cause", self._processor.worker.name, len(messages), error
            )
            first = error
        causes = {m.position: cause for m in messages if (cause := self._cause_of_failure(m))}
        if not causes and len(messages) > 1:
            raise Broken(f"a batch of {len(messages)} breaks, but none of its messages alone: {first!r}") from first
        unforeseen = [cause for cause in causes.values() if cause.startswith(UNFORESEEN)]
        if len(unforeseen) >= BROKEN_AT_LEAST and len(unforeseen) > BROKEN_SHARE * len(messages):
            raise Broken(
                f"{len(unforeseen)} of {len(messages)} messages break alike, the last by {unforeseen[-1]}"
            ) from first
        good = [m for m in messages if m.position not in causes]
        work = self._processor.process(good) if good else Work()
        for position, cause in causes.items():
            work.reject(position, self._processor.worker.name, cause)
        return work

    def _cause_of_failure(self, message: Message) -> str:
        """Why this message breaks its processor when it is alone; empty if it does not."""
        try:
            self._processor.process([message])
        except (RetryLater, Fenced):
            raise
        except RejectPost as rejected:
            return str(rejected)
        except Exception as error:
            log.debug("%s breaks", message.position, exc_info=True)
            return f"{UNFORESEEN} {type(error).__name__}: {error}"
        return ""

    def _write(self, work: Work, writes: Sequence[tuple[str, Write]]) -> list[tuple[Write, Written]]:
        if not writes:
            return []
        answers = self._insist("write to the store", lambda: self._store.put([write for _, write in writes]))
        for (position, write), answer in zip(writes, answers, strict=True):
            if answer.outcome == "refused":
                work.reject(position, "store", f"{write.kind}/{write.id}: {answer.cause}")
        return [(write, answer) for (_, write), answer in zip(writes, answers, strict=True)]

    def _bury(self, messages: Sequence[Message], work: Work) -> None:
        if not work.dead:
            return
        now = self._clock.now()
        letters = [dead_letter(m, *work.dead[m.position], now) for m in messages if m.position in work.dead]
        for letter in letters:
            log.warning("dead letter %s at %s: %s", letter.id, letter.stage, letter.cause)
        answers = self._insist("write dead letters", lambda: self._store.put([write_of(letter) for letter in letters]))
        refused = [answer.cause for answer in answers if answer.outcome == "refused"]
        if refused:
            raise Broken(f"the store refuses a dead letter: {refused[0]}")

    def _commit(self, messages: Sequence[Message], work: Work) -> None:
        positions: dict[Partition, int] = {}
        tallies: dict[Partition, Counter[str]] = {}
        for message in messages:
            outcome = work.outcomes.get(message.position)
            if outcome is None:
                raise Broken(f"{self._processor.worker.name} gave no outcome for {message.position}")
            positions[message.partition] = message.offset + 1
            tallies.setdefault(message.partition, Counter())[outcome] += 1
        self._insist("commit", lambda: self._subscription.commit(positions, tallies))
        for tally in tallies.values():
            self.counts.update(tally)

    # ------------------------------------------------------------ waiting

    def _insist(self, what: str, act: Callable[[], T]) -> T:
        """Until it succeeds, with growing pauses in which the membership is kept alive. Raises _Stopped if told to stop meanwhile."""
        pause = FIRST_PAUSE_S
        told = ""
        while True:
            try:
                result = act()
            except RetryLater as later:
                if str(later) != told:
                    log.warning("%s: cannot %s: %s; trying again", self._processor.worker.name, what, later)
                    told = str(later)
                self._wait(pause)
                pause = min(2 * pause, self._retry_max_s)
            else:
                if told:
                    log.info("%s: could %s again", self._processor.worker.name, what)
                return result

    def _wait(self, pause_s: float) -> None:
        until = self._clock.monotonic() + pause_s
        while (left := until - self._clock.monotonic()) > 0:
            if self.stopping:
                raise _Stopped
            self._clock.sleep(min(left, KEEP_ALIVE_S, 0.2))
            subscription = getattr(self, "_subscription", None)
            if subscription is not None:
                try:
                    subscription.keep_alive()
                except RetryLater as later:
                    log.debug("%s: %s", self._processor.worker.name, later)

    def _leave(self) -> None:
        subscription = getattr(self, "_subscription", None)
        if subscription is None:
            return
        try:
            subscription.close()
        except RetryLater as later:
            # Everything is committed or will be read again; only the group will have to notice by itself that we are gone.
            log.info("%s: cannot leave the group: %s", self._processor.worker.name, later)

    def _drained(self) -> bool:
        worker = self._processor.worker
        return all(
            self._insist("read the lag", lambda topic=topic: self._broker.progress(worker.name, topic)).lag == 0  # type: ignore[misc]
            for topic in worker.reads
        )


class _Stopped(Exception):
    """Told to stop while waiting; what is in hand was not committed and will be read again."""
