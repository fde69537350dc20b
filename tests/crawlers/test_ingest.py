"""Files that people have come in row by row; each row that cannot is told with file, line and field, and nothing else is lost."""

from __future__ import annotations

import argparse
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crawlers.exports.ingest import ingest_files
from pipeline.contracts import Post
from pipeline.settings import Settings
from pipeline.topology import POSTS_RAW

from .fakes import FakeBroker

OURS = {"platform": "x", "native_id": "1", "text": "halo", "fetched_at": "2026-11-20T01:00:00Z"}


class Ingested:
    def __init__(self, code: int, out: str, said: str, broker: FakeBroker) -> None:
        self.code, self.said, self.broker = code, said, broker
        self.counts = json.loads(out.splitlines()[-1]) if out else {}

    @property
    def posts(self) -> list[Post]:
        return self.broker.bodies(POSTS_RAW)


@pytest.fixture
def ingest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ingested]:
    def run(
        *contents: bytes | str | Path,
        name: str = "a.csv",
        columns: list[str] | None = None,
        platform: str = "import",
        failures: int = 0,
    ) -> Ingested:
        files = []
        for number, content in enumerate(contents):
            if isinstance(content, Path):
                files.append(content)
                continue
            files.append(tmp_path / (name if number == 0 else f"{number}-{name}"))
            files[-1].write_bytes(content.encode() if isinstance(content, str) else content)
        broker = FakeBroker(failures)
        options = argparse.Namespace(file=files, column=columns or [], platform=platform, json=True)
        settings = Settings(home=tmp_path / "home", pseudonym_key="k", retry_max_s=0.02)
        code = ingest_files(options, settings, lambda: broker)  # type: ignore[arg-type,return-value]
        out, said = capsys.readouterr()
        return Ingested(code, out, said, broker)

    return run


def test_obvious_columns_need_no_option(ingest: Callable[..., Ingested]) -> None:
    got = ingest("id,created_at,full_text,username,like_count,Sentiment\n7,2026-11-20,halo,@Budi,12,negatif\n")
    (post,) = got.posts
    assert (post.platform, post.native_id, post.text, post.counts) == ("import", "7", "halo", {"likes": 12})
    assert post.published_at is not None
    assert post.published_at.isoformat() == "2026-11-19T17:00:00+00:00", "midnight in Jakarta"
    assert post.author is not None
    assert post.author.startswith("a_")
    assert got.counts == {"read": 1, "published": 1, "rejected": 0}
    assert got.code == 0
    assert "a.csv:1: note: columns not used: Sentiment" in got.said


def test_a_row_is_masked_once(ingest: Callable[..., Ingested], monkeypatch: pytest.MonkeyPatch) -> None:
    from crawlers import mask as masks

    masked: list[str] = []
    whole = masks.mask

    def counted(text: str, platform: str = "") -> str:
        masked.append(text)
        return whole(text, platform)

    monkeypatch.setattr(masks, "mask", counted)
    got = ingest("id,text\n1,Telepon 0812-3456-7890\n2,dua\n")
    assert [post.text for post in got.posts] == ["Telepon [phone]", "dua"]
    assert masked == ["Telepon 0812-3456-7890", "dua"]


def test_columns_can_be_named(ingest: Callable[..., Ingested]) -> None:
    (post,) = ingest("kode;ucapan;title\nA;isi;judul\n", columns=["text=ucapan", "id=kode"], platform="arsip").posts
    assert (post.platform, post.native_id, post.text) == ("arsip", "A", "isi")


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (b'2,"",2026-01-02', "text: empty"),
        (b"2,x,2026-13-45", "published_at: '2026-13-45' is no time"),
        (b"2,x,0001-01-01", "published_at: '0001-01-01' is impossible"),
        (b"2,x,9999-12-31", "published_at: '9999-12-31' is impossible"),
        (b"2,a\x00b,2026-01-02", "text: control character U+0000 at position 1"),
        (b"2,rusak \xff,2026-01-02", "text: not UTF-8, byte 7 of the field"),
        (b"2,x", "date: the row has 2 columns, the header 3"),
        (b"2,x,2026-01-02,y", "date: the row has 4 columns, the header 3"),
        (b"2," + b"x" * 5_000_000 + b",2026-01-02", "text: 5000000 characters, at most 100000 are taken"),
    ],
)
def test_a_bad_row_is_told_with_its_field_and_its_neighbours_go_on(
    ingest: Callable[..., Ingested], row: bytes, field: str
) -> None:
    got = ingest(b'id,text,date\n1,"baris satu\nbaris dua",2026-01-01\n' + row + b"\n3,tiga,2026-01-03\n")
    assert [post.native_id for post in got.posts] == ["1", "3"]
    assert f"a.csv:4: {field}" in got.said, "the line on which the row begins"
    assert got.counts == {"read": 3, "published": 2, "rejected": 1}
    assert got.code == 1


def test_a_file_that_ends_inside_quotes_loses_only_that_row(ingest: Callable[..., Ingested]) -> None:
    got = ingest('id,text\n1,satu\n2,"setengah')
    assert [post.native_id for post in got.posts] == ["1"]
    assert "a.csv:3: text: the file ends inside quotes" in got.said


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b"not json", "line: not JSON"),
        (b"[1]", "line: list instead of an object"),
        (b'{"text": "bad \xff"}', "line: not UTF-8, byte 15"),
        (b'{"text": "sur \\ud800"}', "text: "),
        (b'{"text": 5}', "text: int instead of words"),
        (b'{"id": 1}', "text: empty"),
        (json.dumps({**OURS, "nama": 1}).encode(), "nama: unknown field"),
        (json.dumps({**OURS, "platform": "X!"}).encode(), "platform: "),
        (json.dumps({**OURS, "published_at": "2026-01-01T00:00:00"}).encode(), "published_at: a time needs a zone"),
        (json.dumps({**OURS, "text": "x\x07"}).encode(), "text: control character U+0007"),
        (json.dumps({**OURS, "counts": {"likes": -1}}).encode(), "counts.likes: "),
        (b'{"schema": "post", "version": 9, "body": {}}', "version: 9 of post is unknown"),
        (b'{"schema": "claim", "version": 1, "body": {}}', "schema: expected 'post'"),
        (b'{"type": "link", "url": "x", "why": "y", "native_id": "1", "platform": "x"}', "type: 'link' is no post"),
        (b"[" * 100_000, "line: "),
        (b'{"id": 2, "text": "set', "line: not JSON"),
    ],
)
def test_a_bad_line_is_told_with_its_field_and_its_neighbours_go_on(
    ingest: Callable[..., Ingested], line: bytes, field: str
) -> None:
    got = ingest(b'{"id": "a", "text": "satu"}\n\n' + line + b'\n{"id": "b", "text": "dua"}', name="a.ndjson")
    assert [post.native_id for post in got.posts] == ["a", "b"]
    assert f"a.ndjson:3: {field}" in got.said
    assert got.counts == {"read": 3, "published": 2, "rejected": 1}


def test_our_own_posts_come_back_whole_and_authors_stay_pseudonyms(ingest: Callable[..., Ingested]) -> None:
    row = {
        **OURS,
        "author": "a_" + "0" * 20,
        "links": ["https://x.example/"],
        "counts": {"likes": 3},
        "published_at": "2026-11-19T01:00:00+07:00",
    }
    enveloped = {"schema": "post", "version": 1, "body": {**OURS, "native_id": "2"}}
    named = {**OURS, "native_id": "3", "author": "Nama Orang"}
    first, second, third = ingest("\n".join(json.dumps(r) for r in (row, enveloped, named)), name="a.ndjson").posts
    assert first.author == "a_" + "0" * 20
    assert first.links == ("https://x.example/",)
    assert second.native_id == "2"
    assert third.author is not None
    assert third.author.startswith("a_")


def test_exports_that_analysts_have_come_in_as_they_are(ingest: Callable[..., Ingested]) -> None:
    fixtures = Path(__file__).parent / "fixtures" / "export"
    got = ingest(fixtures / "zeeschuimer" / "input.ndjson", fixtures / "x_v2_page_and_a_cut_line" / "input.jsonl")
    assert sorted(post.platform for post in got.posts) == ["instagram", "tiktok", "tiktok", "x", "x", "x", "x", "x"]
    assert got.counts == {"read": 13, "published": 8, "rejected": 5}
    assert "input.ndjson:1: taken for: Zeeschuimer, TikTok" in got.said
    assert "input.ndjson:2: taken for: Zeeschuimer, Instagram" in got.said
    assert "input.ndjson:3: not public: a private account" in got.said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty file"),
        (b"   \n", "empty file"),
        (b"a,b\n1,2\n", "line 1: no column for text among a, b"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x01\x02\x03\x04\x05\x06", "line 1: neither text nor JSON"),
        (b"[{}]", "line 1: no column for text"),
        (b"text,text\na,b\n", "line 1: column 'text' is there twice"),
        (Path("/nonexistent/a.csv"), "No such file"),
        (Path("/"), "is a folder"),
    ],
)
def test_an_unusable_file_is_told_and_the_next_one_read(
    ingest: Callable[..., Ingested], content: Any, message: str
) -> None:
    got = ingest(content, "id,text\n1,halo\n")
    assert message in got.said
    assert len(got.posts) == 1
    assert got.code == 2


def test_a_column_that_is_not_there_is_told(ingest: Callable[..., Ingested]) -> None:
    got = ingest("id,text\n1,x\n", columns=["text=isi"])
    assert "line 1: no column 'isi' for text; there are id, text" in got.said
    assert got.code == 2


@pytest.mark.parametrize("option", ["text", "text=", "zaman=x"])
def test_a_wrong_column_option_is_told(ingest: Callable[..., Ingested], option: str) -> None:
    assert f"--column {option}: FIELD=NAME" in ingest("id,text\n1,x\n", columns=[option]).said


def test_an_id_that_comes_again_with_other_content_is_published_and_told(ingest: Callable[..., Ingested]) -> None:
    got = ingest("id,text\n1,satu\n2,dua\n1,lain\n2,dua\n")
    assert len(got.posts) == 4
    assert "a.csv:4: warning: id 1 has other content than on line 2" in got.said
    assert got.said.count("warning") == 1


def test_rows_without_an_id_get_the_same_one_each_time(ingest: Callable[..., Ingested]) -> None:
    first, second = ingest("text,user\nhalo,a\nhalo,b\n"), ingest("text,user\nhalo,a\nhalo,b\n", name="b.csv")
    ids = [post.native_id for post in first.posts]
    assert len(set(ids)) == 2
    assert [post.native_id for post in second.posts] == ids


def test_a_log_that_is_away_costs_time_and_no_row(ingest: Callable[..., Ingested]) -> None:
    got = ingest("id,text\n" + "".join(f"{n},isi {n}\n" for n in range(1200)), failures=3)
    assert [post.native_id for post in got.posts] == [str(n) for n in range(1200)]
    assert got.counts == {"read": 1200, "published": 1200, "rejected": 0}


def test_memory_does_not_grow_with_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Sink(FakeBroker):
        def publish(self, records: Any) -> None:
            self.calls += len(records)

    peaks = []
    for rows in (1_000, 6_000):
        file = tmp_path / f"{rows}.csv"
        file.write_text("id,text\n" + "".join(f"{n},{'isi ' * 20}{n}\n" for n in range(rows)))
        sink = Sink()
        options = argparse.Namespace(file=[file], column=[], platform="import", json=True)
        tracemalloc.start()
        ingest_files(options, Settings(home=tmp_path, pseudonym_key="k"), lambda sink=sink: sink)  # type: ignore[arg-type,return-value]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert sink.calls == rows
    assert peaks[1] < peaks[0] * 1.5, peaks
