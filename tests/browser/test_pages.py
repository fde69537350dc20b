"""The pages in a real browser."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from pipeline.contracts import OpenGap
from pipeline.documents import heartbeat_write
from tests.api.small_store import NOW, TOKEN, alert, beat, post, put_alert, put_all, put_post
from tests.browser.conftest import Visit
from tests.browser.screenshot import log_in

pytestmark = pytest.mark.browser

HOSTILE = [
    "<script>window.owned = 1; alert(1)</script>",
    "<img src=x onerror='window.owned = 1'>",
    '"><svg/onload=window.owned=1>',
    "<a href='javascript:window.owned=1'>klik</a>",
    "{{ constructor.constructor('window.owned=1')() }} ${window.owned=1} <%= 7*7 %>",
    "</textarea></script><iframe srcdoc='<script>parent.owned=1</script>'></iframe>",
    "<style>body { display: none }</style><meta http-equiv=refresh content='0;url=//evil.example'>",
    "satu \u202egnajnap sket\u202c dua \u2066tiga",
    "k" * 5000,
]


def test_a_stranger_sees_the_login_and_comes_to_where_he_wanted(visit: Visit) -> None:
    page = visit.page
    page.goto(f"{visit.url}/alerts/a0000")
    expect(page).to_have_url(re.compile("/login"))
    page.fill("#token", "salah")
    page.click("main button")
    expect(page.get_by_role("alert")).to_have_text(re.compile("tidak berlaku"))
    # The browser itself reports the 401 as an error, which is as it should be.
    assert [c for c in visit.complaints if "401" not in c] == []
    visit.complaints.clear()
    page.fill("#token", TOKEN)
    page.click("main button")
    expect(page.locator("h1")).to_have_text("Surat suara tercoblos nomor 0")


def test_an_alert_appears_by_itself_and_grows(visit: Visit) -> None:
    page = visit.page
    log_in(page, visit.url, TOKEN)
    expect(page.locator("#items article")).to_have_count(25)
    put_alert(visit.store, alert(500, headline="Kabar baru tentang TPS", last_seen_at=NOW + timedelta(minutes=1)))
    first = page.locator("#items article").first
    expect(first).to_contain_text("Kabar baru tentang TPS")
    expect(first).to_have_class(re.compile("fresh"))
    expect(page.get_by_role("status")).to_have_text("1 peringatan baru atau bertambah")
    put_alert(
        visit.store,
        alert(500, headline="Kabar baru tentang TPS", last_seen_at=NOW + timedelta(minutes=2), posts=1234, version=2),
    )
    expect(first).to_contain_text("1.234 unggahan")
    expect(page.locator("#items article")).to_have_count(26)


def test_what_does_not_match_the_filters_does_not_appear(visit: Visit) -> None:
    page = visit.page
    log_in(page, visit.url, TOKEN)
    page.select_option("select[name=rule]", "hate")
    page.select_option("select[name=region]", "35")
    page.click(".filters button")
    expect(page.locator("#items article")).to_have_count(4)
    put_alert(visit.store, alert(501, rule="hoax", last_seen_at=NOW + timedelta(minutes=1)))
    put_alert(visit.store, alert(503, rule="hate", headline="Cocok", last_seen_at=NOW + timedelta(minutes=1)))
    expect(page.locator("#items article")).to_have_count(5)
    expect(page.locator("#items article").first).to_contain_text("Cocok")


def test_the_reader_keeps_his_place_when_the_feed_changes(visit: Visit) -> None:
    page = visit.page
    log_in(page, visit.url, TOKEN)
    page.locator("#items h3 a").nth(2).focus()
    put_alert(visit.store, alert(502, headline="Datang lagi", last_seen_at=NOW + timedelta(minutes=1)))
    expect(page.locator("#items article").first).to_contain_text("Datang lagi")
    expect(page.locator(":focus")).to_have_text("Surat suara tercoblos nomor 2")


def test_an_opened_alert_shows_its_posts_their_verdicts_and_their_bytes(visit: Visit) -> None:
    page = visit.page
    log_in(page, visit.url, TOKEN)
    page.click("#items h3 a >> nth=0")
    expect(page.locator(".post")).to_have_count(20)
    expect(page.locator(".post .text").first).to_contain_text("Gudang KPU Surabaya penuh surat suara")
    page.locator(".post summary").first.click()
    expect(page.locator(".post details").first).to_contain_text("m-uji-1")
    expect(page.locator(".post details").first).to_contain_text("ab" * 32)
    link = page.get_by_role("link", name=re.compile("Baca pemeriksaan"))
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    page.get_by_role("link", name=re.compile("Unggahan berikutnya|Kiriman berikutnya")).click()
    expect(page.locator(".post")).to_have_count(20)
    expect(page).to_have_url(re.compile("cursor="))


def test_hostile_words_are_shown_as_words_and_nothing_of_them_runs(visit: Visit) -> None:
    for number, text in enumerate(HOSTILE):
        put_alert(
            visit.store,
            alert(number, narrative_id="n-evil", headline=text[:5000], reasons=(text,), platforms=(text[:50],)),
        )
        put_post(
            visit.store,
            post(
                2000 + number,
                text,
                author=text[:200],
                source=text[:200],
                url="javascript:window.owned=1",
                links=(text[:4000],),
            ),
            "n-evil",
        )
    page = visit.page
    log_in(page, visit.url, TOKEN)
    page.wait_for_selector("#chart canvas")
    page.wait_for_timeout(3000)  # one round of polling: the items are set anew by script
    shown = page.locator("#items").inner_text()
    for text in HOSTILE[:7]:
        assert " ".join(text.split()) in shown
    page.goto(f"{visit.url}/alerts/a0000")
    expect(page.locator(".post")).to_have_count(len(HOSTILE))
    posts = page.locator("main").inner_text()
    for text in HOSTILE[:7]:
        assert " ".join(text.split()) in posts
    assert "U+202E" in posts
    assert page.evaluate("window.owned") is None
    assert page.locator("main script, main iframe, main svg, main style, main img").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    # A word without end must not push the page out of the screen.
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_counts_over_time_are_drawn_and_can_be_read_as_a_table(visit: Visit) -> None:
    page = visit.page
    log_in(page, visit.url, TOKEN)
    expect(page.locator("#chart canvas")).to_be_visible()
    page.locator(".side summary").click()
    cells = page.locator("#chart-table tbody td").all_inner_texts()
    assert sum(int(cell) for cell in cells[::4]) == 46
    assert sum(int(cell) for cell in cells[1::4]) == 45


def test_the_page_says_when_updates_are_delayed_and_recovers(visit: Visit) -> None:
    page = visit.page
    log_in(page, visit.url, TOKEN)
    expect(page.get_by_role("status")).to_have_text("Diperbarui otomatis")
    page.route("**/feed*", lambda route: route.abort())
    expect(page.get_by_role("status")).to_have_text(re.compile("tertunda"))
    page.unroute("**/feed*")
    expect(page.get_by_role("status")).to_have_text("Diperbarui otomatis")
    assert all("ERR_FAILED" in c for c in visit.complaints)
    visit.complaints.clear()


def test_a_session_that_ended_leads_to_the_login(visit: Visit) -> None:
    page = visit.page
    log_in(page, visit.url, TOKEN)
    page.context.clear_cookies()
    expect(page).to_have_url(re.compile("/login"))
    visit.complaints[:] = [c for c in visit.complaints if "401" not in c]


def test_english_is_a_click_away_and_the_house_can_be_left(visit: Visit) -> None:
    page = visit.page
    log_in(page, visit.url, TOKEN)
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_have_text("Alerts")
    assert page.evaluate("document.documentElement.lang") == "en"
    page.get_by_role("link", name="WIT", exact=True).click()
    expect(page.locator("#items time").first).to_have_text("24 Nov 2024, 18:30 WIT")
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(re.compile("/login"))


def test_the_feed_can_be_used_by_keyboard_alone(visit: Visit) -> None:
    page = visit.page
    log_in(page, visit.url, TOKEN)
    page.goto(visit.url)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Langsung ke isi")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('#items h3 a')"):
            break
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/alerts/a0000"))


@pytest.mark.parametrize("width", [360, 768, 1360])
def test_nothing_is_cut_off_on_any_screen(visit: Visit, width: int) -> None:
    page = visit.page
    page.set_viewport_size({"width": width, "height": 800})
    log_in(page, visit.url, TOKEN)
    page.wait_for_selector("#chart canvas")
    for path in ("/", "/alerts/a0000"):
        page.goto(visit.url + path)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path


def test_the_coverage_page_follows_what_happens_to_sources(visit: Visit) -> None:
    page = visit.page
    log_in(page, visit.url, TOKEN)
    page.get_by_role("link", name="Cakupan sumber").click()
    expect(page.locator("h1")).to_have_text("Cakupan sumber")
    expect(page.locator("#source-kabarwarga .state")).to_have_text("sehat")
    expect(page.locator(".strips rect.open")).to_have_count(1)
    gap = OpenGap(began_at=NOW - timedelta(hours=1), cause="shape changed: no messages: <b>" + "k" * 3000)
    put_all(visit.store, [heartbeat_write(beat("kabarwarga", 1, open_gaps=(gap,)))])
    expect(page.locator("#source-kabarwarga .state")).to_have_text("putus")
    expect(page.locator(".strips rect.open")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="terlambat").click()
    expect(page.locator(".coverage tbody tr")).to_have_count(1)
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_have_text("Coverage of sources")
    expect(page.locator(".coverage .state")).to_have_text("late")
