"""Files of sensitive places: categories by column, by tag and by default, radii and margins, and what is reported."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stores.importing import SensitiveImport, read_sensitive
from stores.model import Area, Circle
from stores.sensitive import Category

OUTLINE = [[24.93, 60.17], [24.931, 60.17], [24.931, 60.171], [24.93, 60.171], [24.93, 60.17]]


def table(header: str, *rows: str, **options: Any) -> SensitiveImport:
    return read_sensitive("\n".join((header, *rows)).encode(), "csv", **options)


def tagged(**tags: str) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": "node/1",
        "properties": tags,
        "geometry": {"type": "Point", "coordinates": [24.94, 60.17]},
    }


def read(*features: dict[str, Any], **options: Any) -> SensitiveImport:
    data = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    return read_sensitive(data, "geojson", **options)


@pytest.mark.parametrize(
    ("category", "radius_m"), [("health", 150.0), ("Worship", 75.0), ("shelter", 150.0), ("school", 150.0)]
)
def test_a_point_gets_the_radius_of_its_category(category: str, radius_m: float) -> None:
    (place,) = table("id,lat,lng,category", f"a,60.17,24.94,{category}").places
    assert (place.category, place.fence) == (category.lower(), Circle(radius_m))


def test_the_file_s_radius_goes_before_the_category_s() -> None:
    (place,) = table("id,lat,lng,category,radius_m", "a,60.17,24.94,health,400").places
    assert place.fence == Circle(400.0)


@pytest.mark.parametrize(
    ("tags", "category"),
    [
        ({"amenity": "hospital"}, "health"),
        ({"amenity": "clinic"}, "health"),
        ({"amenity": "doctors"}, "health"),
        ({"amenity": "pharmacy"}, "health"),
        ({"healthcare": "psychotherapist"}, "health"),
        ({"amenity": "place_of_worship", "religion": "muslim"}, "worship"),
        ({"building": "church"}, "worship"),
        ({"amenity": "school"}, "school"),
        ({"amenity": "kindergarten"}, "school"),
        ({"amenity": "social_facility", "social_facility": "shelter"}, "shelter"),
        ({"amenity": "social_facility", "social_facility": "nursing_home"}, "health"),
        ({"amenity": "refugee_site"}, "shelter"),
    ],
)
def test_tags_of_openstreetmap_tell_the_category(tags: dict[str, str], category: str) -> None:
    assert [place.category for place in read(tagged(**tags)).places] == [category]


@pytest.mark.parametrize("tags", [{}, {"amenity": "shelter"}, {"amenity": "cafe"}, {"healthcare": "no"}])
def test_a_row_without_a_category_is_reported_unless_one_is_named_for_the_file(tags: dict[str, str]) -> None:
    without = read(tagged(**tags))
    assert (without.places, [problem.field for problem in without.problems]) == ((), ["category"])
    assert [place.category for place in read(tagged(**tags), category="shelter").places] == ["shelter"]


def test_a_category_that_there_is_not_is_reported_whatever_is_named_for_the_file() -> None:
    result = table("id,lat,lng,category", "a,60.17,24.94,casino", category="school")
    assert (result.places, [problem.field for problem in result.problems]) == ((), ["category"])


def test_a_polygon_becomes_an_area_with_a_margin() -> None:
    building = tagged(amenity="hospital") | {"geometry": {"type": "Polygon", "coordinates": [OUTLINE]}}
    south = []
    for margin_m in (None, 0.0, 100.0):
        (place,) = read(building, margin_m=margin_m).places
        assert isinstance(place.fence, Area)
        south.append(min(lat for _, lat in place.fence.polygons[0][0]))
    assert [round((60.17 - each) * 111_195) for each in south] == [25, 0, 100]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("b,,24.9,school", "lat"),
        ("b,0,0,school", "position"),
        ("a,60.1,24.9,school", "id"),
        (",60.1,24.9,school", "id"),
    ],
)
def test_every_row_is_imported_or_reported(row: str, field: str) -> None:
    result = table("id,lat,lng,category", "a,60.17,24.94,health", row)
    assert (result.rows, len(result.places)) == (2, 1)
    assert [(problem.row, problem.field) for problem in result.problems] == [(2, field)]


def test_two_places_at_one_spot_are_two() -> None:
    categories: tuple[Category, ...] = ("health", "school")
    rows = [f"{category},60.17,24.94,{category}" for category in categories]
    assert len(table("id,lat,lng,category", *rows).places) == 2
