"""The repository as git sees it: what would be published."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("api", "classifier", "crawlers", "demo", "pipeline")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that git tracks or would add, as a path from the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    # A file deleted in the work tree is listed still.
    return tuple(sorted(Path(name) for name in set(listed.split("\0")) - {""} if (ROOT / name).is_file()))


@cache
def text_of(path: Path) -> str:
    """The file's text; empty for one that is not text (weights, pictures, pages in old charsets)."""
    data = (ROOT / path).read_bytes()
    try:
        return "" if b"\0" in data else data.decode()
    except UnicodeDecodeError:
        return ""


def modules(*packages: str) -> list[Path]:
    """The Python files of the packages."""
    return [path for path in tracked() if path.suffix == ".py" and path.parts[0] in packages]


def papers() -> list[Path]:
    """The documents that people read, in the root and in docs/."""
    return [path for path in tracked() if path.suffix == ".md" and (len(path.parts) == 1 or path.parts[0] == "docs")]
