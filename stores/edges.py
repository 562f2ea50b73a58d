"""The edges of all areas as columns of numbers, to test many positions at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from stores.geometry import PreparedFence

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]

_AT_ONCE = 1_000_000
"""Edges looked at together."""


class Edges:
    """Areas by their number. Columns are made when first asked for, since most indexes are only asked one by one."""

    __slots__ = ("_areas", "_columns")

    def __init__(self, areas: Mapping[int, PreparedFence]) -> None:
        self._areas = areas
        self._columns: _Columns | None = None

    def contain(self, areas: Numbers, lats: Floats, lngs: Floats) -> Flags:
        """For each area and position whether the position lies in the area: the arithmetic of `Polygon.contains`."""
        columns = self._columns
        if columns is None:
            # Two threads that come at once make the same columns twice, which does no harm.
            columns = self._columns = _Columns(self._areas)
        rows = np.searchsorted(columns.areas, areas)
        pair, polygon = spread(columns.polygons[rows], columns.polygons[rows + 1])
        inside = np.zeros(len(areas), np.bool_)
        inside[pair[columns.contain(polygon, lats[pair], lngs[pair])]] = True
        return inside


class _Columns:
    """`polygons` says where an area's polygons begin, `edges` where a polygon's edges do; the next one ends them."""

    __slots__ = ("areas", "boxes", "edges", "middles", "polygons", "x1", "x2", "y1", "y2")

    def __init__(self, areas: Mapping[int, PreparedFence]) -> None:
        numbers = sorted(areas)
        polygons = [polygon for number in numbers for polygon in areas[number].polygons]
        self.areas = np.array(numbers, np.int64)
        self.polygons = _starts([len(areas[number].polygons) for number in numbers])
        self.edges = _starts([len(polygon.edges) for polygon in polygons])
        self.middles = np.array([polygon.middle_lng for polygon in polygons])
        self.boxes = np.array([(each.south, each.north, each.west, each.east) for each in polygons]).reshape(-1, 4).T
        flat = np.array([edge for polygon in polygons for edge in polygon.edges]).reshape(-1, 4)
        self.x1, self.y1, self.x2, self.y2 = flat.T.copy()

    def contain(self, polygons: Numbers, lats: Floats, lngs: Floats) -> Flags:
        """For each polygon and position whether the position lies in it or on its edge."""
        xs = lngs + 360.0 * np.round((self.middles[polygons] - lngs) / 360.0)
        south, north, west, east = self.boxes[:, polygons]
        inside: Flags = (south <= lats) & (lats <= north) & (west <= xs) & (xs <= east)
        asked = np.flatnonzero(inside)
        ends = np.cumsum(self.edges[polygons[asked] + 1] - self.edges[polygons[asked]])
        for part in np.split(asked, np.searchsorted(ends, np.arange(_AT_ONCE, ends[-1] if len(ends) else 0, _AT_ONCE))):
            inside[part] = self._cross(polygons[part], lats[part], xs[part])
        return inside

    def _cross(self, polygons: Numbers, lats: Floats, xs: Floats) -> Flags:
        """Even-odd rule over all edges; see `Polygon.contains` for every step."""
        pair, edge = spread(self.edges[polygons], self.edges[polygons + 1])
        x, y = xs[pair], lats[pair]
        x1, y1, x2, y2 = self.x1[edge], self.y1[edge], self.x2[edge], self.y2[edge]
        level = (y1 > y) == (y2 > y)
        side = (x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)
        along = (y1 == y) & (y == y2) & (np.minimum(x1, x2) <= x) & (x <= np.maximum(x1, x2))
        corner = ((x == x1) & (y == y1)) | ((x == x2) & (y == y2))
        on_edge = np.where(level, along | corner, side == 0.0)
        crossed = ~level & ((side > 0.0) == (y2 > y1))
        touches = np.bincount(pair[on_edge], minlength=len(polygons)) > 0
        return np.asarray(touches | (np.bincount(pair[crossed], minlength=len(polygons)) % 2 == 1))


def spread(starts: Numbers, stops: Numbers) -> tuple[Numbers, Numbers]:
    """Every number of the ranges from a start to before its stop, and before it, which range it is of."""
    sizes = stops - starts
    which = np.repeat(np.arange(len(sizes)), sizes)
    return which, np.arange(len(which)) + (starts - np.cumsum(sizes) + sizes)[which]


def _starts(sizes: list[int]) -> Numbers:
    return np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
