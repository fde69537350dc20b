"""The judge: posts from the log become revisions, verdicts and searchable posts, and go on to the alert worker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipeline.claims import KnownClaims
from pipeline.contracts import LATEST_AHEAD, Judged, Post, Refused, pack, unpack
from pipeline.documents import judged_of, post_document, post_write, revision_id, revision_write, verdict_write
from pipeline.ports import Clock, Document, Message, Record, Scorer, SearchStore, Write, Written
from pipeline.runner import Work
from pipeline.stages.in_force import in_force
from pipeline.stages.judge import judge
from pipeline.topology import POSTS_JUDGED, WORKERS

SEEN_AGAIN = "seen-again"
"""Header of a judged post that brings new counts but no verdict of its own."""


def record_of(judged: Judged, *, seen_again: bool = False) -> Record:
    """Keyed by post: what becomes of one post is told in order."""
    headers = {SEEN_AGAIN: b"1"} if seen_again else {}
    return Record(POSTS_JUDGED, pack("judged", judged), judged.post.id.encode(), headers)


class Judge:
    worker = WORKERS["judge"]

    def __init__(self, store: SearchStore, scorer: Scorer, clock: Clock) -> None:
        self._store = store
        self._scorer = scorer
        self._clock = clock
        self._claims = KnownClaims(store, scorer)

    def process(self, messages: Sequence[Message]) -> Work:
        work = Work()
        posts: list[tuple[Message, Post]] = []
        for message in messages:
            try:
                post: Post = unpack("post", message.value)
                if post.fetched_at > message.logged_at + LATEST_AHEAD:
                    raise Refused(f"fetched_at: {post.fetched_at:%Y-%m-%d} lies after its coming into the log")
                posts.append((message, post))
            except Refused as refused:
                work.reject(message.position, "read", str(refused))
        revisions = self._store.get("revisions", [revision_id(post) for _, post in posts])
        stored = self._store.get("posts", list({post.id for _, post in posts}))
        owners = {key: document["position"] for key, document in revisions.items()}
        newest = {key: judged_of(document) for key, document in stored.items()}
        known = {key: one.post for key, one in newest.items()}
        for message, post in posts:
            owner = owners.setdefault(revision_id(post), message.position)
            if owner == message.position:
                work.outcomes[message.position] = "indexed"
                work.writes.append((message.position, revision_write(post, message.position)))
            else:
                work.outcomes[message.position] = "duplicate"
            before = known.get(post.id)
            late = before is not None and post.fetched_at < before.fetched_at
            # A known text may come again after another one: an edit that was taken back.
            changed = before is None or (not late and post.revision != before.revision)
            if owner == message.position or changed:
                work.carried[message.position] = (post, message.logged_at)
            if not late:
                known[post.id] = post
        self._claims.refresh()
        judged = dict(zip(work.carried, self._judge(list(work.carried.values())), strict=True))
        for message, post in posts:
            if message.position in judged:
                self._hand_on(work, message.position, judged[message.position], newest)
            else:
                self._recount(work, message.position, post, newest)
        self._write_posts(work, newest, stored)
        return work

    def settle(self, work: Work, written: Sequence[tuple[Write, Written]]) -> list[tuple[str, Write]]:
        """Two races are settled here: another worker stored the same revision first, or claims came while we judged."""
        taken = [write.id for write, answer in written if write.kind == "revisions" and answer.outcome == "exists"]
        owners = (
            {key: document["position"] for key, document in self._store.get("revisions", taken).items()}
            if taken
            else {}
        )
        for position, (post, _) in work.carried.items():
            if owners.get(revision_id(post), position) != position and work.outcomes[position] == "indexed":
                work.outcomes[position] = "duplicate"
        before = self._claims.version
        if self._claims.refresh() == before:
            return []
        # A claim registered before these posts were stored has not been looked for among them by the register.
        again = [(position, mine) for position, mine in work.carried.items() if work.outcomes[position] != "dead"]
        stored = self._store.get("posts", [post.id for _, (post, _) in again])
        newest = {key: judged_of(document) for key, document in stored.items()}
        more = Work(carried=dict(again))
        for (position, _), one in zip(again, self._judge([mine for _, mine in again]), strict=True):
            self._hand_on(more, position, one, newest)
        self._write_posts(more, newest, stored)
        work.outputs += more.outputs
        return more.writes

    def _judge(self, posts: list[tuple[Post, datetime]]) -> list[Judged]:
        if not posts:
            return []
        return judge(
            posts,
            self._scorer,
            lambda claim_id: self._claims[claim_id].text,
            claims_version=self._claims.version,
            now=self._clock.now(),
        )

    @staticmethod
    def _hand_on(work: Work, position: str, judged: Judged, newest: dict[str, Judged]) -> None:
        work.writes.append((position, verdict_write(judged.verdict)))
        # A revision fetched earlier than the one in force is history: stored with its verdict, but not shown in its place.
        now = in_force(newest.get(judged.post.id), judged)
        if now is not None:
            newest[judged.post.id] = now
            work.outputs.append((position, record_of(now)))

    @staticmethod
    def _recount(work: Work, position: str, post: Post, newest: dict[str, Judged]) -> None:
        """Seen again unchanged: its engagement may have grown, and with it its story's reach."""
        held = newest[post.id]
        if held.post.revision != post.revision or post.fetched_at < held.post.fetched_at:
            return
        # The time even if the counts are the same: by it the alert worker knows that these words stood longer than others.
        grown = held.post.model_copy(update={"counts": post.counts, "fetched_at": post.fetched_at})
        newest[post.id] = held = held.model_copy(update={"post": grown})
        work.outputs.append((position, record_of(held, seen_again=True)))

    @staticmethod
    def _write_posts(work: Work, newest: dict[str, Judged], stored: dict[str, Document]) -> None:
        """Only what was judged here. New counts alone are left to the alert worker, which knows the verdict in force: written
        here, they could put an older one back."""
        positions = {post.id: position for position, (post, _) in work.carried.items() if post.id in newest}
        for key, position in positions.items():
            before = stored.get(key)
            document = post_document(newest[key], before["narrative_id"] if before else None)
            if document != before:
                work.writes.append((position, post_write(document)))
