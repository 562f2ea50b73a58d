"""GeoJSON (RFC 7946) features as rows: their properties as text, their geometry as a position and perhaps an area.

What Overpass answers in its own JSON is read as if it were GeoJSON. Numbers may stand in quotes, as some programs write
them; a closed line is read as the polygon it encloses, as OpenStreetMap means it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, NoReturn

import shapely

from stores.geometry import check_area
from stores.importing.overpass import NO_SHAPE, to_features
from stores.importing.table import Aliases, RowReader, UnreadableFile, decode, degrees, match_columns
from stores.model import Area, Position, Ring


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature; `problem` says why its geometry cannot be used. The feature's own id is the property `@id`.

    With `exchanged` the problem is that latitude comes first, for certain.
    """

    row: int
    properties: Mapping[str, str]
    position: Position | None = None
    area: Area | None = None
    problem: str | None = None
    exchanged: bool = False


class _Exchanged(ValueError):
    """Latitude stands where longitude should."""


def read_features(data: bytes) -> tuple[Feature, ...]:
    """All features of a FeatureCollection (or elements of Overpass), numbered from 1. Raises `UnreadableFile`."""
    try:
        document = json.loads(decode(data), parse_constant=_refuse)
    except RecursionError:
        raise UnreadableFile("the file is nested too deeply to be GeoJSON") from None
    except json.JSONDecodeError as error:
        raise UnreadableFile(f"the file is not JSON: {error.msg} in line {error.lineno}") from None
    except UnreadableFile:
        raise
    except ValueError:
        raise UnreadableFile("the file is not GeoJSON: a number in it has thousands of digits") from None
    if not isinstance(document, dict):
        document = {}
    features, elements = document.get("features"), document.get("elements")
    if isinstance(elements, list) and "type" not in document:
        return tuple(_feature(row, feature, NO_SHAPE) for row, feature in to_features(elements))
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        raise UnreadableFile('the file is JSON, but not a GeoJSON "FeatureCollection" with a list of "features"')
    return tuple(_feature(row, feature, "is missing") for row, feature in enumerate(features, start=1))


def read_properties(
    features: Sequence[Feature], aliases: Aliases, required: Sequence[str], mapping: Mapping[str, str] | None
) -> Iterator[tuple[Feature, RowReader]]:
    """Each feature with a reader of its properties; `lat` and `lng` are no fields here. Errors as in `read_csv`."""
    columns = list(dict.fromkeys(column for feature in features for column in feature.properties))
    known = {name: names for name, names in aliases.items() if name not in ("lat", "lng")}
    fields = match_columns(columns, known, required if features else (), mapping)
    for feature in features:
        given = ((name, feature.properties.get(column, "")) for name, column in fields.items())
        yield feature, RowReader(feature.row, {name: text for name, text in given if text})


def _refuse(_constant: str) -> NoReturn:
    raise UnreadableFile("the file is not JSON: it contains NaN or Infinity")


def _feature(row: int, feature: Any, no_shape: str) -> Feature:
    if not isinstance(feature, dict):
        return Feature(row, {}, problem="is missing: the feature is not an object")
    given = feature.get("properties")
    properties = {key: _text(value) for key, value in given.items()} if isinstance(given, dict) else {}
    if "id" in feature:
        properties.setdefault("@id", _text(feature["id"]))
    geometry = feature.get("geometry")
    if not isinstance(geometry, dict):
        return Feature(row, properties, problem=no_shape)
    try:
        position, area = _geometry(geometry)
    except ValueError as error:
        return Feature(row, properties, problem=str(error), exchanged=isinstance(error, _Exchanged))
    return Feature(row, properties, position, area)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value)


def _geometry(geometry: dict[str, Any]) -> tuple[Position, Area | None]:
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "Point":
        lng, lat = _pair(coordinates)
        return Position(lat, lng), None
    if kind == "Polygon":
        area = Area((_rings(coordinates),))
    elif kind == "LineString":
        area = Area(((_closed(coordinates),),))
    elif kind == "MultiPolygon":
        area = Area(tuple(_rings(polygon) for polygon in _list(coordinates)))
    else:
        raise ValueError("must be a Point, a Polygon or a MultiPolygon")
    check_area(area)
    return middle(area), area


def middle(area: Area) -> Position:
    """The centroid, or a point inside when the centroid is not."""
    shape = shapely.MultiPolygon([(rings[0], rings[1:]) for rings in area.polygons])
    point = shape.centroid if shape.covers(shape.centroid) else shape.representative_point()
    return Position(point.y, point.x)


def _closed(line: Any) -> Ring:
    ring = tuple(_pair(pair) for pair in _list(line))
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise ValueError("is a line that encloses nothing: it must be a Point, a Polygon or a MultiPolygon")
    return ring


def _rings(polygon: Any) -> tuple[Ring, ...]:
    return tuple(tuple(_pair(pair) for pair in _list(ring)) for ring in _list(polygon))


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("has coordinates that are not nested as its type demands")
    return value


def _pair(pair: Any) -> tuple[float, float]:
    numbers = [_number(number) for number in _list(pair)[:2]]
    if len(numbers) != 2:
        raise ValueError(_NO_PAIR)
    lng, lat = numbers
    if abs(lat) > 90.0 and abs(lat) <= 180.0 and abs(lng) <= 90.0:
        raise _Exchanged("has latitude and longitude exchanged: longitude comes first, then latitude, in degrees")
    if not (-180 <= lng <= 180 and -90 <= lat <= 90):
        raise ValueError("has a position outside the earth: longitude comes first, then latitude, in degrees")
    return lng, lat


def _number(value: Any) -> float:
    if isinstance(value, str):
        try:
            return degrees(value)
        except ValueError:
            raise ValueError(_NO_PAIR) from None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(_NO_PAIR)
    return float(value) if abs(value) <= 1_000_000 else inf


_NO_PAIR = "has a position that is not a pair of numbers, longitude first"
