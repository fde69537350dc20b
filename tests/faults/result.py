"""What has come of a load, in a form in which an undisturbed and a disturbed run must be equal; and what must hold after any run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from pipeline.conservation import DOORS
from pipeline.contracts import Alert, unpack
from pipeline.documents import alert_of, narrative_of
from pipeline.ports import Filter, SearchStore
from pipeline.topology import ALERTS
from tests.faults.site import lag
from tests.pipeline.house import TestHouse

Told = tuple[str, str | None, frozenset[str], int]


@dataclass(frozen=True, slots=True)
class Result:
    doors: dict[str, int]
    alerts: dict[Told, int]
    """(rule, claim, members, reach) of the alerts that stand -> how many say exactly this; each must be one."""
    revisions: frozenset[str]
    posts: dict[str, tuple[str, int, tuple[str, ...]]]
    """Post -> (text in force, reach, labels)."""
    dead: frozenset[tuple[str, str, bytes]]
    """(topic, stage, bytes in base64): positions may differ from run to run, what lies there must not."""
    gaps: int
    claims: int


def result_of(house: TestHouse) -> Result:
    """Also asserts what must hold after every run, disturbed or not."""
    assert lag(house) == 0
    counts = house.counts()
    assert counts["balanced"], counts
    assert counts["stored"] == counts["indexed"], counts
    assert counts["open"] == counts["dead"], counts
    store = house.store
    posts = {hit.id: hit.document for hit in store.scan("posts", Filter())}
    stand = house.alerts()
    _each_post_is_told_in_one_narrative(store, posts)
    _alerts_show_their_posts(stand, posts)
    _all_alerts_were_told(house)
    return Result(
        doors={name: counts[name] for name in ("in", *DOORS)},
        alerts=dict(
            Counter(
                (one.rule, one.claim.claim_id if one.claim else None, frozenset(one.post_ids), one.reach)
                for one in stand
            )
        ),
        revisions=frozenset(hit.id for hit in store.scan("revisions", Filter())),
        posts={
            key: (document["post"]["text"], document["reach"], tuple(document["labels"]))
            for key, document in posts.items()
        },
        dead=frozenset(
            (hit.document["topic"], hit.document["stage"], hit.document["value"])
            for hit in store.scan("dead_letters", Filter())
        ),
        gaps=counts["gaps"],
        claims=sum(1 for _ in store.scan("claims", Filter())),
    )


def _each_post_is_told_in_one_narrative(store: SearchStore, posts: dict[str, dict[str, object]]) -> None:
    narratives = {hit.id: narrative_of(hit.document) for hit in store.scan("narratives", Filter())}
    homes: dict[str, str] = {}
    for narrative in narratives.values():
        assert narrative.merged_into is None or not narrative.members, narrative.id
        for post_id in narrative.members:
            assert post_id not in homes, f"{post_id} is in {homes[post_id]} and in {narrative.id}"
            homes[post_id] = narrative.near[0] if narrative.near else narrative.id
    assert homes == {key: document["narrative_id"] for key, document in posts.items()}


def _alerts_show_their_posts(alerts: list[Alert], posts: dict[str, dict[str, object]]) -> None:
    for alert in alerts:
        shown = {key for key, document in posts.items() if document["narrative_id"] == alert.narrative_id}
        assert set(alert.post_ids) == shown, alert.id
        assert alert.posts == len(shown)


def _all_alerts_were_told(house: TestHouse) -> None:
    """Each as it now stands, and never two different ones under the same id and version."""
    told: dict[tuple[str, int], Alert] = {}
    for message in house.broker.read(ALERTS, limit=1_000_000):
        alert: Alert = unpack("alert", message.value)
        assert told.setdefault((alert.id, alert.version), alert) == alert
    for hit in house.store.scan("alerts", Filter()):
        alert = alert_of(hit.document)
        assert told.get((alert.id, alert.version)) == alert, f"{alert.id} version {alert.version} was not told"
        assert (alert.id, alert.version + 1) not in told


def assert_same(found: Result, expected: Result) -> None:
    """Equal, or an error that shows only what differs."""
    different = []
    for name in Result.__slots__:
        one, other = getattr(found, name), getattr(expected, name)
        if one == other:
            continue
        if isinstance(one, dict):
            one, other = ({k: v for k, v in a.items() if b.get(k) != v} for a, b in ((one, other), (other, one)))
        elif isinstance(one, frozenset):
            one, other = one - other, other - one
        different.append(f"{name}: found {one!r}, expected {other!r}")
    assert not different, "\n".join(different)
