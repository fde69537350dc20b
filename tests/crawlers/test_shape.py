"""A page that reads well but no longer holds what it held is told; a quiet source is not."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crawlers.pages.items import ClaimItem, Item, LinkItem, PostItem
from crawlers.seen import Seen
from crawlers.shape import SETTLED, Finding, Shapes

from .conftest import Crawled
from .fakes import Answer, Site

AT = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)


def posts(count: int, **fields: Any) -> list[Item]:
    told = {"text": "x", "author": "a_1", "published_at": "2026-11-28T00:00:00Z", "counts": {"likes": 1}} | fields
    return [PostItem("web", str(n), **told) for n in range(count)]


class Source:
    """Visits of one source, with what is remembered between them."""

    def __init__(self) -> None:
        self.kept: str | None = None

    def visit(self, *pages: list[Item], at: datetime = AT, kind: str = "feed", news: bool = False) -> list[Finding]:
        shapes = Shapes(self.kept, may_be_empty=news)
        for page in pages:
            shapes.look(kind, page)
        found = shapes.settle(at)
        self.kept = shapes.mark()
        return found


@pytest.mark.parametrize("field", ["text", "author", "published_at", "counts"])
def test_a_field_that_all_posts_had_and_none_has_any_more_is_named(field: str) -> None:
    source = Source()
    assert source.visit(posts(30)) == []
    (found,) = source.visit(posts(10, **{field: {} if field == "counts" else None}))
    assert found == Finding(
        f"shape:feed.{field}", f"shape changed: no {field} in any of 10 posts (feed), where 100% had one"
    )
    assert source.visit(posts(10, **{field: None})) == []  # told once
    assert source.visit(posts(3)) == [Finding(f"shape:feed.{field}", None)]


def test_claims_have_fields_of_their_own() -> None:
    source = Source()
    source.visit([ClaimItem(str(n), "x", rating="Salah", publisher="Cek", date="2026-11-20") for n in range(30)])
    (found,) = source.visit([ClaimItem(str(n), "x", publisher="Cek", date="2026-11-20") for n in range(6)])
    assert "no rating in any of 6 claims" in str(found.cause)


def test_few_posts_over_several_visits_are_enough_and_few_alone_are_not() -> None:
    source = Source()
    source.visit(posts(30))
    assert [source.visit(posts(1, author=None)) for _ in range(4)] == [[]] * 4
    assert len(source.visit(posts(1, author=None))) == 1


def test_a_field_that_was_never_the_rule_is_not_missed() -> None:
    source = Source()
    source.visit(posts(20) + posts(20, author=None))
    assert source.visit(posts(50, author=None)) == []
    fresh = Source()
    fresh.visit(posts(10))
    assert fresh.visit(posts(50, author=None)) == []


def test_a_field_that_stays_away_becomes_how_the_source_is() -> None:
    source = Source()
    source.visit(posts(30))
    assert len(source.visit(posts(10, author=None))) == 1
    assert source.visit(posts(10, author=None), at=AT + SETTLED) == [Finding("shape:feed.author", None)]
    for n in range(5):
        assert source.visit(posts(30, author=None), at=AT + SETTLED + timedelta(hours=n)) == []


def test_a_source_that_always_had_posts_and_shows_none_is_told_after_some_visits() -> None:
    source = Source()
    for _ in range(3):
        source.visit(posts(20))
    assert source.visit([]) == []
    assert source.visit([]) == []
    (found,) = source.visit([])
    assert found == Finding(
        "shape:feed", "shape changed, or all gone: nothing in 3 visits (feed), where a page had 20.0"
    )
    assert source.visit([]) == []
    assert source.visit(posts(1)) == [Finding("shape:feed", None)]


def test_a_source_of_few_posts_may_have_none_for_long() -> None:
    source = Source()
    for n in range(60):
        source.visit(posts(n % 4 == 0))
    findings = [source.visit([]) for _ in range(15)]
    assert findings == [[]] * 15


def test_a_source_that_is_asked_for_news_alone_may_have_none_and_still_loses_no_field_unseen() -> None:
    source = Source()
    for _ in range(3):
        source.visit(posts(20), news=True)
    assert [source.visit([], news=True) for _ in range(9)] == [[]] * 9
    assert len(source.visit(posts(9, author=None), news=True)) == 1


def test_the_spiders_that_ask_for_news_alone_say_so() -> None:
    from crawlers.sources import KINDS
    from crawlers.spiders import spider

    # jetstream is only listened to: what it missed it asks of the stream itself.
    asking = {kind for kind in KINDS if kind != "jetstream" and spider(kind).asks_for_news}
    assert asking == {"mastodon", "factcheck_api", "mastodon_stream"}


def test_links_count_as_something_and_next_pages_do_not() -> None:
    source = Source()
    for _ in range(3):
        source.visit([LinkItem(f"https://a.example/{n}", "article") for n in range(20)], kind="sitemap")
    assert source.visit([LinkItem("https://a.example/x", "article")], kind="sitemap") == []
    for _ in range(2):
        source.visit([LinkItem("https://a.example/2", "next page")], kind="sitemap")
    assert len(source.visit([LinkItem("https://a.example/2", "next page")], kind="sitemap")) == 1


def test_kinds_of_pages_are_looked_at_apart() -> None:
    source = Source()
    source.visit(posts(30), kind="feed")
    assert source.visit(posts(30, author=None), kind="article") == []


def test_what_is_remembered_stays_small() -> None:
    source = Source()
    for _ in range(50):
        source.visit(posts(100))
    assert len(source.kept or "") < 500


@pytest.mark.parametrize("kept", ["{", "[]", '{"feed": {"other": 1}}', '{"feed": 7}', "null"])
def test_a_mark_of_another_version_begins_anew(kept: str) -> None:
    assert Shapes(kept).memory == {}


def test_a_gap_whose_cause_changes_ends_where_the_next_begins(tmp_path: Path) -> None:
    seen = Seen(tmp_path / "c.db")
    (first,) = seen.blinded("uji", "u", "HTTP 503", AT)
    assert seen.blinded("uji", "u", "HTTP 503", AT + timedelta(hours=1)) == [first]
    ended, second = seen.blinded("uji", "u", "shape changed: no messages", AT + timedelta(hours=2))
    assert (ended.id, ended.ended_at) == (first.id, AT + timedelta(hours=2))
    assert (second.began_at, second.ended_at) == (AT + timedelta(hours=2), None)
    assert [cause for _, cause in seen.open_gaps("uji")] == ["shape changed: no messages"]


def test_a_crawl_tells_of_a_timeline_that_lost_its_authors_and_ends_the_gap_when_they_are_back(
    crawl: Callable[..., Crawled],
) -> None:
    lock, state = threading.Lock(), {"first": 1, "authors": True}

    def timeline(visit: int) -> Answer:
        with lock:
            first = state["first"]
            statuses = [
                {
                    "id": str(n),
                    "uri": f"https://w.example/{n}",
                    "content": f"<p>Kabar {n}</p>",
                    "created_at": "2026-11-27T00:00:00Z",
                    "visibility": "public",
                    "account": {"acct": f"warga{n}"} if state["authors"] else {"handle": f"warga{n}"},
                }
                for n in range(first + 29, first - 1, -1)
            ]
        return Answer(json.dumps(statuses), headers={"Content-Type": "application/json"})

    with Site() as site:
        site.answers = {"/api/v1/timelines/public": timeline}
        sources = [{"id": "warga", "kind": "mastodon", "url": f"{site.base}/api/v1/timelines/public", "max_pages": 1}]
        assert not [gap for gap in crawl(site, sources).gaps if "shape" in gap.cause]
        state |= {"first": 100, "authors": False}
        lost = crawl(site, sources)
        state |= {"first": 200, "authors": True}
        back = crawl(site, sources)
    (gap,) = [gap for gap in lost.gaps if "shape" in gap.cause]
    assert gap.cause.startswith("shape changed: no author in any of 30 posts (mastodon)")
    assert gap.ended_at is None
    assert [one.cause for one in lost.beats[0].open_gaps] == [gap.cause]
    assert lost.beats[0].problems >= 1
    (ended,) = [gap for gap in back.gaps if "shape" in gap.cause]
    assert (ended.id, ended.ended_at is None) == (gap.id, False)
    assert back.beats[0].open_gaps == ()
