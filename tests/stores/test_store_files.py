"""Store and menu files as they come: what is imported, and how the rest is reported."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.importing import RowProblem, UnreadableFile, read_menu, read_stores
from stores.model import Area, Circle, Position

HEADER = "id,lat,lng"


def csv_file(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def collection(*features: dict[str, Any]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def feature(kind: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}


def square(west: float, south: float, size: float = 0.01) -> list[list[float]]:
    east, north = west + size, south + size
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def reasons(data: bytes, kind: str = "csv") -> list[tuple[int, str]]:
    return [(problem.row, problem.field) for problem in read_stores(data, kind).problems]


def test_a_full_row_becomes_a_store() -> None:
    result = read_stores(
        csv_file(
            "\ufeffStore Number,Store Name,Latitude,Longitude,Opening_Hours,Timezone,radius_m,staff,service_s,target",
            "7,Corner,60.17,24.94,Mo-Fr 08:00-18:00,GMT+2:00 Europe/Helsinki,80,2,45,0.6",
        ),
        "csv",
    )
    (store,) = result.stores
    assert (store.id, store.name, store.position, store.fence) == ("7", "Corner", Position(60.17, 24.94), Circle(80))
    assert (store.hours, store.time_zone, store.staff) == ("Mo-Fr 08:00-18:00", "Europe/Helsinki", 2)
    assert (store.service_s, store.target_utilisation) == (45, 0.6)


def test_what_is_not_in_the_file_stays_unknown() -> None:
    (store,) = read_stores(csv_file(HEADER, "a,60,24"), "csv", default_radius_m=99).stores
    assert (store.name, store.hours, store.staff, store.service_s) == ("a", None, None, None)
    assert store.fence == Circle(99)


def test_a_position_that_is_no_number_is_reported_without_being_repeated() -> None:
    (problem,) = read_stores(csv_file("id,lat,lng", "a,north,24.9"), "csv").problems
    assert (problem.field, problem.reason) == ("lat", "is not a number")


def test_digits_parted_by_underscores_are_no_number() -> None:
    assert reasons(csv_file("id,lat,lng,radius_m,staff", "a,60,24,1_00,2", "b,60,24,100,1_0")) == [
        (1, "radius_m"),
        (2, "staff"),
    ]


def test_rows_are_records_even_when_a_cell_has_many_lines() -> None:
    assert reasons(csv_file("id,lat,lng,address", 'a,60,24,"one\ntwo"', "b,x,24,")) == [(2, "lat")]


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        (",60,24", ["id"]),
        ("b,,24", ["lat"]),
        ("b,,", ["lat", "lng"]),
        ('b,"60,1,2",24', ["lat"]),
        ("b,north,24", ["lat"]),
        ("b,91,124", ["lat"]),
        ("b,60,181", ["lng"]),
        ("b,60,nan", ["lng"]),
        ("b,0,0.0", ["position"]),
        ("a,60,24", ["id"]),
        ("b,60,24,5", ["row"]),
        ("b", ["lat", "lng"]),
    ],
)
def test_a_bad_row_is_reported_and_the_others_imported(row: str, fields: list[str]) -> None:
    result = read_stores(csv_file(HEADER, "a,60,24", row, "c,61,25"), "csv")
    assert [store.id for store in result.stores] == ["a", "c"]
    assert [(problem.row, problem.field) for problem in result.problems] == [(2, name) for name in fields]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("radius_m", "9"),
        ("margin_m", "-1"),
        ("staff", "1.5"),
        ("service_s", "0"),
        ("target", "2"),
    ],
)
def test_what_is_given_must_be_right(column: str, value: str) -> None:
    result = read_stores(csv_file(f"{HEADER},{column}", f"a,60,24,{value}"), "csv")
    assert (len(result.stores), len(result.problems)) == (0, 1)


@given(st.floats(91, 1e6), st.floats(181, 1e6))
def test_reasons_never_repeat_coordinates(lat: float, lng: float) -> None:
    for problem in read_stores(csv_file(HEADER, f"a,{lat},{lng}"), "csv").problems:
        assert str(lat) not in problem.reason
        assert str(lng) not in problem.reason


def test_a_column_can_be_named() -> None:
    data = csv_file("code;north;east", "a;60;24")
    (store,) = read_stores(data, "csv", {"id": "code", "lat": "North", "lng": "east"}).stores
    assert store.position == Position(60, 24)


@pytest.mark.parametrize(
    ("mapping", "message"), [({"colour": "id"}, "no field 'colour'"), ({"lat": "north"}, "no column 'north'")]
)
def test_a_mapping_to_nothing_is_refused(mapping: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_stores(csv_file(HEADER, "a,60,24"), "csv", mapping)


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        (b"", "csv", "empty"),
        (b"\xff\xfe", "csv", "not UTF-8"),
        (b"PK\x03\x04\x14\x00\x06\x00", "geojson", "save the sheet as CSV"),
        (b"\x1f\x8b\x08\x08", "csv", "unpack it"),
        (b"id,latitude,city\n", "csv", "no column for lng among 3: the first line"),
        (b"id,lat,lng,LAT\n", "csv", "2 columns could be the lat"),
        (b'id,lat,lng\n"a,60,24', "csv", "data row 1"),
        (b"{", "geojson", "not JSON"),
        (HEADER.encode("utf-16-le"), "csv", "not text in UTF-8"),
        (b"id,lat,lng\n" + b"x" * 200_000, "csv", "data row 1"),
        (b'{"type": "FeatureCollection", "features": [' + b"9" * 5000 + b"]}", "geojson", "thousands of digits"),
        (b"[" * 100_000, "geojson", "nested too deeply"),
        (b'{"type": "Feature"}', "geojson", "FeatureCollection"),
        (collection(feature("Point", [24, 60], name="x")), "geojson", "no column for id"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_as_a_whole(data: bytes, kind: str, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message):
        read_stores(data, kind)


def test_a_first_row_in_place_of_the_header_is_not_repeated() -> None:
    for mapping in (None, {"id": "ref"}):
        with pytest.raises(ValueError, match="no column") as told:
            read_stores(csv_file("corner,60.1699,24.9384", "b,60,24"), "csv", mapping)
        assert "corner" not in str(told.value)
        assert "60.1699" not in str(told.value)


def test_points_and_areas_of_geojson_become_circles_and_areas() -> None:
    hole = square(24.002, 60.002, 0.002)
    data = collection(
        feature("Point", [24, 60, 5], id="p", name="Point"),
        feature("Polygon", [square(24, 60), hole], id="q"),
        feature("MultiPolygon", [[square(24, 60)], [square(24.05, 60)]], id="r"),
    )
    point, polygon, multi = read_stores(data, "geojson").stores
    assert (point.position, point.fence) == (Position(60, 24), Circle(150))
    assert isinstance(polygon.fence, Area)
    assert [len(rings) for rings in polygon.fence.polygons] == [2]
    assert isinstance(multi.fence, Area)
    assert len(multi.fence.polygons) == 2


@pytest.mark.parametrize(
    "broken",
    [
        feature("LineString", [[24, 60], [25, 60]], id="b"),
        feature("Point", [24], id="b"),
        feature("Point", [24, 95], id="b"),
        feature("Polygon", [[[24, 60], [24.01, 60.01], [24.01, 60], [24, 60.01], [24, 60]]], id="b"),
        feature("Polygon", [square(24, 60, 2)], id="b"),
        {"type": "Feature", "properties": {"id": "b"}, "geometry": None},
    ],
)
def test_a_geometry_that_cannot_be_a_fence_is_reported(broken: dict[str, Any]) -> None:
    result = read_stores(collection(feature("Point", [24, 60], id="a"), broken), "geojson")
    assert [store.id for store in result.stores] == ["a"]
    (problem,) = result.problems
    assert (problem.row, problem.field) == (2, "geometry")
    assert not any(letter.isdigit() for letter in problem.reason.replace("20 km", ""))


def test_a_menu_reads_prices_exactly() -> None:
    result = read_menu(
        csv_file(
            "store_id,product_id,name,price,price_minor,currency",
            ",espresso,Espresso,3.40,,EUR",
            "s1,mocha,Mocha,,450,EUR",
            "s1,matcha,Matcha,480,,JPY",
        )
    )
    assert [(row.store_id, row.product.price_minor) for row in result.items] == [(None, 340), ("s1", 450), ("s1", 480)]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (",b,B,3.405,EUR", "price"),
        (",b,B,3.4,JPY", "price"),
        (",b,B,-1,EUR", "price"),
        (",b,B,nan,EUR", "price"),
        (",b,B,,EUR", "price"),
        (",b,B,3,euro", "currency"),
        (",b,,3,EUR", "name"),
        (",a,A,3,EUR", "product_id"),
    ],
)
def test_a_bad_menu_row_is_reported(row: str, field: str) -> None:
    result = read_menu(csv_file("store_id,product_id,name,price,currency", ",a,A,1,EUR", row))
    assert [item.product.id for item in result.items] == ["a"]
    assert [(problem.row, problem.field) for problem in result.problems] == [(2, field)]


def test_problems_are_plain_values() -> None:
    assert read_stores(csv_file(HEADER, "a,,24"), "csv").problems == (RowProblem(1, "lat", "is missing"),)


@pytest.mark.parametrize("store_id", ["*", "x" * 129, "a\x00b"])
def test_an_id_that_could_not_be_used_is_reported(store_id: str) -> None:
    read = read_stores(f"id,lat,lng\n{store_id},60.1,24.9\n".encode(), "csv")
    assert (read.stores, [problem.field for problem in read.problems]) == ((), ["id"])


def test_half_a_character_is_reported_by_its_row() -> None:
    place = '{"type":"Point","coordinates":[24.9,60.1]}'
    feature = f'{{"type":"Feature","geometry":{place},"properties":{{"id":"a","name":"\\ud800"}}}}'
    read = read_stores(f'{{"type":"FeatureCollection","features":[{feature}]}}'.encode(), "geojson")
    assert [(problem.row, problem.field) for problem in read.problems] == [(1, "name")]


def test_a_price_beyond_all_reason_is_reported() -> None:
    read = read_menu(b"store_id,product_id,name,price,currency\n,tea,Tea,1e400000000,EUR\n")
    assert [problem.row for problem in read.problems] == [1]
