"""People's numbers and account names do not reach the log; years, sums, votes, laws and addresses do."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.text import clean
from crawlers.archive import Archive, Fetch
from crawlers.mask import is_nik, mask, masked_post
from crawlers.pages.items import ClaimItem, PostItem
from crawlers.publish import Harvest, Publisher
from crawlers.seen import Seen
from pipeline.contracts import MAX_TEXT_CHARS, Post
from pipeline.topology import CLAIMS, POSTS_RAW

from .fakes import FakeBroker

with (Path(__file__).parent / "masking.csv").open(encoding="utf-8", newline="") as file:
    CASES = [(row["text"], row["masked"]) for row in csv.DictReader(file)]
AT = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)
SECRETS = (
    "0812-3456-7890",
    "+62 813 4567 8901",
    "(021) 3456 7890",
    "3578120512880003",
    "sari@contoh.example",
    "B 1234 XYZ",
    "@budi_s",
)

fragments = st.sampled_from(
    [*SECRETS, "0812", "62", "+", "(", ")", "-", ".", " ", "/", "@", "[", "]", "021", "3456", "789", "8", "0", "12", "2024", "rek BCA",
     "NIK", "Rp", "TPS", "plat", "b", "B", "XYZ", "a", "user", "https://", "wa.me/", "contoh.example", "[at]", "(dot)", "\u200b", "٣", "\n", ","]
)  # fmt: skip


@pytest.mark.parametrize(("text", "masked"), CASES, ids=[text[:40] for text, _ in CASES])
def test_numbers_of_people_are_masked_and_all_other_numbers_stay(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("kata u/budi_s tadi", "kata @user tadi"),
        ("/u/Sari-88 benar", "@user benar"),
        ("(u/budi_s, /u/sari88)", "(@user, @user)"),
        ("u/budi_s: setuju", "@user: setuju"),
        ("lihat r/indonesia dan /r/politik", "lihat r/indonesia dan /r/politik"),
        ("https://www.reddit.com/u/budi_s/comments/1", "https://www.reddit.com/u/budi_s/comments/1"),
        ("reddit.com/u/budi_s", "reddit.com/u/budi_s"),
        ("u/ semua warga", "u/ semua warga"),
        ("u/ab", "u/ab"),
        ("itu/jadi", "itu/jadi"),
        ("km/u/hari", "km/u/hari"),
    ],
)
def test_accounts_are_masked_as_reddit_writes_them_where_it_is_reddit(text: str, masked: str) -> None:
    assert mask(text, "reddit") == masked
    assert mask(masked, "reddit") == masked
    assert mask(text) == text, "elsewhere `u/` is short for untuk"


def test_a_reddit_post_comes_to_the_log_without_names_in_its_text() -> None:
    post = Post(platform="reddit", native_id="t3_1", text="Menurut u/budi_s hoaks", fetched_at=AT)
    assert masked_post(post).text == "Menurut @user hoaks"


def test_the_table_has_both_sides_of_the_line() -> None:
    kept = sum(text == masked for text, masked in CASES)
    assert kept > 80
    assert len(CASES) - kept > 80


@settings(max_examples=400)
@given(st.lists(fragments, max_size=25).map("".join))
def test_masking_twice_changes_nothing(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@settings(max_examples=200)
@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@given(
    st.sampled_from(SECRETS),
    st.sampled_from(["Kata warga: ", "", "(", "Lapor! ", "\n"]),
    st.sampled_from([" ya", "", ")", ", tolong", "\n"]),
)
def test_whatever_stands_around_it_is_masked(secret: str, before: str, after: str) -> None:
    assert secret not in mask(before + secret + after)


@given(
    st.sampled_from(sorted({"11", "31", "35", "51", "73", "94"})),
    st.integers(1, 31),
    st.booleans(),
    st.integers(1, 12),
    st.integers(1, 9999),
)
def test_every_citizens_number_is_known_by_its_parts(
    province: str, day: int, woman: bool, month: int, serial: int
) -> None:
    number = f"{province}7812{day + 40 * woman:02}{month:02}88{serial:04}"
    assert is_nik(number)
    assert mask(f"data {number} bocor") == "data [nik] bocor"


@given(st.integers(0, 999_999_999_999))
def test_sums_of_money_survive(sum_: int) -> None:
    text = f"anggaran Rp {sum_:,}".replace(",", ".")
    assert mask(text) == text


@pytest.mark.parametrize(
    "unit", ["0812-", "0 8 1 ", "@a", "a@", "08(", "B 1 ", "rek bca 12345678 ", "a@b.c@d.e ", "a[at]", "+62 ", "1"]
)
def test_a_hostile_text_three_times_the_longest_allowed_ends(unit: str) -> None:
    """A pattern that looks back would not end within hours."""
    text = unit * (3 * MAX_TEXT_CHARS // len(unit))
    assert len(mask(text)) < 12 * len(text)


def test_the_model_reads_the_same_with_and_without_masks() -> None:
    text = "Hubungi 081234567890 atau sari@contoh.example, kata @budi_s di https://kabar.example/1"
    assert clean(mask(text)) == clean(text)


def test_the_same_text_gives_the_same_revision() -> None:
    def made(text: str) -> Post:
        return masked_post(Post(platform="web", native_id="1", text=text, fetched_at=AT))

    assert made("Telepon 0812-3456-7890").revision == made("Telepon 0812-3456-7890").revision
    assert masked_post(made("Telepon 0812-3456-7890")) == made("Telepon 0812-3456-7890")


def test_what_is_crawled_reaches_the_log_masked_and_the_archive_as_it_was(tmp_path: Path) -> None:
    broker: Any = FakeBroker()
    body = b"Hubungi 0812-3456-7890"
    item = PostItem(
        "web",
        "1",
        text="Hubungi 0812-3456-7890 @sari",
        links=["https://wa.me/6281234567890", "https://a.example/081234567890"],
    )
    claim = ClaimItem("c", "Nomor 0812-3456-7890 mengaku petugas KPU")
    Publisher(broker, Archive(tmp_path / "warc"), Seen(tmp_path / "c.db"), max_pause_s=0.01).publish(
        [Harvest("uji", Fetch("https://a.example/x", body, AT), [item, claim])]
    )
    (post,) = broker.bodies(POSTS_RAW)
    assert post.text == "Hubungi [phone] @user"
    assert post.links == ("https://wa.me/[phone]", "https://a.example/081234567890")
    assert broker.bodies(CLAIMS)[0].text == "Nomor [phone] mengaku petugas KPU"
    assert not any(b"3456-7890" in record.value for record in broker.records)


def test_a_page_is_parsed_as_it_stands(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    from crawlers.__main__ import main

    monkeypatch.setenv("JAGA_HOME", str(tmp_path))
    status = {
        "uri": "https://w.example/1",
        "content": "<p>0812-3456-7890</p>",
        "created_at": "2026-11-27T00:00:00Z",
        "account": {"acct": "sari"},
    }
    (tmp_path / "s.json").write_text(json.dumps([status]))
    assert (
        main(["parse", "mastodon", str(tmp_path / "s.json"), "--url", "https://w.example/api/v1/timelines/public"]) == 0
    )
    out = capfdbinary.readouterr().out
    assert b"0812-3456-7890" in out
    assert b"sari" not in out


def test_what_is_imported_reaches_the_log_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from crawlers.__main__ import main
    from pipeline.adapters.sqlite_broker import SqliteBroker

    monkeypatch.setenv("JAGA_HOME", str(tmp_path))
    rows = [
        {"id": "1", "text": "KTP saya 3578120512880003", "author": "sari"},
        {
            "platform": "x",
            "native_id": "2",
            "text": "plat B 1234 XYZ @budi_s",
            "fetched_at": "2026-11-27T00:00:00Z",
            "author": "budi_s",
        },
    ]
    (tmp_path / "a.ndjson").write_text("\n".join(json.dumps(row) for row in rows))
    assert main(["ingest", str(tmp_path / "a.ndjson")]) == 0
    broker = SqliteBroker(tmp_path / "log.db")
    values = b"".join(message.value for message in broker.read(POSTS_RAW))
    broker.close()
    assert b"KTP saya [nik]" in values
    assert b"plat [plate] @user" in values
    for secret in (b"3578120512880003", b"1234 XYZ", b"sari", b"budi_s"):
        assert secret not in values


def test_a_text_that_masks_make_too_long_is_refused_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from crawlers.__main__ import main

    monkeypatch.setenv("JAGA_HOME", str(tmp_path))
    rows = [{"id": "1", "text": "@a " * 33_000}, {"id": "2", "text": "baik"}]
    (tmp_path / "a.ndjson").write_text("\n".join(json.dumps(row) for row in rows))
    assert main(["ingest", "--json", str(tmp_path / "a.ndjson")]) == 1
    said = capsys.readouterr()
    assert "a.ndjson:1: masked, text: " in said.err
    assert json.loads(said.out) == {"read": 2, "published": 1, "rejected": 1}
