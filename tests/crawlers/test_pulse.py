"""Each visit is told: when, whether it was whole, what it gave and how late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crawlers.archive import Archive, Fetch
from crawlers.pages.items import PostItem, ProblemItem
from crawlers.publish import Harvest, Publisher
from crawlers.pulse import Ended, Pulse, Since, quantile
from crawlers.seen import Seen
from pipeline.contracts import HEARTBEAT_VISITS
from pipeline.topology import HEARTBEATS

from .conftest import Crawled
from .fakes import Answer, FakeBroker, Site

AT = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)


def ended(minutes: int, **changes: Any) -> Ended:
    told = {
        "source": "uji",
        "kind": "feed",
        "name": "Uji",
        "cadence_s": 900.0,
        "slowest_s": 7200.0,
        "ok": True,
        "whole": True,
        "found": None,
    }
    return Ended(ended_at=AT + timedelta(minutes=minutes), **{**told, **changes})


def post(number: int, minutes: float) -> PostItem:
    return PostItem("web", str(number), text="x", published_at=(AT + timedelta(minutes=minutes)).isoformat())


def test_a_visit_tells_what_it_put_on_the_log(tmp_path: Path) -> None:
    broker: Any = FakeBroker()
    seen = Seen(tmp_path / "c.db")
    made = Publisher(broker, Archive(tmp_path), seen, max_pause_s=0.01)

    def visit(minutes: int, items: list[Any], **changes: Any) -> None:
        fetch = Fetch("https://a.example/x", b"x", AT + timedelta(minutes=minutes))
        made.publish([Harvest("uji", fetch, items), Harvest("uji", None, ended=ended(minutes, **changes))])

    visit(0, [post(n, -1000 * n) for n in range(5)], found=5)
    visit(10, [post(10, 4), post(11, 8), ProblemItem("cut line", "x")], found=1)
    seen.blinded("uji", "https://a.example/x", "HTTP 503: https://a.example/x", AT + timedelta(minutes=20))
    visit(20, [], ok=False, whole=False)
    first, second, third = broker.bodies(HEARTBEATS)
    assert (first.visits, first.pages, first.posts, first.new, first.problems, first.delays) == (1, 1, 5, 5, 0, 0)
    assert (second.visits, second.pages, second.posts, second.new, second.problems) == (2, 2, 7, 6, 1)
    assert (second.delay_median_s, second.delay_p95_s, second.delays) == (120, 360, 2)
    assert second.newest_post_at == AT + timedelta(minutes=8)
    assert (third.failures, third.seen_at, third.whole_at, third.new_at) == (1, *[AT + timedelta(minutes=10)] * 3)
    assert [gap.cause for gap in third.open_gaps] == ["HTTP 503: https://a.example/x"]
    assert {record.key for record in broker.records if record.topic == HEARTBEATS} == {b"uji"}


def test_two_visits_in_one_batch_are_two(tmp_path: Path) -> None:
    broker: Any = FakeBroker()
    made = Publisher(broker, Archive(tmp_path), Seen(tmp_path / "c.db"), max_pause_s=0.01)
    made.publish([Harvest("uji", None, ended=ended(0)), Harvest("uji", None, ended=ended(1))])
    assert [beat.visits for beat in broker.bodies(HEARTBEATS)] == [1, 2]


def test_sums_are_of_the_last_visits_alone() -> None:
    pulse = Pulse()
    for n in range(HEARTBEAT_VISITS + 5):
        pulse = Pulse.of(pulse.mark())
        beat = pulse.beat(ended(n), Since(pages=1, posts=2), [])
    assert (beat.visits, beat.pages, beat.posts) == (HEARTBEAT_VISITS, HEARTBEAT_VISITS, 2 * HEARTBEAT_VISITS)


def test_a_mark_of_another_version_begins_anew() -> None:
    for kept in ("{", '{"other": 1}', "[]", "7"):
        assert Pulse.of(kept) == Pulse()


def test_quantiles_are_values_that_occurred() -> None:
    assert quantile([], 0.5) is None
    assert quantile([7], 0.95) == 7
    assert quantile(list(range(1, 101)), 0.5) == 50
    assert quantile(list(range(1, 101)), 0.95) == 95
    assert quantile([5, 1], 0.95) == 5


FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Kabar</title>
<item><title>Gudang KPU dijaga</title><link>{base}/1</link><description>Isi berita.</description>
<pubDate>Fri, 20 Nov 2026 02:00:00 +0000</pubDate></item></channel></rss>"""


def test_a_crawl_says_of_each_source_how_it_is(crawl: Callable[..., Crawled]) -> None:
    with Site() as site:
        site.answers = {"/rss": Answer(FEED.format(base=site.base), headers={"Content-Type": "application/rss+xml"})}
        sources = [
            {
                "id": "kabar",
                "name": "Kabar",
                "kind": "feed",
                "url": f"{site.base}/rss",
                "follow": False,
                "cadence_s": 60,
            },
            {"id": "hilang", "kind": "feed", "url": f"{site.base}/tidak-ada"},
        ]
        beats = {beat.source: beat for beat in crawl(site, sources).beats}
    assert beats.keys() == {"kabar", "hilang"}
    good, bad = beats["kabar"], beats["hilang"]
    assert (good.name, good.kind, good.cadence_s, good.slowest_s) == ("Kabar", "feed", 60, 480)
    assert (good.posts, good.new, good.failures, good.open_gaps) == (1, 1, 0, ())
    assert good.whole_at == good.seen_at == good.new_at == good.visited_at
    assert good.newest_post_at == datetime(2026, 11, 20, 2, tzinfo=UTC)
    assert (bad.posts, bad.failures, bad.seen_at, bad.whole_at) == (0, 1, None, None)
    assert bad.open_gaps[0].cause.startswith("HTTP 404")
