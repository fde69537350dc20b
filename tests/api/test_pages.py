"""Pages as a browser without scripts would see them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from api.dashboard.wording import WORDS, Wording, is_web
from pipeline.contracts import Deletion, OpenGap
from pipeline.coverage import STATES
from pipeline.documents import deletion_write, heartbeat_write
from pipeline.ports import RetryLater
from tests.api.conftest import World
from tests.api.small_store import NOW, TOKEN, alert, beat, post, put_alert, put_all, put_post
from tests.api.test_problems import Broken

HTML = {"Accept": "text/html"}
DASHBOARD = Path(__file__).parents[2] / "api" / "dashboard"


@pytest.fixture
def reader(world: World) -> World:
    answer = world.stranger.post("/login", data={"token": TOKEN, "next": "/"})
    assert answer.status_code == 303
    world.stranger.headers.update(HTML)
    return world


def test_a_stranger_is_led_to_the_login_and_on_to_where_he_wanted(world: World) -> None:
    answer = world.stranger.get("/alerts/a0003?cursor=x", headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Falerts%2Fa0003%3Fcursor%3Dx")
    page = world.stranger.get(answer.headers["location"], headers=HTML)
    assert 'name="next" value="/alerts/a0003?cursor=x"' in page.text


def test_the_cookie_holds_no_token_and_cannot_be_read_by_scripts(world: World) -> None:
    answer = world.stranger.post("/login", data={"token": TOKEN, "next": "/alerts/a0003"})
    assert answer.headers["location"] == "/alerts/a0003"
    cookie = answer.headers["set-cookie"]
    assert TOKEN not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_a_wrong_token_is_told_and_gets_no_cookie(world: World) -> None:
    answer = world.stranger.post("/login", data={"token": "salah"})
    assert answer.status_code == 401
    assert "Token ini tidak berlaku" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example", ""],
)
def test_the_login_leads_to_no_other_site(world: World, target: str) -> None:
    assert world.stranger.post("/login", data={"token": TOKEN, "next": target}).headers["location"] == "/"


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
def test_a_form_of_another_site_is_refused(world: World, headers: dict[str, str]) -> None:
    answer = world.stranger.post("/login", data={"token": TOKEN}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_form_without_end_is_refused(world: World) -> None:
    assert world.stranger.post("/login", content=b"token=" + b"x" * 20_000).status_code == 400


def test_after_logging_out_nothing_can_be_read(reader: World) -> None:
    assert reader.stranger.get("/").status_code == 200
    reader.stranger.post("/logout")
    assert reader.stranger.get("/").status_code == 303


def test_the_feed_shows_alerts_with_reasons_places_and_times_in_indonesian(reader: World) -> None:
    text = reader.stranger.get("/").text
    assert '<html lang="id"' in text
    assert "Surat suara tercoblos nomor 1" in text
    assert "Menyebarkan klaim yang sudah diperiksa." in text
    assert "Kota Surabaya" in text
    assert "24 Nov 2024, 16.30 WIB" in text


def test_english_and_other_zones_are_a_click_away_and_stay(reader: World) -> None:
    text = reader.stranger.get("/?lang=en&zone=WIT").text
    assert '<html lang="en"' in text
    assert "24 Nov 2024, 18:30 WIT" in text
    assert '<html lang="en"' in reader.stranger.get("/alerts/a0000").text


def test_the_items_alone_are_tagged(reader: World) -> None:
    first = reader.stranger.get("/feed")
    assert first.text.count("<article") == 25
    assert reader.stranger.get("/feed", headers={"If-None-Match": first.headers["etag"]}).status_code == 304


def test_filters_of_the_form_hold_and_empty_fields_do_not_count(reader: World) -> None:
    text = reader.stranger.get("/feed?q=&rule=hate&status=&region=35&platform=&sort=reach").text
    assert text.count("<article") == 4


def test_a_wrong_filter_is_told_on_a_page(reader: World) -> None:
    answer = reader.stranger.get("/?region=x")
    assert answer.status_code == 400
    assert "text/html" in answer.headers["content-type"]
    assert "region" in answer.text


def test_older_alerts_are_one_page_further(reader: World) -> None:
    for number in range(25, 40):
        put_alert(reader.store, alert(number))
    text = reader.stranger.get("/?rule=&sort=last_seen_at").text
    older = re.search(r'href="(/\?[^"]*cursor=[^"]*)"', text)
    assert older
    further = reader.stranger.get(older.group(1).replace("&amp;", "&")).text
    assert "tercoblos nomor 29<" in text
    assert "tercoblos nomor 30<" in further
    assert "tercoblos nomor 29<" not in further


def test_an_alert_is_opened_with_claim_posts_verdict_and_evidence(reader: World) -> None:
    text = reader.stranger.get("/alerts/a0000").text
    assert "Cek Fakta Lestari" in text
    assert 'href="https://cekfakta-lestari.example/surat-suara" rel="noopener noreferrer nofollow"' in text
    assert "Gudang KPU Surabaya penuh surat suara" in text
    assert "m-uji-1" in text
    assert "ab" * 32 in text
    assert text.count('class="post panel"') == 20


def test_an_alert_s_page_says_which_posts_were_seen_to_be_deleted(reader: World) -> None:
    assert "Terlihat sudah dihapus" not in reader.stranger.get("/alerts/a0000").text
    item = reader.client.get("/api/v1/alerts/a0000").json()["widest_posts"][0]["post"]
    gone = Deletion(
        platform=item["platform"], native_id=item["native_id"], seen_at=NOW + timedelta(hours=1), how="HTTP 410"
    )
    put_all(reader.store, [deletion_write(gone)])
    text = reader.stranger.get("/alerts/a0000").text
    assert text.count("Terlihat sudah dihapus dari tempat asalnya") == 1
    assert "HTTP 410" in text


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</p></article><iframe src=//evil.example>",
    "{{ 7*7 }}{% raw %}${7*7}",
    "<!--<script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_never_become_elements(reader: World, text: str) -> None:
    put_alert(
        reader.store, alert(0, headline=text, reasons=(text,), platforms=(text,), models=(text,), targets=(text,))
    )
    put_post(
        reader.store,
        post(
            900,
            text,
            author=text,
            source=text,
            url="javascript:alert(1)",
            links=("data:text/html,x", text),
            counts={text: 10**9},
        ),
        "n0000",
    )
    for path in ("/", "/feed", "/alerts/a0000"):
        page = reader.stranger.get(path).text
        elements = Elements()
        elements.feed(page)
        names = {tag for tag, _ in elements.found}
        assert not names & {"iframe", "svg", "object", "embed"}, path
        for tag, attributes in elements.found:
            assert not any(name.startswith("on") for name in attributes), path
            assert "style" not in attributes, path
            if tag == "a":
                assert re.match(r"https?://|/|\?|#", attributes["href"] or ""), path
            if tag == "script":
                assert (attributes.get("src") or "").startswith("/static/"), path
            if tag == "img":
                assert attributes.get("src") == "/static/icon.svg", path
        assert "49" not in re.findall(r"<h[13][^>]*>(.*?)</h[13]>", page, re.DOTALL)


def test_characters_that_turn_the_direction_are_shown_not_obeyed(reader: World) -> None:
    put_alert(reader.store, alert(0, headline="satu \u202e!xaoh\u202c dua"))
    text = reader.stranger.get("/").text
    assert "\u202e" not in text
    assert "U+202E" in text


@pytest.mark.parametrize(
    "path", ["/", "/login", "/alerts/a0000", "/alerts/none", "/static/feed.js", "/api/v1/alerts", "/nope"]
)
def test_no_answer_lacks_the_headers_that_guard_readers(reader: World, path: str) -> None:
    headers = reader.stranger.get(path).headers
    csp = headers["content-security-policy"]
    assert "default-src 'none'" in csp
    assert "unsafe" not in csp
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


def test_a_store_out_of_reach_is_told_on_a_page_that_tries_again(reader: World) -> None:
    reader.app.state.house.store = Broken(RetryLater("down"))
    answer = reader.stranger.get("/")
    assert answer.status_code == 503
    assert "Penyimpanan tidak dapat dihubungi" in answer.text
    assert 'http-equiv="refresh"' in answer.text


def test_both_languages_have_every_text() -> None:
    assert WORDS["id"].keys() == WORDS["en"].keys()
    assert all(text.strip() for words in WORDS.values() for text in words.values())


def test_every_text_that_a_template_asks_for_exists_and_none_is_left_over() -> None:
    asked = " ".join(path.read_text(encoding="utf-8") for path in (DASHBOARD / "templates").glob("*.html"))
    sources = asked + (DASHBOARD.parent / "routes" / "pages.py").read_text() + (DASHBOARD / "wording.py").read_text()
    for key in re.findall(r"""say\(["']([a-z_]+)["']\)""", sources):
        assert key in WORDS["id"], key
    dynamic = ("rule_", "status_", "sort_", "label_", "stance_", "target_", "count_", "state_", "span_")
    for key in WORDS["id"]:
        assert key.startswith(dynamic) or re.search(rf"""["']{key}["']""", sources), f"{key} is asked for nowhere"


def test_times_follow_the_reader() -> None:
    assert Wording("id", "WITA").time(NOW) == ('<time datetime="2024-11-24T09:30:00Z">24 Nov 2024, 17.30 WITA</time>')
    assert "18:30 WIT<" in Wording("en", "WIT").time(NOW)
    assert Wording("xx", "UTC").time(NOW) == Wording("id", "WIB").time(NOW)


@pytest.mark.parametrize(
    ("url", "web"),
    [
        ("https://a.example/x", True),
        ("HTTP://a.example", True),
        ("javascript:alert(1)", False),
        (" https://a.example", False),
        ("data:text/html,x", False),
        ("https:///x", False),
        ("//a.example", False),
        ("", False),
        (None, False),
    ],
)
def test_only_web_addresses_become_links(url: str | None, web: bool) -> None:
    assert is_web(url) is web


def test_what_others_wrote_lies_here_with_its_licence() -> None:
    vendor = DASHBOARD / "static" / "vendor"
    for folder in vendor.iterdir():
        origin = json.loads((folder / "origin.json").read_text())
        assert origin["version"]
        assert (folder / "LICENSE").read_text()


def test_the_coverage_page_shows_each_source_with_its_state_and_its_gaps(reader: World) -> None:
    page = reader.stranger.get("/coverage").text
    assert "Cakupan sumber" in page
    for word in ("mati", "putus", "terlambat", "sehat", "Kabar saluran", "HTTP 503", "p95 7 mnt"):
        assert word in page, word
    assert page.count("<rect") == 3  # the open one, and two that ended
    assert page.count('class="open"') == 1


def test_the_coverage_page_is_filtered_by_state_and_follows_what_it_shows(reader: World) -> None:
    page = reader.stranger.get("/coverage?state=late").text
    assert 'id="source-forum-kota"' in page
    assert 'id="source-saluran"' not in page
    assert 'data-follow="/coverage/items?state=late"' in page
    items = reader.stranger.get("/coverage/items?state=late")
    assert "<html" not in items.text
    again = reader.stranger.get("/coverage/items?state=late", headers={"If-None-Match": items.headers["etag"]})
    assert again.status_code == 304


def test_a_gap_that_began_before_the_timeline_is_shown_within_it(reader: World) -> None:
    old = OpenGap(began_at=NOW - timedelta(days=40), cause="robots.txt forbids it")
    put_all(reader.store, [heartbeat_write(beat("tertutup", failures=900, open_gaps=(old,)))])
    page = reader.stranger.get("/coverage").text
    (bar,) = re.findall(r'<rect x="0" y="3" width="(\d+)"', page)
    assert 1400 < int(bar) < 1680


def test_words_of_a_source_are_never_read_as_html(reader: World) -> None:
    gap = OpenGap(began_at=NOW, cause="<script>alert(1)</script>")
    put_all(reader.store, [heartbeat_write(beat("x", name="<b>tebal</b>", open_gaps=(gap,)))])
    page = reader.stranger.get("/coverage").text
    assert "<script>alert" not in page
    assert "<b>tebal" not in page


def test_a_coverage_page_without_sources_says_so(empty: World) -> None:
    empty.stranger.post("/login", data={"token": TOKEN})
    assert "Belum ada sumber yang dikunjungi." in empty.stranger.get("/coverage?state=dead", headers=HTML).text


def test_a_wrong_state_is_told_to_a_person(reader: World) -> None:
    assert reader.stranger.get("/coverage?state=bagus").status_code == 400
    assert reader.stranger.get("/coverage?cursor=x").status_code == 400


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [(0, "0 dtk"), (119, "119 dtk"), (120, "2 mnt"), (7200, "2 jam"), (172_800, "2 hari"), (86_400_000, "1.000 hari")],
)
def test_stretches_of_time_are_told_in_a_unit_that_fits(seconds: float, wanted: str) -> None:
    assert Wording("id", "WIB").span(seconds) == wanted


def test_every_state_of_a_source_has_a_word() -> None:
    for language in WORDS.values():
        assert {f"state_{state}" for state in STATES} <= language.keys()
