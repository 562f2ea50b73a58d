"""Store files of AllThePlaces, OpenStreetMap and Overpass, and outlines that get a margin."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.geometry import distance_to_fence_m, great_circle_m
from stores.importing import ImportResult, read_stores
from stores.importing.outline import widened
from stores.model import Area, Circle, Position, Store

WEST, SOUTH, EAST, NORTH = 24.93, 60.17, 24.9306, 60.1703
"""A building of 33 by 33 metres."""
CORNERS = [(WEST, SOUTH), (EAST, SOUTH), (EAST, NORTH), (WEST, NORTH), (WEST, SOUTH)]
OUTLINE = {"type": "Polygon", "coordinates": [CORNERS]}


def read(features: list[dict[str, Any]], **options: Any) -> ImportResult:
    return read_stores(json.dumps({"type": "FeatureCollection", "features": features}).encode(), "geojson", **options)


def feature(own_id: str | None, geometry: Any = None, **properties: Any) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": [24.94, 60.17]}
    made = {"type": "Feature", "properties": properties, "geometry": geometry or point}
    return made if own_id is None else made | {"id": own_id}


def overpass(*elements: dict[str, Any]) -> ImportResult:
    return read_stores(json.dumps({"version": 0.6, "elements": elements}).encode(), "geojson")


def reach_m(store: Store) -> float:
    """How far the fence reaches south of the building."""
    assert isinstance(store.fence, Area)
    south = min(lat for _, lat in store.fence.polygons[0][0])
    return great_circle_m(south, WEST, SOUTH, WEST)


def test_all_the_places_gives_the_chain_s_number_and_a_name_to_tell_stores_apart() -> None:
    address = {"addr:street_address": "Keskuskatu 1", "addr:city": "Helsinki", "addr:country": "FI"}
    spider = {"@spider": "coffee_fi", "brand": "Coffee", "brand:wikidata": "Q1"}
    result = read(
        [
            feature("Zm9vYmFy", **spider, **address, ref="7", name="Coffee", opening_hours="Mo-Fr 07:00-19:00"),
            feature("YmF6cXV4", **spider, ref="8", name="Coffee", branch="Kamppi"),
            feature("cXV1eA", **spider, ref="9"),
        ]
    )
    assert [(store.id, store.name) for store in result.stores] == [
        ("7", "Coffee, Keskuskatu 1"),
        ("8", "Coffee Kamppi"),
        ("9", "Coffee"),
    ]
    assert result.stores[0].hours == "Mo-Fr 07:00-19:00"


def test_a_name_of_the_store_s_own_stays_as_it_is() -> None:
    tags = {"brand": "Coffee", "addr:street": "Keskuskatu", "addr:housenumber": "1"}
    result = read([feature("node/1", **tags, name="Coffee Corner"), feature("node/2", **tags, name="coffee")])
    assert [store.name for store in result.stores] == ["Coffee Corner", "coffee, Keskuskatu 1"]


def test_numbers_in_quotes_are_read() -> None:
    (store,) = read([feature("a", {"type": "Point", "coordinates": ["24.94", "60.17"]})]).stores
    assert store.position == Position(60.17, 24.94)


def test_latitude_first_is_reported() -> None:
    (problem,) = read([feature("a", {"type": "Point", "coordinates": [47.61, -122.33]})]).problems
    assert "longitude comes first" in problem.reason


@pytest.mark.parametrize(("name", "margin"), [("way/7", 50.0), ("relation/7", 50.0), ("fence-7", 0.0), ("node/7", 0.0)])
def test_outlines_of_openstreetmap_get_a_margin_and_drawn_fences_do_not(name: str, margin: float) -> None:
    (store,) = read([feature(name, OUTLINE)]).stores
    assert reach_m(store) == pytest.approx(margin, rel=0.02, abs=0.01)


def test_a_margin_can_be_given_for_all_and_by_the_row() -> None:
    result = read([feature("way/7", OUTLINE), feature("b", OUTLINE, margin_m=10)], margin_m=80.0)
    assert [round(reach_m(store)) for store in result.stores] == [80, 10]


@pytest.mark.parametrize("margin_m", [-1.0, 1001.0, float("nan")])
def test_a_margin_without_sense_is_refused(margin_m: float) -> None:
    with pytest.raises(ValueError, match="margin"):
        read([], margin_m=margin_m)


def test_a_closed_line_is_the_outline_it_draws_and_an_open_one_is_reported() -> None:
    result = read(
        [
            feature("way/1", {"type": "LineString", "coordinates": CORNERS}),
            feature("way/2", {"type": "LineString", "coordinates": CORNERS[:-1]}),
        ]
    )
    assert [store.id for store in result.stores] == ["way/1"]
    assert [(problem.row, problem.field) for problem in result.problems] == [(2, "geometry")]


def test_a_margin_over_the_antimeridian_is_reported() -> None:
    ring = [[179.9995, 0.5], [180, 0.5], [180, 0.501], [179.9995, 0.501], [179.9995, 0.5]]
    (problem,) = read([feature("way/1", {"type": "Polygon", "coordinates": [ring]})]).problems
    assert "margin" in problem.reason


@given(st.floats(-70, 70), st.floats(-170, 170), st.floats(1, 200))
def test_the_margin_s_edge_is_as_far_from_the_outline_as_told(lat: float, lng: float, margin: float) -> None:
    ring = tuple((lng + x * 0.001, lat + y * 0.001) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0)))
    outline, fence = Area(((ring,),)), widened(Area(((ring,),)), margin)
    store = Store("a", "A", Position(lat, lng), outline)
    for x, y in fence.polygons[0][0]:
        assert distance_to_fence_m(store, Position(y, x)) == pytest.approx(margin, rel=0.03, abs=0.1)


def test_overpass_answers_are_read_as_they_come() -> None:
    shape = [{"lat": lat, "lon": lng} for lng, lat in CORNERS]
    corners = [{"type": "node", "id": number, "lat": lat, "lon": lng} for number, (lng, lat) in enumerate(CORNERS[:4])]
    cafe = {"amenity": "cafe"}
    result = overpass(
        {"type": "node", "id": 10, "lat": 60.2, "lon": 25.0, "tags": cafe},
        {"type": "way", "id": 11, "geometry": shape, "tags": cafe},
        {"type": "way", "id": 12, "nodes": [0, 1, 2, 3, 0], "tags": cafe},
        {"type": "relation", "id": 13, "center": {"lat": 60.3, "lon": 25.0}, "tags": cafe},
        *corners,
        {"type": "way", "id": 14, "nodes": [0, 1, 99, 0], "tags": cafe},
    )
    assert [(store.id, type(store.fence)) for store in result.stores] == [
        ("node/10", Circle),
        ("way/11", Area),
        ("way/12", Area),
        ("relation/13", Circle),
    ]
    assert [(problem.row, problem.field) for problem in result.problems] == [(9, "geometry")]
    assert "out center" in result.problems[0].reason


@pytest.mark.parametrize(
    "element", ["x", None, [], {"tags": {"a": "b"}}, {"type": "way", "id": [1], "nodes": [[1]], "tags": "x"}]
)
def test_elements_that_are_none_are_reported(element: Any) -> None:
    result = overpass({"type": "node", "id": 1, "lat": 60, "lon": 25, "tags": {"name": "A"}}, element)
    assert (len(result.stores), [problem.row for problem in result.problems][:1]) == (1, [2])
