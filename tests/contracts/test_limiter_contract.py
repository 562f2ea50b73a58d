"""Counting what one credential, address or terminal does: bounded, refilled, apart by who and by rate."""

from __future__ import annotations

import pytest

from backend.adapters.redis_limiter import RedisLimiter
from backend.adapters.redis_link import RedisLink
from backend.service.limits import Limiter, Rate
from backend.twins import TwinLimiter
from tests.contracts.examples import at_once

REAL = 1_800_000_000.0
THREE = Rate("three", 3, 30.0)


@pytest.fixture(params=["twin", "redis"])
def limiter(request: pytest.FixtureRequest) -> Limiter:
    return TwinLimiter() if request.param == "twin" else RedisLimiter(*request.getfixturevalue("redis"))


def passed(limiter: Limiter, tries: int, at: float = 0.0, who: str = "aino", rate: Rate = THREE) -> int:
    """How many of so many tries may happen."""
    return sum(limiter.take(rate, who, REAL + at) == 0.0 for _ in range(tries))


def test_so_many_may_happen_at_once_and_no_more(limiter: Limiter) -> None:
    assert passed(limiter, 10) == 3


def test_whoever_waits_as_told_may_go_on(limiter: Limiter) -> None:
    passed(limiter, 3)
    wait_s = limiter.take(THREE, "aino", REAL + 4.0)
    assert wait_s == pytest.approx(6.0)
    assert limiter.take(THREE, "aino", REAL + 4.0 + wait_s) == 0.0


def test_what_was_refused_does_not_count(limiter: Limiter) -> None:
    passed(limiter, 100)
    assert passed(limiter, 2, at=10.0) == 1


def test_after_the_whole_time_everything_may_happen_again(limiter: Limiter) -> None:
    passed(limiter, 3)
    assert passed(limiter, 10, at=30.0) == 3


def test_others_and_other_rates_count_apart(limiter: Limiter) -> None:
    passed(limiter, 3)
    assert passed(limiter, 10, who="eero") == 3
    assert passed(limiter, 10, rate=Rate("five", 5, 30.0)) == 5


def test_a_clock_set_back_keeps_nobody_waiting_for_longer_than_the_rate_says(limiter: Limiter) -> None:
    passed(limiter, 3, at=7200.0)
    wait_s = limiter.take(THREE, "aino", REAL)
    assert 0.0 < wait_s <= 10.0
    assert limiter.take(THREE, "aino", REAL + wait_s) == 0.0


def test_threads_together_get_no_more_than_one(limiter: Limiter) -> None:
    rate = Rate("fifty", 50, 3600.0)
    assert sum(at_once(16, lambda _: passed(limiter, 20, rate=rate))) == 50


def test_processes_together_get_no_more_than_one(redis: tuple[RedisLink, str]) -> None:
    """Each process has a limiter of its own over the one Redis."""
    assert [passed(RedisLimiter(*redis), 2) for _ in range(3)] == [2, 1, 0]


def test_in_memory_what_is_worked_off_is_forgotten_whoever_asks() -> None:
    limiter = TwinLimiter()
    passed(limiter, 1)
    passed(limiter, 1, at=9.0, who="eero")
    assert len(limiter) == 2
    passed(limiter, 1, at=10.0, who="sisu")
    assert len(limiter) == 2


def test_only_so_many_are_remembered_and_the_longest_unused_go_first() -> None:
    small = TwinLimiter(capacity=2)
    for who in ("aino", "eero", "aino", "sisu"):
        passed(small, 3, who=who)
    assert [passed(small, 1, who=who) for who in ("aino", "eero")] == [0, 1]
