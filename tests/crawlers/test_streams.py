"""A stream is held open through the guard, loses nothing that can be made up for, doubles nothing, and tells what it missed."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from warcio.archiveiterator import ArchiveIterator

from pipeline.contracts import Deletion, Gap, Heartbeat, Post
from pipeline.topology import DELETIONS, GAPS, HEARTBEATS, POSTS_RAW

from .crawl_process import child
from .fakes import published
from .stream_server import Stage, Wire, at, commit, frame, status

QUICK = {
    "BATCH_S": 0.3,
    "FIRST_PAUSE_S": 0.1,
    "LONGEST_PAUSE_S": 0.4,
    "PULSE_S": 0.5,
    "SILENCE_S": 30.0,
    "PING_S": 0.4,
}
WAIT_S = 80.0
"""Only what never comes takes so long."""
NOW_US = (int(time.time()) - 7200) * 1_000_000


def mastodon(stage: Stage, path: str = "/public", **more: Any) -> dict[str, Any]:
    return {"id": "mikro", "kind": "mastodon_stream", "url": stage.base + path, **more}


def jetstream(stage: Stage, query: str = "", **more: Any) -> dict[str, Any]:
    return {"id": "jet", "kind": "jetstream", "url": f"{stage.base}/subscribe{query}", **more}


_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.crawlers.loaded"])


@dataclass
class Job:
    """A crawl in a process of its own, and what it left."""

    home: Path
    told: dict[str, Any]
    env: dict[str, str]

    @property
    def out(self) -> Path:
        return self.home / "log.bin"

    @property
    def said(self) -> str:
        file = self.home / "said"
        return file.read_text() if file.exists() else ""

    def start(self) -> BaseProcess:
        process = _processes.Process(target=child, args=(self.told, self.env))
        process.start()
        return process

    def heard(self) -> Heard:
        return Heard(*(published(self.out, topic) for topic in (POSTS_RAW, GAPS, HEARTBEATS, DELETIONS)), self)


@dataclass
class Heard:
    posts: list[Post]
    gaps: list[Gap]
    beats: list[Heartbeat]
    deletions: list[Deletion]
    job: Job

    def bodies(self) -> dict[str, bytes]:
        """Record id -> body of everything archived."""
        found = {}
        for path in (self.job.home / "warc").glob("*.warc.gz"):
            with path.open("rb") as file:
                for record in ArchiveIterator(file):
                    found[record.rec_headers["WARC-Record-ID"]] = record.content_stream().read()
        return found


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Job]:
    def make(stage: Stage, source: dict[str, Any], settings: dict[str, str] | None = None, **told: Any) -> Job:
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        env = {
            "JAGA_HOME": str(home),
            "JAGA_GUARD_ALLOW": f"127.0.0.1:{stage.port}",
            "JAGA_CRAWL_DELAY_S": "0",
            "JAGA_RETRY_MAX_S": "0.2",
            **(settings or {}),
        }
        made = Job(home, {"sources": [source], "said": str(home / "said"), "out": str(home / "log.bin"), **told}, env)
        made.out.unlink(missing_ok=True)
        return made

    return make


@pytest.fixture
def listen(job: Callable[..., Job]) -> Callable[..., Heard]:
    """A crawl that follows until what is waited for has come, and is then told to stop."""

    def run(
        stage: Stage,
        source: dict[str, Any],
        until: Callable[[Heard], object],
        settings: dict[str, str] | None = None,
        **stream: Any,
    ) -> Heard:
        made = job(stage, source, settings, stream={**QUICK, **stream}, follow=True)
        process = made.start()
        end = time.monotonic() + WAIT_S
        while not until(made.heard()):
            assert time.monotonic() < end, f"it never came: {made.heard()} {made.said}"
            assert process.is_alive(), made.said
            time.sleep(0.05)
        process.terminate()
        process.join(30)
        assert process.exitcode == 0, made.said
        assert "Traceback" not in made.said, made.said
        return made.heard()

    return run


def texts(posts: list[Post]) -> list[str]:
    return [post.text for post in posts]


# ---------------------------------------------------------------- Mastodon


def test_statuses_edits_and_deletions_come_as_they_are_told_with_the_bytes_as_evidence(
    listen: Callable[..., Heard],
) -> None:
    def play(wire: Wire, nth: int) -> None:
        wire.begin()
        wire.event("update", status(1, "Pertama, telepon 0812-3456-7890"))
        wire.chunk(b":thump\n\n")
        wire.event("update", status(2))
        wire.event("notification", {"id": "9"})
        wire.event("status.update", status(1, "Diubah", edited_at="2026-11-20T03:00:00.000Z"))
        wire.event("delete", "2")
        wire.event("update", status(3, visibility="private"))
        wire.wait()

    with Stage(api__v1__streaming__public=play) as stage:
        result = listen(stage, mastodon(stage), lambda heard: heard.deletions)
    assert texts(result.posts) == ["Pertama, telepon [phone]", "Isi 2", "Diubah"]
    first, _, edited = result.posts
    assert (edited.id, edited.edited_at is not None) == (first.id, True)
    (deletion,) = result.deletions
    assert deletion.native_id == "https://mikro.example/users/wati/statuses/2"
    assert deletion.post_id == result.posts[1].id
    assert deletion.seen_at > result.posts[1].fetched_at, "else nobody would take it for gone"
    kept = result.bodies()
    assert first.evidence is not None
    assert deletion.evidence is not None
    body = kept[first.evidence.record_id]
    assert body.startswith(b"event: update\ndata: {")
    assert b"0812-3456-7890" in body
    assert b"thump" not in body
    assert b"event: delete\ndata: 2\n\n" in kept[deletion.evidence.record_id]
    assert result.gaps == []


def test_a_tag_is_listened_to_by_its_name(listen: Callable[..., Heard]) -> None:
    def play(wire: Wire, nth: int) -> None:
        wire.begin()
        wire.event("update", status(1))
        wire.wait()

    with Stage(api__v1__streaming__hashtag=play) as stage:
        result = listen(stage, mastodon(stage, "/tags/pemilu"), lambda heard: len(heard.posts) >= 1)
        assert stage.paths("/api/v1/streaming/hashtag") == ["/api/v1/streaming/hashtag?tag=pemilu"]
    assert len(result.posts) == 1


def test_a_cut_in_the_middle_of_an_event_loses_and_doubles_nothing(listen: Callable[..., Heard]) -> None:
    def play(wire: Wire, nth: int) -> None:
        wire.begin()
        if nth == 0:
            wire.event("update", status(1))
            wire.event("update", status(2))
            wire.chunk(b'event: update\ndata: {"id": "3", "uri": "htt')
            time.sleep(0.6)  # the batch before it goes out
            return
        wire.event("update", status(5))
        wire.event("update", status(4))
        wire.wait()

    def timeline(wire: Wire, nth: int) -> None:
        older = "max_id" in wire.path
        wire.json([] if older else [status(n, favourites_count=3) for n in (5, 4, 3)])

    with Stage(api__v1__streaming__public=play, api__v1__timelines__public=timeline) as stage:
        result = listen(stage, mastodon(stage), lambda heard: len(heard.posts) >= 5)
        assert "since_id=2" in stage.paths("/api/v1/timelines/public")[0]
    assert sorted(texts(result.posts)) == ["Isi 1", "Isi 2", "Isi 3", "Isi 4", "Isi 5"]
    opened, ended = result.gaps
    assert (opened.began_at, opened.ended_at) == (ended.began_at, None)
    assert "the server ended the stream" in opened.cause
    assert ended.ended_at is not None


def test_a_timeline_that_cannot_be_read_back_is_a_gap_from_the_last_event_on(listen: Callable[..., Heard]) -> None:
    def play(wire: Wire, nth: int) -> None:
        wire.begin()
        wire.event("update", status(nth + 1))
        if nth:
            wire.wait()
        time.sleep(0.6)

    def timeline(wire: Wire, nth: int) -> None:
        wire.answer("403 Forbidden")

    with Stage(api__v1__streaming__public=play, api__v1__timelines__public=timeline) as stage:
        result = listen(
            stage,
            mastodon(stage),
            lambda heard: len(heard.posts) >= 2 and any("not taken up" in gap.cause for gap in heard.gaps),
        )
    (missed,) = [gap for gap in result.gaps if "not taken up" in gap.cause]
    assert "HTTP 403" in missed.cause
    assert missed.ended_at is not None
    assert missed.began_at < missed.ended_at
    assert texts(result.posts) == ["Isi 1", "Isi 2"]


def test_the_next_crawl_takes_up_where_the_last_one_ended(listen: Callable[..., Heard]) -> None:
    def play(wire: Wire, nth: int) -> None:
        wire.begin()
        wire.event("update", status(1 if nth == 0 else 3))
        wire.wait()

    def timeline(wire: Wire, nth: int) -> None:
        wire.json([] if "max_id" in wire.path else [status(2), status(1)])

    with Stage(api__v1__streaming__public=play, api__v1__timelines__public=timeline) as stage:
        assert texts(listen(stage, mastodon(stage), lambda heard: len(heard.posts) >= 1).posts) == ["Isi 1"]
        again = listen(stage, mastodon(stage), lambda heard: len(heard.posts) >= 2)
    assert sorted(texts(again.posts)) == ["Isi 2", "Isi 3"]
    assert again.gaps == []


def test_a_deletion_of_a_post_of_an_earlier_crawl_is_known_and_of_one_never_seen_is_nothing(
    listen: Callable[..., Heard],
) -> None:
    def play(wire: Wire, nth: int) -> None:
        wire.begin()
        if nth == 0:
            wire.event("update", status(1))
        else:
            wire.event("delete", "777")
            wire.event("delete", "1")
        wire.wait()

    def timeline(wire: Wire, nth: int) -> None:
        wire.json([])

    with Stage(api__v1__streaming__public=play, api__v1__timelines__public=timeline) as stage:
        listen(stage, mastodon(stage), lambda heard: len(heard.posts) >= 1)
        again = listen(stage, mastodon(stage), lambda heard: heard.deletions)
    assert [one.native_id for one in again.deletions] == ["https://mikro.example/users/wati/statuses/1"]
    assert again.posts == []
    assert again.gaps == []


def test_a_line_of_ten_megabytes_is_never_held_and_the_stream_goes_on(listen: Callable[..., Heard]) -> None:
    sent = []

    def play(wire: Wire, nth: int) -> None:
        wire.begin()
        if nth == 0:
            for _ in range(160):
                wire.chunk(b"x" * 65_536)
                sent.append(1)
        wire.event("update", status(1))
        wire.wait()

    with Stage(api__v1__streaming__public=play) as stage:
        result = listen(stage, mastodon(stage), lambda heard: len(heard.posts) >= 1)
    assert len(sent) < 160, "the line was read to its end"
    assert texts(result.posts) == ["Isi 1"]
    assert "an event of more than 1000000 bytes" in result.gaps[0].cause


def test_silence_is_a_gap_and_signs_of_life_are_not(listen: Callable[..., Heard]) -> None:
    def play(wire: Wire, nth: int) -> None:
        wire.begin()
        if nth == 0:
            wire.wait()
        while True:
            wire.chunk(b":thump\n\n")
            time.sleep(0.3)

    with Stage(api__v1__streaming__public=play) as stage:
        result = listen(
            stage, mastodon(stage), lambda heard: len(heard.gaps) >= 2 and heard.beats[-1].failures == 0, SILENCE_S=1.5
        )
        assert stage.hits["/api/v1/streaming/public"] == 2
    assert "nothing came for 1.5 s" in result.gaps[0].cause
    assert result.gaps[-1].ended_at is not None
    assert [beat.failures for beat in result.beats][-1] == 0


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (("401 Unauthorized", {}), "HTTP 401: the server wants a token (JAGA_MASTODON_TOKENS)"),
        (("404 Not Found", {}), "HTTP 404"),
        (("200 OK", {"Content_Type": "text/html"}), "answer is no stream of events: text/html"),
        (("200 OK", {"Content_Type": "text/event-stream", "Content_Encoding": "gzip"}), "the stream is packed"),
    ],
)
def test_an_answer_that_is_no_stream_is_one_gap_that_stays_open(
    listen: Callable[..., Heard], answer: tuple[str, dict[str, str]], cause: str
) -> None:
    with Stage(api__v1__streaming__public=lambda wire, nth: wire.answer(answer[0], b"x", **answer[1])) as stage:
        result = listen(stage, mastodon(stage), lambda heard: len(heard.gaps) >= 2 and heard.beats)
        assert stage.hits["/api/v1/streaming/public"] >= 2
    assert {gap.cause.partition(": http")[0] for gap in result.gaps} == {f"stream: {cause}"} or cause in result.gaps[
        0
    ].cause
    assert {gap.ended_at for gap in result.gaps} == {None}
    assert len({gap.began_at for gap in result.gaps}) == 1
    assert result.beats[-1].failures > 0


def test_a_server_that_asks_for_patience_is_left_alone(listen: Callable[..., Heard]) -> None:
    play: Callable[[Wire, int], None] = lambda wire, nth: wire.answer("429 Too Many Requests", Retry_After="120")  # noqa: E731
    with Stage(api__v1__streaming__public=play) as stage:
        result = listen(stage, mastodon(stage), lambda heard: len(heard.beats) >= 3)
        assert stage.hits["/api/v1/streaming/public"] == 1
    assert "HTTP 429" in result.gaps[0].cause


def test_pauses_grow_while_nothing_comes(listen: Callable[..., Heard]) -> None:
    with Stage(api__v1__streaming__public=lambda wire, nth: None) as stage:
        listen(
            stage,
            mastodon(stage),
            lambda heard: stage.hits["/api/v1/streaming/public"] >= 6,
            FIRST_PAUSE_S=0.1,
            LONGEST_PAUSE_S=10.0,
        )
        came = [when for name, when in stage.asked_at if name.endswith("/public")]
    pauses = [after - before for before, after in itertools.pairwise(came)]
    assert len(pauses) >= 3
    assert pauses[-1] > 2 * pauses[0]


def test_robots_txt_is_asked_but_not_by_who_was_given_a_token(listen: Callable[..., Heard]) -> None:
    def play(wire: Wire, nth: int) -> None:
        if wire.headers.get("authorization") != "Bearer rahasia":
            wire.answer("401 Unauthorized")
            return
        wire.begin()
        wire.event("update", status(1))
        wire.wait()

    robots: Callable[[Wire, int], None] = lambda wire, nth: wire.answer("200 OK", b"User-agent: *\nDisallow: /api/\n")  # noqa: E731
    with Stage(api__v1__streaming__public=play) as stage:
        stage.plays["/robots.txt"] = robots
        asked = listen(stage, mastodon(stage), lambda heard: heard.gaps)
        assert stage.hits["/api/v1/streaming/public"] == 0
        assert "robots.txt forbids it" in asked.gaps[0].cause
        given = listen(stage, mastodon(stage), lambda heard: heard.posts, {"JAGA_MASTODON_TOKENS": "127.0.0.1=rahasia"})
    assert texts(given.posts) == ["Isi 1"]
    everything = b"".join(given.bodies().values()) + given.job.out.read_bytes() + given.job.said.encode()
    assert b"rahasia" not in everything


def test_a_stream_on_a_host_of_its_own_passes_the_guard_like_any_other(listen: Callable[..., Heard]) -> None:
    def play(wire: Wire, nth: int) -> None:
        wire.answer("301 Moved Permanently", Location="http://169.254.169.254/api/v1/streaming/public")

    with Stage(api__v1__streaming__public=play) as stage:
        result = listen(stage, mastodon(stage), lambda heard: heard.gaps)
    assert "not allowed to fetch: 169.254.169.254 is not a public address" in result.gaps[0].cause


# ---------------------------------------------------------------- Jetstream


def test_jetstream_brings_posts_edits_and_deletions(listen: Callable[..., Heard]) -> None:
    def play(wire: Wire, nth: int) -> None:
        wire.shake_hands()
        wire.tell(commit("a", NOW_US, "Satu, surel budi@contoh.example"))
        wire.tell({"did": "did:plc:x", "time_us": NOW_US + 1, "kind": "identity", "identity": {}})
        wire.tell(commit("a", NOW_US + 2, "Satu, diubah", operation="update"))
        wire.tell(commit("b", NOW_US + 3, langs=["pt"]))
        wire.tell(commit("c", NOW_US + 4, langs=["id-ID"]))
        wire.tell(commit("d", NOW_US + 5, langs=None))
        wire.frame(b"", 9)
        wire.tell(commit("a", NOW_US + 6, operation="delete"))
        wire.tell(commit("never", NOW_US + 7, operation="delete"))
        wire.wait()

    with Stage(subscribe=play) as stage:
        result = listen(stage, jetstream(stage, languages=["id", "jv"]), lambda heard: heard.deletions)
        (asked,) = stage.paths("/subscribe")
    assert "wantedCollections=app.bsky.feed.post" in asked
    assert "cursor" not in asked
    assert texts(result.posts) == ["Satu, surel [email]", "Satu, diubah", "Isi c", "Isi d"]
    (deletion,) = result.deletions
    assert (deletion.native_id, deletion.how) == (at("a"), "deleted, says Jetstream")
    assert b'"langs": ["pt"]' not in b"".join(result.bodies().values()), "what nobody wants is not kept"
    assert result.gaps == []


def test_jetstream_is_taken_up_by_its_cursor_without_loss_or_doubles(listen: Callable[..., Heard]) -> None:
    def play(wire: Wire, nth: int) -> None:
        wire.shake_hands()
        if nth == 0:
            wire.tell(commit("a", NOW_US))
            wire.tell(commit("b", NOW_US + 1_000_000))
            wire.raw(frame(json.dumps(commit("c", NOW_US + 2_000_000)).encode())[:40])
            time.sleep(0.6)
            return
        for n, key in enumerate("abcd"):
            wire.tell(commit(key, NOW_US + n * 1_000_000))
        wire.wait()

    with Stage(subscribe=play) as stage:
        result = listen(stage, jetstream(stage), lambda heard: len(heard.posts) >= 4)
        again = listen(stage, jetstream(stage), lambda heard: len(heard.beats) >= 3)
        asked = stage.paths("/subscribe")
    assert f"cursor={NOW_US + 1_000_000 - 5_000_000}" in asked[1]
    assert f"cursor={NOW_US + 3_000_000 - 5_000_000}" in asked[2]
    assert texts(result.posts) == ["Isi a", "Isi b", "Isi c", "Isi d"]
    assert again.posts == [], "what an earlier crawl told is known"
    assert [gap.ended_at is None for gap in result.gaps] == [True, False]


def test_a_jetstream_that_goes_back_no_further_tells_what_is_missing(listen: Callable[..., Heard]) -> None:
    def play(wire: Wire, nth: int) -> None:
        wire.shake_hands()
        wire.tell(commit(f"k{nth}", NOW_US + nth * 3_600_000_000))
        if nth:
            wire.wait()
        time.sleep(0.6)

    with Stage(subscribe=play) as stage:
        result = listen(
            stage,
            jetstream(stage),
            lambda heard: len(heard.posts) >= 2 and any("no further" in gap.cause for gap in heard.gaps),
        )
    (missed,) = [gap for gap in result.gaps if "goes back no further" in gap.cause]
    assert missed.ended_at is not None
    assert (missed.ended_at - missed.began_at).total_seconds() == 3600


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (lambda wire: wire.frame(b"{}", mask=True), "incorrect masking"),
        (lambda wire: wire.frame(b"{}", 3), "invalid opcode"),
        (lambda wire: wire.frame(b"{}", 2), "a binary message"),
        (lambda wire: wire.frame(b"{}", 0), "unexpected continuation frame"),
        (lambda wire: wire.frame(b"x" * 126, 9), "control frame too long"),
        (lambda wire: wire.raw(b"\x81\x7f" + (1 << 40).to_bytes(8)), "a message of more than 1000000 bytes"),
        (lambda wire: wire.frame(b"\x03\xe8", 8), "the server ended the stream"),
        (lambda wire: None, "connection lost"),
    ],
)
def test_what_is_no_honest_websocket_is_hung_up_on_and_tried_again(
    listen: Callable[..., Heard], spoil: Callable[[Wire], None], cause: str
) -> None:
    def play(wire: Wire, nth: int) -> None:
        wire.shake_hands()
        wire.tell(commit(f"k{nth}", NOW_US + nth))
        if nth:
            wire.wait()
        spoil(wire)
        time.sleep(0.3)

    with Stage(subscribe=play) as stage:
        result = listen(stage, jetstream(stage), lambda heard: len(heard.posts) >= 2)
    assert cause in result.gaps[0].cause
    assert texts(result.posts) == ["Isi k0", "Isi k1"]


def test_a_message_in_fragments_with_a_ping_between_is_one(listen: Callable[..., Heard]) -> None:
    def play(wire: Wire, nth: int) -> None:
        wire.shake_hands()
        told = json.dumps(commit("a", NOW_US, "Terbagi " * 40)).encode()
        wire.frame(told[:50], 1, final=False)
        wire.frame(b"hidup", 9)
        for byte in frame(told[50:], 0):
            wire.raw(bytes([byte]))
        wire.wait()

    with Stage(subscribe=play) as stage:
        result = listen(stage, jetstream(stage), lambda heard: len(heard.posts) >= 1)
    assert texts(result.posts) == [("Terbagi " * 40).strip()]


@pytest.mark.parametrize(
    ("play", "cause"),
    [
        (lambda wire, nth: wire.answer("429 Too Many Requests", Retry_After="120"), "HTTP 429"),
        (lambda wire, nth: wire.answer("200 OK", b"<html>"), "HTTP 200"),
        (lambda wire, nth: wire.shake_hands("salah"), "no WebSocket as it was asked for"),
        (lambda wire, nth: wire.raw(b"SSH-2.0-OpenSSH\r\n\r\n"), "answer is not HTTP"),
        (lambda wire, nth: wire.raw(b"HTTP/1.1 101 x\r\n" + b"X: y\r\n" * 20_000), "answer is not HTTP"),
    ],
)
def test_a_server_that_speaks_no_websocket_is_a_gap(
    listen: Callable[..., Heard], play: Callable[[Wire, int], None], cause: str
) -> None:
    with Stage(subscribe=play) as stage:
        result = listen(stage, jetstream(stage), lambda heard: heard.gaps)
    assert cause in result.gaps[0].cause
    assert result.gaps[-1].ended_at is None


# ---------------------------------------------------------------- both


def test_a_quiet_stream_has_heartbeats_and_is_well(listen: Callable[..., Heard]) -> None:
    def play(wire: Wire, nth: int) -> None:
        wire.shake_hands()
        wire.tell(commit("a", NOW_US))
        while True:
            wire.frame(b"", 9)
            time.sleep(0.2)

    with Stage(subscribe=play) as stage:
        result = listen(stage, jetstream(stage), lambda heard: len(heard.beats) >= 4 and heard.posts)
    beats: list[Heartbeat] = result.beats
    assert len(beats) >= 4
    assert {beat.source for beat in beats} == {"jet"}
    assert beats[-1].failures == 0
    assert beats[-1].open_gaps == ()
    assert beats[-1].posts == 1
    assert beats[-1].seen_at is not None


def test_a_crawl_that_does_not_follow_listens_for_a_moment(job: Callable[..., Job]) -> None:
    def play(wire: Wire, nth: int) -> None:
        wire.shake_hands()
        wire.tell(commit("a", NOW_US))
        wire.wait()

    with Stage(subscribe=play) as stage:
        made = job(stage, jetstream(stage, max_pages=1), stream=QUICK)
        process = made.start()
        process.join(WAIT_S)
    assert process.exitcode == 0, made.said
    assert texts(made.heard().posts) == ["Isi a"]
    assert made.heard().beats


def test_a_stop_hands_on_what_is_in_hand_and_ends_soon(job: Callable[..., Job]) -> None:
    def play(wire: Wire, nth: int) -> None:
        wire.shake_hands()
        wire.tell(commit("a", NOW_US))
        wire.frame(b"sudah", 9)
        told = b""
        while b"\x8a\x85" not in told:  # the answer to our ping: what came before it has been read
            told += wire.socket.recv(4096)
        read.set()
        wire.wait()

    read = threading.Event()
    with Stage(subscribe=play) as stage:
        made = job(stage, jetstream(stage), stream={**QUICK, "BATCH_S": 60.0}, follow=True)
        running = made.start()
        assert read.wait(WAIT_S)
        time.sleep(0.7)
        running.terminate()
        running.join(30)
    assert running.exitcode == 0, made.said
    assert "Traceback" not in made.said
    assert texts(published(made.out, POSTS_RAW)) == ["Isi a"]
    gaps: list[Gap] = published(made.out, GAPS)
    assert gaps == [], "a crawler that was told to stop has not been cut"


def test_a_killed_crawler_costs_nothing_that_the_cursor_brings_back(job: Callable[..., Job]) -> None:
    def play(wire: Wire, nth: int) -> None:
        wire.shake_hands()
        for n, key in enumerate("abc" if nth == 0 else "abcde"):
            wire.tell(commit(key, NOW_US + n))
        wire.wait()

    with Stage(subscribe=play) as stage:
        made = job(stage, jetstream(stage), stream=QUICK, follow=True)
        running = made.start()
        _until(lambda: len(published(made.out, POSTS_RAW)) == 3)
        running.kill()
        running.join()
        again = made.start()
        _until(lambda: len({post.native_id for post in published(made.out, POSTS_RAW)}) == 5)
        _until(lambda: bool(published(made.out, HEARTBEATS)))
        again.terminate()
        again.join(30)
    assert {post.native_id for post in published(made.out, POSTS_RAW)} == {at(key) for key in "abcde"}


def test_two_crawlers_hold_one_stream_once(job: Callable[..., Job]) -> None:
    def play(wire: Wire, nth: int) -> None:
        wire.shake_hands()
        wire.tell(commit("a", NOW_US))
        wire.wait()

    with Stage(subscribe=play) as stage:
        made = job(stage, jetstream(stage), stream=QUICK, follow=True)
        crawlers = [made.start() for _ in range(2)]
        _until(lambda: bool(published(made.out, POSTS_RAW)))
        time.sleep(1.5)
        held = stage.hits["/subscribe"]
        for one in crawlers:
            one.terminate()
        for one in crawlers:
            one.join(30)
    assert held == 1


def _until(true: Callable[[], bool], within_s: float = WAIT_S) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def test_memory_does_not_grow_while_the_log_is_away(job: Callable[..., Job]) -> None:
    sent = [0]

    def play(wire: Wire, nth: int) -> None:
        wire.shake_hands()
        for n in range(40_000):
            wire.tell(commit(f"k{n}", NOW_US + n, "x" * 2_000))
            sent[0] = n

    with Stage(subscribe=play) as stage:
        made = job(stage, jetstream(stage), stream={**QUICK, "BATCH_MESSAGES": 2}, follow=True, failures=1_000_000)
        running = made.start()
        _until(lambda: sent[0] > 500)
        before = -1
        while sent[0] != before:
            before = sent[0]
            time.sleep(2.0)
        grown = _resident(running.pid or 0)
        running.terminate()
        running.join(30)
    assert sent[0] < 39_999, "the server was let send all it had"
    assert grown < 400_000_000


def _resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
