"""HTTP for phones and tills: one small pool of connections, every answer counted, the latencies of fixes kept."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import urllib3
from pydantic_core import from_json

from simulator.port import BackendError

TIMEOUT_S = 20.0
UNEXPECTED = 400
"""Statuses from here on are errors, unless the caller expects them."""


@dataclass(slots=True)
class Meter:
    """What the clients measured. Safe between threads. `latencies_s` holds those calls that asked to be timed."""

    latencies_s: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def note(self, what: str, seconds: float, timed: bool, error: str | None) -> None:
        """Count one call."""
        with self._lock:
            self.calls[what] += 1
            if timed:
                self.latencies_s.append(seconds)
            if error is not None:
                self.errors[f"{what}: {error}"] += 1

    @property
    def http_errors(self) -> int:
        """Calls that failed or were answered with a status the scenario does not expect."""
        with self._lock:
            return self.errors.total()

    def percentile_ms(self, share: float) -> float | None:
        """The latency in milliseconds that `share` (0 to 1) of the timed calls stay within, None without any."""
        with self._lock:
            ordered = sorted(self.latencies_s)
        if not ordered:
            return None
        return round(1_000.0 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)


class Http:
    """JSON requests to one loopback port over at most `connections` connections that stay open."""

    def __init__(self, port: int, meter: Meter, connections: int = 8) -> None:
        self._pool = urllib3.HTTPConnectionPool(
            "127.0.0.1", port, maxsize=connections, block=True, retries=False, timeout=urllib3.Timeout(TIMEOUT_S)
        )
        self._meter = meter
        self.port = port

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        what: str,
        bearer: str | None = None,
        headers: dict[str, str] | None = None,
        expected: frozenset[int] = frozenset(),
        timed: bool = False,
    ) -> tuple[int, Any]:
        """Status and parsed body. `what` names the call in the counts (never an address with ids or positions).

        Raises BackendError when there is no answer, or one with a status from 400 on that is not `expected`.
        """
        sent = {"Content-Type": "application/json", **(headers or {})}
        if bearer is not None:
            sent["Authorization"] = f"Bearer {bearer}"
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        began = time.perf_counter()
        try:
            answer = self._pool.urlopen(method, path, body=data, headers=sent)
        except urllib3.exceptions.HTTPError as error:
            name = type(error).__name__
            self._meter.note(what, time.perf_counter() - began, False, name)
            raise BackendError(f"{what} got no answer ({name}).") from None
        seconds = time.perf_counter() - began
        failed = answer.status >= UNEXPECTED and answer.status not in expected
        self._meter.note(what, seconds, timed, f"{answer.status} {_problem(answer.data)}" if failed else None)
        if failed:
            raise BackendError(f"{what} was answered with status {answer.status} ({_problem(answer.data)}).")
        return answer.status, _parsed(answer.data)

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


def _parsed(data: bytes) -> Any:
    try:
        return from_json(data) if data else None
    except ValueError:
        return None


def _problem(data: bytes) -> str:
    """The type of a problem document; its detail stays out, it may repeat what was sent."""
    document = _parsed(data)
    return str(document.get("type", "no type")) if isinstance(document, dict) else "no problem document"
