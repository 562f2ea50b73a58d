"""What is too much, and what happens when nobody can count."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.service.errors import TooMany, Unavailable
from backend.service.limits import REFUSED, ROLES, SESSIONS, TERMINAL, TOLERANCE_S, Limits, Rate, take
from backend.service.model import Key
from backend.twins import TwinLimiter

KEY = Key("k1", "till", None)


class Still:
    """Nothing is worked off while a test counts."""

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.real(), UTC)

    def real(self) -> float:
        return 1_800_000_000.0

    def trusted(self) -> bool:
        return True


@dataclass
class Away:
    """A limiter that cannot be reached."""

    asked: list[str] = field(default_factory=list)

    def take(self, rate: Rate, who: str, real_now: float) -> float:
        self.asked.append(rate.name)
        raise Unavailable("redis_away", "away")


@pytest.fixture
def clock() -> Still:
    return Still()


@given(
    most=st.integers(1, 20),
    seconds=st.floats(1.0, 100.0),
    gaps=st.lists(st.floats(0.0, 20.0), min_size=1, max_size=60),
)
def test_never_more_than_the_rate_in_any_stretch_of_time(most: int, seconds: float, gaps: list[float]) -> None:
    """In any stretch of t seconds at most `most` pass, and one more for each step in t."""
    rate, now, empty_at, passed = Rate("any", most, seconds), 1_000.0, 0.0, []
    for gap in gaps:
        now += gap
        empty_at, wait_s = take(rate, empty_at, now)
        passed += [now] if wait_s == 0.0 else []
    for first, began in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= most + (passed[last] - began + 2 * TOLERANCE_S) / rate.step_s


def test_a_member_who_asks_too_often_is_told_when_to_go_on(clock: Still) -> None:
    limits = Limits(TwinLimiter(), clock)
    for _ in range(ROLES["member"].most):
        limits.member("aino")
    with pytest.raises(TooMany) as refused:
        limits.member("aino")
    assert refused.value.reason == "too_many_requests"
    assert refused.value.retry_after_s == 1
    limits.member("eero")
    limits.device("aino")


def test_terminals_of_one_key_count_apart(clock: Still) -> None:
    limits = Limits(TwinLimiter(), clock)
    for _ in range(TERMINAL.most):
        limits.redemption(KEY, "kamppi", "1")
    with pytest.raises(TooMany):
        limits.redemption(KEY, "kamppi", "1")
    limits.redemption(KEY, "kamppi", "2")
    limits.redemption(KEY, "kallio", "1")


def test_addresses_of_one_network_count_together(clock: Still) -> None:
    """An IPv6 customer has a whole network; an IPv4 address is the same however it is written."""
    limits = Limits(TwinLimiter(), clock)
    for number in range(REFUSED.most):
        limits.refused(f"2001:db8:1:2::{number:x}")
    with pytest.raises(TooMany):
        limits.refused("2001:db8:1:2:ffff::")
    limits.refused("2001:db8:1:3::1")
    for number in range(REFUSED.most):
        limits.refused("192.0.2.1" if number % 2 else "::ffff:192.0.2.1")
    with pytest.raises(TooMany):
        limits.refused("192.0.2.1")


def test_who_cannot_be_told_apart_counts_together(clock: Still) -> None:
    limits = Limits(TwinLimiter(), clock)
    for number in range(SESSIONS.most):
        limits.session(None if number % 2 else "nobody")
    with pytest.raises(TooMany):
        limits.session(None)


def test_without_counts_guesses_are_refused_and_work_goes_on(clock: Still) -> None:
    away = Away()
    limits = Limits(away, clock)
    limits.member("aino")
    limits.device("aino")
    limits.key(KEY)
    for guard in (
        lambda: limits.session("192.0.2.1"),
        lambda: limits.refused("192.0.2.1"),
        lambda: limits.redemption(KEY, "kamppi", None),
    ):
        with pytest.raises(Unavailable):
            guard()
    assert away.asked == ["member", "device", "till", "sessions", "refused", "terminal"]
