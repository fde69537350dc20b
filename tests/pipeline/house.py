"""A whole small house for tests: SQLite log and store in a folder, a judge that reads single words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.adapters.sqlite_broker import SqliteBroker
from pipeline.adapters.sqlite_store import SqliteStore
from pipeline.adapters.system_clock import SystemClock
from pipeline.conservation import counts
from pipeline.contracts import Alert, Claim, Post, pack
from pipeline.documents import alert_of
from pipeline.ports import Broker, Clock, Filter, Record, SearchStore
from pipeline.runner import Runner
from pipeline.stages.alert import Thresholds
from pipeline.topology import CLAIMS, POSTS_RAW, TOPICS
from pipeline.workers.alert import AlertWorker
from pipeline.workers.judge import Judge
from pipeline.workers.register import Register
from tests.scorer import WordScorer

AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def a_post(native_id: str, text: str, **fields: Any) -> Post:
    return Post(
        **{"platform": "mastodon", "native_id": native_id, "text": text, "fetched_at": AT, "published_at": AT} | fields
    )


class TestHouse:
    __test__ = False

    def __init__(
        self, home: Path, *, broker: Broker | None = None, store: SearchStore | None = None, clock: Clock | None = None
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.broker: Broker = broker or SqliteBroker(home / "log.db")
        self.store: SearchStore = store or SqliteStore(home / "store.db")
        self.clock: Clock = clock or SystemClock()
        self.broker.ensure(TOPICS)
        self.store.prepare()
        self.thresholds = Thresholds(posts=3, reach=50, score=0.6)

    def publish(self, *posts: Post | bytes) -> None:
        self.broker.publish(
            [
                Record(
                    POSTS_RAW,
                    one if isinstance(one, bytes) else pack("post", one),
                    b"k" if isinstance(one, bytes) else one.id.encode(),
                )
                for one in posts
            ]
        )

    def know(self, *claims: Claim) -> None:
        self.broker.publish([Record(CLAIMS, pack("claim", one), one.claim_id.encode()) for one in claims])

    def runner(self, name: str, scorer: WordScorer | None = None, **options: Any) -> Runner:
        scorer = scorer or WordScorer()
        processor = {
            "judge": lambda: Judge(self.store, scorer, self.clock),
            "register": lambda: Register(self.store, scorer, self.clock),
            "alert": lambda: AlertWorker(self.store, self.clock, self.thresholds),
        }[name]()
        return Runner(processor, self.broker, self.store, self.clock, **({"retry_max_s": 0.2} | options))

    def drain(self, names: Sequence[str] = ("register", "judge", "alert"), **options: Any) -> None:
        for name in names:
            self.runner(name, **options).run(until_drained=True)

    def counts(self) -> dict[str, Any]:
        return counts(self.broker, self.store)

    def alerts(self, status: str = "new") -> list[Alert]:
        self.store.refresh()
        hits = self.store.search("alerts", Filter(equals={"status": [status]}), sort="reach", limit=1000)
        return [alert_of(hit.document) for hit in hits]

    def close(self) -> None:
        self.store.close()
        self.broker.close()
