"""Whether a fix may lie in a sensitive place: in it, within its accuracy of it, or surely outside."""

from __future__ import annotations

from math import cos, radians

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stores.geometry import great_circle_m, prepare
from stores.importing.outline import area_of
from stores.model import Area, Circle, Fence, Position
from stores.presence import PresenceRules
from stores.sensitive import REACH_M, SensitiveIndex, SensitivePlace

HERE = Position(60.17, 24.94)
METRE = 1.0 / 111_195.0


def place(fence: Fence, position: Position = HERE, name: str = "p") -> SensitivePlace:
    return SensitivePlace(name, "health", position, fence)


def square(position: Position, half_m: float) -> Area:
    up, right = half_m * METRE, half_m * METRE / cos(radians(position.lat))
    west, east, south, north = position.lng - right, position.lng + right, position.lat - up, position.lat + up
    return Area(((((west, south), (east, south), (east, north), (west, north), (west, south)),),))


def north(metres: float, of: Position = HERE) -> Position:
    return Position(of.lat + metres * METRE, of.lng)


@pytest.mark.parametrize("fence", [Circle(100.0), square(HERE, 100.0)])
@pytest.mark.parametrize(
    ("metres", "accuracy_m", "touches"),
    [
        (0, 5, True),
        (99, 0, True),
        (101.5, 0, False),
        (104, 5, True),
        (107, 5, False),
        (180, 90, True),
        (200, 90, False),
    ],
)
def test_a_fix_touches_a_place_when_its_accuracy_reaches_it(
    fence: Fence, metres: float, accuracy_m: float, touches: bool
) -> None:
    assert SensitiveIndex([place(fence)]).touches(north(metres), accuracy_m) == touches


@pytest.mark.parametrize("accuracy_m", [float("nan"), -1.0, float("inf"), 5_000.0])
def test_an_accuracy_without_sense_reaches_as_far_as_any(accuracy_m: float) -> None:
    index = SensitiveIndex([place(Circle(100.0))])
    assert [index.touches(north(metres), accuracy_m) for metres in (299, 302)] == [True, False]


def test_no_fix_that_presence_takes_reaches_further() -> None:
    assert PresenceRules().max_accuracy_m <= REACH_M


def test_without_places_nothing_is_touched() -> None:
    assert not SensitiveIndex().touches(HERE, 200.0)


def test_a_hole_is_outside_for_an_exact_fix() -> None:
    outer, inner = square(HERE, 100.0).polygons[0][0], square(HERE, 60.0).polygons[0][0]
    index = SensitiveIndex([place(Area(((outer, inner),)))])
    assert [index.touches(HERE, accuracy_m) for accuracy_m in (5.0, 65.0)] == [False, True]


def test_a_place_that_cannot_be_used_is_named() -> None:
    with pytest.raises(ValueError, match="'p' cannot be used"):
        SensitiveIndex([place(square(Position(89.5, 0.0), 100.0))])


@given(
    st.floats(-88, 88),
    st.floats(-180, 180),
    st.floats(10, 5000),
    st.floats(-1, 1),
    st.floats(-1, 1),
    st.floats(0, 200),
)
@example(0.0, 180.0, 500.0, 0.0, 1.0, 100.0)
def test_the_index_answers_as_the_distance_does(
    lat: float, lng: float, radius_m: float, up: float, right: float, accuracy_m: float
) -> None:
    away_m = (radius_m + 300.0) * METRE
    fix_lng = lng + right * away_m / cos(radians(lat))
    fix = Position(lat + up * away_m, (fix_lng + 180.0) % 360.0 - 180.0)
    index = SensitiveIndex([place(Circle(radius_m), Position(lat, lng))])
    distance_m = great_circle_m(lat, lng, fix.lat, fix.lng)
    assert index.touches(fix, accuracy_m) == (max(0.0, distance_m - radius_m) <= accuracy_m)


@given(st.floats(-80, 80), st.floats(-179, 179), st.floats(5, 2000), st.floats(-1, 1), st.floats(-1, 1))
def test_the_index_answers_for_areas_as_the_distance_does(
    lat: float, lng: float, half_m: float, up: float, right: float
) -> None:
    here, away_m = Position(lat, lng), (half_m + 300.0) * METRE
    fix = Position(lat + up * away_m, lng + right * away_m / cos(radians(lat)))
    fence = square(here, half_m)
    expected = prepare(here, fence).distance_m(fix.lat, fix.lng) <= 150.0
    assert SensitiveIndex([place(fence, here)]).touches(fix, 150.0) == expected


def test_shapes_become_areas_with_their_holes() -> None:
    from shapely import Polygon

    outer, inner = square(HERE, 100.0).polygons[0][0], square(HERE, 60.0).polygons[0][0]
    assert len(area_of(Polygon(outer, [inner])).polygons[0]) == 2
