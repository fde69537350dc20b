"""The small web says what each item is that it serves: of each once, and of nothing else."""

from __future__ import annotations

import html
import re
from collections import Counter
from datetime import UTC, datetime
from urllib.parse import urljoin

import pytest

from demo import canonical, serve, truth
from demo.compose import SEED, _Composer, compose, shifted
from demo.server import days_until
from demo.truth import Row
from tests.demo.conftest import Client
from tests.demo.test_sites import statuses_of


def crawled(client: Client) -> Counter[tuple[str, str]]:
    """Every item that can be reached from the listings, as a careful crawler would name it."""
    found: Counter[tuple[str, str]] = Counter()
    for status in statuses_of(client, "/mikro/api/v1/timelines/public?limit=40"):
        found["mastodon", status["uri"]] += 1
    for number in range(5):
        for topic in client.get(f"/forum/latest.json?page={number}").json()["topic_list"]["topics"]:
            wanted = client.get(f"/forum/t/{topic['id']}.json").json()["post_stream"]["stream"]
            query = "&".join(f"post_ids[]={post_id}" for post_id in wanted)
            posts = client.get(f"/forum/t/{topic['id']}/posts.json?{query}").json()["post_stream"]["posts"]
            for post in posts:
                found["discourse", canonical(client.base_url + post["post_url"])] += 1
    for post in client.get("/cekfakta/wp-json/wp/v2/posts?per_page=100").json():
        found["web", canonical(post["link"])] += 1
    links: set[str] = set()
    for site in ("kabarnusa", "wartapesisir"):
        feed = client.get(f"/{site}/rss.xml").body.decode("latin-1")
        links |= {urljoin(client.base_url, link) for link in re.findall(r"<link>([^<]+/[^/<]+/)</link>", feed)}
        links |= set(re.findall(rf'href="(/{site}/2026[^"]+)"', client.get(f"/{site}/").body.decode()))
    for link in {canonical(urljoin(client.base_url, html.unescape(link))) for link in links}:
        if not link.endswith((".example/kabarnusa/", "https://kabarnusa.example/", "https://wartapesisir.example/")):
            found["web", link] += 1
    return found


def test_truth_covers_every_served_item_exactly_once(client: Client) -> None:
    told = Counter((row["platform"], row["native_id"]) for row in truth())
    assert max(told.values()) == 1
    seen = crawled(client)
    assert max(seen.values()) == 1
    assert set(seen) - set(told) == set()
    assert set(told) - set(seen) == set()


def test_a_pages_own_canonical_link_is_its_native_id(client: Client) -> None:
    web_ids = {row["native_id"] for row in truth() if row["platform"] == "web" and not row["listing_only"]}
    for listed in compose().articles.values():
        for article in listed:
            if article.ugly in ("gzip", "500", "429", "slow"):
                continue
            body = client.get(f"/{article.site}/{article.path}").body.decode("utf-8", "replace")
            match = re.search(r'rel="canonical" href="([^"]+)"', body)
            assert match
            assert match[1] in web_ids


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://127.0.0.1:9999/kabarnusa/2026/11/16/x?utm=1#a", "https://kabarnusa.example/2026/11/16/x/"),
        ("https://kabarnusa.example/2026/11/16/x/", "https://kabarnusa.example/2026/11/16/x/"),
        ("http://127.0.0.1:1/forum/t/17", None),
        ("http://localhost:1/forum/t/-/17/1", None),
        ("https://mikro.example/users/a/statuses/1", "https://mikro.example/users/a/statuses/1"),
        ("at://something/else", "at://something/else"),
    ],
)
def test_addresses_under_any_port_are_recognised(address: str, expected: str | None) -> None:
    topic = next(topic for topic in compose().topics if topic.id == 17)
    assert canonical(address) == (expected or topic.native_id(topic.comments[0]))


def test_only_posts_that_spread_a_story_ask_for_an_alert() -> None:
    rows = truth()
    assert {row["kind"] for row in rows if row["alert"]} == {"hoax", "provocation", "hate"}
    assert all(row["narrative"] for row in rows if row["alert"])
    assert all(row["claim"] for row in rows if row["kind"] == "hoax")
    claims = {row["native_id"] for row in rows if row["site"] == "cekfakta"}
    assert {row["claim"] for row in rows if row["claim"]} == claims


def narratives(rows: list[Row], kind: str) -> Counter[str]:
    return Counter(row["narrative"] or "" for row in rows if row["kind"] == kind)


def test_there_is_as_much_of_everything_as_the_readme_says() -> None:
    rows = truth()
    kinds = Counter(row["kind"] for row in rows)
    assert len(rows) >= 600
    assert kinds["ordinary"] / len(rows) >= 0.7
    hoaxes = narratives(rows, "hoax")
    assert len(hoaxes) == 10
    assert all(6 <= copies <= 25 for copies in hoaxes.values())
    assert all(count >= 2 for count in (narratives(rows, "correction")[name] for name in hoaxes))
    assert len(narratives(rows, "hoax_unchecked")) == 4
    assert len(narratives(rows, "provocation")) == 4
    assert len(narratives(rows, "hate")) == 4
    assert kinds["criticism"] >= 40
    assert kinds["satire"] >= 20
    assert kinds["counter_speech"] >= 15
    assert kinds["abusive"] >= 10


def test_hoaxes_travel_on_several_platforms_and_are_checked_before_and_after() -> None:
    world = compose()
    rows = truth()
    platforms = {
        name: {r["platform"] for r in rows if r["narrative"] == name and r["alert"]}
        for name in narratives(rows, "hoax")
    }
    assert sum(len(found) >= 2 for found in platforms.values()) >= 8
    checked = {a.meaning.narrative: a.at for a in world.articles["cekfakta"]}
    first: dict[str, datetime] = {}
    for status in world.statuses:
        if status.meaning.kind == "hoax" and status.meaning.narrative:
            first.setdefault(status.meaning.narrative, status.at)
    assert {checked[name] < at for name, at in first.items()} == {True, False}


def test_nobody_corrects_what_they_spread() -> None:
    told: dict[tuple[str | None, str], set[str]] = {}
    for status in compose().statuses:
        told.setdefault((status.meaning.narrative, status.account.handle), set()).add(status.meaning.kind)
    assert not [key for key, kinds in told.items() if key[0] and {"hoax", "correction"} <= kinds]


def test_the_same_seed_composes_the_same_world_and_another_seed_another() -> None:
    def said(seed: int) -> list[tuple[str, str]]:
        return [(status.uri, status.text) for status in _Composer(seed).world().statuses]

    assert said(SEED) == said(SEED)
    assert said(SEED) != said(SEED + 1)


def test_shifting_moves_instants_and_nothing_else() -> None:
    world, moved = compose(), shifted(compose(), 5)
    assert [s.uri for s in world.statuses] == [s.uri for s in moved.statuses]
    assert {(b.at - a.at).days for a, b in zip(world.statuses, moved.statuses, strict=True)} == {5}
    assert all(s.reply_to is None or s.reply_to in moved.statuses for s in moved.statuses[:50])


@pytest.mark.parametrize("hour", [0, 9, 17, 23])
def test_the_shifted_week_ends_within_a_day_and_never_in_the_future(hour: int) -> None:
    now = datetime(2027, 3, 14, hour, tzinfo=UTC)
    world = shifted(compose(), days_until(now, compose()))
    last_at = max(status.at for status in world.statuses)
    assert last_at <= now
    assert (now - last_at).total_seconds() < 86_400


def test_the_server_can_shift_to_now() -> None:
    with serve(0, shift_to_now=True) as server:
        newest = Client(server.base_url).get("/mikro/api/v1/timelines/public?limit=1").json()[0]
    age_s = (datetime.now(UTC) - datetime.fromisoformat(newest["created_at"])).total_seconds()
    assert 0 <= age_s < 86_400
