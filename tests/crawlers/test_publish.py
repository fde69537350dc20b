"""Archive, then log, then memory: whatever fails, the steps after it did not happen, and nothing vanishes without a line."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawlers.archive import Archive, Fetch
from crawlers.pages.items import ClaimItem, PostItem, ProblemItem
from crawlers.publish import Harvest, Publisher
from crawlers.seen import Seen
from pipeline.ports import RetryLater
from pipeline.topology import CLAIMS, POSTS_RAW

from .fakes import FakeBroker

AT = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


def fetch(body: bytes = b"isi") -> Fetch:
    return Fetch("https://a.example/x", body, AT)


def publisher(tmp_path: Path, broker: Any) -> Publisher:
    return Publisher(broker, Archive(tmp_path / "warc"), Seen(tmp_path / "crawl.db"), max_pause_s=0.01)


def test_what_the_contract_refuses_is_counted_and_told_with_source_address_and_field(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker = FakeBroker()
    made = publisher(tmp_path, broker)
    items = [
        PostItem("web", "https://a.example/1", text="x" * 100_001),
        PostItem("web", "https://a.example/2", text="baik"),
        ClaimItem("c", ""),
    ]
    with caplog.at_level(logging.WARNING):
        made.publish([Harvest("uji", fetch(), items)])
    assert [post.native_id for post in broker.bodies(POSTS_RAW)] == ["https://a.example/2"]
    assert (made.counts.posts, made.counts.problems, made.counts.items) == (1, 2, 3)
    first, second = caplog.messages
    assert first.startswith("uji: https://a.example/x: post https://a.example/1 refused: text: ")
    assert "claim c refused: text: " in second


def test_nothing_is_remembered_before_the_log_has_it(tmp_path: Path) -> None:
    class Broken(FakeBroker):
        def publish(self, records: Any) -> None:
            raise ValueError("a bug")

    made = publisher(tmp_path, Broken())
    with pytest.raises(ValueError, match="a bug"):
        made.publish([Harvest("uji", fetch(), [PostItem("web", "1", text="x")], marks=[("page:1", "1")])])
    assert made.seen.get("page:1") is None


def test_the_bytes_are_on_the_disk_before_the_post_is_on_the_log(tmp_path: Path) -> None:
    class Looking(FakeBroker):
        def publish(self, records: Any) -> None:
            (file,) = (tmp_path / "warc").iterdir()
            self.size = file.stat().st_size
            super().publish(records)

    broker = Looking()
    publisher(tmp_path, broker).publish([Harvest("uji", fetch(), [PostItem("web", "1", text="x")])])
    assert broker.size > 100
    (post,) = broker.bodies(POSTS_RAW)
    assert post.evidence is not None


def test_a_full_disk_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = FakeBroker()
    made = publisher(tmp_path, broker)
    real, tries = Archive.keep, []

    def keep(self: Archive, fetch: Fetch) -> Any:
        tries.append(1)
        if len(tries) < 3:
            raise OSError(28, "No space left on device")
        return real(self, fetch)

    monkeypatch.setattr(Archive, "keep", keep)
    made.publish([Harvest("uji", fetch(), [PostItem("web", "1", text="x")])])
    assert len(broker.bodies(POSTS_RAW)) == 1


def test_pages_that_gave_nothing_are_not_archived(tmp_path: Path) -> None:
    publisher(tmp_path, FakeBroker()).publish([Harvest("uji", fetch(), [ProblemItem("kosong", "x")])])
    assert not (tmp_path / "warc").exists()


def test_a_stopped_publisher_gives_up_on_a_log_that_is_away(tmp_path: Path) -> None:
    import threading

    stop = threading.Event()
    stop.set()
    made = Publisher(FakeBroker(failures=99), Archive(tmp_path), Seen(tmp_path / "c.db"), max_pause_s=9, stop=stop)
    with pytest.raises(RetryLater):
        made.publish([Harvest("uji", fetch(), [PostItem("web", "1", text="x")])])


def test_a_bare_day_of_a_claim_begins_in_jakarta(tmp_path: Path) -> None:
    broker = FakeBroker()
    publisher(tmp_path, broker).publish([Harvest("uji", fetch(), [ClaimItem("c", "Klaim", date="2026-11-20")])])
    (claim,) = broker.bodies(CLAIMS)
    assert claim.date == datetime(2026, 11, 19, 17, tzinfo=UTC)


def test_posts_of_an_author_keep_their_order_on_the_log(tmp_path: Path) -> None:
    broker = FakeBroker()
    posts = [PostItem("web", str(n), author="a_1", text="x") for n in range(5)] + [PostItem("web", "z", text="x")]
    publisher(tmp_path, broker).publish([Harvest("uji", fetch(), posts)])
    assert {r.key for r in broker.records[:5]} == {b"a_1"}
    assert broker.records[5].key == b"web/z"
