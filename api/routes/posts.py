"""Posts: search, one post with every verdict on it, and the way to its bytes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api import examples, views
from api.caching import tagged
from api.deletions import deletion_after, post_items
from api.house import HouseDep
from api.ids import Id, found
from api.openapi import answers
from api.paging import page
from api.problems import Problem
from api.queries import Nothing, PostQuery, posts_where
from pipeline.contracts import Verdict
from pipeline.ports import Filter

MAX_VERDICTS = 200
"""One a model and claims version: years of them."""

router = APIRouter(tags=["posts"])


@router.get(
    "/posts",
    summary="Search posts",
    response_model=views.PostPage,
    responses=answers(examples.POSTS, "unavailable"),
)
def list_posts(house: HouseDep, request: Request, query: Annotated[PostQuery, Query()]) -> Response:
    """Posts with the verdict in force, the last seen first. A filter given several times holds if any of its values does."""
    where = posts_where(query, house.terms)
    hits, after = page(house.store, "posts", where, sort=query.sort, limit=query.limit, cursor=query.cursor)
    return tagged(request, views.PostPage(items=post_items(house.store, [h.document for h in hits]), next=after))


@router.get(
    "/posts/{post_id}",
    summary="One post with all its verdicts",
    response_model=views.PostDetail,
    responses=answers(examples.POST_DETAIL, "not-found", "unavailable"),
)
def get_post(house: HouseDep, request: Request, post_id: Id, query: Annotated[Nothing, Query()]) -> Response:
    """The post as last fetched, the verdict in force, and every verdict ever given, so that a change of model can be traced."""
    document = found(house.store, "posts", post_id, "post")
    hits = house.store.search("verdicts", Filter(equals={"post_id": [post_id]}), sort="judged_at", limit=MAX_VERDICTS)
    verdicts = [
        Verdict(**{name: hit.document[name] for name in Verdict.model_fields if name in hit.document}) for hit in hits
    ]
    gone = deletion_after(house.store, [document]).get(post_id)
    return tagged(request, views.PostDetail(**views.post_fields(document, gone), verdicts=verdicts))


@router.get(
    "/posts/{post_id}/evidence",
    summary="Where the bytes of a post lie",
    response_model=views.EvidencePointer,
    responses=answers(examples.EVIDENCE, "not-found", "unavailable"),
)
def get_evidence(house: HouseDep, request: Request, post_id: Id, query: Annotated[Nothing, Query()]) -> Response:
    """The WARC file, the record in it and the SHA-256 of the body from which the post was read."""
    post = views.post_item(found(house.store, "posts", post_id, "post")).post
    if post.evidence is None:
        raise Problem("not-found", "this post came without bytes (from a file, not from a fetch)")
    pointer = views.EvidencePointer(
        **post.evidence.model_dump(), post_id=post.id, url=post.url, fetched_at=post.fetched_at
    )
    return tagged(request, pointer)
