"""Many positions at once must give what they give one by one, to the last digit."""

from __future__ import annotations

import numpy as np
import pytest
from h3.api import basic_int as h3
from hypothesis import given, settings

from stores import batch, cells, edges
from stores.index import StoreIndex
from stores.model import Area, Circle, Position, Store
from tests.stores.test_index import worlds

World = tuple[list[Store], list[Position]]


@pytest.fixture(params=[True, False], ids=["h3ronpy", "h3"])
def encoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the two ways to find the cells of many positions."""
    monkeypatch.setattr(cells, "FAST", request.param)


def same(index: StoreIndex, points: list[Position]) -> None:
    """Fail unless `match` says what `hits` says."""
    found = index.match([point.lat for point in points], [point.lng for point in points])
    stores = index.stores()
    got = [
        (row, stores[number].id, metres)
        for row, number, metres in zip(
            found.point.tolist(), found.store.tolist(), found.distance_m.tolist(), strict=True
        )
    ]
    assert got == [(row, hit.store.id, hit.distance_m) for row, point in enumerate(points) for hit in index.hits(point)]


@settings(deadline=None, max_examples=150)
@given(worlds())
def test_a_batch_gives_what_single_look_ups_give(world: World) -> None:
    stores, points = world
    same(StoreIndex(stores), points)


def box(west: float, south: float, side: float) -> tuple[tuple[float, float], ...]:
    east, north = west + side, south + side
    return ((west, south), (east, south), (east, north), (west, north), (west, south))


def grid(west: float, south: float, side: float, steps: int) -> list[Position]:
    """Positions over a square and a little around it, many of them on its edges and corners."""
    at = [step / steps * side for step in range(-1, steps + 2)]
    return [Position(south + y, (west + x + 180.0) % 360.0 - 180.0) for x in at for y in at]


AREAS = {
    "with a hole": (Area(((box(24.0, 60.0, 0.04), box(24.01, 60.01, 0.01)),)), grid(24.0, 60.0, 0.04, 8)),
    "of touching parts": (Area(((box(24.0, 60.0, 0.02),), (box(24.02, 60.02, 0.02),))), grid(24.0, 60.0, 0.04, 8)),
    "over the antimeridian": (
        Area(((box(179.96875, 0.0, 0.03125),), (box(-180.0, 0.0, 0.03125),))),
        grid(179.96875, -0.015625, 0.0625, 16),
    ),
    "smaller than a cell": (Area(((box(24.0, 60.0, 0.0005),),)), grid(24.0, 60.0, 0.0005, 4)),
}


@pytest.mark.usefixtures("encoder")
@pytest.mark.parametrize("name", AREAS)
def test_areas_are_matched_as_by_a_look_at_every_edge(name: str) -> None:
    area, points = AREAS[name]
    store = Store("s", "S", points[0], area)
    index = StoreIndex([store, Store("nested", "Nested", points[len(points) // 2], Circle(500))])
    assert any("s" in [hit.store.id for hit in index.hits(point)] for point in points)
    same(index, points)


@pytest.mark.usefixtures("encoder")
def test_stores_at_one_place_come_by_id() -> None:
    here = Position(60.17, 24.94)
    index = StoreIndex([Store(name, name, here, Circle(radius)) for name, radius in (("b", 150), ("c", 20), ("a", 30))])
    same(index, [here, Position(60.1701, 24.9401), Position(60.18, 24.94)])
    assert index.match([60.17], [24.94]).store.tolist() == [2, 0, 1]


@pytest.mark.usefixtures("encoder")
def test_cells_near_a_pentagon_are_covered() -> None:
    pentagon = Position(*h3.cell_to_latlng(h3.get_pentagons(cells.RESOLUTION)[0]))
    index = StoreIndex([Store("s", "S", pentagon, Circle(900))])
    points = [
        Position(pentagon.lat + y / 2000, pentagon.lng + x / 2000) for x in range(-20, 21) for y in range(-20, 21)
    ]
    same(index, points)
    assert len(index.match([point.lat for point in points], [point.lng for point in points])) > 700


def test_blocks_of_positions_and_edges_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    area, points = AREAS["with a hole"]
    index = StoreIndex([Store("s", "S", points[0], area), Store("t", "T", points[-1], Circle(3000))])
    monkeypatch.setattr(batch, "_AT_ONCE", 7)
    monkeypatch.setattr(edges, "_AT_ONCE", 20)
    same(index, points)


def test_the_answer_of_no_points_is_empty() -> None:
    assert len(StoreIndex().match([], [])) == 0
    assert len(StoreIndex().match([1.0], [2.0])) == 0


def test_points_that_are_none_are_counted_and_not_repeated() -> None:
    lats, lngs = np.array([60.0, np.nan, 91.5, 60.0]), np.array([24.0, 24.0, 24.0, -180.5])
    with pytest.raises(ValueError, match=r"^3 of 4 points are no positions on the earth, first in row 1$"):
        StoreIndex().match(lats, lngs)


def test_lists_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="equal length"):
        StoreIndex().match([1.0], [])
