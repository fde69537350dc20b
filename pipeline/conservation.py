"""Nothing is lost in silence: posts in = indexed + duplicate + dead letter + discarded, and what still waits in the log.

The outcomes come from the tallies that are committed in one act with the offsets; `in` from the log's end. Two independent counts
of the store must agree with them once nothing waits: its revisions with `indexed`, its open dead letters with `dead`.
"""

from __future__ import annotations

from typing import Any

from pipeline.ports import Broker, Filter, SearchStore
from pipeline.topology import POSTS_RAW, POSTS_REQUEUED, WORKERS

DOORS = ("indexed", "duplicate", "dead", "discarded")


def counts(broker: Broker, store: SearchStore) -> dict[str, Any]:
    """in, the four doors, lag, `balanced` (the sum holds), `stored` and `open` (the store's own counts), and each worker's progress.

    A post that an operator requeued is counted by what became of it then.
    """
    store.refresh()
    raw, again = (broker.progress("judge", topic) for topic in (POSTS_RAW, POSTS_REQUEUED))
    settled = {
        status: store.count("dead_letters", Filter(equals={"status": [status], "topic": [POSTS_RAW, POSTS_REQUEUED]}))
        for status in ("open", "requeued", "discarded")
    }
    found: dict[str, Any] = {
        "in": raw.logged + again.logged - settled["requeued"],
        "indexed": raw.tally.get("indexed", 0) + again.tally.get("indexed", 0),
        "duplicate": raw.tally.get("duplicate", 0) + again.tally.get("duplicate", 0),
        "dead": raw.tally.get("dead", 0) + again.tally.get("dead", 0) - settled["requeued"] - settled["discarded"],
        "discarded": settled["discarded"],
        "lag": raw.lag + again.lag,
    }
    found["balanced"] = found["in"] == sum(found[door] for door in DOORS) + found["lag"]
    found["stored"] = store.count("revisions", Filter())
    found["open"] = settled["open"]
    found["stages"] = {
        name: {
            topic: {"logged": progress.logged, "lag": progress.lag, "outcomes": dict(sorted(progress.tally.items()))}
            for topic in worker.reads
            for progress in [broker.progress(name, topic)]
        }
        for name, worker in WORKERS.items()
    }
    found["alerts"] = store.terms("alerts", "status", Filter())
    found["gaps"] = store.count("gaps", Filter())
    return found
