from __future__ import annotations

import numpy as np
import pytest

from simulator.movement import Leg as Way
from simulator.movement import LocalFrame, noisy, point_around, stand
from simulator.people import make_people
from stores.geometry import distance_m
from stores.model import Position
from tests.simulator.toy_city import FakeBackend, toy_city


def test_a_leg_moves_at_its_speed_and_stays_at_its_end() -> None:
    leg = Way((0.0, 0.0), (30.0, 40.0), departs_at=100.0, speed_mps=2.0)
    assert (leg.length_m, leg.arrives_at) == (50.0, 125.0)
    assert leg.at(110.0) == pytest.approx((12.0, 16.0))
    assert (leg.at(90.0), leg.at(1_000.0)) == ((0.0, 0.0), (30.0, 40.0))
    assert [leg.speed_at(now) for now in (99.0, 110.0, 125.0)] == [0.0, 2.0, 0.0]


def test_standing_is_a_leg_without_length() -> None:
    leg = stand((3.0, 4.0), 10.0)
    assert leg.at(10.0) == leg.at(99.0) == (3.0, 4.0)
    assert leg.speed_at(11.0) == 0.0


def test_the_flat_frame_keeps_distances_and_comes_back() -> None:
    frame = LocalFrame(60.17, 24.94)
    here, there = Position(60.165, 24.92), Position(60.19, 24.99)
    flat = np.hypot(*np.subtract(frame.point(here), frame.point(there)))
    assert flat == pytest.approx(distance_m(here, there), rel=1e-3)
    back = frame.position(frame.point(there))
    assert (back.lat, back.lng) == pytest.approx((there.lat, there.lng))


def test_the_accuracy_is_the_68_percent_radius_of_the_noise() -> None:
    rng = np.random.default_rng(5)
    away = [np.hypot(*noisy((0.0, 0.0), 25.0, rng)) for _ in range(20_000)]
    assert np.mean(np.array(away) <= 25.0) == pytest.approx(0.68, abs=0.01)


def test_points_around_fill_the_disc_evenly() -> None:
    rng = np.random.default_rng(6)
    away = [np.hypot(*point_around((0.0, 0.0), 100.0, rng)) for _ in range(5_000)]
    assert max(away) <= 100.0
    assert np.mean(np.array(away) <= 50.0) == pytest.approx(0.25, abs=0.02)


def test_nobody_walks_faster_than_their_speed() -> None:
    city = toy_city(FakeBackend())
    walkers = list(city.walkers.values())
    before = [walker.leg.at(city.env.now) for walker in walkers]
    for _ in range(200):
        city.env.run(until=city.env.now + 10.0)
        after = [walker.leg.at(city.env.now) for walker in walkers]
        for walker, old, new in zip(walkers, before, after, strict=True):
            limit = 14.0 if walker.person.drives else walker.person.walking_mps
            assert np.hypot(new[0] - old[0], new[1] - old[1]) <= 10.0 * limit + 1e-6
        before = after


def test_people_do_not_change_when_more_of_them_come() -> None:
    few = make_people(3, ["tea"], "UTC", 0.1, np.random.SeedSequence(9))
    many = make_people(8, ["tea"], "UTC", 0.1, np.random.SeedSequence(9))
    assert [person for person, _ in few] == [person for person, _ in many[:3]]
