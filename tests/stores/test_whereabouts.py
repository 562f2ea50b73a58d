"""Zones, hours, axes and doubles: what a file says of places, and what is made of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.importing import ImportResult, classes, read_stores
from stores.model import Position

HEADER = "id,lat,lng"
TOWNS = [(60.17, 24.94), (61.5, 23.76), (65.01, 25.47), (60.45, 22.27), (62.24, 25.75), (62.89, 27.68), (60.98, 25.66)]


def read(header: str, *rows: str) -> ImportResult:
    return read_stores("\n".join((header, *rows)).encode(), "csv")


def chain(*more: str, extra: str = "") -> ImportResult:
    """Twenty-one stores in Finland, and these rows after them."""
    usual = [f"s{number},{TOWNS[number % 7][0]},{TOWNS[number % 7][1]}{extra}" for number in range(21)]
    return read(HEADER + (",country" if extra else ""), *usual, *more)


def said(result: ImportResult) -> list[tuple[int, str]]:
    return [(note.row, note.field) for note in result.notes]


@pytest.mark.parametrize(("lat", "lng"), [('"60,17"', '"24,94"'), (" 60.17", "24.94 "), ('"+60.17"', '"24.94"')])
def test_numbers_in_quotes_and_decimal_commas_are_read(lat: str, lng: str) -> None:
    (store,) = read(HEADER, f"a,{lat},{lng}").stores
    assert store.position == Position(60.17, 24.94)


@pytest.mark.parametrize("place", ["60.17N,24.94", '"60,17,5",24.94', "north 60.17,24.94", "60.17,nan", "6_0.17,24.94"])
def test_what_is_no_number_is_reported_without_repeating_it(place: str) -> None:
    (problem,) = read(HEADER, f"a,{place}").problems
    assert (problem.field in ("lat", "lng"), problem.reason) == (True, "is not a number")


def test_a_comma_in_metres_is_reported_since_it_may_part_thousands() -> None:
    assert [problem.field for problem in read(f"{HEADER},radius_m", 'a,60,24,"1,500"').problems] == ["radius_m"]


@pytest.mark.parametrize("zero", ["0,0", "0.0,-0.0", "0.0001,0.0001"])
def test_the_point_zero_zero_is_no_place(zero: str) -> None:
    assert [problem.field for problem in read(HEADER, f"a,{zero}").problems] == ["position"]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (HEADER, "a,-122.33,47.61"),
        (f"{HEADER},country", "a,24.94,60.17,FI"),
        (f"{HEADER},time_zone", "a,24.94,60.17,Europe/Helsinki"),
        (f"{HEADER},timezone", "a,24.94,60.17,GMT+2:00 Europe/Helsinki"),
    ],
)
def test_exchanged_axes_are_reported_when_the_row_shows_them(header: str, row: str) -> None:
    result = read(header, row)
    assert (result.stores, [problem.field for problem in result.problems]) == ((), ["position"])
    assert "exchanged" in result.problems[0].reason
    assert not any(letter.isdigit() for letter in result.problems[0].reason.replace("90", ""))


def test_exchanged_axes_are_reported_when_the_other_rows_show_them() -> None:
    result = chain("x,24.94,60.17")
    assert len(result.stores) == 21
    assert [(problem.row, problem.field) for problem in result.problems] == [(22, "position")]


def test_in_a_file_whose_rows_are_exchanged_those_that_do_not_show_it_are_too() -> None:
    shown, open_rows = [f"s{number},-122.3,47.6" for number in range(10)], [f"t{number},-71,42" for number in range(9)]
    assert len(read(HEADER, *shown[:9], *open_rows).stores) == 9
    result = read(HEADER, *shown, *open_rows)
    assert (result.stores, len(result.problems)) == ((), 19)
    assert "nine of ten" in result.problems[-1].reason


def test_a_file_most_of_whose_rows_are_right_is_taken_but_for_those_that_show_it() -> None:
    right, shown = (
        [f"r{number},47.6,-122.3" for number in range(10)],
        [f"s{number},-122.3,47.6" for number in range(10)],
    )
    assert len(read(HEADER, *right, *shown, "t,42,-71").stores) == 11


@pytest.mark.parametrize("far", ["x,28.1,-15.4", "x,-33.9,151.2", "x,60.1,30.3"])
def test_a_store_far_from_the_others_is_taken(far: str) -> None:
    assert len(chain(far).stores) == 22


def test_a_row_in_the_country_it_names_is_taken_wherever_the_others_are() -> None:
    assert len(chain("x,24.45,54.38,AE", extra=",FI").stores) == 22


def test_the_zone_comes_from_the_position_when_the_file_has_none() -> None:
    result = read(HEADER, "a,60.17,24.94", "b,40.71,-74.0")
    assert [store.time_zone for store in result.stores] == ["Europe/Helsinki", "America/New_York"]
    assert (result.zones_from_position, result.notes) == (2, ())


@pytest.mark.parametrize(
    ("place", "zone", "taken"),
    [
        ("60.17,24.94", "Europe/Tallinn", "Europe/Tallinn"),
        ("42.51,1.53", "GMT+1:00 Europe/Andorra", "Europe/Andorra"),
    ],
)
def test_the_file_s_zone_is_taken_where_clocks_agree(place: str, zone: str, taken: str) -> None:
    result = read(f"{HEADER},time_zone", f"a,{place},{zone}")
    assert ([store.time_zone for store in result.stores], result.notes, result.zones_from_position) == ([taken], (), 0)


@pytest.mark.parametrize(
    ("place", "zone", "taken"),
    [
        ("39.9,116.4", "GMT+08:00 Asia/Beijing", "Asia/Shanghai"),
        ("39.9,116.4", "Asia/Beijing", "Asia/Shanghai"),
        ("39.9,116.4", "GMT+07:00 Asia/Beijing", None),
        ("60.17,24.94", "Asia/Beijing", None),
        ("60.17,24.94", "PST", None),
        ("1.35,103.82", "GMT+07:00 Asia/Jakarta", "Asia/Singapore"),
    ],
)
def test_a_zone_that_cannot_be_right_is_replaced_or_left_open_and_told(
    place: str, zone: str, taken: str | None
) -> None:
    result = read(f"{HEADER},time_zone", f"a,{place},{zone}")
    assert [store.time_zone for store in result.stores] == [taken]
    assert said(result) == [(1, "time_zone")]


def test_a_store_at_sea_has_no_zone_and_this_is_told() -> None:
    result = read(HEADER, "a,45,-30")
    assert ([store.time_zone for store in result.stores], said(result)) == ([None], [(1, "time_zone")])


@pytest.mark.parametrize(
    "hours", ["Mo-Fr 07:00-19:00; PH off; Dec 24 08:00-12:00", "Fr-Sa 18:00-02:00", "Mo-Fr  08:00-18:00"]
)
def test_hours_that_can_be_read_are_kept(hours: str) -> None:
    result = read(f"{HEADER},opening_hours", f"a,60.17,24.94,{hours}")
    assert ([store.hours for store in result.stores], result.notes) == ([" ".join(hours.split())], ())


@pytest.mark.parametrize("hours", ["whenever", "ma-pe 8-17", "Mo-Fri 09:00-16:00", "Apr 31"])
def test_hours_that_cannot_be_read_leave_a_store_without_hours_and_are_told(hours: str) -> None:
    result = read(f"{HEADER},opening_hours", f"a,60.17,24.94,{hours}")
    assert ([store.hours for store in result.stores], said(result)) == ([None], [(1, "hours")])
    assert hours not in result.notes[0].reason


def test_of_two_rows_with_one_id_the_first_is_taken_and_the_other_told_how_far_it_is() -> None:
    result = read(HEADER, "a,60,24", "a,60.0001,24", "a,60.005,24", "a,61,24")
    assert [store.position for store in result.stores] == [Position(60, 24)]
    assert [(problem.row, problem.reason.partition("row 1")[2]) for problem in result.problems] == [
        (2, ", and so is the place"),
        (3, ", less than a kilometre from there"),
        (4, ", but the place is another: give one of them its own"),
    ]


def test_a_row_that_cannot_be_used_keeps_no_other_from_its_id() -> None:
    result = read(HEADER, "a,,24", "a,60,24", "a,61,24")
    assert [store.position for store in result.stores] == [Position(60, 24)]
    assert [problem.row for problem in result.problems] == [1, 3]
    assert said(result) == [(2, "id")]


def test_one_name_at_one_place_under_two_ids_is_two_stores_and_told() -> None:
    header = "id,lat,lng,name"
    result = read(header, "a,60,24,Corner", "b,60.0001,24,corner", "c,60.001,24,Corner", "d,60,24,Other")
    assert [store.id for store in result.stores] == ["a", "b", "c", "d"]
    assert said(result) == [(2, "name")]


def test_problems_are_counted_by_field_and_reason() -> None:
    result = read(HEADER, "a,60,24", "a,60,24", "b,60,24", "b,60,24", "c,,24")
    found = [(each.field, each.rows, each.first_row) for each in classes(result.problems)]
    assert found == [("id", 2, 2), ("lat", 1, 5)]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c", "d", ""]),
            st.sampled_from(["60.1", "0", "91", "-120", "x", "", "24,5", "1e400"]),
            st.sampled_from(["24.9", "0", "181", "x", "", "60"]),
            st.sampled_from(["", "24/7", "soon"]),
            st.sampled_from(["", "Europe/Helsinki", "Nowhere", "GMT+2:00 x/y"]),
        ),
        max_size=12,
    )
)
def test_every_row_is_imported_or_reported(cells: list[tuple[str, ...]]) -> None:
    rows = [";".join(each) for each in cells]
    result = read("id;lat;lng;hours;time_zone", *rows)
    refused = {problem.row for problem in result.problems}
    assert result.rows == len(result.stores) + len(refused) == len([row for row in rows if row.strip("; ")])
    assert not refused & {note.row for note in result.notes}


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def test_places_that_are_written_down_wrongly_never_end_an_import() -> None:
    places: list[Any] = ["x", 10**400, True, None, [], {}, "24,9", "nan", 1e300]
    shapes = [{"type": "Point", "coordinates": [each, 60]} for each in places]
    shapes += [{"type": "Point", "coordinates": [24, each]} for each in places]
    data = json.dumps({"type": "FeatureCollection", "features": [feature(each, id="a") for each in shapes]})
    result = read_stores(data.encode(), "geojson")
    assert result.rows == len(shapes) == len(result.stores) + len({problem.row for problem in result.problems})
