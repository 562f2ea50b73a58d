"""Counts and times of requests for Prometheus, by route; nothing about who calls or from where."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The metrics of one application, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "lull_http_requests", "Requests answered", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "lull_http_request_duration_seconds",
            "Seconds until the answer was ready",
            ("method", "route"),
            buckets=BUCKETS,
            registry=self._registry,
        )

    def watch(self, method: str, route: str) -> Callable[[int, float], None]:
        """What notes status and seconds of each request of one route; looks its labels up only once."""
        seconds = self._seconds.labels(method, route)
        counts: dict[int, Counter] = {}

        def note(status: int, took_s: float) -> None:
            count = counts.get(status)
            if count is None:
                count = counts[status] = self._requests.labels(method, route, str(status))
            count.inc()
            seconds.observe(took_s)

        return note

    def other(self, status: int) -> None:
        """Note a failed request that met no route of the table."""
        self._requests.labels("", "other", str(status)).inc()

    def text(self) -> bytes:
        """All of it in the text format of Prometheus."""
        return generate_latest(self._registry)
