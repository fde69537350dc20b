from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.house import TestHouse


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    house = TestHouse(tmp_path)
    yield house
    house.close()
