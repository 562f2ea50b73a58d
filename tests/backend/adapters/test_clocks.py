"""Clocks that can be believed, and that say when they cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from backend.adapters.clocks import DatabaseClock, MachineClock
from backend.service.errors import Unavailable
from backend.twins.clock import FastClock

NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)


class Hands:
    """A wall clock and a steady one, moved by hand."""

    def __init__(self) -> None:
        self.wall, self.steady = NOON.timestamp(), 0.0

    def pass_(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


def test_a_clock_that_runs_on_is_trusted() -> None:
    hands = Hands()
    clock = MachineClock(lambda: hands.wall, lambda: hands.steady)
    hands.pass_(3600)
    assert (clock.now(), clock.trusted()) == (NOON + timedelta(hours=1), True)


def test_a_jump_is_doubted_for_a_minute() -> None:
    hands = Hands()
    clock = MachineClock(lambda: hands.wall, lambda: hands.steady)
    hands.wall -= 6
    assert not clock.trusted()
    hands.pass_(59)
    assert not clock.trusted()
    hands.pass_(2)
    assert clock.trusted()


def test_small_corrections_are_no_jump() -> None:
    hands = Hands()
    clock = MachineClock(lambda: hands.wall, lambda: hands.steady)
    for _ in range(10):
        hands.wall += 1
        assert clock.trusted()


def test_the_servers_time_is_carried_on_and_asked_again_after_ten_seconds() -> None:
    hands, server = Hands(), [NOON]
    clock = DatabaseClock(lambda: server[0], lambda: hands.steady)
    server[0] = NOON + timedelta(seconds=100)
    hands.steady = 9
    assert clock.now() == NOON + timedelta(seconds=9)
    hands.steady = 10
    assert clock.now() == NOON + timedelta(seconds=100)


def test_a_server_that_is_away_for_a_minute_leaves_the_time_in_doubt() -> None:
    hands, away = Hands(), [False]

    def ask() -> datetime:
        if away[0]:
            raise Unavailable("database_unavailable", "away")
        return NOON

    clock = DatabaseClock(ask, lambda: hands.steady)
    away[0] = True
    hands.steady = 59
    assert (clock.now(), clock.trusted()) == (NOON + timedelta(seconds=59), True)
    hands.steady = 60
    assert not clock.trusted()
    away[0] = False
    hands.steady = 71
    assert clock.trusted()  # although nobody asked for the time: who waits for the doubt to end does not


def test_the_fast_clock_runs_at_its_rate() -> None:
    wall = [1000.0]
    clock = FastClock(1000.0, NOON.timestamp(), 60.0, lambda: wall[0])
    wall[0] += 2
    assert (clock.now(), clock.real()) == (NOON + timedelta(minutes=2), 1002.0)
