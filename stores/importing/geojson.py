"""GeoJSON (RFC 7946) features as rows: their properties as text, their geometry as a position and perhaps an area."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import shapely

from stores.geometry import check_area
from stores.importing.table import UnreadableFile, decode
from stores.model import Area, Position, Ring


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature; `problem` says why its geometry cannot be used. The feature's own id is the property `@id`."""

    row: int
    properties: Mapping[str, str]
    position: Position | None = None
    area: Area | None = None
    problem: str | None = None


def read_features(data: bytes) -> tuple[Feature, ...]:
    """All features of a FeatureCollection, numbered from 1. Raises `UnreadableFile` when it is none."""
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
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        raise UnreadableFile('the file is JSON, but not a GeoJSON "FeatureCollection" with a list of "features"')
    return tuple(_feature(row, feature) for row, feature in enumerate(features, start=1))


def _refuse(_constant: str) -> NoReturn:
    raise UnreadableFile("the file is not JSON: it contains NaN or Infinity")


def _feature(row: int, feature: Any) -> Feature:
    if not isinstance(feature, dict):
        return Feature(row, {}, problem="is missing: the feature is not an object")
    given = feature.get("properties")
    properties = {key: _text(value) for key, value in given.items()} if isinstance(given, dict) else {}
    if "id" in feature:
        properties.setdefault("@id", _text(feature["id"]))
    try:
        position, area = _geometry(feature.get("geometry"))
    except ValueError as error:
        return Feature(row, properties, problem=str(error))
    return Feature(row, properties, position, area)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value)


def _geometry(geometry: Any) -> tuple[Position, Area | None]:
    if not isinstance(geometry, dict):
        raise ValueError("is missing")
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "Point":
        lng, lat = _pair(coordinates)
        return Position(lat, lng), None
    if kind == "Polygon":
        area = Area((_rings(coordinates),))
    elif kind == "MultiPolygon":
        area = Area(tuple(_rings(polygon) for polygon in _list(coordinates)))
    else:
        raise ValueError("must be a Point, a Polygon or a MultiPolygon")
    check_area(area)
    return _middle(area), area


def _middle(area: Area) -> Position:
    """The centroid, or a point inside when the centroid is not."""
    shape = shapely.MultiPolygon([(rings[0], rings[1:]) for rings in area.polygons])
    point = shape.centroid if shape.covers(shape.centroid) else shape.representative_point()
    return Position(point.y, point.x)


def _rings(polygon: Any) -> tuple[Ring, ...]:
    return tuple(tuple(_pair(pair) for pair in _list(ring)) for ring in _list(polygon))


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("has coordinates that are not nested as its type demands")
    return value


def _pair(pair: Any) -> tuple[float, float]:
    numbers = _list(pair)[:2]
    if len(numbers) != 2 or not all(isinstance(number, int | float) and number is not True for number in numbers):
        raise ValueError("has a position that is not a pair of numbers, longitude first")
    lng, lat = numbers
    if not (-180 <= lng <= 180 and -90 <= lat <= 90):
        raise ValueError("has a position outside the earth: longitude comes first, then latitude, in degrees")
    return float(lng), float(lat)
