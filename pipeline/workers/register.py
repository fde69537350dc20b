"""The register: claims, gaps, deletions and heartbeats from the log become known; posts that came before a claim are matched against it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipeline import claims
from pipeline.analysis import terms
from pipeline.claims import KnownClaims
from pipeline.contracts import Claim, Post, Refused, unpack
from pipeline.documents import deletion_write, gap_write, heartbeat_write, judged_of, verdict_write
from pipeline.ports import Clock, Document, Filter, Message, Scorer, SearchStore, Write, Written
from pipeline.runner import Work
from pipeline.stages.judge import judge
from pipeline.topology import CLAIMS, DELETIONS, HEARTBEATS, WORKERS
from pipeline.workers.judge import record_of

POSTS_PER_CLAIM = 200
"""Stored posts looked at again for one new claim, the newest first; a story with more copies is found through its near copies."""

SHARED_WORDS = 0.4
"""Share of a claim's longer words that a post must have to be looked at again; rewordings of the training claims keep over half."""

LONG_WORD_CHARS = 4


class Register:
    worker = WORKERS["register"]

    def __init__(self, store: SearchStore, scorer: Scorer, clock: Clock) -> None:
        self._store = store
        self._scorer = scorer
        self._clock = clock
        self._claims = KnownClaims(store, scorer)

    def process(self, messages: Sequence[Message]) -> Work:
        work = Work()
        came: dict[str, tuple[str, Claim]] = {}
        for message in messages:
            try:
                if message.partition.topic == CLAIMS:
                    claim: Claim = unpack("claim", message.value)
                    came[claim.claim_id] = (message.position, claim)
                elif message.partition.topic == DELETIONS:
                    work.writes.append((message.position, deletion_write(unpack("deletion", message.value))))
                elif message.partition.topic == HEARTBEATS:
                    work.writes.append((message.position, heartbeat_write(unpack("heartbeat", message.value))))
                else:
                    work.writes.append((message.position, gap_write(unpack("gap", message.value))))
            except Refused as refused:
                work.reject(message.position, "read", str(refused))
            else:
                work.outcomes[message.position] = "registered"
        if came:
            # Not only the fresh ones are matched: a try that died between registering and matching is repeated whole.
            claims.register(self._store, [claim for _, claim in came.values()])
            self._match_again(work, came)
        return work

    def settle(self, work: Work, written: Sequence[tuple[Write, Written]]) -> list[tuple[str, Write]]:
        return []

    def _match_again(self, work: Work, came: dict[str, tuple[str, Claim]]) -> None:
        version = self._claims.refresh()
        self._store.refresh()
        posts: dict[str, tuple[str, Post, datetime]] = {}
        documents: dict[str, Document] = {}
        for position, claim in came.values():
            for document in self._told_like(claim):
                judged = judged_of(document)
                if judged.verdict.claims_version < version:
                    posts.setdefault(judged.post.id, (position, judged.post, judged.logged_at))
                    documents[judged.post.id] = document
        again = judge(
            [(post, logged_at) for _, post, logged_at in posts.values()],
            self._scorer,
            lambda claim_id: self._claims[claim_id].text,
            claims_version=version,
            now=self._clock.now(),
        )
        for (position, post, _), one in zip(posts.values(), again, strict=True):
            before = judged_of(documents[post.id])
            if one.verdict.claims == before.verdict.claims or one.verdict.model != before.verdict.model:
                continue
            # The post itself is left to the alert worker: stored here, it would look done to the try after one that died before
            # telling, and the alert would be lost.
            work.writes.append((position, verdict_write(one.verdict)))
            work.outputs.append((position, record_of(one)))

    def _told_like(self, claim: Claim) -> list[Document]:
        long = [word for word in terms(claim.text) if len(word) >= LONG_WORD_CHARS] or terms(claim.text)
        if not long:
            return []
        where = Filter(any_terms=long, min_terms=max(1, round(SHARED_WORDS * len(long))))
        return [hit.document for hit in self._store.search("posts", where, sort="seen_at", limit=POSTS_PER_CLAIM)]
