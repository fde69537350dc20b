"""`jaga` as scripts call it: another process, its output, its errors and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output as one JSON a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Jaga = Callable[..., Ran]


@pytest.fixture
def jaga(tmp_path: Path) -> Jaga:
    def run(*words: str | Path, **settings: str) -> Ran:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("JAGA_")}
        environment |= {"JAGA_HOME": str(tmp_path / "home")} | settings
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *map(str, words)], env=environment, capture_output=True, timeout=120
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run
