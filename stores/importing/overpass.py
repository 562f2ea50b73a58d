"""What Overpass answers in its own JSON (`elements`) as GeoJSON features: nodes, ways and relations with tags."""

from __future__ import annotations

from typing import Any

NO_SHAPE = "is missing: ask Overpass for it with `out center` or `out geom`"

_Corner = tuple[Any, Any]


def to_features(elements: list[Any]) -> list[tuple[int, Any]]:
    """Each element with tags as a feature, with its number in the list from 1; nodes without tags are only corners.

    A closed way becomes a polygon when its shape was asked for (`out geom`, or its nodes are in the file), everything
    else a point: its own, or its centre. What has neither becomes a feature without a geometry.
    """
    nodes = {
        element["id"]: (element.get("lon"), element.get("lat"))
        for element in elements
        if isinstance(element, dict) and element.get("type") == "node" and isinstance(element.get("id"), int)
    }
    return [
        (number, _feature(element, nodes) if isinstance(element, dict) else element)
        for number, element in enumerate(elements, start=1)
        if not isinstance(element, dict) or element.get("tags")
    ]


def _feature(element: dict[str, Any], nodes: dict[int, _Corner]) -> dict[str, Any]:
    name = f"{element.get('type')}/{element.get('id')}"
    return {"id": name, "properties": element["tags"], "geometry": _geometry(element, nodes)}


def _geometry(element: dict[str, Any], nodes: dict[int, _Corner]) -> dict[str, Any] | None:
    if element.get("type") == "node":
        return {"type": "Point", "coordinates": [element.get("lon"), element.get("lat")]}
    line = _line(element, nodes)
    if len(line) >= 4 and line[0] == line[-1]:
        return {"type": "Polygon", "coordinates": [line]}
    centre = element.get("center")
    if isinstance(centre, dict):
        return {"type": "Point", "coordinates": [centre.get("lon"), centre.get("lat")]}
    return None


def _line(element: dict[str, Any], nodes: dict[int, _Corner]) -> list[list[Any]]:
    """The corners of a way as far as the file tells them; none when one is missing."""
    shape, ids = element.get("geometry"), element.get("nodes")
    corners: list[_Corner | None] = []
    if isinstance(shape, list):
        corners = [(each.get("lon"), each.get("lat")) if isinstance(each, dict) else None for each in shape]
    elif isinstance(ids, list):
        corners = [nodes.get(each) if isinstance(each, int) else None for each in ids]
    found = [list(corner) for corner in corners if corner is not None]
    return found if len(found) == len(corners) else []
