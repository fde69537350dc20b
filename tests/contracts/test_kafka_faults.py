"""Kafka stopped, killed and started again under a member's hands."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipeline.adapters.choose import open_broker
from pipeline.ports import Fenced, Message, Record, RetryLater
from pipeline.settings import Settings
from tests.contracts.test_broker import settle
from tests.servers import Missing, kafka

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_broker_that_comes_back_has_everything_and_members_go_on(tmp_path: Path, end: str) -> None:
    try:
        server = kafka.start(tmp_path)
    except Missing as error:
        pytest.skip(str(error))
    host = urlsplit(server.url).netloc
    try:
        broker = open_broker(Settings(broker=server.url))
        broker.ensure({"t": 2})
        subscription = broker.subscribe("g", ["t"])
        acknowledged = [f"m{i}".encode() for i in range(50)]
        broker.publish([Record("t", value, value) for value in acknowledged])
        seen: list[Message] = []
        while len(seen) < 50:
            seen += subscription.poll(10, 1)
        settle(subscription, [m for m in seen if m.partition.number == 0])

        getattr(server, end)()
        for call in (
            lambda: broker.publish([Record("t", b"lost?", b"k")]),
            lambda: [subscription.poll(10, 1) for _ in range(30)],
            lambda: [subscription.keep_alive() or time.sleep(0.2) for _ in range(100)],
            lambda: settle(subscription, seen),
            lambda: broker.progress("g", "t"),
            broker.ping,
        ):
            with pytest.raises(RetryLater, match=host):
                call()  # type: ignore[no-untyped-call]

        server = kafka.start(tmp_path, urlsplit(server.url).port)
        broker.publish([Record("t", b"after", b"k")])
        # As the runner does: on RetryLater the same again, on Fenced from the committed positions.
        until = time.monotonic() + 60
        lag = 1
        while lag:
            assert time.monotonic() < until, lag
            try:
                lag = broker.progress("g", "t").lag
                subscription.rewind()
                found = subscription.poll(100, 1)
                settle(subscription, found)
                seen += found
            except (RetryLater, Fenced):
                time.sleep(0.2)
        # b"lost?" may or may not have been written: publishing it again would have been safe.
        assert {m.value for m in seen} - {b"lost?"} == {*acknowledged, b"after"}
        progress = broker.progress("g", "t")
        assert progress.committed == progress.logged == sum(progress.tally.values())
        subscription.close()
        broker.close()
    finally:
        server.kill()
