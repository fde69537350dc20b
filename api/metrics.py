"""Numbers for Prometheus, in a registry of our own so that two apps in one process do not mix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from api import coverage
from pipeline.coverage import STATES
from pipeline.ports import Filter, RetryLater

if TYPE_CHECKING:
    from api.house import House

METHODS = {"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"}
COUNTS = ("in", "indexed", "duplicate", "dead", "discarded", "lag")


class Meter:
    """Counts requests and how long they took, by route template: paths of clients never become labels."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "jaga_http_requests", "Requests answered", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "jaga_http_request_seconds",
            "Seconds until the last byte of an answer",
            ["route"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method if method in METHODS else "other", route, str(status)).inc()
        if not route.endswith("/stream"):  # a stream lasts as long as its reader: no latency
            self._seconds.labels(route).observe(seconds)


class PipelineCollector:
    """Reads counts and alerts when it is scraped. A store out of reach shows as `jaga_store_up 0`, not as an error."""

    def __init__(self, house: House) -> None:
        self._house = house

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("jaga_store_up", "1 if store and log answered")
        try:
            metrics = list(self._read())
        except RetryLater:
            up.add_metric([], 0)
        else:
            up.add_metric([], 1)
            yield from metrics
        yield up

    def _read(self) -> Iterator[Metric]:
        counts = self._house.sums()["counts"]
        posts = GaugeMetricFamily(
            "jaga_posts", "Posts by where they went: in is the sum of the others", labels=["door"]
        )
        for name in COUNTS[:-1]:
            posts.add_metric([name], counts[name])
        yield posts
        lag = GaugeMetricFamily("jaga_lag_messages", "Messages logged and not yet settled")
        lag.add_metric([], counts["lag"])
        yield lag
        alerts = GaugeMetricFamily("jaga_alerts", "Alerts by rule and status", labels=["rule", "status"])
        for status in ("new", "withdrawn"):
            where = Filter(equals={"status": [status]})
            for rule, number in self._house.store.terms("alerts", "rule", where).items():
                alerts.add_metric([rule, status], number)
        yield alerts
        seen = coverage.sums(coverage.covered(self._house))
        sources = GaugeMetricFamily("jaga_sources", "Sources by how well they are seen", labels=["state"])
        for state in STATES:
            sources.add_metric([state], seen.states.get(state, 0))
        yield sources
        gaps = GaugeMetricFamily("jaga_open_gaps", "Gaps that last still")
        gaps.add_metric([], seen.open_gaps)
        yield gaps
