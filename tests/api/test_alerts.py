"""What a client of the alert feed can rely on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pipeline.contracts import Alert
from tests.api.conftest import World
from tests.api.small_store import NOW, alert, put_alert


def ids(world: World, **params: Any) -> list[str]:
    answer = world.client.get("/api/v1/alerts", params={"limit": 200, **params})
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def test_the_last_seen_alert_comes_first(world: World) -> None:
    assert ids(world) == [f"a{n:04d}" for n in range(25)]


def test_every_item_is_an_alert_of_the_contract_with_the_names_of_its_places(world: World) -> None:
    item = world.client.get("/api/v1/alerts").json()["items"][1]
    assert item.pop("region_names") == ["Kota Surabaya"]
    assert Alert.model_validate(item) == alert(1)


@pytest.mark.parametrize("limit", [1, 2, 7, 24, 25, 26, 200])
@pytest.mark.parametrize("sort", ["last_seen_at", "opened_at", "updated_at", "reach", "score", "posts"])
def test_paging_gives_every_alert_once(world: World, limit: int, sort: str) -> None:
    found: list[str] = []
    params: dict[str, Any] = {"limit": limit, "sort": sort}
    for _ in range(30):
        body = world.client.get("/api/v1/alerts", params=params).json()
        assert len(body["items"]) <= limit
        found += [item["id"] for item in body["items"]]
        if body["next"] is None:
            break
        params["cursor"] = body["next"]
    assert len(found) == len(set(found)) == 25


def test_an_alert_that_comes_while_paging_doubles_none_of_the_others(world: World) -> None:
    first = world.client.get("/api/v1/alerts", params={"limit": 10}).json()
    put_alert(world.store, alert(99, id="a-new", last_seen_at=NOW + timedelta(minutes=1)))
    rest = world.client.get("/api/v1/alerts", params={"limit": 200, "cursor": first["next"]}).json()
    found = [item["id"] for item in first["items"] + rest["items"]]
    assert sorted(found) == [f"a{n:04d}" for n in range(25)]


def test_sorting_by_reach_puts_the_widest_first(world: World) -> None:
    reach = [i["reach"] for i in world.client.get("/api/v1/alerts", params={"sort": "reach"}).json()["items"]]
    assert reach == sorted(reach, reverse=True)
    assert reach[0] > reach[-1]


def test_a_province_finds_the_alerts_of_its_cities(world: World) -> None:
    odd = [f"a{n:04d}" for n in range(1, 25, 2)]
    assert ids(world, region="35") == ids(world, region="35.78") == odd
    assert ids(world, region="35.79") == []


def test_filters_hold_together_and_values_of_one_are_alternatives(world: World) -> None:
    assert ids(world, rule="hate", platform="forum") == [f"a{n:04d}" for n in range(25) if n % 3 == 2 and n % 2 == 0]
    assert ids(world, rule=["hate", "hoax"]) == [f"a{n:04d}" for n in range(25) if n % 3 != 1]
    assert ids(world, label="provocation") == [f"a{n:04d}" for n in range(25) if n % 3 == 1]
    assert ids(world, status="withdrawn") == []


def test_since_counts_and_until_does_not(world: World) -> None:
    at = (NOW - timedelta(minutes=50)).isoformat()
    assert ids(world, since=at) == [f"a{n:04d}" for n in range(6)]
    assert ids(world, until=at) == [f"a{n:04d}" for n in range(6, 25)]


def test_a_zone_whose_plus_was_not_encoded_is_understood(world: World) -> None:
    answer = world.client.get("/api/v1/alerts?limit=200&since=2024-11-24T15:40:00+07:00")
    assert [item["id"] for item in answer.json()["items"]] == [f"a{n:04d}" for n in range(6)]


def test_words_find_alerts_whatever_their_spelling(world: World) -> None:
    assert ids(world, q="SURATNYA suara nomor 7") == ["a0007"]
    assert ids(world, q="tak ada kata ini") == []


def test_an_alert_comes_with_its_widest_posts_verdicts_and_evidence(world: World) -> None:
    body = world.client.get("/api/v1/alerts/a0000").json()
    reach = [item["post"]["counts"]["likes"] + item["post"]["counts"]["reposts"] for item in body["widest_posts"]]
    assert len(reach) == 20
    assert reach == sorted(reach, reverse=True)
    first = body["widest_posts"][0]
    assert first["labels"] == ["hoax"]
    assert first["verdict"]["claims"][0]["claim_id"] == "cek-118"
    pointer = world.client.get(first["evidence_url"]).json()
    assert (pointer["warc"], pointer["sha256"]) == ("2024-11-24/kabar-1.warc.gz", "ab" * 32)
    assert pointer["post_id"] == first["id"]


def test_all_posts_of_an_alert_are_paged_each_once(world: World) -> None:
    address = world.client.get("/api/v1/alerts/a0000").json()["posts_url"]
    found: list[str] = []
    params: dict[str, Any] = {"limit": 8}
    while True:
        body = world.client.get(address, params=params).json()
        found += [item["id"] for item in body["items"]]
        if body["next"] is None:
            break
        params["cursor"] = body["next"]
    assert len(found) == len(set(found)) == 45


def test_an_unchanged_feed_costs_a_304_and_a_changed_one_is_sent(world: World) -> None:
    first = world.client.get("/api/v1/alerts")
    etag = first.headers["etag"]
    assert etag.startswith('W/"')
    assert first.headers["cache-control"] == "private, no-cache"
    again = world.client.get("/api/v1/alerts", headers={"If-None-Match": f'"other", {etag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    put_alert(world.store, alert(0, reach=999, version=2))
    changed = world.client.get("/api/v1/alerts", headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


def test_two_filters_with_other_results_have_other_etags(world: World) -> None:
    tags = {world.client.get("/api/v1/alerts", params={"rule": r}).headers["etag"] for r in ("hoax", "hate")}
    assert len(tags) == 2
