"""The alert worker: judged posts are put into narratives, and narratives that a rule holds worth a look become alerts.

It is the only writer of narratives, bands and alerts, and one member of its group is active at a time (its topic has one
partition), so no two workers ever place posts side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pipeline.contracts import Alert, Claim, Judged, Member, Narrative, Reason, Refused, Rule, pack, unpack
from pipeline.documents import (
    alert_document,
    alert_of,
    band_of,
    claim_of,
    home_document,
    home_key,
    judged_of,
    narrative_of,
    post_document,
    post_write,
    story_writes,
)
from pipeline.ports import Clock, Document, Message, Record, SearchStore, Write, Written
from pipeline.runner import Work
from pipeline.stages.alert import Thresholds, alert_id, raise_alert, rule_of, withdraw
from pipeline.stages.group import Stories, band_keys, narratives_named
from pipeline.stages.in_force import in_force
from pipeline.topology import ALERTS, WORKERS
from pipeline.workers.judge import SEEN_AGAIN

MERGED = "Cerita ini digabung dengan peringatan lain yang isinya sama."
NO_RULE = "Setelah unggahan dinilai ulang, tidak ada lagi aturan yang berlaku untuk cerita ini."


class AlertWorker:
    worker = WORKERS["alert"]

    def __init__(self, store: SearchStore, clock: Clock, thresholds: Thresholds) -> None:
        self._store = store
        self._clock = clock
        self._thresholds = thresholds

    def process(self, messages: Sequence[Message]) -> Work:
        work = Work()
        came = self._read(work, messages)
        noted = noted_homes(self._store, [one for _, one in came])
        judged = self._in_force(work, came, noted)
        if not judged:
            return work
        last = judged[-1][0]
        stories, known_bands = load_stories(self._store, [one for _, one in judged], noted)
        homes: dict[str, tuple[str, Judged]] = {}
        for position, one in judged:
            stories.place(one)
            homes[one.post.id] = (position, one)
        living, merged, bands = story_writes(stories, known_bands)
        work.writes += [(last, write) for write in living]
        work.notes += [(last, write) for write in merged]
        work.last += [(last, write) for write in bands]
        work.last += [
            (position, Write("bands", home_key(key), home_document(stories.homes[key], one)))
            for key, (position, one) in homes.items()
        ]
        documents = self._post_documents(stories, homes)
        work.later += [(homes.get(key, (last,))[0], post_write(doc)) for key, doc in documents.items()]
        for alert, before in self._alerts(stories, documents):
            from_position = self._opened_by(alert, homes, last)
            if alert != before:
                work.later.append((from_position, Write("alerts", alert.id, alert_document(alert))))
            # Told even if it stands unchanged: a try before this one may have stored it and died before telling. Readers know
            # an alert by its id and version.
            work.outputs.append((from_position, Record(ALERTS, pack("alert", alert), alert.id.encode())))
        return work

    def settle(self, work: Work, written: Sequence[tuple[Write, Written]]) -> list[tuple[str, Write]]:
        return []

    @staticmethod
    def _read(work: Work, messages: Sequence[Message]) -> list[tuple[Message, Judged]]:
        came: list[tuple[Message, Judged]] = []
        for message in messages:
            try:
                came.append((message, unpack("judged", message.value)))
            except Refused as refused:
                work.reject(message.position, "read", str(refused))
        return came

    @staticmethod
    def _in_force(
        work: Work, came: Sequence[tuple[Message, Judged]], noted: Mapping[str, Document]
    ) -> list[tuple[str, Judged]]:
        """(position, state of the post that it brings), each joined with what is known already; without what is history."""
        # Not what the judge has stored since: only what this worker itself has noted. A try that is repeated must decide as the one
        # that died did, or half of what that one stored (a merge, say) would be left.
        held = {post_id: judged_of(document["judged"]) for post_id, document in noted.items()}
        judged = []
        for message, one in came:
            now = in_force(held.get(one.post.id), one, seen_again=SEEN_AGAIN in message.headers)
            if now is None:
                work.outcomes[message.position] = "superseded"
            else:
                work.outcomes[message.position] = "grouped"
                held[one.post.id] = now
                judged.append((message.position, now))
        return judged

    def _post_documents(self, stories: Stories, homes: dict[str, tuple[str, Judged]]) -> dict[str, Document]:
        """Posts with the narrative under which they are shown: those of the batch, and those that the batch has moved."""
        documents = {key: post_document(one, stories.shown(stories.homes[key])) for key, (_, one) in homes.items()}
        loose = [stories.narratives[n] for n in stories.touched if stories.narratives[n].claim_id is None]
        others = {post_id for narrative in loose for post_id in narrative.members}.difference(documents)
        shown = {post_id: stories.shown(narrative.id) for narrative in loose for post_id in narrative.members}
        for key, document in self._store.get("posts", sorted(others)).items():
            if document["narrative_id"] != shown[key]:
                documents[key] = document | {"narrative_id": shown[key]}
        return documents

    def _alerts(self, stories: Stories, documents: dict[str, Document]) -> list[tuple[Alert, Alert | None]]:
        """(alert as it stands, as it was stored) of every touched narrative that has or had one."""
        touched = sorted(stories.touched)
        stored = self._store.get("alerts", [alert_id(n) for n in touched])
        claim_ids = sorted({c for n in touched if (c := stories.narratives[n].claim_id)})
        claims = {key: claim_of(doc) for key, doc in self._store.get("claims", claim_ids).items()}
        now = self._clock.now()
        found: list[tuple[Alert, Alert | None]] = []
        for narrative_id in touched:
            document = stored.get(alert_id(narrative_id))
            before = alert_of(document) if document else None
            narrative = stories.whole(narrative_id)
            shown = stories.shown(narrative_id)
            rule = rule_of(narrative, self._thresholds) if shown == narrative_id else None
            if rule is not None:
                claim = claims.get(narrative.claim_id or "")
                headline = self._headline(narrative, claim, documents)
                why = self._why(narrative, rule, documents)
                alert = raise_alert(narrative, rule, headline=headline, claim=claim, why=why, now=now, before=before)
                found.append((alert, before))
            elif before is not None:
                found.append((withdraw(before, NO_RULE if shown == narrative_id else MERGED, now), before))
        return found

    def _headline(self, narrative: Narrative, claim: Claim | None, documents: dict[str, Document]) -> str:
        """The claim where there is one, else the words of the post with the widest reach."""
        if claim is not None:
            return claim.text
        widest = self._widest(narrative.members, documents)
        return " ".join(widest.post.text.split()) if widest else ""

    def _why(self, narrative: Narrative, rule: Rule, documents: dict[str, Document]) -> tuple[Reason, ...]:
        """Why the label was given to the post of widest reach among those that have it."""
        if rule == "hoax":
            return ()
        widest = self._widest({k: m for k, m in narrative.members.items() if rule in m.labels}, documents)
        return widest.verdict.reasons if widest else ()

    def _widest(self, members: Mapping[str, Member], documents: dict[str, Document]) -> Judged | None:
        key = min(members, key=lambda key: (-members[key].reach, key))
        document = documents.get(key) or self._store.get("posts", [key]).get(key)
        return judged_of(document) if document else None

    @staticmethod
    def _opened_by(alert: Alert, homes: dict[str, tuple[str, Judged]], last: str) -> str:
        """Position of a message of the batch from which the alert's change comes."""
        ours = set(alert.post_ids)
        return next((position for key, (position, _) in homes.items() if key in ours), last)


def noted_homes(store: SearchStore, judged: Iterable[Judged]) -> dict[str, Document]:
    """Post id -> where the alert worker has placed it and in which state (`home_document`), of those that it has placed."""
    keys = {home_key(one.post.id): one.post.id for one in judged}
    return {keys[key]: document for key, document in store.get("bands", sorted(keys)).items()}


def load_stories(
    store: SearchStore, judged: Sequence[Judged], noted: Mapping[str, Document]
) -> tuple[Stories, dict[str, Document]]:
    """The part of the grouping that these posts may touch, and its bands as stored (to write only what changes).

    noted: the posts' homes, from `noted_homes`.
    """
    known_bands = store.get("bands", sorted({key for one in judged for key in band_keys(one)}))
    homes: dict[str, str] = {one.post.id: noted[one.post.id]["home"] for one in judged if one.post.id in noted}
    stories = Stories(bands={key: band_of(document) for key, document in known_bands.items()}, homes=homes)

    asked: set[str] = set()

    def load(wanted: Iterable[str | None]) -> list[Narrative]:
        ids = sorted({one for one in wanted if one is not None}.difference(stories.narratives))
        asked.update(ids)
        loaded = {key: narrative_of(document) for key, document in store.get("narratives", ids).items()} if ids else {}
        stories.narratives.update(loaded)
        return list(loaded.values())

    fresh = load(narratives_named(stories.bands, judged) | set(homes.values()))
    while fresh:
        fresh = load(one.merged_into for one in fresh)
    load(claimed for one in list(stories.narratives.values()) for claimed in one.near)
    load(loose for one in list(stories.narratives.values()) for loose in one.attached)
    # A try that died within its first write may have stored a story that names another, and not the other.
    stories.forget(asked.difference(stories.narratives))
    return stories, known_bands
