"""Distances on the earth and the exact test whether a position lies in a fence.

Distances are great-circle distances on a sphere with the IUGG mean radius. Against the WGS 84 ellipsoid they are at
most 0.56 % too long (along a meridian at the equator, where the ellipsoid's radius of curvature is 6,335,439 m) and at
most 0.45 % too short (at a pole: 6,399,594 m): less than a metre at the edge of a 150 m fence, below the accuracy of
any phone's fix. On that sphere the test whether a position lies in a fence is exact but for rounding: only within a
micrometre of the edge may another way to compute it say otherwise. What is on the edge is inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import asin, cos, pi, radians, sin, sqrt

import numpy as np
import shapely
from numpy.typing import NDArray

from stores.antimeridian import join
from stores.model import Area, Circle, Fence, Position, Ring, Store

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius R1 = (2a + b) / 3 of the earth in metres (IUGG, GRS 80)."""

MAX_AREA_EXTENT_M = 20_000.0
"""An area may not be wider or higher than this; a larger one is a mistake in the file, and would cost a huge index."""

MAX_AREA_POINTS = 1_000
"""What an area costs the index grows with its extent and its points together."""

_DEGREE, _HALF_DEGREE = pi / 180.0, pi / 360.0
METRES_PER_DEGREE = EARTH_RADIUS_M * _DEGREE
_MAX_AREA_LAT = 89.0

_Edge = tuple[float, float, float, float]


def distance_m(a: Position, b: Position) -> float:
    """Great-circle distance between two positions in metres (haversine formula)."""
    return great_circle_m(a.lat, a.lng, b.lat, b.lng)


def great_circle_m(lat_a: float, lng_a: float, lat_b: float, lng_b: float) -> float:
    """As `distance_m`, for bare numbers in degrees; for loops that cannot afford a `Position` each."""
    half_lat = sin((lat_b - lat_a) * _HALF_DEGREE)
    half_lng = sin((lng_b - lng_a) * _HALF_DEGREE)
    h = half_lat * half_lat + cos(lat_a * _DEGREE) * cos(lat_b * _DEGREE) * half_lng * half_lng
    half_chord = sqrt(h)
    return 2.0 * EARTH_RADIUS_M * asin(half_chord if half_chord < 1.0 else 1.0)


def great_circles_m(
    lats_a: NDArray[np.float64], lngs_a: NDArray[np.float64], lats_b: NDArray[np.float64], lngs_b: NDArray[np.float64]
) -> NDArray[np.float64]:
    """As `great_circle_m`, for arrays; the two may differ by their rounding, some nanometres."""
    half_lat = np.sin(np.radians(lats_b - lats_a) / 2.0)
    half_lng = np.sin(np.radians(lngs_b - lngs_a) / 2.0)
    h = half_lat * half_lat + np.cos(np.radians(lats_a)) * np.cos(np.radians(lats_b)) * half_lng * half_lng
    return np.asarray(2.0 * EARTH_RADIUS_M * np.arcsin(np.minimum(1.0, np.sqrt(h))))


@dataclass(frozen=True, slots=True)
class Polygon:
    """One polygon, ready to be asked: every edge of its rings, and the longitude in the middle of its outer ring.

    Longitudes run on beyond 180 degrees where it lies over the antimeridian.
    """

    edges: tuple[_Edge, ...]
    middle_lng: float
    south: float
    north: float
    west: float
    east: float

    def lng_near(self, lng: float) -> float:
        """`lng` or the same meridian 360 degrees away, whichever is nearer to this polygon."""
        return lng + 360.0 * round((self.middle_lng - lng) / 360.0)

    def contains(self, lat: float, lng: float) -> bool:
        """Even-odd rule over all rings, so that holes are outside; a point on any edge is inside."""
        x, y = self.lng_near(lng), lat
        if not (self.south <= y <= self.north and self.west <= x <= self.east):
            return False
        inside = False
        for x1, y1, x2, y2 in self.edges:
            if (y1 > y) == (y2 > y):
                if y1 == y == y2 and min(x1, x2) <= x <= max(x1, x2):
                    return True
                if (x, y) == (x1, y1) or (x, y) == (x2, y2):
                    return True
                continue
            side = (x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)
            if side == 0.0:
                return True
            if (side > 0.0) == (y2 > y1):
                inside = not inside
        return inside

    def distance_to_edge_m(self, lat: float, lng: float) -> float:
        """Metres to the nearest edge.

        The nearest point is looked for in a plane with its origin at the position, where the edges stay straight, and
        then measured along the great circle: at most 0.1 % too long within a kilometre, below 85 degrees of latitude.
        """
        x0, squeeze = self.lng_near(lng), max(cos(radians(lat)), 1e-9)
        best, best_x, best_y = float("inf"), 0.0, 0.0
        for x1, y1, x2, y2 in self.edges:
            ax, ay = (x1 - x0) * squeeze, y1 - lat
            dx, dy = (x2 - x1) * squeeze, y2 - y1
            length = dx * dx + dy * dy
            t = 0.0 if length == 0.0 else min(1.0, max(0.0, -(ax * dx + ay * dy) / length))
            px, py = ax + t * dx, ay + t * dy
            if (square := px * px + py * py) < best:
                best, best_x, best_y = square, x1 + t * (x2 - x1), y1 + t * (y2 - y1)
        return great_circle_m(lat, lng, best_y, best_x)


@dataclass(frozen=True, slots=True)
class PreparedFence:
    """A store's fence with all that can be worked out beforehand; made by `prepare`."""

    lat: float
    lng: float
    radius_m: float | None
    polygons: tuple[Polygon, ...]
    size_m: float
    """Radius of the fence, or of the circle with the same area when the fence is an area (holes not taken off)."""

    def distance_m(self, lat: float, lng: float) -> float:
        """Metres from the point to the fence; 0 inside and on its edge."""
        if self.radius_m is not None:
            return max(0.0, great_circle_m(lat, lng, self.lat, self.lng) - self.radius_m)
        if any(polygon.contains(lat, lng) for polygon in self.polygons):
            return 0.0
        return min(polygon.distance_to_edge_m(lat, lng) for polygon in self.polygons)

    def contains(self, lat: float, lng: float) -> bool:
        """Whether the point lies in the fence or on its edge."""
        if self.radius_m is not None:
            return great_circle_m(lat, lng, self.lat, self.lng) <= self.radius_m
        return any(polygon.contains(lat, lng) for polygon in self.polygons)

    def depth_m(self, lat: float, lng: float) -> float:
        """Metres from a point inside to the nearest edge; 0 outside and on the edge."""
        if self.radius_m is not None:
            return max(0.0, self.radius_m - great_circle_m(lat, lng, self.lat, self.lng))
        inside = [polygon for polygon in self.polygons if polygon.contains(lat, lng)]
        return max((polygon.distance_to_edge_m(lat, lng) for polygon in inside), default=0.0)

    def anchors(self) -> tuple[tuple[float, float], ...]:
        """One (lat, lng) of every connected part of the fence."""
        if self.radius_m is not None:
            return ((self.lat, self.lng),)
        return tuple((polygon.edges[0][1], polygon.edges[0][0]) for polygon in self.polygons)


def prepare(position: Position, fence: Fence) -> PreparedFence:
    """Make a fence ready for many questions.

    Raises ValueError for an area that reaches over the antimeridian in one ring (RFC 7946, 3.1.9 wants it cut there),
    leaves the earth, comes within a degree of a pole or is larger than `MAX_AREA_EXTENT_M`.
    """
    if isinstance(fence, Circle):
        return PreparedFence(position.lat, position.lng, fence.radius_m, (), fence.radius_m)
    polygons = _prepare_polygons(fence)
    size = sqrt(sum(_surface_m2(rings[0]) for rings in fence.polygons) / pi)
    return PreparedFence(position.lat, position.lng, None, polygons, size)


@lru_cache(maxsize=65_536)
def extent_m(position: Position, fence: Fence) -> float:
    """Metres around a store's position within which the whole of its fence lies."""
    if isinstance(fence, Circle):
        return fence.radius_m
    pairs = (pair for polygon in fence.polygons for pair in polygon[0])
    return max(great_circle_m(position.lat, position.lng, lat, lng) for lng, lat in pairs)


def contains(store: Store, position: Position) -> bool:
    """Whether `position` lies in the store's fence; the boundary counts as inside. Errors as in `prepare`."""
    return prepare(store.position, store.fence).contains(position.lat, position.lng)


def distance_to_fence_m(store: Store, position: Position) -> float:
    """Metres from `position` to the store's fence, 0 inside. Errors as in `prepare`.

    Exact (on the sphere) for a circle; for an area see `Polygon.distance_to_edge_m`.
    """
    return prepare(store.position, store.fence).distance_m(position.lat, position.lng)


def check_area(area: Area) -> None:
    """Raise ValueError, without repeating a position, when the area cannot serve as a fence; see `prepare`."""
    if sum(len(ring) for rings in area.polygons for ring in rings) > MAX_AREA_POINTS:
        raise ValueError(f"an area must not have more than {MAX_AREA_POINTS} points: simplify it")
    _prepare_polygons(area)
    shape = shapely.MultiPolygon([(rings[0], rings[1:]) for rings in area.polygons])
    if not shape.is_valid or shape.area <= 0.0:
        # shapely ends the reason with the place, in brackets: a coordinate.
        reason = shapely.is_valid_reason(shape).partition("[")[0].strip().lower()
        raise ValueError(f"is not a well formed polygon: {reason}")


def _prepare_polygons(area: Area) -> tuple[Polygon, ...]:
    for rings in area.polygons:
        pairs = [pair for ring in rings for pair in ring]
        if not all(-180.0 <= lng <= 180.0 and -90.0 <= lat <= 90.0 for lng, lat in pairs):
            raise ValueError("an area's pairs must be (lng, lat) in degrees, within 180 and 90 of zero")
        if max(lng for lng, _ in pairs) - min(lng for lng, _ in pairs) > 180.0:
            raise ValueError("an area must not cross the antimeridian in one ring: cut it there in two polygons")
    return tuple(_prepare_polygon(rings) for rings in join(area.polygons))


def _prepare_polygon(rings: tuple[Ring, ...]) -> Polygon:
    pairs = [pair for ring in rings for pair in ring]
    west, east = min(lng for lng, _ in pairs), max(lng for lng, _ in pairs)
    south, north = min(lat for _, lat in pairs), max(lat for _, lat in pairs)
    if max(-south, north) > _MAX_AREA_LAT:
        raise ValueError("an area must stay more than one degree away from the poles: use a circle there")
    width = (east - west) * cos(radians((south + north) / 2.0))
    if max(width, north - south) * METRES_PER_DEGREE > MAX_AREA_EXTENT_M:
        raise ValueError(f"an area must not be wider or higher than {MAX_AREA_EXTENT_M / 1000.0:.0f} km")
    edges = tuple((*a, *b) for ring in rings for a, b in pairwise(ring))
    return Polygon(edges, (west + east) / 2.0, south, north, west, east)


def _surface_m2(ring: Ring) -> float:
    """Area of a small ring in square metres: shoelace formula in a plane squeezed at the ring's first latitude."""
    x0, y0 = ring[0]
    squeeze = cos(radians(y0))
    doubled = sum(
        (ax - x0) * squeeze * (by - y0) - (bx - x0) * squeeze * (ay - y0) for (ax, ay), (bx, by) in pairwise(ring)
    )
    return abs(doubled) / 2.0 * METRES_PER_DEGREE**2
