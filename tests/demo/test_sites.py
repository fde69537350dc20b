"""Each site of the small web answers in the shape of the software it is modelled on."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest

from demo import sources, truth
from tests.demo.conftest import Client

LD_JSON = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.S)


def next_of(link_header: str | None) -> str | None:
    match = re.search(r'<([^>]+)>; rel="next"', link_header or "")
    return match[1] if match else None


def statuses_of(client: Client, path: str) -> list[dict]:
    found: list[dict] = []
    address: str | None = client.base_url + path
    while address:
        answer = client.get(address)
        assert answer.status == 200
        found += answer.json()
        address = next_of(answer.headers["Link"])
    return found


def test_every_source_entry_leads_to_a_page_that_answers(client: Client) -> None:
    entries = sources(client.base_url)
    assert {entry["kind"] for entry in entries} == {"wordpress", "feed", "sitemap", "mastodon", "discourse"}
    assert len({entry["id"] for entry in entries}) == len(entries)
    for entry in entries:
        assert client.get(entry["url"]).status == 200, entry["id"]


def test_wordpress_pages_by_header_and_ends_with_its_own_error(client: Client) -> None:
    first = client.get("/cekfakta/wp-json/wp/v2/posts?per_page=4&page=1")
    total, pages = int(first.headers["X-WP-Total"]), int(first.headers["X-WP-TotalPages"])
    listed = [
        post["id"]
        for page in range(1, pages + 1)
        for post in client.get(f"/cekfakta/wp-json/wp/v2/posts?per_page=4&page={page}").json()
    ]
    assert len(listed) == len(set(listed)) == total
    beyond = client.get(f"/cekfakta/wp-json/wp/v2/posts?per_page=4&page={pages + 1}")
    assert (beyond.status, beyond.json()["code"]) == (400, "rest_post_invalid_page_number")


def test_wordpress_dates_are_local_without_zone_and_gmt_beside_them(client: Client) -> None:
    posts = client.get("/cekfakta/wp-json/wp/v2/posts?per_page=100").json()
    for post in posts:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", post["date"])
        assert int(post["date"][11:13]) == (int(post["date_gmt"][11:13]) + 7) % 24
    assert any(post["modified_gmt"] < post["date_gmt"] for post in posts)
    assert any("&#" in post["title"]["rendered"] + post["content"]["rendered"] for post in posts)


def test_every_fact_check_page_carries_a_claim_review_in_one_of_many_shapes(client: Client) -> None:
    shapes = set()
    for post in client.get("/cekfakta/wp-json/wp/v2/posts?per_page=100").json():
        blocks = LD_JSON.findall(client.get(post["link"]).body.decode())
        holding = [number for number, block in enumerate(blocks) if '"ClaimReview"' in block]
        assert len(holding) == 1
        assert holding[0] == len(blocks) - 1
        try:
            value = json.loads(blocks[-1])
            shapes.add("graph" if "@graph" in value else type(value).__name__ + str(len(blocks)))
        except json.JSONDecodeError:
            shapes.add("control character")
    assert shapes >= {"graph", "list1", "dict3", "control character"}


def test_microblog_paging_by_link_gives_every_status_once_newest_first(client: Client) -> None:
    statuses = statuses_of(client, "/mikro/api/v1/timelines/public?limit=40")
    ids = [int(status["id"]) for status in statuses]
    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) == sum(row["platform"] == "mastodon" for row in truth())


def test_since_id_and_min_id_cut_where_mastodon_cuts(client: Client) -> None:
    newest = client.get("/mikro/api/v1/timelines/public?limit=40").json()
    mark = newest[30]["id"]
    since = client.get(f"/mikro/api/v1/timelines/public?limit=10&since_id={mark}").json()
    assert [s["id"] for s in since] == [s["id"] for s in newest[:10]]
    right_above = client.get(f"/mikro/api/v1/timelines/public?limit=10&min_id={mark}").json()
    assert [s["id"] for s in right_above] == [s["id"] for s in newest[20:30]]


def test_statuses_have_the_traits_that_crawlers_trip_over(client: Client) -> None:
    statuses = statuses_of(client, "/mikro/api/v1/timelines/public?limit=40")
    assert all(status["uri"] != status["url"] for status in statuses if not status["reblog"])
    assert any(not status["uri"].startswith("https://mikro.example/") for status in statuses)
    assert any(status["reblog"] and status["content"] == "" for status in statuses)
    by_id = {status["id"] for status in statuses}
    replies = [status for status in statuses if status["in_reply_to_id"]]
    assert len(replies) >= 50
    assert all(status["in_reply_to_id"] in by_id and status["mentions"] for status in replies)
    assert any(status["media_attachments"] and status["media_attachments"][0]["description"] for status in statuses)
    assert any(status["edited_at"] for status in statuses)
    assert {status["language"] for status in statuses} >= {"id", "jv", "su", None}
    dates = {status["created_at"][:4] for status in statuses}
    assert {"0001", "9999", "2099", "2026"} <= dates


def test_tag_and_account_timelines_and_single_statuses_agree_with_the_public_one(client: Client) -> None:
    statuses = statuses_of(client, "/mikro/api/v1/timelines/public?limit=40")
    tagged = next(status for status in statuses if status["tags"])
    name = tagged["tags"][0]["name"]
    assert tagged["id"] in [s["id"] for s in statuses_of(client, f"/mikro/api/v1/timelines/tag/{name}?limit=40")]
    account = tagged["account"]["id"]
    own = statuses_of(client, f"/mikro/api/v1/accounts/{account}/statuses?limit=40")
    assert {s["id"] for s in own} == {s["id"] for s in statuses if s["account"]["id"] == account}
    assert client.get(f"/mikro/api/v1/statuses/{tagged['id']}").json() == tagged
    assert client.get("/mikro/api/v1/statuses/1").status == 404


def test_forum_gives_all_posts_through_stream_and_post_ids(client: Client) -> None:
    page, topics = "/forum/latest.json?page=0", []
    while page:
        listing = client.get(page).json()["topic_list"]
        topics += listing["topics"]
        page = listing.get("more_topics_url", "").replace("/latest?", "/latest.json?")
    assert len({topic["id"] for topic in topics}) == len(topics) > 10
    longest = max(topics, key=lambda topic: topic["posts_count"])
    topic = client.get(f"/forum/t/{longest['id']}.json").json()
    stream, shown = topic["post_stream"]["stream"], topic["post_stream"]["posts"]
    assert len(shown) < len(stream) == longest["posts_count"]
    rest = "&".join(f"post_ids[]={number}" for number in stream[len(shown) :])
    more = client.get(f"/forum/t/{longest['id']}/posts.json?{rest}").json()["post_stream"]["posts"]
    assert [post["id"] for post in shown + more] == stream
    html = client.get(f"/forum/t/{topic['slug']}/{topic['id']}").body.decode()
    assert html.count('itemprop="text"') == len(stream)


@pytest.mark.parametrize("site", ["kabarnusa", "wartapesisir"])
def test_feeds_have_the_faults_that_the_readme_promises(client: Client, site: str) -> None:
    answer = client.get(f"/{site}/rss.xml")
    if site == "kabarnusa":
        items = ElementTree.fromstring(answer.body).findall(".//item")
        links = [item.findtext("link") or "" for item in items]
        assert any(link.startswith("/") for link in links)
        assert any(link.startswith("http") for link in links)
        guids = [item.findtext("guid") for item in items]
        assert len(guids) - len(set(guids)) == 1
        assert all("+0700" in (item.findtext("pubDate") or "+0700") for item in items)
    else:
        assert answer.body.startswith(b"\n<?xml")
        assert "UTF-8" in answer.headers["Content-Type"]
        with pytest.raises(UnicodeDecodeError):
            answer.body.decode("utf-8")
        assert b"GMT" in answer.body
