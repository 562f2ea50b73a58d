"""The filter against the textbook's matrices, and how it behaves over fixes whose truth is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import cos, hypot, radians

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.geometry import EARTH_RADIUS_M, great_circle_m
from stores.model import Fix, Position
from stores.tracking import ACCURACY_DEVIATIONS, UNREST_M2PS3, Estimate, begin, begin_moving, follow

NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)
DEGREE_M = EARTH_RADIUS_M * np.pi / 180.0
LAT = 60.0


def at(seconds: float, east: float, north: float, accuracy_m: float = 10.0, lng: float = 25.0) -> Fix:
    """A fix so many seconds after noon and metres from a place in Helsinki's latitude."""
    lng = (lng + east / (DEGREE_M * cos(radians(LAT))) + 180.0) % 360.0 - 180.0
    return Fix(Position(LAT + north / DEGREE_M, lng), accuracy_m, NOON + timedelta(seconds=seconds))


def tracked(first: Estimate, *fixes: Fix) -> Estimate:
    for fix in fixes:
        first = follow(first, fix) or begin(fix)
    return first


def textbook(first: Fix, *more: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of place and speed to the east, by matrices; `more`: seconds, metres east, accuracy."""
    mean, noise = np.zeros(2), (first.accuracy_m / ACCURACY_DEVIATIONS) ** 2
    covariance, before = np.diag([noise, 1.0]), 0.0
    for seconds, east, accuracy_m in more:
        dt, before = seconds - before, seconds
        move = np.array([[1.0, dt], [0.0, 1.0]])
        unrest = UNREST_M2PS3 * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
        mean, covariance = move @ mean, move @ covariance @ move.T + unrest
        gain = covariance[:, 0] / (covariance[0, 0] + (accuracy_m / ACCURACY_DEVIATIONS) ** 2)
        mean = mean + gain * (east - mean[0])
        covariance = covariance - np.outer(gain, covariance[0])
    return mean, covariance


def test_the_estimate_is_the_textbooks() -> None:
    steps = [(15.0, 10.0, 8.0), (30.0, 35.0, 20.0), (50.0, 60.0, 5.0), (65.0, 58.0, 40.0)]
    known = tracked(begin(at(0, 0, 0)), *[at(seconds, east, 0, accuracy) for seconds, east, accuracy in steps])
    mean, covariance = textbook(at(0, 0, 0), *steps)
    east_m = great_circle_m(LAT, 25.0, known.lat, known.lng)
    assert (east_m, known.east_mps) == pytest.approx(tuple(mean), rel=1e-4)
    assert (known.place_var, known.cross_var, known.speed_var) == pytest.approx(
        (covariance[0, 0], covariance[0, 1], covariance[1, 1])
    )
    assert known.north_mps == pytest.approx(0.0, abs=1e-9)


def test_a_phone_that_lies_still_is_known_better_with_every_fix() -> None:
    deviations = []
    known = begin(at(0, 0, 0))
    for number in range(1, 12):
        known = tracked(known, at(15 * number, 0, 0))
        deviations.append(known.deviation_m)
    assert deviations == sorted(deviations, reverse=True)
    assert deviations[-1] < 0.85 * deviations[0]


@pytest.mark.parametrize("lng", [25.0, 180.0, -179.9999])
def test_a_steady_walk_is_followed_also_over_the_antimeridian(lng: float) -> None:
    walk = [at(15 * number, 20.0 * number, -5.0 * number, lng=lng) for number in range(20)]
    known = tracked(begin(walk[0]), *walk[1:])
    assert (known.east_mps, known.north_mps) == pytest.approx((20 / 15, -5 / 15), abs=0.02)
    here = walk[-1].position
    assert great_circle_m(known.lat, known.lng, here.lat, here.lng) < 1.0
    assert -180.0 <= known.lng < 180.0


def test_a_fix_that_nothing_explains_is_a_surprise() -> None:
    still = tracked(begin(at(0, 0, 0)), at(15, 0, 0), at(30, 0, 0))
    assert follow(still, at(45, 300, 0)) is None
    assert follow(still, at(45, 25, 0)) is not None
    assert follow(still, at(45, 300, 0, accuracy_m=200)) is not None


def test_two_fixes_tell_a_speed_and_how_sure_it_is() -> None:
    known = begin_moving(at(0, 0, 0), at(10, 150, -50))
    assert (known.east_mps, known.north_mps) == pytest.approx((15.0, -5.0), rel=1e-4)
    noise = (10 / ACCURACY_DEVIATIONS) ** 2
    assert known.place_var == pytest.approx(noise)
    assert known.speed_var > 2 * noise / 100


@given(
    lat=st.floats(-90, 90),
    lng=st.floats(-180, 180),
    accuracies=st.lists(st.floats(0.001, 1_250), min_size=1, max_size=8),
    gap_s=st.floats(0.001, 120),
    off=st.floats(-0.001, 0.001),
)
def test_an_estimate_is_always_a_point_on_the_earth_with_a_covariance(
    lat: float, lng: float, accuracies: list[float], gap_s: float, off: float
) -> None:
    known = begin(Fix(Position(lat, lng), 10.0, NOON))
    for number, accuracy_m in enumerate(accuracies, start=1):
        place = Position(min(90.0, max(-90.0, lat + off * number)), min(180.0, max(-180.0, lng - off * number)))
        fix = Fix(place, accuracy_m, NOON + timedelta(seconds=gap_s * number))
        known = follow(known, fix) or begin(fix)
        assert known.position is not None
        assert known.place_var > 0.0
        assert known.place_var * known.speed_var >= known.cross_var**2 * (1 - 1e-9)
        assert hypot(known.east_mps, known.north_mps) < 1e6


@pytest.mark.parametrize("apart_s", [1e-6, 1e-3, 0.5])
def test_two_fixes_of_nearly_one_moment_tell_no_speed(apart_s: float) -> None:
    known = begin_moving(at(0, 0, 0, 100.0), at(apart_s, 30, 0, 100.0))
    assert (known.east_mps, known.north_mps) == (0.0, 0.0)
    known = tracked(known, *[at(100.0 * step, 0, 0, 200.0) for step in range(1, 7)])
    assert known.place_var > 0.0
    assert known.speed_var > 0.0
