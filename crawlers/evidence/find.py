"""From the id of a post or an alert to posts, and from posts to the records they were read from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from pipeline.contracts import Alert, Evidence, Post
from pipeline.ports import Filter, SearchStore

from .chain import BadEvidence

MAX_REVISIONS = 1000


@dataclass
class Found:
    """A post as last seen, and every record that it or an earlier revision of it was read from."""

    post: Post
    records: list[Evidence] = field(default_factory=list)
    deleted: list[dict[str, Any]] = field(default_factory=list)
    """When it was seen to be gone, and by what."""


@dataclass
class Asked:
    """What an id stands for."""

    id: str
    alert: Alert | None
    posts: list[Found]


def find(store: SearchStore, name: str) -> Asked:
    """Raises BadEvidence for an id that is neither a post's nor an alert's, RetryLater."""
    if not name or len(name) > 200 or not name.isprintable():
        raise BadEvidence("an id of a post or an alert is needed")
    store.refresh()
    documents = store.get("posts", [name])
    if documents:
        return Asked(name, None, [_found(store, documents[name])])
    told = store.get("alerts", [name]).get(name)
    if told is None:
        raise BadEvidence(f"no post and no alert has the id {name!r}")
    try:
        alert = Alert.model_validate({field: told[field] for field in Alert.model_fields if field in told})
    except ValidationError as error:
        raise BadEvidence(f"alert {name}: cannot be read from the store: {error}") from error
    of_it = {hit.id: hit.document for hit in store.scan("posts", Filter(equals={"narrative_id": [alert.narrative_id]}))}
    of_it |= store.get("posts", [post_id for post_id in alert.post_ids if post_id not in of_it])
    return Asked(name, alert, [_found(store, document) for _, document in sorted(of_it.items())])


def _found(store: SearchStore, document: dict[str, Any]) -> Found:
    post = Post.model_validate(document["post"])
    found = Found(post)
    known = set()
    for evidence in (*([post.evidence] if post.evidence else []), *_earlier(store, post)):
        if evidence.record_id not in known:
            known.add(evidence.record_id)
            found.records.append(evidence)
    gone = Filter(equals={"post_id": [post.id]})
    for hit in store.search("deletions", gone, sort="seen_at", descending=False, limit=MAX_REVISIONS):
        found.deleted.append({name: hit.document.get(name) for name in ("seen_at", "how", "source")})
        told = hit.document.get("evidence")
        if told and told["record_id"] not in known:
            known.add(told["record_id"])
            found.records.append(Evidence.model_validate(told))
    return found


def _earlier(store: SearchStore, post: Post) -> Iterator[Evidence]:
    """Of every revision, as it first came."""
    where = Filter(equals={"post_id": [post.id]})
    for hit in store.search("revisions", where, sort="fetched_at", limit=MAX_REVISIONS):
        if told := hit.document.get("evidence"):
            yield Evidence.model_validate(told)


def pointers(store: SearchStore) -> Iterator[tuple[str, Evidence]]:
    """(post id, where it was read) of every post and every revision that names it. Raises RetryLater."""
    store.refresh()
    for hit in store.scan("posts", Filter()):
        if told := hit.document["post"].get("evidence"):
            yield hit.id, Evidence.model_validate(told)
    for hit in store.scan("revisions", Filter()):
        if told := hit.document.get("evidence"):
            yield str(hit.document["post_id"]), Evidence.model_validate(told)
