"""The same answers from the grown form's store."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from pipeline.adapters.elastic_store import ElasticStore
from tests.api.conftest import World
from tests.api.small_store import TOKEN, Listed, StandingClock, fill, open_small

pytestmark = pytest.mark.servers

ASKED = [
    "alerts?limit=200",
    "alerts?limit=200&sort=reach",
    "alerts?region=35&platform=mastodon&rule=hate&rule=hoax",
    "alerts?q=SURATNYA+nomor+7",
    "alerts?since=2024-11-24T08:00:00Z&until=2024-11-24T09:00:00Z",
    "alerts/a0000",
    "alerts/a0000/posts?limit=200",
    "posts?limit=200",
    "posts?q=gudang+surabaya&label=hoax&limit=5",
    "claims",
    "claims/https%3A%2F%2Fcek.example%2Fa%2Fb%3Fc%3D1",
    "gaps",
    "coverage",
    "coverage?state=broken&limit=1",
    "coverage/saluran",
    "stats/timeline?split=label",
    "stats/timeline?of=alerts&interval=day&split=region",
    "stats",
    "alerts/none",
]


def pages(client: TestClient, path: str, **params: Any) -> list[str]:
    found: list[str] = []
    while True:
        body = client.get(f"/api/v1/{path}", params=params).json()
        found += [item.get("id") or item["claim_id"] for item in body["items"]]
        if body["next"] is None:
            return found
        params["cursor"] = body["next"]


def test_both_stores_give_the_same_answers(world: World, tmp_path: Path, elasticsearch_url: str) -> None:
    settings, _, broker = open_small(tmp_path / "other")
    store = ElasticStore(elasticsearch_url, prefix=f"api-{uuid4().hex[:8]}")
    store.prepare()
    fill(store)
    store.refresh()
    app = create_app(settings, store, broker, StandingClock(), sources=Listed())
    elastic = TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"})
    try:
        for path in ASKED:
            one, other = world.client.get(f"/api/v1/{path}"), elastic.get(f"/api/v1/{path}")
            assert other.status_code == one.status_code, path
            expected, given = one.json(), other.json()
            if "next" in expected:
                # A cursor is bound to its question alone: made by one store, it goes on in the other.
                assert given.pop("next") == expected.pop("next"), path
            assert given == expected, path
        for path in ("alerts", "posts", "claims", "alerts/a0000/posts"):
            assert pages(elastic, path, limit=7) == pages(world.client, path, limit=7), path
    finally:
        store.close()
        broker.close()
