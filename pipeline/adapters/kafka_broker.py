"""The log on Apache Kafka.

A group's tallies travel in the metadata of its committed offsets: one commit settles both, and Kafka itself fences the commits of
members that have lost their place. They are cumulative, and read back from Kafka before each commit, so nothing about them is
remembered here that could be stale.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any
from weakref import WeakSet

from kafka import (
    ConsumerRebalanceListener,
    KafkaAdminClient,
    KafkaConsumer,
    KafkaProducer,
    OffsetAndMetadata,
    TopicPartition,
)
from kafka.admin import OffsetSpec
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import (
    CommitFailedError,
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    FencedInstanceIdError,
    IllegalGenerationError,
    IllegalStateError,
    KafkaConfigurationError,
    KafkaError,
    NotCoordinatorError,
    RebalanceInProgressError,
    TopicAlreadyExistsError,
    UnknownMemberIdError,
    UnsupportedVersionError,
)

from pipeline.adapters.record_size import MAX_RECORD_BYTES, check_sizes
from pipeline.ports import Fenced, Message, Partition, Progress, Record, RetryLater, Tally

REACH_MS = 5_000
"""How long a server may be silent before it counts as out of reach."""

SESSION_MS = 10_000
"""A member that has not been heard of for so long is dead. Kafka's own default is 45 s; alerts should not wait that long."""

POLL_INTERVAL_MS = 900_000
"""Longest time between two polls. A batch of long posts on a slow machine takes minutes, and Kafka cannot tell that from death."""

DELIVERY_MS = 20_000
"""Publishing fails after this; the caller tries again, with pauses of its own."""

ENVELOPE_BYTES = 64 * 1024
"""Room for what Kafka adds to a message."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_DEFECTS = (IllegalStateError, KafkaConfigurationError, UnsupportedVersionError)
"""Errors that trying again does not mend."""

_FENCED = (CommitFailedError, IllegalGenerationError, UnknownMemberIdError, FencedInstanceIdError)


class KafkaBroker:
    """Broker on Kafka. Safe for threads; each subscription belongs to one thread."""

    def __init__(self, servers: Sequence[str], prefix: str) -> None:
        """`servers`: host:port of some brokers of the cluster. Topics and groups are named `PREFIX.name` there."""
        self._servers = list(servers)
        self._prefix = prefix
        self._lock = RLock()
        self._subscriptions: WeakSet[KafkaSubscription] = WeakSet()
        self._made_producer: Any = None
        self._made_admin: Any = None

    def ensure(self, topics: Mapping[str, int]) -> None:
        with self.errors("make topics"), self._lock:
            admin = self._admin()
            there = set(admin.list_topics())
            missing = {self._name(topic): n for topic, n in topics.items() if self._name(topic) not in there}
            if not missing:
                return
            # Replication is the cluster's own affair (-1). Messages stay: no retention by time.
            options = {
                name: {
                    "num_partitions": n,
                    "replication_factor": -1,
                    "configs": {"retention.ms": "-1", "max.message.bytes": str(MAX_RECORD_BYTES + ENVELOPE_BYTES)},
                }
                for name, n in missing.items()
            }
            made = admin.create_topics(options, raise_errors=False)
            for topic in made["topics"]:
                # Another process may have been faster.
                if topic["error_code"] not in (0, TopicAlreadyExistsError.errno):
                    raise RetryLater(f"{self}: topic {topic['name']} cannot be made: {topic['error_message']}")
            admin.wait_for_topics(list(missing), timeout_ms=10_000)

    def publish(self, records: Sequence[Record]) -> None:
        check_sizes(records)
        if not records:
            return
        with self.errors(f"publish to {', '.join(sorted({r.topic for r in records}))}"):
            producer = self._producer()
            try:
                sent = [
                    producer.send(self._name(r.topic), r.value, key=r.key, headers=list(r.headers.items()))
                    for r in records
                ]
                producer.flush(DELIVERY_MS / 1000)
                for future in sent:
                    future.get(timeout=DELIVERY_MS / 1000)
            except BaseException:
                # What this call left in the buffer must not be sent after the caller has tried again.
                self._drop_producer(producer)
                raise

    def subscribe(self, group: str, topics: Sequence[str]) -> KafkaSubscription:
        subscription = KafkaSubscription(self, group, topics)
        self._subscriptions.add(subscription)
        return subscription

    def progress(self, group: str, topic: str) -> Progress:
        with self.errors("read progress"), self._lock:
            admin = self._admin()
            partitions = self._partitions(topic)
            if not partitions:
                return Progress(0, 0, {})
            # Committed first: read the other way round, messages that come in between would show as a lag below zero.
            committed = self.committed(group, partitions)
            ends = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
        tally: Counter[str] = Counter()
        for at in committed.values():
            tally.update(_tally(at))
        settled = sum(at.offset for at in committed.values())
        return Progress(sum(end.offset for end in ends.values()), settled, dict(tally))

    def read(self, topic: str, limit: int = 1000) -> list[Message]:
        with self.errors(f"read {topic}"):
            with self._lock:
                partitions = self._partitions(topic)
                if not partitions or limit <= 0:
                    return []
            consumer = KafkaConsumer(**self._consumer_settings())
            try:
                consumer.assign(partitions)
                ends = consumer.end_offsets(partitions, timeout_ms=REACH_MS)
                begins = consumer.beginning_offsets(partitions, timeout_ms=REACH_MS)
                for partition in partitions:
                    consumer.seek(partition, max(begins[partition], ends[partition] - limit))
                found: list[Message] = []
                waited_at = time.monotonic()
                while any(consumer.position(p, timeout_ms=REACH_MS) < ends[p] for p in partitions):
                    batch = consumer.poll(timeout_ms=500)
                    found += self.messages(batch)
                    if batch:
                        waited_at = time.monotonic()
                    elif time.monotonic() > waited_at + 2 * REACH_MS / 1000:
                        raise RetryLater(f"{self}: {topic} gave nothing for {2 * REACH_MS} ms")
            finally:
                consumer.close(autocommit=False, timeout_ms=REACH_MS)
        found.sort(key=lambda m: (m.logged_at, m.partition, m.offset))
        return found[-limit:]

    def ping(self) -> str:
        with self.errors("ping"), self._lock:
            admin = self._admin()
            cluster = admin.describe_cluster()
            version = ".".join(str(part) for part in admin._manager.broker_version)
        return f"Kafka {version}, {len(cluster['brokers'])} broker(s), {','.join(self._servers)}"

    def close(self) -> None:
        # A consumer has a thread that goes on asking for its servers until it is closed.
        for subscription in list(self._subscriptions):
            subscription.close()
        with self._lock:
            self._drop_producer(self._made_producer)
            self._drop_admin()

    def __str__(self) -> str:
        return f"Kafka at {','.join(self._servers)}"

    # ------------------------------------------------------------ names, clients, errors

    def _name(self, name: str) -> str:
        return f"{self._prefix}.{name}"

    def partition(self, there: TopicPartition) -> Partition:
        return Partition(there.topic.removeprefix(f"{self._prefix}."), there.partition)

    def messages(self, batch: Mapping[TopicPartition, Sequence[Any]]) -> list[Message]:
        return [
            Message(
                partition=self.partition(there),
                offset=record.offset,
                value=record.value or b"",
                key=record.key,
                headers=dict(record.headers or ()),
                logged_at=EPOCH + timedelta(milliseconds=record.timestamp),
            )
            for there, records in batch.items()
            for record in records
        ]

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, OffsetAndMetadata]:
        """What the group has committed of them. Asked on a connection of its own: a member's is closed to it in a rebalance."""
        name = self._name(group)
        with self._lock:
            admin = self._admin()
            found = _patiently(lambda: admin.list_group_offsets({name: list(partitions)}))[name]
        return {there: at for there, at in found.items() if at.offset >= 0}

    def _partitions(self, topic: str) -> list[TopicPartition]:
        name = self._name(topic)
        (described,) = self._admin().describe_topics([name])
        return [TopicPartition(name, p["partition_index"]) for p in described["partitions"]]

    def _client_settings(self) -> dict[str, Any]:
        return {
            "bootstrap_servers": self._servers,
            "bootstrap_timeout_ms": REACH_MS,
            "request_timeout_ms": 2 * REACH_MS,
            "reconnect_backoff_max_ms": 1_000,
            # New topics are ours to make, and after them a member should not wait minutes.
            "metadata_max_age_ms": 30_000,
        }

    def _consumer_settings(self) -> dict[str, Any]:
        return {
            **self._client_settings(),
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "allow_auto_create_topics": False,
            "fetch_max_bytes": 32 * 2**20,
        }

    def _producer(self) -> Any:
        with self._lock:
            if self._made_producer is None:
                self._made_producer = KafkaProducer(
                    **self._client_settings(),
                    acks="all",
                    linger_ms=5,
                    batch_size=256 * 1024,
                    compression_type=None,
                    allow_auto_create_topics=False,
                    max_request_size=MAX_RECORD_BYTES + ENVELOPE_BYTES,
                    max_block_ms=REACH_MS,
                    delivery_timeout_ms=DELIVERY_MS,
                )
            return self._made_producer

    def _drop_producer(self, producer: Any) -> None:
        with self._lock:
            if self._made_producer is producer:
                self._made_producer = None
        if producer is not None:
            with suppress(KafkaError):
                producer.close(timeout=0)

    def _admin(self) -> Any:
        if self._made_admin is None:
            self._made_admin = KafkaAdminClient(**self._client_settings())
        return self._made_admin

    def _drop_admin(self) -> None:
        admin, self._made_admin = self._made_admin, None
        if admin is not None:
            with suppress(KafkaError, OSError):
                admin.close()

    @contextmanager
    def errors(self, doing: str) -> Iterator[None]:
        """Kafka's errors become RetryLater, in words that name the servers; defects stay what they are."""
        try:
            yield
        except _DEFECTS:
            raise
        except (KafkaError, OSError) as error:
            why = str(error) or type(error).__name__
            raise RetryLater(f"{self}: cannot {doing}: {why}") from error


class KafkaSubscription:
    def __init__(self, broker: KafkaBroker, group: str, topics: Sequence[str]) -> None:
        self._broker = broker
        self._group = group
        self._outstanding: dict[Partition, int] = {}
        """Partition -> offset behind the last message returned; until committed."""
        self._forfeit: set[Partition] = set()
        """Partitions lost while messages of them were outstanding: those must not be committed, even if they come back."""
        self._to_rewind: set[Partition] = set()
        self._heard_at = float("-inf")
        with broker.errors("subscribe"):
            self._consumer = KafkaConsumer(
                **broker._consumer_settings(),
                group_id=broker._name(group),
                # Partitions that stay with a member are left alone while others move.
                partition_assignment_strategy=(CooperativeStickyAssignor,),
                session_timeout_ms=SESSION_MS,
                heartbeat_interval_ms=SESSION_MS // 4,
                max_poll_interval_ms=POLL_INTERVAL_MS,
            )
            self._consumer.subscribe([broker._name(t) for t in topics], listener=_Losses(self._lose))
        self._probe = TopicPartition(broker._name(topics[0]), 0)

    def poll(self, max_records: int, timeout_s: float) -> list[Message]:
        with self._broker.errors("poll"):
            self._rewind(self._to_rewind)
            self._go_on_joining()
            batch = self._consumer.poll(timeout_ms=int(timeout_s * 1000), max_records=max_records)
            if not batch:
                self._check_reach()
        messages = self._broker.messages(batch)
        if messages:
            self._heard_at = time.monotonic()
        for message in messages:
            self._outstanding[message.partition] = message.offset + 1
        return messages

    def keep_alive(self) -> None:
        with self._broker.errors("stay in the group"):
            if self._outstanding:
                # Not a poll: that could join a rebalance, and what is outstanding could then no longer be committed. The group
                # waits for us, and the heartbeats go on in their own thread.
                self._consumer._coordinator.poll_heartbeat()
            else:
                self._join_in()
            self._check_reach()

    def _join_in(self) -> None:
        """Take part in rebalances without reading."""
        self._go_on_joining()
        assigned = self._consumer.assignment()
        self._consumer.pause(*assigned)
        try:
            batch = self._consumer.poll(timeout_ms=0)
            # A partition that came just now was not paused; what it gave is given again by the next poll.
            for there, records in batch.items():
                self._consumer.seek(there, records[0].offset)
        finally:
            self._consumer.resume(*(assigned & self._consumer.assignment()))

    def _go_on_joining(self) -> None:
        """Mend kafka-python 3.0.12, which loses a join that outlasts a poll in two ways: one caused by changed metadata is forgotten
        (the member counts as joined but never gets its partitions), and one that ends between two polls is thrown away and begun
        anew, which makes all others join again, and so on without end."""
        coordinator = self._consumer._coordinator
        if coordinator._join_task is not None:
            coordinator.request_rejoin()
            if coordinator._join_task.is_done:
                coordinator._join_task = _Unread(coordinator._join_task)

    def commit(self, positions: Mapping[Partition, int], tallies: Mapping[Partition, Tally]) -> None:
        if stray := set(tallies) - set(positions):
            raise ValueError(f"tallies without a position: {sorted(stray)}")
        until = time.monotonic() + 2 * REACH_MS / 1000
        with self._broker.errors("commit"):
            while True:
                lost = self._not_owned(positions)
                kept = {p: at for p, at in positions.items() if p not in lost}
                try:
                    self._commit(kept, tallies)
                    break
                except (RebalanceInProgressError, *_FENCED) as error:
                    # In the midst of a rebalance the group takes no commits; what stays ours can be committed after it.
                    waiting = isinstance(error, RebalanceInProgressError) or any(
                        isinstance(cause, RebalanceInProgressError) for cause in error.args
                    )
                    if not waiting or time.monotonic() > until:
                        lost = set(positions)
                        break
                    self._join_in()
                    time.sleep(0.05)
        if lost:
            for partition in lost:
                self._outstanding.pop(partition, None)
            self._forfeit -= lost
            self._to_rewind |= lost
            names = ", ".join(f"{p.topic}.{p.number}" for p in sorted(lost))
            raise Fenced(f"{names} belongs to another member of group {self._group} now")

    def rewind(self) -> None:
        with self._broker.errors("rewind"):
            self._rewind({self._broker.partition(there) for there in self._consumer.assignment()})
            self._outstanding.clear()
            self._forfeit.clear()

    def close(self) -> None:
        with suppress(KafkaError, OSError):
            self._consumer.close(autocommit=False, timeout_ms=REACH_MS)

    # ------------------------------------------------------------ committing

    def _commit(self, positions: Mapping[Partition, int], tallies: Mapping[Partition, Tally]) -> None:
        theres = {self._there(partition): partition for partition in positions}
        before = self._broker.committed(self._group, list(theres)) if theres else {}
        offsets = {}
        for there, partition in theres.items():
            # Positions only go forward: a commit whose answer was lost, made again, counts nothing twice.
            if there in before and before[there].offset >= positions[partition]:
                continue
            tally = Counter(_tally(before.get(there))) + Counter(tallies.get(partition, {}))
            offsets[there] = OffsetAndMetadata(positions[partition], json.dumps(tally, separators=(",", ":")), -1)
        if offsets:
            self._consumer.commit(offsets, timeout_ms=2 * REACH_MS)
        for partition, position in positions.items():
            if self._outstanding.get(partition, position) <= position:
                self._outstanding.pop(partition, None)

    def _not_owned(self, positions: Mapping[Partition, int]) -> set[Partition]:
        owned = {self._broker.partition(there) for there in self._consumer.assignment()}
        return {p for p in positions if p not in owned or p in self._forfeit}

    def _lose(self, there: set[TopicPartition]) -> None:
        lost = {self._broker.partition(t) for t in there}
        self._forfeit |= {p for p in lost if p in self._outstanding}

    # ------------------------------------------------------------ reading

    def _there(self, partition: Partition) -> TopicPartition:
        return TopicPartition(self._broker._name(partition.topic), partition.number)

    def _rewind(self, partitions: set[Partition]) -> None:
        theres = {self._there(partition) for partition in partitions} & self._consumer.assignment()
        committed = self._broker.committed(self._group, list(theres)) if theres else {}
        for there in theres:
            if there in committed:
                self._consumer.seek(there, committed[there].offset)
            else:
                self._consumer.seek_to_beginning(there)
        self._to_rewind -= partitions

    def _check_reach(self) -> None:
        """An empty poll may mean that there is nothing or that nobody answers: ask, at most once a second."""
        if time.monotonic() < self._heard_at + 1:
            return
        self._consumer.end_offsets([self._probe], timeout_ms=REACH_MS)
        self._heard_at = time.monotonic()


class _Unread:
    """A join that has ended, but whose outcome nobody has read: it must not count as done before."""

    is_done = False

    def __init__(self, task: Any) -> None:
        self._task = task

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)


class _Losses(ConsumerRebalanceListener):  # type: ignore[misc]
    """Tells the subscription which partitions it has lost."""

    def __init__(self, lose: Any) -> None:
        self._lose = lose

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self._lose(revoked)

    def on_partitions_lost(self, lost: set[TopicPartition]) -> None:
        self._lose(lost)

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        pass


def _patiently(call: Callable[[], Any]) -> Any:
    """The coordinator of a group is elected when first asked for, which takes a moment on a new cluster."""
    until = time.monotonic() + REACH_MS / 1000
    while True:
        try:
            return call()
        except (CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _tally(committed: Any) -> dict[str, int]:
    """The tally in a commit's metadata; empty where there is none."""
    return dict(json.loads(committed.metadata)) if committed and committed.metadata else {}
