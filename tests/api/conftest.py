from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from pipeline.ports import Broker, SearchStore
from tests.api.small_store import TOKEN, StandingClock, fill, small_app


@dataclass
class World:
    app: FastAPI
    store: SearchStore
    broker: Broker
    clock: StandingClock
    client: TestClient
    """Carries the token."""
    stranger: TestClient
    """Carries none."""


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    app, store, broker, clock = small_app(tmp_path)
    yield World(
        app,
        store,
        broker,
        clock,
        TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"}, follow_redirects=False),
        TestClient(app, follow_redirects=False),
    )
    store.close()
    broker.close()


@pytest.fixture
def world(empty: World) -> World:
    fill(empty.store)
    return empty
