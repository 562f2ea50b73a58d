"""A store as a queue: customers come, wait their turn first in first out, and keep one server each for a while."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Generator
from dataclasses import dataclass
from math import log, sqrt
from typing import Any

import numpy as np
import simpy

SimProcess = Generator[simpy.Event, Any, None]


class StepRecord:
    """A piecewise-constant function of time, remembered exactly: `set` its value as time goes by, ask for integrals.

    Times are seconds and must not go back. Before the first time the value is the first value.
    """

    def __init__(self, at: float, value: float = 0.0) -> None:
        self._times = [at]
        self._values = [value]
        self._sums = [0.0]

    @property
    def value(self) -> float:
        """The value now."""
        return self._values[-1]

    def set(self, at: float, value: float) -> None:
        """From `at` on the function has `value`. Raises ValueError when `at` lies before the last change."""
        last = self._times[-1]
        if at < last:
            raise ValueError("a step record cannot go back in time")
        if at == last:
            self._values[-1] = value
            return
        self._sums.append(self._sums[-1] + self._values[-1] * (at - last))
        self._times.append(at)
        self._values.append(value)

    def integral(self, start: float, end: float) -> float:
        """Integral over [start, end]; the last value is taken to last."""
        return self._until(end) - self._until(start)

    def _until(self, at: float) -> float:
        index = max(0, bisect_right(self._times, at) - 1)
        return self._sums[index] + self._values[index] * (at - self._times[index])


@dataclass(frozen=True, slots=True)
class Served:
    """One customer whose turn came: when they arrived, how many seconds they waited, whether they held a coupon."""

    arrived_at: float
    wait_s: float
    coupon: bool


class StoreQueue:
    """A store's counter in a SimPy environment: `servers` people serve at once, first come, first served.

    Service times are log-normal with mean `service_s` and coefficient of variation `variation`; 0 makes them equal.
    """

    def __init__(
        self, env: simpy.Environment, servers: int, service_s: float, rng: np.random.Generator, variation: float = 0.6
    ) -> None:
        if servers < 1 or service_s <= 0.0:
            raise ValueError("a store needs at least one server and a service time above 0 seconds")
        self.servers = servers
        self.service_s = service_s
        self.served: list[Served] = []
        self._env = env
        self._rng = rng
        self._sigma = sqrt(log(1.0 + variation * variation))
        self._counter = simpy.Resource(env, capacity=servers)
        self._arrivals: list[float] = []
        self._busy = StepRecord(env.now)

    @property
    def queue_length(self) -> int:
        """Customers who wait and are not yet being served."""
        return len(self._counter.queue)

    @property
    def headcount(self) -> int:
        """Customers in the store: waiting or being served."""
        return len(self._counter.queue) + self._counter.count

    def arrivals_between(self, start: float, end: float) -> int:
        """How many customers came in (start, end]."""
        return bisect_right(self._arrivals, end) - bisect_right(self._arrivals, start)

    def utilisation_between(self, start: float, end: float) -> float:
        """Busy server-seconds over server-seconds in [start, end], exactly. Raises ValueError for an empty window."""
        if not start < end:
            raise ValueError("a window of utilisation must end after it starts")
        return self._busy.integral(start, end) / (self.servers * (end - start))

    def visit(
        self, service_s: float | None = None, at_till: Callable[[], None] | None = None, coupon: bool = False
    ) -> SimProcess:
        """One customer from the door to the end of service; `at_till` is called when their turn comes."""
        arrived = self._env.now
        self._arrivals.append(arrived)
        with self._counter.request() as turn:
            yield turn
            self.served.append(Served(arrived, self._env.now - arrived, coupon))
            self._busy.set(self._env.now, self._busy.value + 1)
            if at_till is not None:
                at_till()
            yield self._env.timeout(self._draw_service_s() if service_s is None else service_s)
            self._busy.set(self._env.now, self._busy.value - 1)

    def background(self, rate_per_s: Callable[[float], float], highest_per_s: float) -> SimProcess:
        """Customers without a coupon, for ever: a non-homogeneous Poisson process of rate `rate_per_s(now)`.

        Drawn by thinning (Lewis and Shedler 1979), which is exact while the rate stays at or below `highest_per_s`.
        """
        if highest_per_s <= 0.0:
            return
        while True:
            yield self._env.timeout(self._rng.exponential(1.0 / highest_per_s))
            if self._rng.random() * highest_per_s < rate_per_s(self._env.now):
                self._env.process(self.visit())

    def waits_between(self, start: float, end: float) -> list[float]:
        """Seconds waited by those who arrived in [start, end) and were served."""
        lines = sorted((one.arrived_at, one.wait_s) for one in self.served)
        times = [arrived for arrived, _ in lines]
        return [wait for _, wait in lines[bisect_left(times, start) : bisect_left(times, end)]]

    def _draw_service_s(self) -> float:
        if self._sigma == 0.0:
            return self.service_s
        # The median lies exp(-sigma^2 / 2) below the mean of a log-normal.
        median = log(self.service_s) - self._sigma**2 / 2.0
        return float(self._rng.lognormal(median, self._sigma))
