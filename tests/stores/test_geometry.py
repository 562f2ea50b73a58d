"""Distances and the exact fence test, on cases that can be checked by hand."""

from __future__ import annotations

from math import cos, hypot, pi, radians, sin

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


@given(st.floats(-89.9, 89.9), st.floats(0, 2 * pi))
def test_distances_differ_from_the_ellipsoids_by_as_much_as_stated(lat: float, bearing: float) -> None:
    # A short way on WGS 84, by its radii of curvature along the meridian and across it.
    a, e2 = 6_378_137.0, 0.00669437999014
    w = 1 - e2 * sin(radians(lat)) ** 2
    north, east = a * (1 - e2) / w**1.5, a / w**0.5 * cos(radians(lat))
    step = 1e-4
    d_lat, d_lng = step * cos(bearing), step * sin(bearing) / cos(radians(lat))
    sphere = distance_m(Position(lat - d_lat / 2, 10 - d_lng / 2), Position(lat + d_lat / 2, 10 + d_lng / 2))
    ellipsoid = hypot(radians(d_lat) * north, radians(d_lng) * east)
    assert -0.00452 < sphere / ellipsoid - 1 < 0.00562


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


def test_a_cut_at_the_antimeridian_is_no_edge() -> None:
    cut = Area(((box(179.95, 0, 180, 0.1),), (box(-180, 0, -179.95, 0.1),)))
    fence = prepare(Position(0.05, 180), cut)
    for lng in (180.0, -180.0, 179.999, -179.999):
        assert fence.depth_m(0.05, lng) > 0.048 * METRES_PER_DEGREE
    assert fence.depth_m(0.05, -179.95) == pytest.approx(0.0, abs=1e-6)


def test_a_hole_cut_at_the_antimeridian_is_one_hole() -> None:
    # Each part is a C that leaves out its half of the hole.
    east = ((179.92, 0.0), (180.0, 0.0), (180.0, 0.04), (179.98, 0.04), (179.98, 0.06), (180.0, 0.06), (180.0, 0.1))
    ring = (*east, (179.92, 0.1), (179.92, 0.0))
    fence = prepare(Position(0.05, 180), Area(((ring,), (tuple((-lng, lat) for lng, lat in ring),))))
    inside = [fence.contains(0.05, lng) for lng in (179.97, 179.99, 180.0, -180.0, -179.99, -179.97)]
    assert inside == [True, False, False, False, False, True]
    assert fence.distance_m(0.05, 180.0) == pytest.approx(0.01 * METRES_PER_DEGREE, rel=1e-4)
    assert fence.depth_m(0.02, 180.0) == pytest.approx(0.02 * METRES_PER_DEGREE, rel=1e-4)


def test_an_area_too_wide_in_two_parts_is_refused() -> None:
    parts = Area(((box(179.9, 0, 180, 0.1),), (box(-180, 0, -179.9, 0.1),)))
    with pytest.raises(ValueError, match="20 km"):
        prepare(Position(0, 180), parts)


def test_parts_that_meet_only_elsewhere_stay_apart() -> None:
    apart = prepare(Position(0, 10), Area(((box(10, 0, 10.05, 0.1),), (box(10.05, 0, 10.1, 0.1),))))
    assert len(apart.polygons) == 2


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
