"""Distances and the exact fence test, on cases that can be checked by hand."""

from __future__ import annotations

from math import pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.geometry import EARTH_RADIUS_M, contains, distance_m, distance_to_fence_m, prepare
from stores.model import Area, Circle, Fence, Position, Ring, Store

positions = st.builds(Position, st.floats(-90, 90), st.floats(-180, 180))
METRES_PER_DEGREE = EARTH_RADIUS_M * pi / 180


def box(west: float, south: float, east: float, north: float) -> Ring:
    return ((west, south), (east, south), (east, north), (west, north), (west, south))


def store(fence: Fence, lat: float = 60.17, lng: float = 24.94) -> Store:
    return Store("s1", "One", Position(lat, lng), fence)


SQUARE_WITH_HOLE = store(Area(((box(24.0, 60.0, 24.1, 60.1), box(24.04, 60.04, 24.06, 60.06)),)))


def test_a_degree_along_the_equator_is_a_360th_of_the_circumference() -> None:
    assert distance_m(Position(0, 10), Position(0, 11)) == pytest.approx(METRES_PER_DEGREE, rel=1e-12)


def test_antipodes_are_half_a_circumference_apart() -> None:
    assert distance_m(Position(30, 40), Position(-30, -140)) == pytest.approx(EARTH_RADIUS_M * pi)


def test_distance_is_within_half_a_percent_of_the_ellipsoid() -> None:
    # One degree of latitude on WGS 84 measures 110,574 m at the equator and 111,694 m at a pole.
    assert distance_m(Position(0, 0), Position(1, 0)) == pytest.approx(110_574, rel=0.0057)
    assert distance_m(Position(89, 0), Position(90, 0)) == pytest.approx(111_694, rel=0.005)


def test_distance_is_short_across_the_antimeridian() -> None:
    assert distance_m(Position(0, 179.9), Position(0, -179.9)) == pytest.approx(0.2 * METRES_PER_DEGREE)


@given(positions, positions)
def test_distance_is_symmetric_and_zero_only_to_itself(a: Position, b: Position) -> None:
    assert distance_m(a, b) == pytest.approx(distance_m(b, a), abs=1e-6)
    assert distance_m(a, a) == 0.0


@given(positions, positions, positions)
def test_no_detour_is_shorter(a: Position, b: Position, c: Position) -> None:
    assert distance_m(a, c) <= distance_m(a, b) + distance_m(b, c) + 0.5


def test_a_circle_contains_what_is_within_its_radius() -> None:
    circle = store(Circle(150))
    inside, outside = (Position(60.17 + metres / METRES_PER_DEGREE, 24.94) for metres in (149.9, 150.1))
    assert contains(circle, inside)
    assert not contains(circle, outside)
    assert distance_to_fence_m(circle, outside) == pytest.approx(0.1, abs=0.001)
    assert distance_to_fence_m(circle, inside) == 0.0


def test_a_hole_is_outside_and_its_edge_inside() -> None:
    assert contains(SQUARE_WITH_HOLE, Position(60.02, 24.02))
    assert not contains(SQUARE_WITH_HOLE, Position(60.05, 24.05))
    assert contains(SQUARE_WITH_HOLE, Position(60.04, 24.05))


@pytest.mark.parametrize(("lat", "lng"), [(60.0, 24.0), (60.1, 24.1), (60.0, 24.05), (60.05, 24.1), (60.05, 24.0)])
def test_corners_and_edges_count_as_inside(lat: float, lng: float) -> None:
    assert contains(SQUARE_WITH_HOLE, Position(lat, lng))


def test_distance_to_an_area_is_to_its_nearest_edge() -> None:
    assert distance_to_fence_m(SQUARE_WITH_HOLE, Position(60.11, 24.05)) == pytest.approx(0.01 * METRES_PER_DEGREE)
    assert distance_to_fence_m(SQUARE_WITH_HOLE, Position(60.05, 24.05)) == pytest.approx(
        distance_m(Position(60.05, 24.05), Position(60.05, 24.04)), rel=1e-4
    )


def test_an_area_cut_at_the_antimeridian_is_one_area() -> None:
    cut = store(Area(((box(179.95, 0, 180, 0.1),), (box(-180, 0, -179.95, 0.1),))), 0.05, 180)
    assert all(contains(cut, Position(0.05, lng)) for lng in (179.96, 180, -180, -179.96))
    assert not contains(cut, Position(0.05, 0.0))
    assert distance_to_fence_m(cut, Position(0.05, -179.94)) == pytest.approx(0.01 * METRES_PER_DEGREE, rel=1e-3)


def test_an_area_over_the_antimeridian_in_one_ring_is_refused() -> None:
    with pytest.raises(ValueError, match="cut it there"):
        contains(store(Area(((box(-179.9, 0, 179.9, 0.1),),))), Position(0, 0))


@pytest.mark.parametrize(
    ("ring", "reason"),
    [(box(24, 60, 25, 61), "20 km"), (box(24, 89.5, 24.1, 89.6), "poles"), (box(24, 90, 25, 91), "degrees")],
)
def test_areas_that_cannot_be_fences_are_refused(ring: Ring, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        contains(store(Area(((ring,),))), Position(0, 0))


def test_the_size_of_an_area_is_the_radius_of_a_circle_as_large() -> None:
    side = 1_000 / METRES_PER_DEGREE
    square = Area(((box(10, 0, 10 + side, side),),))
    assert prepare(Position(0, 10), square).size_m == pytest.approx((1_000_000 / pi) ** 0.5, rel=1e-6)
