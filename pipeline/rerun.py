"""Judge stored posts again with another model, look at the difference, and only then let it count.

A run writes its verdicts beside the ones in force and changes nothing else. `promote` sends its verdicts through the log, where the
alert worker regroups the posts as it does after an edit; `undo` sends the former ones. Live work goes on all the while.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from pipeline.claims import KnownClaims
from pipeline.contracts import Judged, Narrative, Verdict
from pipeline.documents import judged_of, verdict_write
from pipeline.ports import Broker, Clock, Document, Filter, Kind, Scorer, SearchStore, Write
from pipeline.stages.alert import Thresholds, rule_of
from pipeline.stages.judge import judge
from pipeline.workers.alert import load_stories, noted_homes
from pipeline.workers.judge import record_of

BATCH = 256
EXAMPLES = 20


class NoSuchRun(KeyError):
    """There is no run with that id, or it is not in the state that is asked for."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which stored posts are judged again; a time is when the public could see the post."""

    since: datetime | None = None
    before: datetime | None = None

    def filter(self) -> Filter:
        return Filter(
            since={"seen_at": self.since} if self.since else {}, before={"seen_at": self.before} if self.before else {}
        )


def rerun(
    store: SearchStore,
    scorer: Scorer,
    clock: Clock,
    thresholds: Thresholds,
    selection: Selection,
    *,
    run: str,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Document:
    """Judge them again as run `run`; returns (and stores) the report. Interrupted, the same run can be begun again."""
    store.refresh()
    known = KnownClaims(store, scorer)
    known.refresh()
    where = selection.filter()
    total = store.count("posts", where)
    document: Document = {
        "id": run,
        "status": "judging",
        "model": scorer.model,
        "started_at": clock.now().isoformat(),
        "since": selection.since.isoformat() if selection.since else None,
        "before": selection.before.isoformat() if selection.before else None,
    }
    store.put([Write("runs", run, document)])
    difference = _Difference()
    done = 0
    for documents in _batches(store, "posts", where):
        before = [judged_of(one) for one in documents]
        after = judge(
            [(one.post, one.logged_at) for one in before],
            scorer,
            lambda claim_id: known[claim_id].text,
            claims_version=known.version,
            now=clock.now(),
            run=run,
        )
        store.put(
            [
                Write(
                    "verdicts",
                    f"{run}.{new.post.id}",
                    new.verdict.model_dump(mode="json") | {"replaces": old.verdict.id},
                )
                for old, new in zip(before, after, strict=True)
            ]
            + [verdict_write(old.verdict) for old in before]
        )
        for old, new in zip(before, after, strict=True):
            difference.see(old, new)
        done += len(documents)
        progress(done, total)
    document |= {
        "status": "judged",
        "posts": done,
        "finished_at": clock.now().isoformat(),
        "report": difference.report() | _alerts_changed(store, thresholds, difference.changed),
    }
    store.put([Write("runs", run, document)])
    return document


def promote(store: SearchStore, broker: Broker, run: str, clock: Clock) -> int:
    """Let the run's verdicts count; returns how many posts were sent to the alert worker."""
    return _put_in_force(store, broker, run, clock, asked=("judged", "undone"), status="promoted", old=False)


def undo(store: SearchStore, broker: Broker, run: str, clock: Clock) -> int:
    """Put the verdicts that a promoted run replaced in force again."""
    return _put_in_force(store, broker, run, clock, asked=("promoted",), status="undone", old=True)


def find_run(store: SearchStore, run: str) -> Document:
    document = store.get("runs", [run]).get(run)
    if document is None:
        raise NoSuchRun(run)
    return document


def _put_in_force(
    store: SearchStore, broker: Broker, run: str, clock: Clock, *, asked: Sequence[str], status: str, old: bool
) -> int:
    document = find_run(store, run)
    # An interrupted promotion is begun again from the same state: sending a verdict twice changes nothing.
    if document["status"] not in asked:
        raise NoSuchRun(f"{run} is {document['status']}, needs to be {' or '.join(asked)}")
    store.refresh()
    sent = sum(
        _send(store, broker, batch, old=old) for batch in _batches(store, "verdicts", Filter(equals={"run": [run]}))
    )
    store.put([Write("runs", run, document | {"status": status, f"{status}_at": clock.now().isoformat()})])
    return sent


def _send(store: SearchStore, broker: Broker, batch: Sequence[Document], *, old: bool) -> int:
    """Send a run's verdicts, or the ones that they replaced, to the alert worker; returns how many."""
    posts = store.get("posts", [one["post_id"] for one in batch])
    former = store.get("verdicts", [one["replaces"] for one in batch]) if old else {}
    records = []
    for one in batch:
        verdict = Verdict.model_validate(
            former[one["replaces"]] if old else {name: one[name] for name in Verdict.model_fields}
        )
        stored = posts.get(one["post_id"])
        # Edited since: the run judged a text that is no longer the one in force.
        if stored is None or judged_of(stored).post.revision != verdict.revision:
            continue
        records.append(record_of(judged_of(stored).model_copy(update={"verdict": verdict})))
    broker.publish(records)
    return len(records)


def _batches(store: SearchStore, kind: Kind, where: Filter) -> Iterator[list[Document]]:
    hits = store.scan(kind, where, BATCH)
    while batch := [hit.document for hit in islice(hits, BATCH)]:
        yield batch


class _Difference:
    """What a run would change, counted as the posts go by."""

    def __init__(self) -> None:
        self.changed: list[Judged] = []
        self._flips: Counter[tuple[str, str, str, str]] = Counter()
        self._examples: list[dict[str, str]] = []

    def see(self, old: Judged, new: Judged) -> None:
        flips = [
            (label, before, after)
            for label in sorted({*old.verdict.decisions, *new.verdict.decisions, "hoax"})
            if (before := _decision(old, label)) != (after := _decision(new, label))
        ]
        for label, before, after in flips:
            self._flips[label, old.post.platform, before, after] += 1
            if len(self._examples) < EXAMPLES:
                self._examples.append(
                    {"post": old.post.id, "label": label, "from": before, "to": after, "text": old.post.text[:160]}
                )
        if flips or old.verdict.claims != new.verdict.claims:
            self.changed.append(new)

    def report(self) -> dict[str, Any]:
        return {
            "changed": len(self.changed),
            "flips": [
                {"label": label, "platform": platform, "from": before, "to": after, "posts": posts}
                for (label, platform, before, after), posts in sorted(self._flips.items())
            ],
            "examples": self._examples,
        }


def _decision(judged: Judged, label: str) -> str:
    if label == "hoax":
        return "yes" if "hoax" in judged.verdict.labels else "no"
    return str(judged.verdict.decisions.get(label, "no"))


def _alerts_changed(
    store: SearchStore, thresholds: Thresholds, changed: Sequence[Judged]
) -> dict[str, list[dict[str, str]]]:
    """Alerts that would appear or vanish, found by placing the changed posts in a copy of the stories they touch."""
    appear: list[dict[str, str]] = []
    vanish: list[dict[str, str]] = []
    if not changed:
        return {"appear": appear, "vanish": vanish}
    stories, _ = load_stories(store, changed, noted_homes(store, changed))
    before = {key: rule_of(stories.whole(key), thresholds) for key in stories.narratives if stories.shown(key) == key}
    texts = {one.post.id: one.post.text for one in changed}
    for one in changed:
        stories.place(one)
    for key in sorted(stories.narratives):
        narrative = stories.whole(key)
        rule = rule_of(narrative, thresholds) if stories.shown(key) == key else None
        if rule is not None and before.get(key) is None:
            appear.append({"narrative": key, "rule": rule, "text": _words_of(store, narrative, texts)})
        elif rule is None and (was := before.get(key)) is not None:
            vanish.append({"narrative": key, "rule": was, "text": _words_of(store, narrative, texts)})
    return {"appear": appear, "vanish": vanish}


def _words_of(store: SearchStore, narrative: Narrative, texts: Mapping[str, str]) -> str:
    for post_id in sorted(narrative.members):
        if post_id in texts:
            return texts[post_id][:160]
    stored = store.get("posts", sorted(narrative.members)[:1])
    return next((judged_of(one).post.text[:160] for one in stored.values()), "")
