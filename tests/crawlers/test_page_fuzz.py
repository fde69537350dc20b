"""Whatever a page holds, reading it ends, and what is wrong with it is a problem of that page alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawlers.pages import BUILT, read
from crawlers.pages.items import ClaimItem, LinkItem, PostItem, ProblemItem, as_json
from crawlers.pages.page import Page
from crawlers.publish import as_post

from .test_pages import FIXTURES, page_of

EXAMPLES = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
JSON_KINDS = (
    "wordpress", "factcheck_api", "mastodon", "bluesky", "jetstream", "discourse", "reddit", "youtube_comments", "feed", "claimreview", "article", "export",
)  # fmt: skip
ODD = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.just(10**30), st.just("[deleted]"), st.just("http://[broken"), st.just("\ud800"),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
"""Values of types that no field expects."""


def cases(kind: str) -> list[Path]:
    return sorted((FIXTURES / kind).iterdir())


def check(kind: str, page: Page) -> None:
    for item in read(kind, page):
        assert not (isinstance(item, ProblemItem) and item.what.startswith("page cannot be read further")), item
        assert json.loads(as_json(item).encode())["type"] == item.type  # also what a terminal is to show
        if isinstance(item, PostItem):
            as_post(item, fetched_at=page.fetched_at, source="s", region=None, evidence=None)
        elif isinstance(item, LinkItem):
            assert isinstance(item.url, str)
            assert item.url
        elif isinstance(item, ClaimItem):
            assert item.text
            assert all(
                value is None or isinstance(value, str) for value in (item.rating, item.publisher, item.url, item.date)
            )


@pytest.mark.parametrize("kind", BUILT)
@EXAMPLES
@given(body=st.binary(max_size=300))
def test_any_bytes_are_read_without_an_error(kind: str, body: bytes) -> None:
    check(kind, Page(body, "https://x.example/"))


@pytest.mark.parametrize("kind", BUILT)
@EXAMPLES
@given(data=st.data())
def test_a_payload_cut_anywhere_is_read_as_far_as_it_goes(kind: str, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(cases(kind)))
    whole = next(case.glob("input.*")).read_bytes()
    check(kind, page_of(case, whole[: data.draw(st.integers(0, len(whole)))]))


@pytest.mark.parametrize("kind", JSON_KINDS)
@EXAMPLES
@given(data=st.data())
def test_a_field_of_another_type_costs_that_field_or_item_alone(kind: str, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(cases(kind)))
    text = next(case.glob("input.*")).read_bytes().decode("utf-8", "replace")
    start = text.find("{") if kind in ("claimreview", "article") else 0
    try:
        told, end = json.JSONDecoder(strict=False).raw_decode(text, start)
    except ValueError:
        return  # a case about text that is no JSON
    places = list(_places(told))
    if not places:
        return
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(places))
        if key in range(len(holder)) if isinstance(holder, list) else key in holder:
            holder[key] = data.draw(ODD)
    damaged = text[:start] + json.dumps(told) + text[end:]
    check(kind, page_of(case, damaged.encode("utf-8", "surrogatepass")))


def _places(value: Any) -> Any:
    """(holder, key) of everything in a JSON value."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _places(value[key])
