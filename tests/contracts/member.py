"""A member of a consumer group, or a publisher, in a process of its own: for tests that kill it.

python -m tests.contracts.member consume GROUP TOPIC   polls and commits; one JSON a line: [number, offset, value]
python -m tests.contracts.member hold GROUP TOPIC      polls, never commits
python -m tests.contracts.member commit-when-told GROUP TOPIC N   reads N messages, prints them, commits at the next line on
                                                      stdin and says `committed` or `fenced: ...`
python -m tests.contracts.member publish TOPIC NAME N  publishes N messages NAME-0, NAME-1 ... with key NAME
The broker is named by the environment, as for `jaga`.
"""

from __future__ import annotations

import json
import sys
import time

from pipeline.adapters.choose import open_broker
from pipeline.adapters.sqlite_broker import SqliteBroker
from pipeline.ports import Broker, Fenced, Message, Record, Subscription
from pipeline.settings import Settings, load_settings

LEASE_S = 5.0
"""On SQLite; the program's 30 s would make every dead member cost as much."""


def open_log(settings: Settings) -> Broker:
    if settings.broker.startswith("sqlite"):
        return SqliteBroker(settings.log_file, lease_s=LEASE_S)
    return open_broker(settings)


def main(what: str, *words: str) -> None:
    broker = open_log(load_settings())
    if what == "publish":
        topic, name, n = words
        for i in range(int(n)):
            broker.publish([Record(topic, f"{name}-{i}".encode(), name.encode())])
        broker.close()
        return
    group, topic, *rest = words
    subscription = broker.subscribe(group, [topic])
    if what == "commit-when-told":
        held: list[Message] = []
        while len(held) < int(rest[0]):
            held += subscription.poll(100, 0.2)
        print(json.dumps([m.value.decode() for m in held]), flush=True)
        sys.stdin.readline()
        try:
            settle(subscription, held)
            print("committed", flush=True)
        except Fenced as error:
            print(f"fenced: {error}", flush=True)
        time.sleep(60)
    while True:
        messages = subscription.poll(100, 0.2)
        for message in messages:
            print(json.dumps([message.partition.number, message.offset, message.value.decode()]), flush=True)
        print("[]", flush=True)
        if messages and what == "consume":
            settle(subscription, messages)


def settle(subscription: Subscription, messages: list[Message]) -> None:
    subscription.commit(
        {m.partition: m.offset + 1 for m in messages},
        {p: {"ok": sum(m.partition == p for m in messages)} for p in {m.partition for m in messages}},
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
