"""The written steps of a folder's VERIFY.md, run as a stranger would run them: with bash, coreutils, warcio and openssl."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def steps(paper: str) -> list[str]:
    return re.findall(r"^```bash\n(.*?)^```", paper, re.MULTILINE | re.DOTALL)


def follow(folder: Path, paper: str, *, only_first: bool = False) -> list[str]:
    """What the steps of `paper` (kept elsewhere, as whoever received the folder would trust it) find wrong; empty if nothing."""
    wrong: list[str] = []
    for step in steps(paper):
        if wrong and only_first:
            break
        ran = subprocess.run(
            ["bash", "-c", step], cwd=folder, capture_output=True, text=True, errors="replace", env={"PATH": PATH}
        )
        if ran.returncode or ran.stdout or ran.stderr:
            wrong.append(f"{step}{ran.stdout}{ran.stderr}")
    return wrong
