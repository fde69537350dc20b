"""From the log to alerts: what becomes of posts, and that every one of them is counted."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import Claim, Deletion, Heartbeat, Post, pack
from pipeline.dead_letters import discard, listed, requeue
from pipeline.documents import deletion_of, heartbeat_of
from pipeline.ports import Filter, Record
from pipeline.runner import Broken
from pipeline.topology import DELETIONS, HEARTBEATS
from tests.pipeline.house import AT, TestHouse, a_post
from tests.scorer import POISON, WordScorer

CLAIM = Claim(
    claim_id="k1", text="Surat suara sudah tercoblos di gudang Kalisari", publisher="Cek Kabar", rating="Salah"
)
STORY = "Surat suara sudah tercoblos di gudang Kalisari sebarkan"


def doors(house: TestHouse) -> dict[str, int]:
    found = house.counts()
    assert found["balanced"], found
    assert found["stored"] == found["indexed"], found
    assert found["open"] == found["dead"], found
    return {name: found[name] for name in ("in", "indexed", "duplicate", "dead", "discarded", "lag")}


def test_a_story_that_spreads_a_known_claim_becomes_one_alert_with_its_reasons(house: TestHouse) -> None:
    house.know(CLAIM)
    house.publish(*(a_post(f"s{n}", STORY + "!" * n, author=f"a{n}", counts={"likes": n}) for n in range(5)))
    house.drain()
    (alert,) = house.alerts()
    assert (alert.rule, alert.posts, alert.authors, alert.reach) == ("hoax", 5, 5, 10)
    assert alert.claim == CLAIM
    assert "Cek Kabar" in alert.reasons[0]
    assert "Salah" in alert.reasons[0]


def test_a_correction_and_a_question_raise_no_alert(house: TestHouse) -> None:
    house.know(CLAIM)
    house.publish(a_post("c1", "HOAKS: " + STORY), a_post("c2", "benarkah " + STORY + "?"))
    house.drain()
    assert house.alerts() == []


def test_a_correction_does_not_join_the_story_it_corrects(house: TestHouse) -> None:
    house.know(CLAIM)
    house.publish(a_post("s1", STORY), a_post("c1", STORY + " hoaks"))
    house.drain()
    (alert,) = house.alerts()
    assert alert.posts == 1


def test_provocation_alerts_only_with_reach(house: TestHouse) -> None:
    house.publish(a_post("v1", "ayo bakar kantor kecamatan malam ini juga kawan"))
    house.drain()
    assert house.alerts() == []
    house.publish(a_post("v2", "ayo bakar kantor kecamatan malam ini juga kawan!!", counts={"likes": 60}))
    house.drain()
    (alert,) = house.alerts()
    assert (alert.rule, alert.posts) == ("provocation", 2)


def test_an_alert_grows_and_is_not_doubled(house: TestHouse) -> None:
    house.know(CLAIM)
    house.publish(a_post("s1", STORY))
    house.drain()
    (first,) = house.alerts()
    house.publish(a_post("s2", STORY + " viralkan"))
    house.drain()
    (grown,) = house.alerts()
    assert (grown.id, grown.posts, grown.opened_at) == (first.id, 2, first.opened_at)
    assert grown.version == first.version + 1


def test_posts_that_came_before_their_claim_are_found_when_it_comes(house: TestHouse) -> None:
    house.publish(a_post("s1", STORY), a_post("o1", "cuaca cerah di Kalisari hari ini"))
    house.drain()
    assert house.alerts() == []
    house.know(CLAIM)
    house.drain()
    (alert,) = house.alerts()
    assert (alert.rule, alert.posts) == ("hoax", 1)


def test_a_near_copy_bridges_two_stories_into_one_without_losing_a_post(house: TestHouse) -> None:
    house.publish(
        *(a_post(f"b{n}", "ayo bakar kantor kecamatan malam ini juga kawan", author=f"x{n}") for n in range(3))
    )
    house.drain()
    (before,) = house.alerts()
    house.know(Claim(claim_id="k2", text="ayo bakar kantor kecamatan malam ini"))
    house.drain()
    (after,) = house.alerts()
    assert (after.rule, after.posts) == ("hoax", before.posts)
    assert [gone.id for gone in house.alerts("withdrawn")] == [before.id]


def test_every_post_leaves_by_one_door_and_the_counts_say_which(house: TestHouse) -> None:
    good = a_post("g1", "selamat pagi semua")
    house.publish(good, good, a_post("g1", "selamat pagi semua, ralat"), b"not json", a_post("p1", f"ini {POISON}"))
    house.publish(a_post("g2", "pasar ramai sekali"))
    house.drain()
    assert doors(house) == {"in": 6, "indexed": 3, "duplicate": 1, "dead": 2, "discarded": 0, "lag": 0}


def test_a_poisonous_post_hinders_no_other_wherever_it_stands(house: TestHouse) -> None:
    for at in range(5):
        house.publish(*(a_post(f"{at}.{n}", f"ini {POISON}" if n == at else "pesan biasa saja") for n in range(5)))
    house.drain()
    assert doors(house) == {"in": 25, "indexed": 20, "duplicate": 0, "dead": 5, "discarded": 0, "lag": 0}


def test_a_broken_program_stops_instead_of_burying_good_posts(house: TestHouse) -> None:
    house.publish(*(a_post(str(n), f"{POISON} {n}") for n in range(12)))
    with pytest.raises(Broken, match="12 of 12 messages break alike"):
        house.drain(["judge"])
    assert house.counts()["lag"] == 12


def test_a_dead_letter_keeps_its_bytes_and_can_be_requeued_and_discarded_by_name(house: TestHouse) -> None:
    house.publish(a_post("p1", f"ini {POISON}"), b"\xff\x00 not json")
    house.drain()
    house.store.refresh()
    letters = {letter.stage: letter for letter in listed(house.store)}
    assert set(letters) == {"judge", "read"}
    requeue(house.store, house.broker, letters["judge"], by="sari", at=AT)
    discard(house.store, letters["read"], by="sari", at=AT)
    assert doors_balance(house)
    scorer = WordScorer()
    scorer.judge = lambda texts: WordScorer.judge(scorer, [text.replace(POISON, "") for text in texts])  # type: ignore[method-assign]
    house.drain(["judge"], scorer=scorer)
    assert doors(house) == {"in": 2, "indexed": 1, "duplicate": 0, "dead": 0, "discarded": 1, "lag": 0}


def doors_balance(house: TestHouse) -> bool:
    return bool(house.counts()["balanced"])


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        (b"{", "not JSON"),
        (b"[1]", "not an envelope"),
        (b'{"schema":"claim","version":1,"body":{}}', "schema: expected 'post', got 'claim'"),
        (b'{"schema":"post","version":99,"body":{}}', "version: 99 of post is unknown"),
        (b'{"schema":"post","version":1,"body":{"platform":"x"}}', "native_id: Field required"),
        (pack("post", a_post("x", "y")).replace(b'"text"', b'"tekst"'), "tekst"),
        (pack("post", a_post("x", "y")).replace(b"2026-11-20", b"0001-01-01", 1), "fetched_at 1-01-01 lies before"),
        (pack("post", a_post("x", "y")).replace(b"2026", b"9999", 1), "fetched_at: 9999"),
        (pack("post", a_post("x", "DINI")).replace(b"DINI", b"\\u0000"), "text: control character U+0000"),
        (pack("post", a_post("x", "DINI")).replace(b"DINI", b"\\ud800"), "text: "),
        (
            pack("post", a_post("x", "DINI")).replace(b"DINI", b"a" * 5_000_000),
            "text: String should have at most 100000",
        ),
    ],
)
def test_bad_messages_become_dead_letters_that_name_the_field(house: TestHouse, value: bytes, cause: str) -> None:
    house.publish(a_post("g1", "sebelum"), value, a_post("g2", "sesudah"))
    house.drain()
    house.store.refresh()
    (letter,) = listed(house.store)
    assert cause in letter.cause
    assert doors(house)["indexed"] == 2


def test_reading_everything_again_changes_nothing(house: TestHouse) -> None:
    house.know(CLAIM)
    house.publish(*(a_post(f"s{n}", STORY, author=f"a{n}") for n in range(4)), b"bad")
    house.drain()
    before = (doors(house), house.alerts())
    # A crash before the commit: the same messages are taken again by a worker that knows nothing of the first try.
    for name in ("judge", "alert"):
        runner = house.runner(name)
        topic = runner._processor.worker.reads[0]
        messages = house.broker.read(topic)
        work = runner._process(messages)
        runner._write(work, work.writes)
        runner._write(work, work.later + runner._processor.settle(work, []))
        runner._write(work, work.notes + work.last)
        runner._bury(messages, work)
        house.broker.publish([record for _, record in work.outputs])
    house.drain()
    assert (doors(house), house.alerts()) == before


def test_a_story_seen_again_with_more_likes_grows_in_reach(house: TestHouse) -> None:
    house.know(CLAIM)
    post = a_post("s1", STORY, counts={"likes": 1})
    house.publish(post)
    house.drain()
    house.publish(post.model_copy(update={"counts": {"likes": 30}, "fetched_at": AT + timedelta(hours=1)}))
    house.drain()
    (alert,) = house.alerts()
    assert (alert.reach, alert.posts) == (30, 1)
    assert doors(house)["duplicate"] == 1


def test_an_edited_post_leaves_the_story_it_no_longer_tells(house: TestHouse) -> None:
    house.know(CLAIM)
    house.publish(a_post("s1", STORY), a_post("s2", STORY + " ya"))
    house.drain()
    house.publish(a_post("s2", "maaf, kabar tadi saya hapus", fetched_at=AT + timedelta(hours=1)))
    house.drain()
    (alert,) = house.alerts()
    assert alert.posts == 1
    assert len(house.store.search("posts", Filter(), sort="seen_at")) == 2
    assert doors(house)["indexed"] == 3


def test_older_bytes_that_come_late_do_not_replace_newer_ones(house: TestHouse) -> None:
    house.publish(a_post("s1", "isi baru", fetched_at=AT + timedelta(hours=1)), a_post("s1", "isi lama"))
    house.drain()
    (hit,) = house.store.search("posts", Filter(), sort="seen_at")
    assert hit.document["post"]["text"] == "isi baru"
    assert doors(house)["indexed"] == 2


def test_an_envelope_is_plain_json() -> None:
    envelope = json.loads(pack("post", a_post("x", "y")))
    assert set(envelope) == {"schema", "version", "body"}


def test_a_deletion_is_kept_once_and_changes_nothing_of_the_post(tmp_path: Path) -> None:
    house = TestHouse(tmp_path)
    post = a_post("1", "Kabar dari Kota Contoh")
    gone = Deletion(platform="mastodon", native_id="1", seen_at=AT + timedelta(hours=1), how="HTTP 404", source="kabar")
    house.publish(post)
    house.broker.publish([Record(DELETIONS, pack("deletion", gone), b"k")] * 2)
    house.broker.publish([Record(DELETIONS, b'{"schema":"deletion","version":1,"body":{"platform":"mastodon"}}', b"k")])
    house.drain()
    (hit,) = house.store.search("deletions", Filter(equals={"post_id": [post.id]}), sort="seen_at")
    assert deletion_of(hit.document) == gone
    assert Post.model_validate(house.store.get("posts", [post.id])[post.id]["post"]) == post
    assert [hit.document["stage"] for hit in house.store.search("dead_letters", Filter(), sort="failed_at")] == ["read"]
    counted = house.counts()
    assert (counted["in"], counted["indexed"], counted["balanced"]) == (1, 1, True)
    house.close()


def test_of_a_source_the_latest_heartbeat_is_kept_whatever_order_they_come_in(house: TestHouse) -> None:
    def beat(minutes: int, **changes: Any) -> Heartbeat:
        at = AT + timedelta(minutes=minutes)
        return Heartbeat(source="kabar", cadence_s=900, slowest_s=7200, visited_at=at, visits=1, **changes)

    told = [beat(0), beat(20, posts=7), beat(10, posts=3)]
    house.broker.publish([Record(HEARTBEATS, pack("heartbeat", one), b"kabar") for one in told])
    house.broker.publish([Record(HEARTBEATS, b"{", b"kabar")])
    house.drain()
    (hit,) = house.store.scan("heartbeats", Filter())
    assert heartbeat_of(hit.document) == told[1]
    assert [(letter.topic, letter.stage) for letter in listed(house.store)] == [(HEARTBEATS, "read")]
    assert house.counts()["balanced"]
