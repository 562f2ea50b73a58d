"""Keeps a SimPy environment in step with a fast clock while a pool of threads talks to the backend."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import simpy

from backend.twins.clock import FastClock
from simulator.port import BackendError

T = TypeVar("T")

LONGEST_NAP_S = 0.02
BEHIND_S = 1.0
"""A simulation whose events run later than this, in real seconds, is behind."""


class PoolCourier:
    """Makes calls in a pool of threads; `deliver` brings their results back, in the simulation's own thread."""

    def __init__(self, env: simpy.Environment, pool: Executor) -> None:
        self._env = env
        self._pool = pool
        self._done: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.waiting = 0

    def send(self, call: Callable[[], T]) -> simpy.Event:
        """An event that gets the call's result (None after a BackendError) at the next `deliver`."""
        event = self._env.event()
        self.waiting += 1
        self._pool.submit(self._run, call, event)
        return event

    def hand_in(self, action: Callable[[], None]) -> None:
        """From any thread: let `action` run in the simulation's thread."""
        self._done.put(action)

    def deliver(self, wait_s: float) -> None:
        """Run all that was handed in; wait up to `wait_s` real seconds for the first."""
        try:
            action = self._done.get(timeout=wait_s) if wait_s > 0.0 else self._done.get_nowait()
            while True:
                action()
                action = self._done.get_nowait()
        except queue.Empty:
            return

    def _run(self, call: Callable[[], T], event: simpy.Event) -> None:
        failure: Exception | None = None
        value: T | None = None
        try:
            value = call()
        except BackendError:
            pass
        except Exception as error:
            failure = error
        self._done.put(partial(self._settle, event, value, failure))

    def _settle(self, event: simpy.Event, value: Any, failure: Exception | None) -> None:
        self.waiting -= 1
        if failure is not None:
            raise failure
        event.succeed(value)


@dataclass(frozen=True, slots=True)
class Lag:
    """How late events ran: the most, in real seconds, and the share of simulated time that ran behind."""

    most_s: float
    behind_share: float


def advance(env: simpy.Environment, until: float) -> None:
    """Run all events up to and with `until`, and leave the environment's time there.

    `Environment.run(until)` leaves its own stop event at the head of the queue, so that `peek` no longer tells when the
    next event is due and a paced loop would never sleep.
    """
    mark = env.timeout(until - env.now)
    while not mark.processed:
        env.step()


def _late_s(env: simpy.Environment, clock: FastClock) -> float:
    return max(0.0, (clock.epoch() - env.now) / clock.rate - 2.0 * LONGEST_NAP_S)


def run_paced(
    env: simpy.Environment,
    courier: PoolCourier,
    clock: FastClock,
    until: float,
    tick: Callable[[float], None],
) -> Lag:
    """Run events when `clock` reaches them, up to `until` (simulated); `tick(lag_s)` is called between slices.

    When the machine is too slow events run late, none is left out, and the lag tells.
    """
    first, most_s, behind = env.now, 0.0, 0.0
    while env.now < until:
        before, late_s = env.now, _late_s(env, clock)
        target = min(clock.epoch(), until)
        if target > env.now:
            advance(env, target)
        late_s = max(late_s, _late_s(env, clock))  # a slice that takes long ends with events that run late
        most_s = max(most_s, late_s)
        if late_s > BEHIND_S:
            behind += env.now - before
        next_s = (min(env.peek(), until) - clock.epoch()) / clock.rate
        courier.deliver(min(LONGEST_NAP_S, max(0.0, next_s)))
        tick(late_s)
    return Lag(most_s, behind / (env.now - first))
