"""Posts, claims and gaps as a client finds them."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest

from pipeline.contracts import Deletion, Post
from pipeline.documents import deletion_write
from pipeline.ports import Write
from tests.api.conftest import World
from tests.api.small_store import NOW, post, post_writes, put_all, put_post, verdict


def test_words_find_posts_and_no_others(world: World) -> None:
    body = world.client.get("/api/v1/posts", params={"q": "bandung cuaca"}).json()
    assert [item["post"]["text"] for item in body["items"]] == ["Cuaca cerah di Bandung hari ini"]
    assert body["items"][0]["region_names"] == ["Kota Bandung"]
    assert body["items"][0]["narrative_id"] is None


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({"platform": "forum"}, 24),
        ({"platform": ["forum", "mastodon"]}, 46),
        ({"label": "hoax"}, 45),
        ({"region": "32"}, 1),
        ({"author": "0000000000000007"}, 1),
        ({"narrative": "n0000"}, 45),
        ({"since": (NOW - timedelta(minutes=14)).isoformat()}, 3),
        ({"narrative": "n0000", "platform": "forum", "until": (NOW - timedelta(minutes=14)).isoformat()}, 21),
    ],
)
def test_filters_of_posts(world: World, params: dict[str, str], count: int) -> None:
    assert len(world.client.get("/api/v1/posts", params={"limit": 200, **params}).json()["items"]) == count


def test_paging_posts_gives_each_once(world: World) -> None:
    found: list[str] = []
    params = {"limit": "7"}
    while True:
        body = world.client.get("/api/v1/posts", params=params).json()
        found += [item["id"] for item in body["items"]]
        if body["next"] is None:
            break
        params["cursor"] = body["next"]
    assert len(found) == len(set(found)) == 46


def test_a_post_shows_every_verdict_ever_given_the_newest_first(world: World) -> None:
    seen = post(3)
    later = verdict(seen, model="m-uji-2", at=NOW + timedelta(hours=1))
    world.store.put([Write("verdicts", later.id, later.model_dump(mode="json"))])
    world.store.refresh()
    body = world.client.get(f"/api/v1/posts/{seen.id}").json()
    assert [v["model"] for v in body["verdicts"]] == ["m-uji-2", "m-uji-1"]
    assert body["verdict"]["model"] == "m-uji-1"
    assert Post.model_validate(body["post"]) == seen


def test_a_post_without_bytes_says_so(world: World) -> None:
    made = post(500, evidence=None)
    put_post(world.store, made, None)
    assert world.client.get(f"/api/v1/posts/{made.id}").json()["evidence_url"] is None
    answer = world.client.get(f"/api/v1/posts/{made.id}/evidence")
    assert answer.status_code == 404
    assert "without bytes" in answer.json()["detail"]


def test_hostile_text_comes_back_as_it_was(world: World) -> None:
    text = "<script>alert(1)</script> \u202eterbalik {{7*7}} \U0001f5f3" + "x" * 5000
    made = post(501, text)
    put_post(world.store, made, None)
    answer = world.client.get(f"/api/v1/posts/{made.id}")
    assert answer.json()["post"]["text"] == text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_claim_whose_id_is_an_address_can_be_asked_for(world: World) -> None:
    claim_id = "https://cek.example/a/b?c=1"
    assert world.client.get(f"/api/v1/claims/{quote(claim_id, safe='')}").json()["claim_id"] == claim_id


def test_claims_are_found_by_words(world: World) -> None:
    found = world.client.get("/api/v1/claims", params={"q": "surat suara"}).json()["items"]
    assert [item["claim_id"] for item in found] == ["cek-118"]


def test_claims_without_a_date_are_paged_too(world: World) -> None:
    first = world.client.get("/api/v1/claims", params={"limit": 1}).json()
    second = world.client.get("/api/v1/claims", params={"limit": 1, "cursor": first["next"]}).json()
    assert [i["claim_id"] for i in first["items"] + second["items"]] == ["cek-118", "https://cek.example/a/b?c=1"]
    assert second["next"] is None


def test_gaps_are_listed_the_newest_first(world: World) -> None:
    assert [g["source"] for g in world.client.get("/api/v1/gaps").json()["items"]] == ["kabarwarga", "forum-kota"]
    one = world.client.get("/api/v1/gaps", params={"source": "forum-kota"}).json()["items"]
    assert [g["cause"] for g in one] == ["503"]


def test_a_post_that_was_seen_to_be_gone_says_so_until_it_is_there_again(world: World) -> None:
    made = post(700)
    put_post(world.store, made, "n0000")

    def deleted() -> list[object]:
        one = world.client.get(f"/api/v1/posts/{made.id}").json()["deleted"]
        listed = world.client.get("/api/v1/posts", params={"limit": 200}).json()["items"]
        assert [item["deleted"] for item in listed if item["id"] == made.id] == [one]
        assert all(item["deleted"] is None for item in listed if item["id"] != made.id)
        return [one and (one["seen_at"], one["how"])]

    assert deleted() == [None]
    for hours in (2, 1):
        gone = Deletion(
            platform=made.platform, native_id=made.native_id, seen_at=NOW + timedelta(hours=hours), how="HTTP 404"
        )
        put_all(world.store, [deletion_write(gone)])
    assert deleted() == [("2024-11-24T10:30:00Z", "HTTP 404")]
    again = made.model_copy(update={"fetched_at": NOW + timedelta(hours=3)})
    put_all(world.store, post_writes(again, "n0000")[:1])
    assert deleted() == [None]
