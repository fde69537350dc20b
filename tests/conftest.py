"""What all tests share: real servers on demand, the rule on skips, the rule on logged errors."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.clock import FakeClock
from tests.servers import Missing, Server, elasticsearch, kafka

settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips", action="store_true", help="Fail if any test was skipped. In force wherever CI=true is set."
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "logs_errors: this test provokes errors that our loggers tell")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where the suite runs in several processes: a file stays in one, and all that needs the real servers in one more."""
    for item in items:
        group = "servers" if item.get_closest_marker("servers") else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
        # Ready within seconds on an idle machine; a busy one may take minutes.
        if group == "servers" and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(900))


# ---------------------------------------------------------------- skips


def _no_skips(config: pytest.Config) -> bool:
    return bool(config.getoption("--no-skips")) or os.environ.get("CI", "").lower() == "true"


def _left_out(reporter: pytest.TerminalReporter) -> Counter[str]:
    """Why -> how many tests."""
    reasons: Counter[str] = Counter()
    for report in reporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason.removeprefix("Skipped: ")] += 1
    return reasons


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if reasons := _left_out(terminalreporter):
        said = "; ".join(f"{n} tests: {reason}" for reason, n in sorted(reasons.items()))
        verdict = " This run may leave nothing out, so it fails." if _no_skips(config) else ""
        terminalreporter.write_line(f"LEFT OUT: {said}.{verdict}", yellow=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == 0 and _no_skips(session.config) and reporter is not None and _left_out(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


# ---------------------------------------------------------------- logged errors


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(f"{record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def _no_logged_errors(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test during which one of our loggers told an error has failed, whatever else it saw."""
    handler = _Errors()
    logger = logging.getLogger("jaga")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
    if handler.told and request.node.get_closest_marker("logs_errors") is None:
        pytest.fail("logged during this test: " + "; ".join(handler.told))


# ---------------------------------------------------------------- clock and servers


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def _serve(start: Server, variable: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if url := os.environ.get(variable):
        yield url
        return
    try:
        running = start(tmp_path_factory.mktemp("servers"))
    except Missing as error:
        pytest.skip(str(error))
    try:
        yield running.url
    finally:
        running.stop()


@pytest.fixture(scope="session")
def kafka_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`kafka://host:port` of a real Kafka: the one in TEST_KAFKA, else one started for this session."""
    yield from _serve(kafka.start, "TEST_KAFKA", tmp_path_factory)


@pytest.fixture(scope="session")
def elasticsearch_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`elasticsearch://host:port` of a real Elasticsearch: the one in TEST_ELASTICSEARCH, else one started here."""
    yield from _serve(elasticsearch.start, "TEST_ELASTICSEARCH", tmp_path_factory)
