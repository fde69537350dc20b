"""The starter keeps its word, and docker-compose.yml runs what the tests run."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from pipeline.adapters.kafka_broker import ENVELOPE_BYTES
from pipeline.adapters.record_size import MAX_RECORD_BYTES
from pipeline.settings import Settings
from tests.servers import Missing, jars, kafka
from tests.servers.kafka import SETTINGS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


class TestCompose:
    def test_it_is_a_compose_file(self, compose: dict[str, Any]) -> None:
        """By the schema of the Compose Specification, taken over unchanged from github.com/compose-spec/compose-spec at 170098b
        (Apache-2.0, Copyright The Compose Specification Authors)."""
        schema = json.loads((ROOT / "tests" / "servers" / "compose-spec.json").read_text())
        errors = [f"{'.'.join(map(str, e.path))}: {e.message}" for e in Draft7Validator(schema).iter_errors(compose)]
        assert errors == []

    def test_versions_are_those_of_the_tests(self, compose: dict[str, Any]) -> None:
        images = {name: service["image"] for name, service in compose["services"].items()}
        kafka_version = jars.version("kafka", "org.apache.kafka:kafka_2.13")
        elastic_version = jars.version("elasticsearch", "org.elasticsearch:elasticsearch")
        assert images["kafka"] == f"apache/kafka:{kafka_version}"
        assert images["elasticsearch"] == f"elasticsearch:{elastic_version}"
        assert images["postgres"] == "postgres:18"

    def test_the_clients_major_is_the_servers(self) -> None:
        import elasticsearch

        server = jars.version("elasticsearch", "org.elasticsearch:elasticsearch")
        assert str(elasticsearch.__version__[0]) == server.split(".")[0]

    def test_kafka_runs_with_the_settings_of_the_tests(self, compose: dict[str, Any]) -> None:
        there = compose["services"]["kafka"]["environment"]
        tests_only = {
            "offsets.topic.num.partitions",
            "group.initial.rebalance.delay.ms",
            "group.min.session.timeout.ms",
        }
        for name, value in SETTINGS.items():
            if name not in tests_only:
                assert str(there["KAFKA_" + name.upper().replace(".", "_")]) == value, name

    def test_the_largest_message_passes_kafka(self) -> None:
        assert int(SETTINGS["message.max.bytes"]) >= MAX_RECORD_BYTES + ENVELOPE_BYTES

    @pytest.mark.parametrize("name", ["crawler", "worker", "api"])
    def test_our_services_are_set_with_settings_that_exist(self, compose: dict[str, Any], name: str) -> None:
        service = compose["services"][name]
        given = {
            key.removeprefix("JAGA_").lower(): re.sub(r"\$\{\w+:-(.*?)\}", r"\1", str(value))
            for key, value in service["environment"].items()
        }
        assert set(given) <= set(Settings.model_fields)
        settings = Settings(**given)  # type: ignore[arg-type]
        assert settings.broker == "kafka://kafka:9092"
        assert settings.store == "elasticsearch://elasticsearch:9200"
        assert settings.desk.startswith("postgresql://")
        assert all(of["condition"] == "service_healthy" for of in service["depends_on"].values())
        assert "container_name" not in service

    def test_what_is_named_is_there(self, compose: dict[str, Any]) -> None:
        """Volumes and services that are used are declared; servers keep their data and tell their health."""
        services = compose["services"]
        for name, service in services.items():
            # What begins otherwise is a file of the host.
            mounted = [volume.split(":")[0] for volume in service["volumes"] if volume[0].isalpha()]
            assert mounted, name
            assert set(mounted) <= set(compose["volumes"]), name
            assert set(service.get("depends_on", {})) <= set(services), name
        for name in ("kafka", "elasticsearch", "postgres", "api"):
            assert {"test", "interval", "timeout", "retries"} <= set(services[name]["healthcheck"]), name

    def test_the_image_runs_as_nobody_special_from_pinned_libraries(self) -> None:
        lines = (ROOT / "Dockerfile").read_text().splitlines()
        assert any("--require-hashes" in line for line in lines)
        users = [line.split()[1] for line in lines if line.startswith("USER ")]
        assert users[-1:] == ["jaga"]


class TestJars:
    @pytest.fixture
    def maven(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A Maven of our own that knows one jar, and a list of that jar."""
        jar = tmp_path / "repository" / "a" / "b" / "c" / "1.0" / "c-1.0.jar"
        jar.parent.mkdir(parents=True)
        jar.write_bytes(b"a jar")
        listed = tmp_path / "jars.txt"
        listed.write_text(f"# comment\nkafka a.b:c:1.0 {hashlib.sha256(b'a jar').hexdigest()}\n")
        mvn = tmp_path / "bin" / "mvn"
        mvn.parent.mkdir()
        mvn.write_text(
            "#!/bin/sh\n"
            'for word; do case "$word" in -DoutputDirectory=*) out=${word#*=};; esac; done\n'
            f"cp -r {tmp_path}/repository/. $out || exit 1\n"
            f"test -e {jar} || {{ echo Could not find artifact a.b:c:jar:1.0; exit 1; }}\n"
        )
        mvn.chmod(0o755)
        monkeypatch.setattr(jars, "LIST", listed)
        monkeypatch.setenv("PATH", f"{mvn.parent}:{os.environ['PATH']}")
        monkeypatch.setenv("TEST_JARS", str(tmp_path / "cache"))
        return jar

    def test_they_are_fetched_once_and_kept(self, maven: Path) -> None:
        (kept,) = jars.fetch("kafka").values()
        assert kept.read_bytes() == b"a jar"
        maven.unlink()
        assert jars.fetch("kafka") == {"a.b:c:1.0": kept}

    def test_a_jar_that_was_tampered_with_is_not_run(self, maven: Path) -> None:
        maven.write_bytes(b"another jar")
        with pytest.raises(Missing, match=r"a\.b:c:1\.0 did not come with the SHA-256"):
            jars.fetch("kafka")

    def test_a_damaged_copy_is_fetched_again(self, maven: Path) -> None:
        (kept,) = jars.fetch("kafka").values()
        kept.write_bytes(b"half")
        (again,) = jars.fetch("kafka").values()
        assert again.read_bytes() == b"a jar"

    def test_a_jar_that_cannot_be_had_is_said_in_mavens_words(self, maven: Path) -> None:
        maven.unlink()
        with pytest.raises(Missing, match="Could not find artifact"):
            jars.fetch("kafka")

    def test_every_jar_has_its_hash(self) -> None:
        for server, least in (("kafka", 40), ("elasticsearch", 50)):
            listed = jars.listed(server)
            assert len(listed) >= least
            assert all(re.fullmatch(r"[0-9a-f]{64}", sha256) for sha256 in listed.values())


SKIPPING = """
import pytest

def test_one():
    pass

@pytest.mark.servers
def test_two(kafka_url):
    pass

@pytest.mark.servers
def test_three(kafka_url):
    pass
"""

LOGGING = """
import logging
import pytest

def test_tells_an_error():
    logging.getLogger("jaga.runner").error("the disk burns")

@pytest.mark.logs_errors
def test_says_so():
    logging.getLogger("jaga.runner").error("the disk burns")

def test_of_others():
    logging.getLogger("kafka").error("a broker burns")
"""


def run_pytest(tmp_path: Path, program: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A test run of its own, under this project's conftest."""
    (tmp_path / "test_it.py").write_text(program)
    clean = {k: v for k, v in os.environ.items() if k not in ("CI", "TEST_KAFKA", "TEST_ELASTICSEARCH")}
    words = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", str(ROOT / "pyproject.toml")]
    return subprocess.run(
        [*words, "--rootdir", str(ROOT), "-p", "no:cacheprovider", str(tmp_path / "test_it.py"), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**clean, **environment},
    )


class TestSkips:
    @pytest.fixture
    def nowhere(self, tmp_path: Path) -> dict[str, str]:
        """A machine without jars and without Maven."""
        return {"PATH": str(tmp_path), "TEST_JARS": str(tmp_path / "empty")}

    def test_one_line_says_what_was_left_out_and_why(self, tmp_path: Path, nowhere: dict[str, str]) -> None:
        done = run_pytest(tmp_path, SKIPPING, **nowhere)
        assert done.returncode == 0, done.stdout
        (line,) = [line for line in done.stdout.splitlines() if line.startswith("LEFT OUT")]
        assert "2 tests" in line
        assert "mvn is not there to fetch the test servers' jars" in line

    @pytest.mark.parametrize("how", ["--no-skips", "CI"])
    def test_where_nothing_may_be_left_out_the_run_fails(
        self, tmp_path: Path, nowhere: dict[str, str], how: str
    ) -> None:
        options, environment = ([how], {}) if how == "--no-skips" else ([], {how: "true"})
        done = run_pytest(tmp_path, SKIPPING, *options, **nowhere, **environment)
        assert done.returncode == 1, done.stdout
        assert "LEFT OUT: 2 tests" in done.stdout

    def test_a_run_that_leaves_nothing_out_says_nothing(self, tmp_path: Path) -> None:
        done = run_pytest(tmp_path, "def test_one():\n    pass\n", "--no-skips")
        assert done.returncode == 0, done.stdout
        assert "LEFT OUT" not in done.stdout


def test_a_test_during_which_we_logged_an_error_fails_unless_it_says_so(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, LOGGING)
    assert done.returncode == 1
    assert "the disk burns" in done.stdout
    assert re.search(r"3 passed, 1 error", done.stdout), done.stdout


@pytest.mark.servers
def test_the_starter_starts_names_and_stops_a_server(tmp_path: Path) -> None:
    try:
        jars.fetch("kafka")
    except Missing as error:
        pytest.skip(str(error))

    def starter(what: str) -> str:
        words = [sys.executable, "-m", "tests.servers", what, "kafka", "--dir", str(tmp_path)]
        return subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()

    try:
        said = starter("start")
        assert re.fullmatch(r"export TEST_KAFKA=kafka://127\.0\.0\.1:\d+", said)
        assert starter("start") == said, "a second start finds the first"
        assert starter("status") == said.replace("export TEST_KAFKA=", "kafka: ")
        pid = json.loads((tmp_path / "kafka.json").read_text())["pid"]
    finally:
        assert starter("stop") == "kafka: not running"
    assert starter("status") == "kafka: not running"
    with pytest.raises(OSError, match="No such process"):
        os.kill(pid, 0)


def test_what_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka.jars, "fetch", lambda server: {})
    with pytest.raises(Missing, match="Kafka cannot format"):
        kafka.start(tmp_path)
