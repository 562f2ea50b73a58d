"""How fast a device went, told as steps along a line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from stores.model import Fix, Position
from stores.pace import Pace

NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)


def fix(seconds: float, metres: float, accuracy_m: float = 5.0, speed: float | None = None) -> Fix:
    return Fix(Position(metres / 111_195, 0.0), accuracy_m, NOON + timedelta(seconds=seconds), speed)


def pace(*fixes: Fix) -> float:
    known = Pace()
    for earlier, later in pairwise(fixes):
        known = known.with_step(earlier, later)
    return known.speed_mps(fixes[-1])


def test_the_speed_is_that_of_the_last_half_minute() -> None:
    assert pace(fix(0, 0), fix(10, 0), fix(20, 20), fix(30, 40)) == pytest.approx(2.0, abs=0.01)
    assert pace(fix(0, 0), fix(10, 300), fix(20, 300), fix(30, 300), fix(45, 300)) == pytest.approx(0.0)


def test_a_stop_just_now_does_not_hide_the_speed_before() -> None:
    assert pace(fix(0, 0), fix(10, 100), fix(20, 200), fix(25, 200)) == pytest.approx(8.0, abs=0.01)


def test_a_sudden_start_counts_at_once() -> None:
    assert pace(fix(0, 0), fix(15, 0), fix(20, 50)) == pytest.approx(10.0, abs=0.01)


def test_a_way_there_and_back_is_as_long_as_it_is() -> None:
    assert pace(fix(0, 0), fix(15, 60), fix(30, 0)) == pytest.approx(4.0, abs=0.01)


def test_what_the_phone_says_itself_counts_when_it_is_more() -> None:
    assert pace(fix(0, 0), fix(15, 0, speed=6.0)) == 6.0
    assert pace(fix(0, 0, speed=3.0)) == 3.0
    assert pace(fix(0, 0)) == 0.0


def test_errors_of_coarse_fixes_are_no_speed() -> None:
    assert pace(fix(0, 0, 50), fix(15, 80, 50), fix(30, 0, 50)) == pytest.approx(0.0, abs=0.001)
    assert pace(fix(0, 0, 10), fix(15, 60, 10), fix(30, 0, 10)) == pytest.approx(4.0, abs=0.01)


def test_only_half_a_minute_of_steps_is_kept_however_often_a_phone_reports() -> None:
    known = Pace()
    for number in range(1, 3_000):
        known = known.with_step(fix(0.05 * (number - 1), 0.1 * (number - 1)), fix(0.05 * number, 0.1 * number))
    assert len(known.steps) <= 31
    assert known.speed_mps(fix(150, 300)) == pytest.approx(2.0, abs=0.01)
