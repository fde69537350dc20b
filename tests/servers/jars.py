"""The servers' jars: pinned by SHA-256 in `jars.txt`, fetched once by Maven, kept in a cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.servers.server import Missing

LIST = Path(__file__).with_name("jars.txt")

POM = """<project>
  <modelVersion>4.0.0</modelVersion><groupId>servers</groupId><artifactId>servers</artifactId><version>1</version>
  <dependencies>{dependencies}</dependencies>
</project>"""
DEPENDENCY = """<dependency>
  <groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version>
  <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
</dependency>"""


def cache() -> Path:
    """TEST_JARS, else a folder in the user's cache. (Names that begin with JAGA_ are settings of the program.)"""
    return Path(os.environ.get("TEST_JARS") or Path.home() / ".cache" / "jaga-ruang" / "jars")


def listed(server: str) -> dict[str, str]:
    """group:artifact:version -> SHA-256."""
    lines = (line.split() for line in LIST.read_text().splitlines() if line and not line.startswith("#"))
    return {name: sha256 for of, name, sha256 in lines if of == server}


def version(server: str, artifact: str) -> str:
    """Of `group:artifact` in the list."""
    return next(name.rsplit(":", 1)[1] for name in listed(server) if name.rsplit(":", 1)[0] == artifact)


def fetch(server: str) -> dict[str, Path]:
    """group:artifact:version -> its file, each checked against the list. Raises Missing."""
    wanted = listed(server)
    files = {name: cache() / _path(name) for name in wanted}
    lacking = [name for name, file in files.items() if not _is(file, wanted[name])]
    if lacking:
        with tempfile.TemporaryDirectory(prefix="jars-") as folder:
            _copy(lacking, Path(folder))
            for name in lacking:
                came = Path(folder) / _path(name)
                if not _is(came, wanted[name]):
                    raise Missing(f"{name} did not come with the SHA-256 that {LIST.name} says")
                files[name].parent.mkdir(parents=True, exist_ok=True)
                # Under a name of its own first: another test run may be fetching the same.
                part = files[name].with_name(f"{files[name].name}.{os.getpid()}")
                shutil.copyfile(came, part)
                part.rename(files[name])
    return files


def _copy(names: Sequence[str], folder: Path) -> None:
    """Let Maven fetch exactly these, without what they depend on: the list names everything."""
    maven = shutil.which("mvn")
    if maven is None:
        raise Missing("mvn is not there to fetch the test servers' jars (apt-get install maven)")
    project = folder / "pom.xml"
    project.write_text(POM.format(dependencies="".join(DEPENDENCY.format(*name.split(":")) for name in names)))
    done = subprocess.run(
        [
            *(maven, "-q", "-B", "-f", project, "dependency:copy-dependencies"),
            *(f"-DoutputDirectory={folder}", "-Dmdep.useRepositoryLayout=true"),
        ],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Missing(f"mvn cannot fetch the test servers' jars: {(done.stdout + done.stderr).strip()[-300:]}")


def _path(name: str) -> str:
    group, artifact, version = name.split(":")
    return f"{group.replace('.', '/')}/{artifact}/{version}/{artifact}-{version}.jar"


def _is(file: Path, sha256: str) -> bool:
    return file.exists() and hashlib.sha256(file.read_bytes()).hexdigest() == sha256
