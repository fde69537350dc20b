"""Whether posts are known to be gone from their platforms."""

from __future__ import annotations

from collections.abc import Sequence

from api import views
from pipeline.contracts import Deletion, Post
from pipeline.documents import deletion_of
from pipeline.ports import Document, Filter, SearchStore

MOST = 1000
"""Deletions looked at for one page of at most 200 posts; a post that comes and goes has several."""


def deletion_after(store: SearchStore, documents: Sequence[Document]) -> dict[str, Deletion]:
    """Post id -> the first deletion seen after the post was last fetched; a post that was there again since has none."""
    fetched = {document["id"]: Post.model_validate(document["post"]).fetched_at for document in documents}
    if not fetched:
        return {}
    where = Filter(equals={"post_id": sorted(fetched)})
    found: dict[str, Deletion] = {}
    for hit in store.search("deletions", where, sort="seen_at", descending=False, limit=MOST):
        deletion = deletion_of(hit.document)
        if deletion.seen_at > fetched[deletion.post_id]:
            found.setdefault(deletion.post_id, deletion)
    return found


def post_items(store: SearchStore, documents: Sequence[Document]) -> list[views.PostItem]:
    gone = deletion_after(store, documents)
    return [views.post_item(document, gone.get(document["id"])) for document in documents]
