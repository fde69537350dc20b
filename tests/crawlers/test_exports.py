"""Exports are known by their shape, mapped field by field, and never lose a row in silence, whatever is done to the file.

What each format gives is in `fixtures/export/*/output.jsonl` and held by `test_pages.py`; here is what holds for all of them.
"""

from __future__ import annotations

import argparse
import bz2
import csv
import gzip
import hashlib
import io
import json
import lzma
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from crawlers.__main__ import main
from crawlers.exports.ingest import ingest_files
from crawlers.exports.opening import zstd
from crawlers.exports.read import Found, Told, read_file
from crawlers.exports.row import NoPost, Row, Unusable, ident, joined_urls, number
from crawlers.pages.items import PostItem
from crawlers.pages.page import Page
from crawlers.pseudonym import maker
from crawlers.publish import as_post
from pipeline.contracts import Post
from pipeline.settings import Settings
from pipeline.topology import POSTS_RAW

from .fakes import FakeBroker

FIXTURES = Path(__file__).parent / "fixtures" / "export"
FILES = {case.name: next(case.glob("input.*")) for case in sorted(FIXTURES.iterdir())}
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def found_in(body: bytes, told: Told | None = None, said: list[str] | None = None) -> list[Found]:
    page = Page(b"", "", pseudonym=maker(b"key of the tests"), fetched_at=NOW)
    heard = said if said is not None else []
    return list(read_file(io.BytesIO(body), "berkas", page, told or Told(), heard.append))


def posts_in(body: bytes) -> list[Any]:
    return [found.item for found in found_in(body) if found.item is not None]


class Ingested:
    def __init__(self, code: int, counts: dict[str, int], said: str, posts: list[Post], home: Path) -> None:
        self.code, self.counts, self.said, self.posts, self.home = code, counts, said, posts, home


@pytest.fixture
def ingest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ingested]:
    def run(*files: Path | bytes, name: str = "berkas", columns: list[str] | None = None) -> Ingested:
        paths = []
        for nth, file in enumerate(files):
            path = file if isinstance(file, Path) else tmp_path / f"{nth}-{name}"
            if isinstance(file, bytes):
                path.write_bytes(file)
            paths.append(path)
        broker = FakeBroker()
        options = argparse.Namespace(file=paths, column=columns or [], platform="import", json=True)
        code = ingest_files(options, Settings(home=tmp_path / "home", pseudonym_key="k"), lambda: broker)  # type: ignore[arg-type,return-value]
        out, said = capsys.readouterr()
        return Ingested(code, json.loads(out.splitlines()[-1]), said, broker.bodies(POSTS_RAW), tmp_path / "home")

    return run


# ---------------------------------------------------------------- recognition


@pytest.mark.parametrize(
    ("case", "names"),
    [
        ("4cat_instagram_table", ["4CAT, Instagram"]),
        ("4cat_ndjson", ["4CAT, TikTok", "4CAT, Bluesky", "Telegram, by Telethon", "X API v2, flattened"]),
        ("4cat_telegram_table", ["4CAT, Telegram"]),
        ("4cat_threads_and_cut", ["4CAT, Threads"]),
        ("4cat_tiktok_table", ["4CAT, TikTok"]),
        ("4cat_x_table", ["4CAT, X"]),
        ("content_library_api", ["an API's answer"]),
        ("content_library_table", ["Meta Content Library"]),
        ("crowdtangle_api", ["an API's answer"]),
        ("crowdtangle_facebook", ["CrowdTangle"]),
        ("crowdtangle_group_and_instagram", ["CrowdTangle"]),
        ("crowdtangle_link_checker_of_four", ["CrowdTangle link checker"]),
        ("crowdtangle_scores", ["CrowdTangle, scores of one post"]),
        ("crowdtangle_three_tables", ["CrowdTangle link checker"]),
        ("json_list_damaged", ["a table"]),
        ("mixed_platforms", ["Zeeschuimer, TikTok", "X API v1.1", "our own posts", "snscrape, twitter"]),
        ("telegram_desktop_account", ["Telegram Desktop"]),
        ("tweet_harvest_table", ["tweet-harvest"]),
        ("twarc_table", ["twarc-csv"]),
        ("x_archive", ["X archive"]),
        ("x_flat", ["X API v2, flattened"]),
        ("x_v1", ["X API v1.1"]),
        ("x_v2_page_and_a_cut_line", ["X API v2"]),
        ("zeeschuimer_x", ["Zeeschuimer, X"]),
    ],
)
def test_a_file_is_said_to_be_what_it_is(case: str, names: list[str]) -> None:
    said: list[str] = []
    found_in(FILES[case].read_bytes(), said=said)
    assert [line.partition("taken for: ")[2] for line in said if "taken for" in line] == names


def test_every_platform_that_zeeschuimer_captures_is_read() -> None:
    cases = ("zeeschuimer_x", "zeeschuimer_tiktok", "zeeschuimer_instagram", "zeeschuimer_others")
    read = {post.platform for case in cases for post in posts_in(FILES[case].read_bytes())}
    assert read == {
        *("x", "tiktok", "douyin", "instagram", "threads", "9gag", "imgur", "gab", "truthsocial", "pinterest"),
        *("xiaohongshu", "linkedin", "facebook"),
    }


def test_a_file_of_no_known_kind_is_told_with_what_was_looked_for() -> None:
    with pytest.raises(
        Unusable, match=r"berkas: line 1: no column for text among a, b; name one with --column text=NAME"
    ) as told:
        found_in(b"a,b\n1,2\n")
    for known in ("Zeeschuimer", "4CAT", "CrowdTangle", "Content Library", "X API v2", "snscrape", "Telegram Desktop"):
        assert known in str(told.value)


def test_a_row_that_nobody_knows_costs_only_itself() -> None:
    known = b'{"source_platform": "tiktok.com", "data": {"id": "%d", "desc": "isi"}}\n'
    strange = b'{"acara": "putus", "detail": 1}\n'
    found = found_in(strange + known % 1 + strange + known % 2)
    assert [f.item.native_id if isinstance(f.item, PostItem) else f.why for f in found] == [
        "line: of no known export, and no field for text",
        "1",
        "line: of no known export, and no field for text",
        "2",
    ]
    notice = b'{"title": "operational-disconnect", "disconnect_type": "x"}\n'
    assert [f.why for f in found_in(known % 1 + notice)][1:] == ["line: of no known export, and no field for text"]
    with pytest.raises(Unusable, match="line 1: no column for text"):
        found_in(strange * 50)
    with pytest.raises(Unusable, match="line 1: no column for text"):
        found_in(strange)


def test_a_chat_that_does_not_say_what_it_is_is_not_taken_for_a_public_one() -> None:
    chat = {
        "id": 1,
        "messages": [{"id": 1, "type": "message", "text": "rahasia"}],
        "name": "Budi",
        "type": "personal_chat",
    }
    (found,) = found_in(json.dumps(chat).encode())
    assert found.item is None
    assert found.skipped.startswith("not public, as far as is told")


def test_a_table_of_4cat_that_is_not_known_keeps_its_times_in_utc() -> None:
    (found,) = found_in(b"id,thread_id,timestamp,body,author,subject\n5,1,2026-11-20 02:15:00,isi,wati,Judul\n")
    assert isinstance(found.item, PostItem)
    assert (found.item.text, found.item.published_at) == ("Judul\nisi", "2026-11-20T02:15:00Z")


def test_columns_that_are_named_go_before_what_the_file_looks_like() -> None:
    row = b'{"source_platform": "tiktok.com", "data": {"id": "1", "desc": "isi"}}\n'
    (found,) = found_in(row, Told({"text": "data.desc", "native_id": "data.id"}, "arsip"))
    assert isinstance(found.item, PostItem)
    assert (found.item.platform, found.item.native_id, found.item.text) == ("arsip", "1", "isi")
    with pytest.raises(Unusable, match=r"line 1: no field 'data.isi' for text; there are source_platform, data"):
        found_in(row, Told({"text": "data.isi"}))


@pytest.mark.parametrize(
    ("header", "row", "meant"),
    [
        (
            "url,date,rawContent,renderedContent,id,user,replyCount,retweetCount,likeCount,quoteCount,conversationId",
            "https://twitter.com/wati/status/9,2026-11-20 02:15:00+00:00,isi &amp; x,isi,9,{},1,2,3,4,9",
            ("x", "9", "isi & x", "2026-11-20T02:15:00Z", {"likes": 3, "reposts": 2, "replies": 1, "quotes": 4}),
        ),
        (
            "post_id,text,post_text,shared_text,time,timestamp,likes,comments,shares,post_url,user_id,username",
            "77,isi,isi,,2026-11-20 09:15:00,1795140900,1,2,3,https://facebook.com/warga/posts/77,5,Warga",
            ("facebook", "77", "isi", "2026-11-20T02:15:00Z", {"likes": 1, "reposts": 3, "replies": 2}),
        ),
        (
            "id,conversation_id,created_at,tweet,username,user_id,link,likes_count,retweets_count,replies_count",
            "9,9,2026-11-20 09:15:00 WIB,isi,wati,5,https://twitter.com/wati/status/9,1,2,3",
            ("x", "9", "isi", "2026-11-20T02:15:00Z", {"likes": 1, "reposts": 2, "replies": 3}),
        ),
        (
            "videoId,channelId,channelTitle,videoTitle,videoDescription,publishedAt,viewCount,likeCount,commentCount",
            "abc,UC1,Kanal,Judul,Uraian,2026-11-20T02:15:00Z,10,2,1",
            ("youtube", "abc", "Judul\nUraian", "2026-11-20T02:15:00Z", {"likes": 2, "replies": 1, "views": 10}),
        ),
        (
            "id,video_description,create_time,region_code,username,like_count,share_count,comment_count,view_count",
            "7300,isi,1795140900,ID,wati,1,2,3,4",
            ("tiktok", "7300", "isi", "2026-11-20T02:15:00Z", {"likes": 1, "reposts": 2, "replies": 3, "views": 4}),
        ),
    ],
)
def test_tables_of_other_collectors_are_known_by_their_columns(header: str, row: str, meant: tuple[Any, ...]) -> None:
    (found,) = found_in(f"{header}\n{row}\n".encode())
    post = found.item
    assert isinstance(post, PostItem)
    assert (post.platform, post.native_id, post.text, post.published_at, post.counts) == meant


# ---------------------------------------------------------------- what must not happen


# ---------------------------------------------------------------- tables as people have handled them


def test_an_id_that_was_rounded_is_taken_from_the_posts_address() -> None:
    """Excel and pandas round both ids of a tweet; the address beside them was left alone."""
    post = posts_in(
        b"id_str,user_id_str,full_text,conversation_id_str,username,tweet_url\n"
        b"1.84E+18,1.5E+18,pagi,1.84E+18,akun_a,https://twitter.com/akun_a/status/1840000000000000001\n"
    )[0]
    assert (post.platform, post.native_id) == ("x", "1840000000000000001")
    named = posts_in(
        b"id_str,user_id_str,full_text,conversation_id_str,username,tweet_url\n"
        b"1840000000000000001,,pagi,1,akun_a,https://twitter.com/akun_a/status/1840000000000000001\n"
    )[0]
    assert post.author == named.author


@pytest.mark.parametrize(
    "url", ["https://x.com/akun_a/status/1290000000000000001", "https://contoh.id/1840000000000000001", ""]
)
def test_an_address_that_shows_another_id_or_none_mends_no_rounded_id(url: str) -> None:
    found = found_in(f"id,text,url\n1.84E+18,pagi,{url}\n".encode())
    assert [f.item for f in found] == [None]
    assert "rounded" in found[0].why


def test_a_row_whose_cells_are_shifted_is_no_post() -> None:
    found = found_in(
        b"id_str,user_id_str,full_text,conversation_id_str\n0,https://twitter.com/akun_a/status/1840000000000000001,in,akun_a\n"
    )
    assert found[0].item is None
    assert "shifted" in found[0].why


def test_a_header_that_comes_again_is_left_out_and_counted(ingest: Callable[..., Ingested]) -> None:
    got = ingest(b"id,text\n1,satu\nid,text\n2,dua\n", name="a.csv")
    assert [p.native_id for p in got.posts] == ["1", "2"]
    assert "1 left out: the table's header once more" in got.said
    assert got.counts == {"read": 2, "published": 2, "rejected": 0}


def test_lines_about_a_report_above_its_header_are_told_and_left_out() -> None:
    said: list[str] = []
    found = found_in(
        b"Laporan:,Pilkada\nDari:,Oktober\n\nKode,Ucapan\n7,pagi\n", Told({"text": "Ucapan", "native_id": "Kode"}), said
    )
    assert [(f.line, f.item.native_id) for f in found if f.item] == [(5, "7")]
    assert any("2 lines above the header were left out" in line for line in said)
    with pytest.raises(Unusable, match="no column for text among jenis, nama"):
        found_in(b"jenis,nama\npost,a\n")


def test_a_workbook_is_told_to_be_one() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(Unusable, match="a workbook of Excel; save its sheet as CSV"):
        found_in(packed.getvalue())


def test_tweets_that_pandas_has_written_as_a_table_give_what_their_lines_gave() -> None:
    tweet = {
        "_type": "snscrape.modules.twitter.Tweet",
        "url": "https://twitter.com/akun_a/status/1840000000000000001",
        "date": "2024-10-01T03:04:05+00:00",
        "content": "lihat & simak https://t.co/a",
        "renderedContent": "lihat",
        "id": 1840000000000000001,
        "user": {"username": "akun_a", "id": 55, "description": "a 'b' \\d"},
        "replyCount": 1,
        "retweetCount": 2,
        "likeCount": 3,
        "quoteCount": 4,
        "conversationId": 1840000000000000001,
        "outlinks": ["https://contoh.id/a"],
        "media": [{"previewUrl": "https://pbs.twimg.com/kecil.jpg", "fullUrl": "https://pbs.twimg.com/besar.jpg"}],
        "quotedTweet": {"id": 1840000000000000000, "url": "https://twitter.com/akun_b/status/1840000000000000000"},
        "inReplyToTweetId": None,
    }
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(tweet)
    printed = {
        **tweet,
        "user": {**tweet["user"], "created": _Printed("datetime.datetime(2012, 3, 4, tzinfo=datetime.timezone.utc)")},
    }  # type: ignore[dict-item]
    writer.writerow(["" if value is None else value for value in printed.values()])
    assert posts_in(table.getvalue().encode()) == posts_in(json.dumps(tweet).encode())


class _Printed:
    """A value by what Python prints of it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


# ---------------------------------------------------------------- tools that watch media, and Apify


def test_a_table_of_many_platforms_gives_each_row_its_own() -> None:
    brandwatch = (
        b'Report:,"Unduhan"\n\n"Query Id","Query Name","Date","Title","Snippet","Url","Page Type","Author","Full Text","Twitter Author ID","Twitter Reply to"\n'
        b"1,q,2024-10-01 03:04:05.0,,isi,http://twitter.com/akun_a/statuses/1840000000000000001,twitter,akun_a,isi panjang,55,http://twitter.com/b/statuses/1840000000000000000\n"
        b"1,q,2024-10-01 04:04:05.0,Judul,cuplikan,https://berita.contoh.id/a,news,Redaksi,cuplikan isi,,\n"
    )
    post, article = posts_in(brandwatch)
    assert (post.platform, post.native_id, post.text, post.reply_to) == (
        "x",
        "1840000000000000001",
        "isi panjang",
        "1840000000000000000",
    )
    assert post.published_at == "2024-10-01T03:04:05Z"
    assert (article.platform, article.native_id, article.text) == (
        "web",
        "https://berita.contoh.id/a",
        "Judul\ncuplikan isi",
    )


def test_meltwaters_tab_separated_utf16_is_read_in_wib() -> None:
    header = (
        "Date\tHeadline\tURL\tOpening Text\tHit Sentence\tSource\tInfluencer\tTweet Id\tTwitter Id\tLikes\tRetweets\n"
    )
    row = "06-Feb-2025 03:03PM\t\thttps://t.co/a\t\tpagi semua\tTwitter\t@akun_a\t1840000000000000001\t55\t7\t2\n"
    post = posts_in((header + row).encode("utf-16"))[0]
    assert (post.platform, post.native_id, post.text) == ("x", "1840000000000000001", "pagi semua")
    assert (post.published_at, post.counts) == ("2025-02-06T15:03:00+07:00", {"likes": 7, "reposts": 2})


APIFY: list[tuple[dict[str, Any], tuple[Any, ...]]] = [
    (
        {"id": "1840000000000000001", "twitterUrl": "https://twitter.com/akun_a/status/1840000000000000001", "text": "pagi", "isRetweet": False,
         "createdAt": "Tue Oct 01 03:04:05 +0000 2024", "likeCount": 3, "retweetCount": 2, "author": {"userName": "akun_a", "id": "55"}},
        ("x", "1840000000000000001", "pagi", "2024-10-01T03:04:05Z", {"likes": 3, "reposts": 2}),
    ),
    (
        {"id": "7400000000000000001", "text": "pagi", "createTimeISO": "2024-10-01T03:04:05.000Z", "authorMeta": {"name": "akun_a", "id": "66"},
         "webVideoUrl": "https://www.tiktok.com/@akun_a/video/7400000000000000001", "diggCount": 3, "playCount": 90},
        ("tiktok", "7400000000000000001", "pagi", "2024-10-01T03:04:05Z", {"likes": 3, "views": 90}),
    ),
    (
        {"id": "3400000000000000001", "shortCode": "CxAbC1", "caption": "pagi", "timestamp": "2024-10-01T03:04:05.000Z", "likesCount": -1,
         "commentsCount": 2, "ownerUsername": "akun_a", "ownerId": "77"},
        ("instagram", "CxAbC1", "pagi", "2024-10-01T03:04:05Z", {"replies": 2}),
    ),
    (
        {"facebookUrl": "https://www.facebook.com/akun_a", "postId": "900000000000001", "pageName": "akun_a", "text": "pagi", "timestamp": 1727751845,
         "likes": 5, "shares": 1, "user": {"id": "88", "name": "Akun A"}},
        ("facebook", "900000000000001", "pagi", "2024-10-01T03:04:05Z", {"reactions": 5, "reposts": 1}),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("item", "meant"), APIFY, ids=["x", "tiktok", "instagram", "facebook"])
@pytest.mark.parametrize("as_table", [False, True], ids=["json", "csv"])
def test_what_an_actor_of_apify_gives_is_the_same_as_objects_and_as_a_table(
    item: dict[str, Any], meant: tuple[Any, ...], as_table: bool
) -> None:
    body = json.dumps([item]).encode()
    if as_table:
        flat = {
            f"{name}/{inner}" if inner else name: value
            for name, told in item.items()
            for inner, value in (told.items() if isinstance(told, dict) else [("", told)])
        }
        table = io.StringIO()
        csv.writer(table).writerows([list(flat), list(flat.values())])
        body = table.getvalue().encode()
    post = posts_in(body)[0]
    assert (post.platform, post.native_id, post.text, post.published_at, post.counts) == meant
    assert post.author


def test_private_chats_of_an_account_never_leave_the_file(ingest: Callable[..., Ingested]) -> None:
    got = ingest(FILES["telegram_desktop_account"])
    assert {post.native_id for post in got.posts} == {"1234567890/2", "1234567890/3", "88/1"}
    kept = b"".join(gzip.decompress(file.read_bytes()) for file in (got.home / "warc").iterdir())
    assert b"rahasia" not in kept, "nor are they kept as evidence"
    assert "1 left out: not public: a message of a personal_chat" in got.said
    assert got.counts == {"read": 3, "published": 3, "rejected": 0}


@pytest.mark.parametrize(
    "kind",
    [
        "personal_chat", "bot_chat", "saved_messages", "replies", "verification_codes", "private_group", "private_supergroup",
        "private_channel", "a_kind_of_tomorrow",
    ],
)  # fmt: skip
def test_of_telegram_only_what_is_said_to_be_public_is_taken_and_all_else_is_counted_by_its_name(
    ingest: Callable[..., Ingested], kind: str
) -> None:
    def chat(kind: str, number: int) -> dict[str, Any]:
        said = [{"id": n, "type": "message", "text": f"rahasia {n}" if number == 9 else "umum"} for n in (1, 2)]
        return {"name": "K", "type": kind, "id": number, "messages": said}

    account = {"chats": {"list": [chat("public_channel", 1), chat(kind, 9)]}}
    got = ingest(json.dumps(account).encode())
    assert {post.text for post in got.posts} == {"umum"}
    assert f"2 left out: not public: a message of a {kind}" in got.said
    assert b"rahasia" not in b"".join(gzip.decompress(file.read_bytes()) for file in (got.home / "warc").iterdir())


def test_deleted_posts_and_messages_of_an_archive_are_not_read() -> None:
    archive = FILES["x_archive"].read_text()
    for part in ("deleted_tweets", "direct_messages"):
        with pytest.raises(Unusable, match="not public"):
            found_in(archive.replace("window.YTD.tweets", f"window.YTD.{part}").encode())


def test_a_file_with_nothing_that_may_be_read_is_no_success(ingest: Callable[..., Ingested]) -> None:
    chat = {"name": "Budi", "type": "personal_chat", "id": 9, "messages": [{"id": 1, "type": "message", "text": "x"}]}
    got = ingest(json.dumps(chat).encode())
    assert "no posts in it that may be read" in got.said
    assert got.counts == {"read": 0, "published": 0, "rejected": 0}
    assert got.code == 2


@pytest.mark.parametrize("value", ["1.23E+17", "1,23e+17", "123456789012345678.0", 1.23e17])
def test_an_id_that_a_spreadsheet_has_rounded_is_no_id(value: Any) -> None:
    with pytest.raises(NoPost, match="rounded"):
        ident(value)


@pytest.mark.parametrize(
    ("value", "exact"),
    [
        (1900000000000000001, "1900000000000000001"),
        ("'190", "190"),
        ('="190"', "190"),
        ("12.0", "12"),
        (12.0, "12"),
        ("aE5", "aE5"),
        (None, ""),
        ("nan", ""),
    ],
)
def test_an_id_stays_as_it_was(value: Any, exact: str) -> None:
    assert ident(value) == exact


def test_a_rounded_id_is_told_with_row_and_column(ingest: Callable[..., Ingested]) -> None:
    got = ingest(b"tweet_id,full_text\n1900000000000000001,satu\n1.9E+18,dua\n", name="a.csv")
    assert [post.native_id for post in got.posts] == ["1900000000000000001"]
    assert "a.csv:3: id: '1.9E+18' is an id that a spreadsheet has rounded" in got.said


def test_likes_that_are_among_all_reactions_are_reached_once() -> None:
    told = {"platform": "facebook", "native_id": "1", "text": "x", "fetched_at": NOW}
    assert (
        Post.model_validate({**told, "counts": {"likes": 10, "reactions": 12, "reposts": 1, "views": 99}}).reach == 13
    )
    assert Post.model_validate({**told, "counts": {"likes": 10, "reposts": 1}}).reach == 11


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("told", "meant"),
    [("12", 12), ("1,234", 1234), ("12.0", 12), ("8.6M", 8_600_000), ("1.2万", 12_000), ("826K", 826_000), (3.0, 3), (0, 0),
     ("", None), ("-1", None), (-1, None), (True, None), ("banyak", None), (float("nan"), None), (float("inf"), None), ("407.137", 407_137), ("9" * 30, None), (10**20, None), ([1], None)],
)  # fmt: skip
def test_a_count_is_read_as_exports_write_it(told: Any, meant: int | None) -> None:
    assert number(told) == meant


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        (1795140900, "2026-11-20T02:15:00Z"),
        ("1795140900", "2026-11-20T02:15:00Z"),
        (1795140900000, "2026-11-20T02:15:00Z"),
        (1795140900000000, "2026-11-20T02:15:00Z"),
        ("2026-11-20T02:15:00.000Z", "2026-11-20T02:15:00Z"),
        ("2026-11-20 02:15:00", "2026-11-20T02:15:00Z"),
        ("Fri Nov 20 02:15:00 +0000 2026", "2026-11-20T02:15:00Z"),
        ("Thu Jan 14 2021 20:32:05 GMT+0000", "2021-01-14T20:32:05Z"),
        ("2021-03-04 10:11:12 EST", "2021-03-04T15:11:12Z"),
        ("2021-07-04 10:11:12 CEST", "2021-07-04T08:11:12Z"),
        ("2021-07-04 10:11:12 WIB", "2021-07-04T03:11:12Z"),
        ("2021-07-04 10:11:12 IST", None),
        ("", None),
        ("2021-07-05 18:02:45 BRT", "2021-07-05T21:02:45Z"),
        ("2021-07-05 18:02:45 +07", "2021-07-05T11:02:45Z"),
        (0, None),
        (float("inf"), None),
    ],
)
def test_a_time_is_read_with_its_zone(told: Any, meant: str | None) -> None:
    row = Row(Page(b"", "", fetched_at=NOW))
    assert row.when(told) == meant
    assert bool(row.problems) == (meant is None and told != "")


def test_addresses_in_one_cell_are_parted_whatever_parts_them() -> None:
    both = ["https://a.example/x,y", "https://b.example/"]
    assert joined_urls("https://a.example/x,y,https://b.example/") == both
    assert joined_urls('["https://a.example/x,y", "https://b.example/"]') == both
    assert (
        joined_urls('[{"type": "photo", "url": "https://a.example/x,y"}, {"preview_image_url": "https://b.example/"}]')
        == both
    )
    assert joined_urls("['https://a.example/1', 'https://b.example/']") == ["https://a.example/1", "https://b.example/"]
    assert joined_urls("tidak ada") == []


# ---------------------------------------------------------------- evidence


def records_in(home: Path) -> Iterator[tuple[str, str, bytes]]:
    for path in (home / "warc").iterdir():
        with path.open("rb") as file:
            for record in ArchiveIterator(file):
                yield record.rec_type, record.rec_headers.get_header("WARC-Record-ID"), record.content_stream().read()


def test_each_post_points_to_the_row_it_was_read_from(ingest: Callable[..., Ingested]) -> None:
    got = ingest(FILES["zeeschuimer_x"], FILES["4cat_tiktok_table"])
    kept = {record_id: (kind, body) for kind, record_id, body in records_in(got.home)}
    assert len(got.posts) == len(kept) == 8
    for post in got.posts:
        assert post.evidence is not None
        kind, body = kept[post.evidence.record_id]
        assert kind == "resource"
        assert hashlib.sha256(body).hexdigest() == post.evidence.sha256
        assert post.native_id.encode() in body
    line = FILES["zeeschuimer_x"].read_bytes().splitlines(keepends=True)[0]
    assert line in {body for _, body in kept.values()}, "byte for byte"
    header = FILES["4cat_tiktok_table"].read_text("utf-8-sig").splitlines()[0]
    assert any(body.decode().lstrip("\ufeff").startswith(header) for _, body in kept.values()), (
        "a table's row has its header"
    )


def test_posts_of_one_answer_share_one_record(ingest: Callable[..., Ingested]) -> None:
    tweets = [{"id": str(n), "text": f"isi {n}"} for n in range(1200)]
    got = ingest(json.dumps({"data": tweets, "includes": {}}).encode())
    assert got.counts == {"read": 1200, "published": 1200, "rejected": 0}
    assert len(list(records_in(got.home))) == 1


# ---------------------------------------------------------------- packed and encoded


def packed(body: bytes, how: str) -> bytes:
    if how == "zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("ekspor/", b"")
            archive.writestr("ekspor/foto.jpg", b"\xff\xd8")
            archive.writestr("ekspor/result.ndjson", body)
        return out.getvalue()
    return {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress, "zst": zstd.compress}[how](body)


@pytest.mark.parametrize("how", ["gz", "xz", "bz2", "zst", "zip"])
def test_a_packed_file_gives_what_it_gives_unpacked(how: str) -> None:
    body = FILES["zeeschuimer_x"].read_bytes()
    assert posts_in(packed(body, how)) == posts_in(body)


def test_a_member_of_a_zip_that_is_no_export_costs_only_itself() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("baca.txt", "Halo,\nini bukan ekspor\n")
        archive.writestr("ekspor.ndjson", FILES["zeeschuimer_x"].read_bytes())
    said: list[str] = []
    found = found_in(out.getvalue(), said=said)
    assert len(found) == len(found_in(FILES["zeeschuimer_x"].read_bytes()))
    assert found[0].name == "berkas/ekspor.ndjson"
    assert any(line.startswith("berkas/baca.txt: line 1: no column for text") for line in said)


@pytest.mark.parametrize("how", ["gz", "xz", "bz2", "zst"])
def test_a_packed_file_that_is_cut_gives_what_came_before(how: str, ingest: Callable[..., Ingested]) -> None:
    rows = b"".join(
        b'{"id": "%d", "text": "isi %s"}\n' % (n, hashlib.sha256(b"%d" % n).hexdigest().encode()) for n in range(6_000)
    )
    whole = packed(rows, how)
    got = ingest(whole[: len(whole) // 2], b"id,text\n1,utuh\n")
    assert "damaged" in got.said
    assert "what came before was read" in got.said or how in ("xz", "bz2")
    assert got.posts[-1].text == "utuh", "the next file is read all the same"
    assert got.counts["published"] == len(got.posts) == got.counts["read"] - got.counts["rejected"]
    assert got.code == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("case", ["zeeschuimer_tiktok", "4cat_x_table", "telegram_desktop_channel"])
def test_an_encoding_changes_nothing(case: str, encoding: str) -> None:
    body = FILES[case].read_text("utf-8-sig")
    assert posts_in(body.encode(encoding)) == posts_in(body.encode())


@pytest.mark.parametrize("ends", [b"\r\n", b"\n\n"])
def test_line_ends_and_empty_lines_change_nothing(ends: bytes) -> None:
    body = FILES["snscrape"].read_bytes()
    assert posts_in(body.replace(b"\n", ends)) == posts_in(body)


def test_padding_of_zeros_behind_the_last_line_is_no_row() -> None:
    body = FILES["zeeschuimer_x"].read_bytes()
    assert len(found_in(body + b"\0" * 5000)) == len(found_in(body))


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize("case", ["zeeschuimer_tiktok", "snscrape", "x_v1", "4cat_ndjson"])
def test_a_file_cut_anywhere_loses_only_the_row_it_was_cut_in(case: str) -> None:
    body = FILES[case].read_bytes()
    lines = body.splitlines(keepends=True)
    whole = [posts_in(line) for line in lines]
    for cut in range(1, len(body), 97):
        before = body[:cut].count(b"\n")
        got = posts_in(body[:cut])
        expected = [post for posts in whole[:before] for post in posts]
        assert got[: len(expected)] == expected
        assert len(got) <= len(expected) + len(whole[before]) if before < len(whole) else True


@pytest.mark.parametrize("case", ["telegram_desktop_channel", "x_archive", "json_list_damaged"])
def test_a_document_cut_anywhere_gives_what_came_before(case: str) -> None:
    body = FILES[case].read_bytes()
    everything = posts_in(body)
    for cut in range(40, len(body), 53):
        try:
            found = found_in(body[:cut])
        except Unusable:
            continue
        got = [f.item for f in found if f.item is not None]
        assert got == everything[: len(got)]
        assert found == [] or found[-1].cut or len(got) == len(everything)


def everything_counted(body: bytes) -> None:
    """Whatever the bytes are: a clear refusal, or rows of which each is a post that the contract takes, or has a reason."""
    try:
        found = found_in(body)
    except Unusable:
        return
    for row in found:
        assert (row.item is not None) + bool(row.why) + bool(row.skipped) == 1
        assert row.line >= 1
        if isinstance(row.item, PostItem):
            as_post(row.item, fetched_at=NOW, source="s", region=None, evidence=None)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    everything_counted(body)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='{}[]",:;\n\r\t aA01.eE+-\\u\0', max_size=200))
def test_nothing_that_looks_like_json_or_a_table_breaks_the_reader(text: str) -> None:
    everything_counted(text.encode())


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
ROWS = [
    json.loads(line)
    for case in (
        *(
            "zeeschuimer_x",
            "zeeschuimer_tiktok",
            "zeeschuimer_instagram",
            "zeeschuimer_others",
            "4cat_ndjson",
            "snscrape",
        ),
        *("x_v1", "x_flat", "x_v2_page_and_a_cut_line"),
    )
    for line in FILES[case].read_text().splitlines()
    if line.endswith("}")
]
ROWS += [
    json.loads(FILES[case].read_text())
    for case in ("telegram_desktop_channel", "content_library_api", "crowdtangle_api")
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield (*path, key)
        yield from places(below, (*path, key))


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_a_field_of_another_type_breaks_nothing(data: st.DataObject) -> None:
    row = json.loads(json.dumps(data.draw(st.sampled_from(ROWS))))
    path = data.draw(st.sampled_from(list(places(row))))
    value = row
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = data.draw(ANY_JSON)
    everything_counted(json.dumps(row).encode())


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.integers(0, 10**6), st.binary(min_size=1, max_size=3))
def test_a_file_with_damaged_bytes_is_accounted_for(case: str, at: int, damage: bytes) -> None:
    body = bytearray(FILES[case].read_bytes())
    at %= len(body)
    body[at : at + len(damage)] = damage
    everything_counted(bytes(body))


@pytest.mark.parametrize("case", sorted(FILES))
def test_read_is_published_plus_rejected(case: str, ingest: Callable[..., Ingested]) -> None:
    got = ingest(FILES[case])
    assert got.counts["read"] == got.counts["published"] + got.counts["rejected"]
    assert got.counts["published"] == len(got.posts)
    told = [
        line
        for line in got.said.splitlines()
        if f"{FILES[case]}:" in line and "taken for" not in line and "note" not in line
    ]
    assert (
        len([line for line in told if "warning" not in line and not line.startswith("jaga:")]) == got.counts["rejected"]
    ), "each rejected row has its line"


# ---------------------------------------------------------------- size


def many(shape: str, rows: int) -> bytes:
    if shape == "telegram":
        messages = [
            {"id": n, "type": "message", "date_unixtime": "1795140900", "text": f"isi {n}"} for n in range(rows)
        ]
        return json.dumps({"name": "K", "type": "public_channel", "id": 1, "messages": messages}, indent=1).encode()
    if shape == "list":
        return json.dumps([{"id": str(n), "text": f"isi {n} " * 60} for n in range(rows)]).encode()
    lines = (
        json.dumps({"source_platform": "tiktok.com", "data": {"id": str(n), "desc": "isi " * 90}}) for n in range(rows)
    )
    return "\n".join(lines).encode()


@pytest.mark.parametrize("shape", ["telegram", "list", "lines"])
def test_memory_does_not_grow_with_the_file(shape: str, tmp_path: Path) -> None:
    peaks = []
    for rows in (3_000, 9_000):
        path = tmp_path / f"{rows}.gz"
        path.write_bytes(gzip.compress(many(shape, rows)))
        page = Page(b"", "", fetched_at=NOW)
        tracemalloc.start()
        with path.open("rb") as file:
            assert sum(1 for found in read_file(file, "b", page, Told(), lambda _: None) if found.item) == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5, peaks


# ---------------------------------------------------------------- the command


def test_parse_prints_the_same_posts_and_publishes_nothing(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAGA_HOME", str(tmp_path))
    monkeypatch.setenv("JAGA_PSEUDONYM_KEY", "key of the tests")
    assert main(["parse", "export", str(FILES["zeeschuimer_x"])]) == 0
    out, said = capfdbinary.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    assert [r["native_id"] for r in rows if r["type"] == "post"] == ["41", "42", "43", "44", "45", "46"]
    assert b"taken for: Zeeschuimer, X" in said
    assert not (tmp_path / "warc").exists()


def test_parse_takes_columns_too(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAGA_HOME", str(tmp_path))
    path = tmp_path / "a.csv"
    path.write_text("kode;ucapan\n1;halo\n")
    assert (
        main(["parse", "export", str(path), "--column", "text=ucapan", "--column", "id=kode", "--platform", "arsip"])
        == 0
    )
    (post,) = [json.loads(line) for line in capfdbinary.readouterr()[0].splitlines()]
    assert (post["platform"], post["native_id"], post["text"]) == ("arsip", "1", "halo")
    assert main(["parse", "export", str(path), "--column", "zaman=kode"]) == 2
