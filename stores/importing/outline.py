"""Outlines with a margin: the outline of a building is not where people stand who come to it."""

from __future__ import annotations

from math import cos, radians
from typing import Any

import shapely
from shapely import affinity

from stores.geometry import METRES_PER_DEGREE
from stores.model import Area

_ROUNDNESS = 4
"""Segments in a quarter of a circle around a corner; between them the edge lies up to 2 % of the margin too far in."""
_SIMPLER_M = 0.5


def widened(area: Area, margin_m: float) -> Area:
    """The area and all within `margin_m` metres of it, to 2 % (a margin of 0 gives the area itself).

    Worked out in a plane squeezed at the area's middle latitude, and simplified by half a metre or 2 % of the margin
    at most. The area must be well formed (`stores.geometry.check_area`), and what comes out is to be checked anew: it
    has more points, and near the antimeridian it may reach over it.
    """
    if margin_m <= 0.0:
        return area
    shape = shapely.MultiPolygon([(rings[0], rings[1:]) for rings in area.polygons])
    south, north = shape.bounds[1], shape.bounds[3]
    lng_m = METRES_PER_DEGREE * max(cos(radians((south + north) / 2.0)), 1e-6)
    flat = affinity.scale(shape, lng_m, METRES_PER_DEGREE, origin=(0.0, 0.0))
    wide = flat.buffer(margin_m, quad_segs=_ROUNDNESS).simplify(min(_SIMPLER_M, margin_m / 50.0))
    return area_of(affinity.scale(wide, 1.0 / lng_m, 1.0 / METRES_PER_DEGREE, origin=(0.0, 0.0)))


def area_of(shape: Any) -> Area:
    """A shapely Polygon or MultiPolygon as an area."""
    polygons = shape.geoms if shape.geom_type == "MultiPolygon" else (shape,)
    return Area(tuple(tuple(_ring(ring) for ring in (one.exterior, *one.interiors)) for one in polygons))


def _ring(ring: Any) -> tuple[tuple[float, float], ...]:
    return tuple((float(lng), float(lat)) for lng, lat in ring.coords)
