"""Sites in both forms, and what an undisturbed run makes of the load."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults import load
from tests.faults.result import Result, result_of
from tests.faults.site import Site, publish
from tests.pipeline.house import TestHouse


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Of `load.records()`, one stage after the other, in this process, with nothing that disturbs."""
    house = TestHouse(tmp_path_factory.mktemp("undisturbed"))
    publish(house, load.records())
    house.drain()
    result = result_of(house)
    house.close()
    return result


MakeSite = Callable[..., Site]
SQLITE = "sqlite"
GROWN = pytest.param("grown", marks=pytest.mark.servers)
"""Kafka and Elasticsearch."""


@pytest.fixture
def make_site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeSite]:
    """make_site(form, broker=, store=): a site of the form "sqlite" or "grown", or with other URLs."""
    made: list[Site] = []

    def make(form: str = "sqlite", **options: Any) -> Site:
        urls: dict[str, Any] = {}
        if form == "grown":
            for name, fixture in (("broker", "kafka_url"), ("store", "elasticsearch_url")):
                urls[name] = options.get(name) or request.getfixturevalue(fixture)
        made.append(Site.make(tmp_path / f"site{len(made)}", **(urls | options)))
        return made[-1]

    yield make
    for site in made:
        site.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Processes, servers and their pauses: what takes seconds on an idle machine may take minutes on a busy one."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(900))
