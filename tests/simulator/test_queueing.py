from __future__ import annotations

from math import factorial

import numpy as np
import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from simulator.queueing import StepRecord, StoreQueue


def queue_of(servers: int, variation: float = 0.0, service_s: float = 60.0) -> tuple[simpy.Environment, StoreQueue]:
    env = simpy.Environment()
    return env, StoreQueue(env, servers, service_s, np.random.default_rng(3), variation)


def arrive_at(env: simpy.Environment, queue: StoreQueue, *times: float) -> None:
    def come(at: float):  # type: ignore[no-untyped-def]
        yield env.timeout(at)
        yield from queue.visit()

    for at in times:
        env.process(come(at))


def test_one_server_serves_in_order_and_the_second_customer_waits() -> None:
    env, queue = queue_of(1)
    arrive_at(env, queue, 0.0, 20.0)
    env.run()
    assert [(one.arrived_at, one.wait_s) for one in queue.served] == [(0.0, 0.0), (20.0, 40.0)]
    assert env.now == 120.0


def test_utilisation_counts_busy_server_seconds_exactly() -> None:
    env, queue = queue_of(2)
    arrive_at(env, queue, 10.0, 30.0)
    env.run(until=200.0)
    # Busy: one from 10 to 30, two from 30 to 70, one from 70 to 90.
    assert queue.utilisation_between(0.0, 100.0) == pytest.approx((20 + 80 + 20) / 200)
    assert queue.utilisation_between(20.0, 40.0) == pytest.approx((10 + 20) / 40)
    assert queue.utilisation_between(150.0, 160.0) == 0.0


def test_queue_length_and_headcount_while_two_wait_for_one_server() -> None:
    env, queue = queue_of(1)
    arrive_at(env, queue, 0.0, 5.0, 6.0)
    env.run(until=10.0)
    assert (queue.queue_length, queue.headcount) == (2, 3)
    assert (queue.arrivals_between(0.0, 5.0), queue.arrivals_between(-1.0, 5.0)) == (1, 2)


def test_a_window_without_length_is_refused() -> None:
    _, queue = queue_of(1)
    with pytest.raises(ValueError, match="must end after it starts"):
        queue.utilisation_between(5.0, 5.0)


def test_the_till_is_told_when_the_turn_comes() -> None:
    env, queue = queue_of(1)
    told: list[float] = []
    env.process(queue.visit())
    env.process(queue.visit(at_till=lambda: told.append(env.now)))
    env.run()
    assert told == [60.0]


def erlang_c(servers: int, load: float) -> float:
    """Probability to wait in an M/M/c with offered load a = rate x service (Erlang 1917)."""
    last = load**servers / factorial(servers) * servers / (servers - load)
    return last / (sum(load**k / factorial(k) for k in range(servers)) + last)


def test_waits_and_utilisation_agree_with_theory() -> None:
    # The mean wait of M/G/c is about (1 + variation^2) / 2 times that of M/M/c; exact for one server, and with
    # variation 1 and three servers within a few per cent (Lee and Longton 1959).
    servers, service_s, rate = 3, 60.0, 0.8 * 3 / 60.0
    env, queue = queue_of(servers, variation=1.0, service_s=service_s)
    env.process(queue.background(lambda now: rate, 2.0 * rate))
    end = 60.0 * 24 * 3_600.0
    env.run(until=end)
    assert queue.utilisation_between(0.0, end) == pytest.approx(0.8, abs=0.015)
    waits = queue.waits_between(0.0, end - 7_200.0)
    theory_s = erlang_c(servers, rate * service_s) / (servers / service_s - rate)
    assert float(np.mean(waits)) == pytest.approx(theory_s, rel=0.15)


def test_background_customers_follow_the_rate() -> None:
    env, queue = queue_of(50, service_s=1.0)
    env.process(queue.background(lambda now: 0.5 if now < 10_000.0 else 0.1, 0.5))
    env.run(until=20_000.0)
    assert queue.arrivals_between(0.0, 10_000.0) == pytest.approx(5_000, abs=4 * 5_000**0.5)
    assert queue.arrivals_between(10_000.0, 20_000.0) == pytest.approx(1_000, abs=4 * 1_000**0.5)


steps = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), max_size=20)


@given(steps, st.integers(0, 1_000), st.integers(0, 1_000))
def test_integrals_of_a_step_record_add_up(changes: list[tuple[int, int]], one: int, other: int) -> None:
    record, now, value, values = StepRecord(0.0), 0, 0, []
    for gap, level in changes:
        values += [value] * gap
        now, value = now + gap, level
        record.set(float(now), float(level))
    values += [value] * (1_001 - len(values))
    start, end = sorted((one, other))
    assert record.integral(start, end) == pytest.approx(sum(values[start:end]))


def test_a_step_record_never_goes_back() -> None:
    record = StepRecord(10.0)
    with pytest.raises(ValueError, match="cannot go back"):
        record.set(9.0, 1.0)
