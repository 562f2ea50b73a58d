"""The index must answer as if it had looked at every store."""

from __future__ import annotations

from math import cos, radians

import pytest
from h3.api import basic_int as h3
from hypothesis import given, settings
from hypothesis import strategies as st

from stores.cells import COARSE_RESOLUTION, RESOLUTION, coarse_of
from stores.geometry import contains, distance_m, distance_to_fence_m, prepare
from stores.index import Hit, StoreIndex
from stores.model import Area, Circle, Fence, Position, Store

CENTRES = [(60.17, 24.94), (0.01, 179.999), (-0.01, -179.999), (89.995, 10.0), (40.75, -73.99)]


def at(centre: tuple[float, float], north_m: float, east_m: float) -> Position:
    """The position so many metres north and east of a centre, folded back onto the earth."""
    lat = min(90.0, max(-90.0, centre[0] + north_m / 111_195))
    lng = centre[1] + east_m / (111_195 * max(cos(radians(centre[0])), 1e-4))
    return Position(lat, (lng + 180.0) % 360.0 - 180.0)


def _triangle(position: Position, size: float) -> Fence:
    lng, lat = position.lng, position.lat
    return Area(((((lng, lat), (lng + size, lat), (lng, lat + size), (lng, lat)),),))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Store], list[Position]]:
    centre = draw(st.sampled_from(CENTRES))
    metres = st.floats(-6_000, 6_000)
    stores, points = [], []
    for number in range(draw(st.integers(1, 12))):
        position = at(centre, draw(metres), draw(metres))
        fence: Fence = Circle(draw(st.floats(10, 5_000) | st.floats(10, 300)))
        if draw(st.booleans()) and abs(position.lat) < 80 and abs(position.lng) < 179.9:
            fence = _triangle(position, draw(st.floats(0.0001, 0.05)))
        stores.append(Store(f"s{number}", "A store", position, fence))
        if isinstance(fence, Circle):
            edge = fence.radius_m * draw(st.sampled_from([0.999, 1.0, 1.001]))
            points.append(at((position.lat, position.lng), edge, 0))
        points.append(position)
    points += [at(centre, draw(metres), draw(metres)) for _ in range(5)]
    cell = h3.latlng_to_cell(points[-1].lat, points[-1].lng, RESOLUTION)
    points += [Position(lat, lng) for lat, lng in h3.cell_to_boundary(cell)]
    return stores, points


def brute_hits(stores: list[Store], point: Position) -> list[Hit]:
    hits = [
        Hit(
            store,
            distance_m(point, store.position),
            prepare(store.position, store.fence).size_m,
            depth_m=prepare(store.position, store.fence).depth_m(point.lat, point.lng),
        )
        for store in stores
        if contains(store, point)
    ]
    return sorted(hits, key=lambda hit: (hit.distance_m, hit.store.id))


@settings(deadline=None, max_examples=150)
@given(worlds())
def test_hits_are_those_of_a_look_at_every_store(world: tuple[list[Store], list[Position]]) -> None:
    stores, points = world
    index = StoreIndex(stores)
    for point in points:
        assert list(index.hits(point)) == brute_hits(stores, point)


@settings(deadline=None, max_examples=100)
@given(worlds(), st.integers(1, 5), st.floats(0, 15_000))
def test_nearest_are_those_of_a_look_at_every_store(
    world: tuple[list[Store], list[Position]], limit: int, within_m: float
) -> None:
    stores, points = world
    index = StoreIndex(stores)
    for point in points:
        distances = sorted(distance_to_fence_m(store, point) for store in stores)
        expected = [metres for metres in distances if metres <= within_m][:limit]
        assert [hit.outside_m for hit in index.nearest(point, limit, within_m)] == expected


@settings(deadline=None, max_examples=50)
@given(worlds(), st.data())
def test_a_changed_index_answers_like_a_new_one(world: tuple[list[Store], list[Position]], data: st.DataObject) -> None:
    stores, points = world
    moved = Store(stores[0].id, "Moved", points[-1], Circle(data.draw(st.floats(10, 2_000))))
    index, gone = StoreIndex(stores), stores[-1].id
    changed = index.changed([moved], [gone])
    fresh = [store for store in stores[1:] if store.id != gone] + [moved]
    for point in points:
        assert list(changed.hits(point)) == brute_hits(fresh, point)
        assert list(index.hits(point)) == brute_hits(stores, point)
        assert changed.nearest(point, 3, 5_000) == StoreIndex(fresh).nearest(point, 3, 5_000)


def test_many_changes_are_made_in_one_copy() -> None:
    old = StoreIndex([Store(f"s{n}", "S", Position(60.0, 24.0 + n / 50), Circle(100)) for n in range(6)])
    new = old.changed([Store("s2", "S", Position(10.0, 10.0), Circle(50))], ["s0", "s5", "unknown"])
    assert [store.id for store in new.stores()] == ["s1", "s3", "s4", "s2"]
    assert [hit.store.id for hit in new.hits(Position(10.0, 10.0))] == ["s2"]
    assert new.hits(Position(60.0, 24.04)) == ()
    assert len(old.hits(Position(60.0, 24.04))) == 1


def test_two_changes_to_one_store_are_refused() -> None:
    one = Store("s1", "One", Position(0, 0.5), Circle(150))
    with pytest.raises(ValueError, match="'s1' is given twice"):
        StoreIndex().changed([one, one])


@pytest.mark.parametrize("resolution", [COARSE_RESOLUTION, RESOLUTION])
def test_no_cell_is_larger_than_the_cover_assumes(resolution: int) -> None:
    # Cells near the pentagons, at the corners of the icosahedron, are distorted the most.
    limit = 1.2 * h3.average_hexagon_edge_length(resolution, unit="m")
    cells = [cell for pentagon in h3.get_pentagons(resolution) for cell in h3.grid_disk(pentagon, 5)]
    cells += [h3.latlng_to_cell(lat, lng, resolution) for lat in range(-90, 91, 6) for lng in range(-180, 181, 6)]
    for cell in cells:
        centre = Position(*h3.cell_to_latlng(cell))
        assert max(distance_m(centre, Position(*corner)) for corner in h3.cell_to_boundary(cell)) < limit


def test_what_is_below_a_coarse_cell_is_as_near_as_assumed() -> None:
    limit = 1.2 * h3.average_hexagon_edge_length(COARSE_RESOLUTION, unit="m")
    coarse = [*h3.get_pentagons(COARSE_RESOLUTION), h3.latlng_to_cell(60.17, 24.94, COARSE_RESOLUTION)]
    for cell in [near for each in coarse[-3:] for near in h3.grid_disk(each, 1)]:
        centre = Position(*h3.cell_to_latlng(cell))
        below = h3.cell_to_children(cell, RESOLUTION)
        assert {coarse_of(each) for each in below} == {cell}
        assert (
            max(distance_m(centre, Position(*corner)) for each in below for corner in h3.cell_to_boundary(each)) < limit
        )


def test_far_from_every_fence_none_is_near() -> None:
    index = StoreIndex([Store("s1", "One", Position(60.17, 24.94), Circle(150))])
    assert [hit.outside_m for hit in index.nearest(Position(60.17, 24.94), 1, 1_000)] == [0.0]
    assert index.nearest(Position(61.17, 24.94), 1, 1_000) == ()
    assert StoreIndex().nearest(Position(0, 0), 5, 10_000) == ()


def test_measure_tells_how_far_outside_a_fence_a_position_is() -> None:
    index = StoreIndex([Store("s1", "One", Position(0, 0.5), Circle(150))])
    (hit,) = index.measure(Position(0, 0.51), ["gone", "s1"])
    assert hit.distance_m == pytest.approx(1_112, abs=1)
    assert hit.outside_m == pytest.approx(hit.distance_m - 150)


def test_two_stores_with_one_id_are_refused() -> None:
    one = Store("s1", "One", Position(0, 0.5), Circle(150))
    with pytest.raises(ValueError, match="'s1' is given twice"):
        StoreIndex([one, one])


def test_a_search_too_wide_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 100000 metres"):
        StoreIndex().nearest(Position(0, 0), 1, 1e7)
