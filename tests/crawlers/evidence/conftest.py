from __future__ import annotations

from pathlib import Path

import pytest

from .world import World, three_days


@pytest.fixture
def world(tmp_path: Path) -> World:
    return three_days(tmp_path / "home")
