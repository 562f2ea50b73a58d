"""Areas over the antimeridian: RFC 7946 (3.1.9) has them cut there, and here they are put together again."""

from __future__ import annotations

import shapely

from stores.model import Ring

Rings = tuple[Ring, ...]


def join(polygons: tuple[Rings, ...]) -> tuple[Rings, ...]:
    """The same polygons with those that meet at 180 degrees made one, in longitudes that run on beyond 180.

    A cut is no edge: somebody who stands on it is deep inside. Only edges at exactly 180 and -180 degrees are cuts.
    Polygons that do not reach both sides stay as they are. Raises ValueError when what meets is not well formed.
    """
    east = [rings for rings in polygons if max(lng for lng, _ in rings[0]) == 180.0]
    west = [rings for rings in polygons if min(lng for lng, _ in rings[0]) == -180.0]
    if not (east and west):
        return polygons
    meeting = [shapely.Polygon(rings[0], rings[1:]) for rings in (*east, *map(_eastward, west))]
    try:
        parts = shapely.get_parts(shapely.union_all(meeting))
    except shapely.errors.GEOSException:
        raise ValueError("an area's polygons that meet at the antimeridian are not well formed") from None
    apart = tuple(rings for rings in polygons if rings not in east and rings not in west)
    return (*apart, *(_rings(part) for part in parts))


def _eastward(rings: Rings) -> Rings:
    return tuple(tuple((lng + 360.0, lat) for lng, lat in ring) for ring in rings)


def _rings(polygon: shapely.Polygon) -> Rings:
    return tuple(tuple((x, y) for x, y in line.coords) for line in (polygon.exterior, *polygon.interiors))
