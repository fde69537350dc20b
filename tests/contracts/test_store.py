"""What every SearchStore promises (`pipeline/ports.py`)."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.adapters.choose import open_store
from pipeline.contracts import Deletion, Heartbeat
from pipeline.documents import deletion_of, deletion_write, heartbeat_of, heartbeat_write
from pipeline.ports import Document, Filter, Hit, Kind, RetryLater, SearchStore, Write, Written
from pipeline.settings import Settings
from tests.contracts.conftest import empty
from tests.contracts.model import DictStore

DAY = datetime(2024, 11, 20, tzinfo=UTC)


def at(hours: float) -> str:
    return (DAY + timedelta(hours=hours)).isoformat()


def put(store: SearchStore, kind: Kind, documents: dict[str, Document]) -> None:
    written = store.put([Write(kind, id_, document) for id_, document in documents.items()])
    assert [w.outcome for w in written] == ["stored"] * len(documents), written
    store.refresh()


def ids(hits: list[Hit]) -> list[str]:
    return [hit.id for hit in hits]


def test_deletions_of_posts_are_found_in_the_order_in_which_they_were_seen(store: SearchStore) -> None:
    seen = [
        Deletion(platform="web", native_id=name, seen_at=DAY + timedelta(hours=hour), how="HTTP 404")
        for name, hour in (("a", 3), ("a", 1), ("b", 2), ("c", 0))
    ]
    store.put([deletion_write(one) for one in seen] * 2)
    store.refresh()
    where = Filter(equals={"post_id": [seen[0].post_id, seen[2].post_id]})
    hits = store.search("deletions", where, sort="seen_at", descending=False)
    assert [deletion_of(hit.document) for hit in hits] == [seen[1], seen[2], seen[0]]


class TestWriting:
    def test_a_document_comes_back_as_it_was_put_at_once(self, store: SearchStore) -> None:
        document = {
            "platform": "forum",
            "seen_at": at(0),
            "reach": 3,
            "text": "Kab. Bogor \u2014 \U0001f5f3\ufe0f \u0643 \u200f \\ \" ' \x7f",
            "nested": {"a": [1, {"b": None}], "": [], "c.d": {"e": 1.5}},
            "large": 2**70,
            "small": 1e-300,
            "lone": "\ud800",
            "seconds": at(0),
            "mixed": [1, "two", None, True],
        }
        assert store.put([Write("posts", "p1", document)]) == [Written("stored")]
        assert store.get("posts", ["p1"]) == {"p1": document}

    def test_get_gives_those_that_exist(self, store: SearchStore) -> None:
        store.put([Write("posts", "a", {"n": 1}), Write("posts", "b", {"n": 2})])
        assert store.get("posts", ["b", "no", "a", "b"]) == {"a": {"n": 1}, "b": {"n": 2}}
        assert store.get("posts", []) == {}
        assert store.get("alerts", ["a"]) == {}

    def test_put_overwrites_as_a_whole(self, store: SearchStore) -> None:
        put(store, "posts", {"a": {"platform": "x", "labels": ["hate"], "terms": ["satu"], "reach": 5, "more": 1}})
        put(store, "posts", {"a": {"platform": "y", "terms": ["dua"]}})
        assert store.get("posts", ["a"]) == {"a": {"platform": "y", "terms": ["dua"]}}
        assert store.count("posts", Filter(equals={"platform": ["x"]})) == 0
        assert store.count("posts", Filter(equals={"labels": ["hate"]})) == 0
        assert store.count("posts", Filter(terms=["satu"])) == 0
        assert store.count("posts", Filter(equals={"platform": ["y"]}, terms=["dua"])) == 1

    def test_create_finds_one_there_and_changes_nothing(self, store: SearchStore) -> None:
        assert store.put([Write("verdicts", "v", {"model": "a"}, create=True)]) == [Written("stored")]
        assert [w.outcome for w in store.put([Write("verdicts", "v", {"model": "b"}, create=True)])] == ["exists"]
        assert store.get("verdicts", ["v"]) == {"v": {"model": "a"}}

    def test_of_a_source_the_latest_heartbeat_stays(self, store: SearchStore) -> None:
        def beat(hours: float) -> Write:
            told = {"source": "a/b c", "cadence_s": 900, "slowest_s": 7200, "visits": 3, "visited_at": at(hours)}
            return heartbeat_write(Heartbeat.model_validate(told))

        assert [w.outcome for w in store.put([beat(2), beat(1), beat(3)])] == ["stored", "older", "stored"]
        assert [w.outcome for w in store.put([beat(2.5)])] == ["older"]
        store.refresh()
        (hit,) = store.scan("heartbeats", Filter())
        assert heartbeat_of(hit.document).visited_at == DAY + timedelta(hours=3)

    def test_writes_of_one_id_in_one_call_are_applied_in_order(self, store: SearchStore) -> None:
        written = store.put(
            [
                Write("posts", "a", {"n": 1}, create=True),
                Write("posts", "a", {"n": 2}),
                Write("posts", "a", {"n": 3}, create=True),
                Write("posts", "b", {"n": 9}),
                Write("posts", "a", {"n": 4}),
            ]
        )
        assert [w.outcome for w in written] == ["stored", "stored", "exists", "stored", "stored"]
        assert store.get("posts", ["a", "b"]) == {"a": {"n": 4}, "b": {"n": 9}}

    def test_newest_by_never_puts_back_what_is_older(self, store: SearchStore) -> None:
        def put_at(hours: float, n: int) -> str:
            (written,) = store.put([Write("posts", "a", {"fetched_at": at(hours), "n": n}, newest_by="fetched_at")])
            return written.outcome

        assert [put_at(2, 1), put_at(1, 2), put_at(2, 3)] == ["stored", "older", "stored"]
        assert store.get("posts", ["a"])["a"]["n"] == 3
        assert put_at(2.5, 4) == "stored"
        store.put([Write("posts", "a", {"fetched_at": at(1), "n": 5})])
        assert store.get("posts", ["a"])["a"]["n"] == 5, "without it, the last write counts"
        store.delete("posts", ["a"])
        assert put_at(0, 6) == "stored", "what was removed stands against nothing"
        store.put([Write("posts", "a", {"n": 7})])
        assert put_at(0, 8) == "stored", "a time is newer than none"
        assert store.get("posts", ["a"]) == {"a": {"fetched_at": at(0), "n": 8}}

    def test_newest_by_holds_between_writers_side_by_side(self, store: SearchStore) -> None:
        def write(hours: int) -> None:
            for hour in range(hours, 24, 4):
                store.put([Write("posts", "a", {"fetched_at": at(hour), "n": hour}, newest_by="fetched_at")])

        threads = [threading.Thread(target=write, args=(start,)) for start in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.get("posts", ["a"])["a"]["n"] == 23

    def test_one_call_writes_several_kinds(self, store: SearchStore) -> None:
        store.put([Write("posts", "a", {"n": 1}), Write("revisions", "a", {"n": 2}), Write("meta", "a", {"n": 3})])
        assert [store.get(kind, ["a"])["a"]["n"] for kind in ("posts", "revisions", "meta")] == [1, 2, 3]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("seen_at", "yesterday"),
            ("seen_at", "2024-11-27"),
            ("seen_at", "2024-11-27T08:00:00"),
            ("seen_at", "2024-13-27T08:00:00Z"),
            ("seen_at", 1732665600),
            ("reach", "many"),
            ("reach", True),
            ("reach", float("nan")),
            ("reach", float("inf")),
            ("reach", 10**400),
            ("platform", 3),
            ("platform", {"a": 1}),
            ("labels", ["hate", 3]),
            ("labels", ["\ud800"]),
            ("terms", "one string"),
            ("terms", [["a"]]),
            ("terms", ["x" * 40_000]),
            ("text", float("nan")),
            ("text", {1, 2}),
            ("text", b"bytes"),
        ],
    )
    def test_a_document_that_cannot_be_taken_is_refused_with_its_cause_and_the_rest_is_stored(
        self, store: SearchStore, field: str, value: object
    ) -> None:
        good, bad = {"seen_at": at(0)}, {"seen_at": at(0), field: value}
        written = store.put([Write("posts", "a", good), Write("posts", "bad", bad), Write("posts", "z", good)])
        assert [w.outcome for w in written] == ["stored", "refused", "stored"]
        assert field in written[1].cause or (field == "text" and "JSON" in written[1].cause)
        assert len(written[1].cause) < 300
        assert store.get("posts", ["a", "bad", "z"]) == {"a": good, "z": good}

    def test_ids_with_odd_characters(self, store: SearchStore) -> None:
        odd = [
            "a/b?c#d",
            "at://did:plc:x/app.bsky.feed.post/3k",
            "spasi dan\ttab",
            "_doc",
            "é\u0301",
            "'\";--",
            "%2F",
            "🗳️",
            "*",
        ]
        put(store, "posts", {id_: {"seen_at": at(0), "n": n} for n, id_ in enumerate(odd)})
        assert store.get("posts", odd) == {id_: {"seen_at": at(0), "n": n} for n, id_ in enumerate(odd)}
        assert ids(list(store.scan("posts", Filter()))) == sorted(odd)
        assert ids(store.search("posts", Filter(), sort="seen_at", descending=False)) == sorted(odd)
        store.delete("posts", odd[:5])
        assert set(store.get("posts", odd)) == set(odd[5:])

    @pytest.mark.parametrize("id_", ["", "x" * 600, "\ud800"])
    def test_an_impossible_id_is_refused(self, store: SearchStore, id_: str) -> None:
        written = store.put([Write("posts", id_, {}), Write("posts", "good", {})])
        assert [w.outcome for w in written] == ["refused", "stored"]
        assert "id" in written[0].cause

    def test_a_document_of_1_mb_and_many_at_once(self, store: SearchStore) -> None:
        large = {f"p{i}": {"text": chr(97 + i) * 1_000_000, "seen_at": at(i)} for i in range(12)}
        put(store, "posts", large)
        assert store.get("posts", list(large)) == large

    def test_delete_removes_those_that_exist(self, store: SearchStore) -> None:
        put(store, "posts", {"a": {"terms": ["satu"]}, "b": {"terms": ["satu"]}})
        store.delete("posts", ["a", "no"])
        store.delete("posts", [])
        assert store.get("posts", ["a", "b"]) == {"b": {"terms": ["satu"]}}
        store.refresh()
        assert store.count("posts", Filter(terms=["satu"])) == 1
        assert store.put([Write("posts", "a", {}, create=True)]) == [Written("stored")]

    def test_putting_again_changes_nothing(self, store: SearchStore) -> None:
        documents = {f"p{i}": {"seen_at": at(i), "labels": ["hate"], "terms": ["a", "b"]} for i in range(20)}
        for _ in range(3):
            put(store, "posts", documents)
        assert store.count("posts", Filter(equals={"labels": ["hate"]}, terms=["a"])) == 20

    def test_writes_are_found_within_a_second_without_refresh(self, store: SearchStore) -> None:
        store.put([Write("posts", "a", {"platform": "x"})])
        until = time.monotonic() + 5
        while store.count("posts", Filter(equals={"platform": ["x"]})) != 1:
            assert time.monotonic() < until
            time.sleep(0.1)

    def test_many_threads_write_and_read_at_once(self, store: SearchStore) -> None:
        failed: list[BaseException] = []

        def work(name: int) -> None:
            try:
                for i in range(10):
                    store.put([Write("posts", f"{name}-{i}", {"author": str(name)})])
                    assert store.get("posts", [f"{name}-{i}"])
                    store.count("posts", Filter(equals={"author": [str(name)]}))
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        store.refresh()
        assert store.count("posts", Filter()) == 40


class TestFinding:
    @pytest.fixture(autouse=True)
    def _posts(self, store: SearchStore) -> None:
        put(
            store,
            "posts",
            {
                "a": {"platform": "x", "labels": ["hate", "provocation"], "seen_at": at(1), "reach": 10, "terms": ["surat", "suara", "coblos"]},
                "b": {"platform": "x", "labels": [], "seen_at": at(2), "reach": 10, "terms": ["surat", "suara"]},
                "c": {"platform": "forum", "labels": ["hate"], "seen_at": at(3), "terms": ["surat"]},
                "d": {"platform": "forum", "seen_at": at(25), "reach": 2.5, "terms": []},
                "e": {"platform": None, "labels": None, "reach": -1, "terms": ["Surat", "coblos-an", "élan", "x", "ﬁ"]},
            },
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("where", "found"),
        [
            (Filter(), "abcde"),
            (Filter(equals={"platform": ["x"]}), "ab"),
            (Filter(equals={"platform": ["x", "forum"]}), "abcd"),
            (Filter(equals={"platform": ["x"], "labels": ["hate"]}), "a"),
            (Filter(equals={"labels": ["provocation", "hate"]}), "ac"),
            (Filter(equals={"platform": []}), ""),
            (Filter(equals={"platform": ["X"]}), ""),
            (Filter(since={"seen_at": DAY + timedelta(hours=2)}), "bcd"),
            (Filter(before={"seen_at": DAY + timedelta(hours=2)}), "a"),
            (Filter(since={"seen_at": DAY + timedelta(hours=1)}, before={"seen_at": DAY + timedelta(hours=3)}), "ab"),
            (Filter(since={"seen_at": DAY + timedelta(hours=1, microseconds=1)}), "bcd"),
            (Filter(before={"seen_at": DAY + timedelta(hours=1, microseconds=1)}), "a"),
            (Filter(terms=["surat"]), "abc"),
            (Filter(terms=["surat", "suara"]), "ab"),
            (Filter(terms=["surat", "surat"]), "abc"),
            (Filter(terms=["Surat"]), "e"),
            (Filter(terms=["coblos"]), "a"),
            (Filter(terms=["coblos-an"]), "e"),
            (Filter(terms=["élan"]), "e"),
            (Filter(terms=["elan"]), ""),
            (Filter(terms=["fi"]), ""),
            (Filter(terms=["w"]), ""),
            (Filter(terms=["NOT", "surat"]), ""),
            (Filter(terms=['"', "*"]), ""),
            (Filter(any_terms=["coblos", "suara"]), "ab"),
            (Filter(any_terms=["coblos", "suara", "surat"], min_terms=2), "ab"),
            (Filter(any_terms=["coblos", "suara", "surat"], min_terms=3), "a"),
            (Filter(any_terms=["coblos", "suara", "coblos", "suara"], min_terms=3), ""),
            (Filter(any_terms=["coblos"], min_terms=2), ""),
            (Filter(any_terms=["coblos", "suara"], terms=["surat"], equals={"platform": ["x"]}), "ab"),
        ],
    )  # fmt: skip
    def test_filters(self, store: SearchStore, where: Filter, found: str) -> None:
        assert "".join(ids(list(store.scan("posts", where)))) == found
        assert store.count("posts", where) == len(found)
        assert sorted(ids(store.search("posts", where, sort="seen_at"))) == sorted(found)

    def test_sorted_by_time_then_id_missing_last_in_both_directions(self, store: SearchStore) -> None:
        assert "".join(ids(store.search("posts", Filter(), sort="seen_at"))) == "dcbae"
        assert "".join(ids(store.search("posts", Filter(), sort="seen_at", descending=False))) == "abcde"

    def test_sorted_by_number_then_id_in_the_same_direction(self, store: SearchStore) -> None:
        assert "".join(ids(store.search("posts", Filter(), sort="reach"))) == "badec"
        assert "".join(ids(store.search("posts", Filter(), sort="reach", descending=False))) == "edabc"

    @pytest.mark.parametrize("descending", [True, False])
    @pytest.mark.parametrize("sort", ["seen_at", "reach"])
    @pytest.mark.parametrize("page", [1, 2, 3])
    def test_pages_are_complete_and_without_doubles(
        self, store: SearchStore, sort: str, descending: bool, page: int
    ) -> None:
        whole = store.search("posts", Filter(), sort=sort, descending=descending)
        found: list[Hit] = []
        while hits := store.search(
            "posts", Filter(), sort=sort, descending=descending, limit=page, after=found[-1].sort if found else None
        ):
            assert len(hits) <= page
            found += hits
        assert found == whole

    def test_a_limit_of_none_finds_none(self, store: SearchStore) -> None:
        assert store.search("posts", Filter(), sort="seen_at", limit=0) == []

    def test_terms_most_frequent_first_ties_by_value(self, store: SearchStore) -> None:
        assert list(store.terms("posts", "labels", Filter()).items()) == [("hate", 2), ("provocation", 1)]
        assert list(store.terms("posts", "platform", Filter()).items()) == [("forum", 2), ("x", 2)]
        assert store.terms("posts", "platform", Filter(), limit=1) == {"forum": 2}
        assert store.terms("posts", "labels", Filter(equals={"platform": ["forum"]})) == {"hate": 1}
        assert store.terms("posts", "claim_id", Filter()) == {}

    def test_histogram_leaves_out_empty_intervals_and_documents_without_time(self, store: SearchStore) -> None:
        day = timedelta(days=1)
        assert store.histogram("posts", "seen_at", Filter(), interval_s=86_400) == [
            (DAY, None, 3),
            (DAY + day, None, 1),
        ]
        assert store.histogram("posts", "seen_at", Filter(equals={"platform": ["x"]}), interval_s=3600) == [
            (DAY + timedelta(hours=1), None, 1),
            (DAY + timedelta(hours=2), None, 1),
        ]

    def test_histogram_split_counts_a_document_under_each_value_or_none(self, store: SearchStore) -> None:
        day = timedelta(days=1)
        assert store.histogram("posts", "seen_at", Filter(), interval_s=86_400, split="labels") == [
            (DAY, None, 1),
            (DAY, "hate", 2),
            (DAY, "provocation", 1),
            (DAY + day, None, 1),
        ]

    def test_a_field_that_cannot_be_used_so_is_an_error_that_names_it(self, store: SearchStore) -> None:
        for call in (
            lambda: store.count("posts", Filter(equals={"nosuch": ["x"]})),
            lambda: store.count("posts", Filter(since={"platform": DAY})),
            lambda: store.search("posts", Filter(), sort="platform"),
            lambda: store.terms("posts", "reach", Filter()),
            lambda: store.histogram("posts", "reach", Filter(), interval_s=60),
            lambda: store.count("gaps", Filter(terms=["x"])),
        ):
            with pytest.raises(LookupError, match=r"nosuch|platform|reach|terms"):
                call()  # type: ignore[no-untyped-call]

    def test_times_compare_as_instants_whatever_their_zone(self, store: SearchStore) -> None:
        put(store, "gaps", {
            "wib": {"began_at": "2024-11-27T08:00:00+07:00"},
            "utc": {"began_at": "2024-11-27T00:59:59.999999Z"},
            "wit": {"began_at": "2024-11-27t10:00:00.000001+09:00"},
            "old": {"began_at": "1965-09-30T00:00:00Z"},
            "far": {"began_at": "2400-01-01T00:00:00Z"},
        })  # fmt: skip
        assert ids(store.search("gaps", Filter(), sort="began_at", descending=False)) == [
            "old",
            "utc",
            "wib",
            "wit",
            "far",
        ]
        assert store.count("gaps", Filter(since={"began_at": datetime(2024, 11, 27, 1, tzinfo=UTC)})) == 3
        assert store.histogram("gaps", "began_at", Filter(before={"began_at": DAY}), interval_s=86_400) == [
            (datetime(1965, 9, 30, tzinfo=UTC), None, 1)
        ]


class TestMany:
    def test_scan_gives_each_once_in_the_order_of_ids(self, store: SearchStore) -> None:
        names = [f"p{i:05d}" for i in range(1203)]
        shuffled = random.Random(1).sample(names, len(names))
        put(store, "posts", {id_: {"seen_at": at(0), "reach": 7} for id_ in shuffled})
        assert ids(list(store.scan("posts", Filter(), batch=100))) == names
        assert ids(list(store.scan("posts", Filter(), batch=1203))) == names

    def test_paging_under_ties_is_complete(self, store: SearchStore) -> None:
        names = [f"p{i:05d}" for i in range(257)]
        put(store, "posts", {id_: {"seen_at": at(0)} for id_ in names})
        found: list[Hit] = []
        while hits := store.search(
            "posts", Filter(), sort="seen_at", limit=50, after=found[-1].sort if found else None
        ):
            found += hits
        assert ids(found) == names[::-1]

    def test_scan_sees_what_was_there_at_the_start_while_others_write(self, store: SearchStore) -> None:
        put(store, "posts", {f"p{i:03d}": {"n": i} for i in range(100)})
        scan = store.scan("posts", Filter(), batch=10)
        seen = [next(scan).id for _ in range(15)]
        store.put([Write("posts", f"p{i:03d}x", {}) for i in range(100)])
        store.put([Write("posts", "p050", {"n": -1})])
        seen += [hit.id for hit in scan]
        assert set(seen) >= {f"p{i:03d}" for i in range(100)}
        assert len(seen) == len(set(seen))


class TestStarting:
    def test_prepare_can_be_called_by_several_processes_at_once(
        self, request: pytest.FixtureRequest, store: SearchStore, tmp_path: Path
    ) -> None:
        url = "sqlite://" if "SQLite" in store.ping() else request.getfixturevalue("elasticsearch_url")
        program = (
            "from pathlib import Path; from pipeline.adapters.choose import open_store;"
            "from pipeline.settings import Settings; from pipeline.ports import Write;"
            f"s = open_store(Settings(home=Path({str(tmp_path / 'new')!r}), store={url!r}, index_prefix='p{random.getrandbits(32):x}'));"
            "s.prepare(); assert s.put([Write('meta', 'm', {}, create=True)])[0].outcome in ('stored', 'exists')"
        )
        processes = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(4)]
        assert [process.wait(60) for process in processes] == [0] * 4

    def test_prepare_again_keeps_everything(self, store: SearchStore) -> None:
        put(store, "posts", {"a": {"n": 1}})
        store.prepare()
        assert store.get("posts", ["a"]) == {"a": {"n": 1}}

    def test_ping_names_the_server_and_its_version(self, store: SearchStore) -> None:
        assert any(name in store.ping() for name in ("SQLite 3.", "Elasticsearch 9."))
        assert "\n" not in store.ping()


class TestOutOfReach:
    @pytest.mark.parametrize("call", ["prepare", "get", "put", "delete", "refresh", "search", "count", "scan", "ping"])
    def test_an_unreachable_server_is_retry_later_and_named(self, call: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            host = f"127.0.0.1:{free.getsockname()[1]}"
        store = open_store(Settings(store=f"elasticsearch://{host}"))
        calls: dict[str, Callable[[], object]] = {
            "prepare": store.prepare,
            "get": lambda: store.get("posts", ["a"]),
            "put": lambda: store.put([Write("posts", "a", {})]),
            "delete": lambda: store.delete("posts", ["a"]),
            "refresh": store.refresh,
            "search": lambda: store.search("posts", Filter(), sort="seen_at"),
            "count": lambda: store.count("posts", Filter()),
            "scan": lambda: list(store.scan("posts", Filter())),
            "ping": store.ping,
        }
        with pytest.raises(RetryLater, match=host):
            calls[call]()
        store.close()


# ---------------------------------------------------------------- all stores answer as the dictionary does

WORDS = st.sampled_from(["surat", "suara", "Suara", "coblos-an", "é", "e\u0301", "x", "wx", "🗳️", "a b", ""])
IDS = st.sampled_from(["a", "b", "c", "B", "ä", "a/1", "🗳️", "z z", "\uffff"])
TIMES = st.datetimes(datetime(2024, 11, 20), datetime(2024, 11, 23)).map(lambda t: t.replace(tzinfo=UTC))  # noqa: DTZ001
KEYWORDS = st.none() | WORDS | st.lists(WORDS, max_size=3)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "platform": KEYWORDS,
        "labels": KEYWORDS,
        "seen_at": st.none() | (TIMES | st.just(DAY)).map(datetime.isoformat),
        "reach": st.none() | st.integers(-3, 3) | st.floats(-1e9, 1e9) | st.integers(-(2**53), 2**53),
        "terms": st.none() | st.lists(WORDS, max_size=6),
        "free": st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda s: st.lists(s) | st.dictionaries(st.text(), s), max_leaves=5
        ),
    },
)  # fmt: skip
FILTERS = st.builds(
    Filter,
    equals=st.dictionaries(st.sampled_from(["platform", "labels"]), st.lists(WORDS, max_size=3), max_size=2),
    since=st.dictionaries(st.just("seen_at"), TIMES, max_size=1),
    before=st.dictionaries(st.just("seen_at"), TIMES, max_size=1),
    terms=st.lists(WORDS, max_size=2),
    any_terms=st.lists(WORDS, max_size=4),
    min_terms=st.integers(1, 3),
)
CHANGES = st.lists(
    st.tuples(
        st.just("put"),
        st.lists(st.tuples(IDS, DOCUMENTS, st.sampled_from(["put", "create", "newest"])), min_size=1, max_size=6),
    )
    | st.tuples(st.just("delete"), st.lists(IDS, max_size=3)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40)
@given(changes=CHANGES, filters=st.lists(FILTERS, min_size=1, max_size=3), page=st.integers(1, 5), down=st.booleans())
def test_a_store_answers_as_a_dictionary_would(
    store: SearchStore, changes: list[Any], filters: list[Filter], page: int, down: bool
) -> None:
    empty(store)
    model = DictStore()
    for change, what in changes:
        if change == "delete":
            store.delete("posts", what)
            for id_ in what:
                model.documents.pop(id_, None)
            continue
        wanted = []
        for id_, document, way in what:
            if way == "create" and id_ in model.documents:
                wanted.append("exists")
            elif way == "newest" and model.is_later(id_, document, "seen_at"):
                wanted.append("older")
            else:
                model.documents[id_] = document
                wanted.append("stored")
        writes = [
            Write("posts", i, d, create=way == "create", newest_by="seen_at" if way == "newest" else None)
            for i, d, way in what
        ]
        assert [w.outcome for w in store.put(writes)] == wanted
    assert store.get("posts", list(model.documents)) == model.documents
    store.refresh()
    for where in [Filter(), *filters]:
        matching = model.matching(where)
        assert [(h.id, h.document) for h in store.scan("posts", where, batch=2)] == sorted(matching.items())
        assert store.count("posts", where) == len(matching)
        for sort in ("seen_at", "reach"):
            after: Hit | None = None
            while True:
                hits = store.search(
                    "posts", where, sort=sort, descending=down, limit=page, after=after.sort if after else None
                )
                answer = model.search("posts", where, sort, down, page, after.id if after else None)
                assert [(h.id, h.document) for h in hits] == answer
                if not hits:
                    break
                after = hits[-1]
        for field in ("platform", "labels"):
            assert list(store.terms("posts", field, where).items()) == model.terms(field, where)
        for split in (None, "labels"):
            assert store.histogram("posts", "seen_at", where, interval_s=3600, split=split) == model.histogram(
                "seen_at", where, 3600, split
            )
