"""The sieve may let through what is in no fence, and must let through all that is in one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from stores.fence_table import fence_table
from stores.geometry import prepare
from stores.model import Circle, Position, Store
from tests.stores.test_index import worlds


def columns(points: list[Position]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([point.lat for point in points], float), np.array([point.lng for point in points], float)


@settings(deadline=None, max_examples=100)
@given(worlds())
def test_what_is_in_a_fence_comes_through(world: tuple[list[Store], list[Position]]) -> None:
    stores, points = world
    fences = [prepare(store.position, store.fence) for store in stores]
    through = set(fence_table(fences).sieve.let_through(*columns(points)).tolist())
    inside = {at for at, point in enumerate(points) if any(fence.contains(point.lat, point.lng) for fence in fences)}
    assert inside <= through


@pytest.mark.parametrize("lat", [0.0, 60.0, -89.5, 90.0])
def test_circles_come_through_all_around(lat: float) -> None:
    fence = prepare(Position(lat, 180.0), Circle(4_000))
    rng = np.random.default_rng(1)
    lats = np.clip(lat + rng.uniform(-0.04, 0.04, 20_000), -90.0, 90.0)
    lngs = rng.uniform(-180.0, 180.0, 20_000) if abs(lat) > 89 else 180.0 + rng.uniform(-0.1, 0.1, 20_000)
    lngs = (lngs + 180.0) % 360.0 - 180.0
    through = set(fence_table([fence]).sieve.let_through(lats, lngs).tolist())
    inside = {at for at in range(len(lats)) if fence.contains(lats[at], lngs[at])}
    assert len(inside) > 100
    assert inside <= through


def test_most_of_what_is_far_away_does_not() -> None:
    fences = [prepare(Position(0.0, lng / 50), Circle(150)) for lng in range(1_000)]
    rng = np.random.default_rng(1)
    through = fence_table(fences).sieve.let_through(rng.uniform(10.0, 80.0, 10_000), rng.uniform(-180.0, 180.0, 10_000))
    assert len(through) < 2_000
