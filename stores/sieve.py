"""Which positions are near no fence at all: told by a few bits, long before a cell is worked out.

The earth is cut into squares of 1/512 of a degree. A bit is set for every square that a fence's box touches, at a place
that a hash of the square's row and column gives; so a position whose bit is not set is in no fence. Up to one in eight
positions far from all fences passes none the less, as hashes meet; the cells then tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from stores.edges import Numbers, spread
from stores.geometry import EARTH_RADIUS_M, PreparedFence

Floats: TypeAlias = NDArray[np.float64]

_PER_DEGREE = 512
_ROWS, _COLUMNS = 180 * _PER_DEGREE + 1, 360 * _PER_DEGREE
_WIDEST = 4_096
"""A box of more columns is near a pole and takes whole rows."""
_BITS_A_SQUARE = 8
_MARGIN = 1e-6
"""Degrees added to every side of a box, for what rounding takes off."""


class Sieve:
    """For fences in columns, as in a table of them; areas by number. Made for the first long question."""

    __slots__ = ("_areas", "_circles", "_squares")

    def __init__(
        self, lats: memoryview, lngs: memoryview, radii: memoryview, areas: Mapping[int, PreparedFence]
    ) -> None:
        self._circles = (lats, lngs, radii)
        self._areas = areas
        self._squares: _Squares | None = None

    def let_through(self, lats: Floats, lngs: Floats) -> Numbers:
        """Where in the arrays those positions are that may be in a fence."""
        squares = self._squares
        if squares is None:
            # Two threads that come at once make the same squares twice, which does no harm.
            boxes = np.column_stack((_boxes(*map(np.asarray, self._circles)), _area_boxes(self._areas)))
            squares = self._squares = _Squares(*boxes)
        return squares.let_through(lats, lngs)

    def is_worth(self, points: int) -> bool:
        """Whether so many positions are enough to make it, unless it is made."""
        return self._squares is not None or points >= len(self._circles[0])


class _Squares:
    """Bits of the squares that boxes touch; and rows, of boxes that go round a pole."""

    __slots__ = ("bits", "rows", "shift")

    def __init__(self, south: Floats, north: Floats, west: Floats, east: Floats) -> None:
        lowest, highest = _row(south - _MARGIN), _row(north + _MARGIN)
        first = np.floor((west - _MARGIN + 180.0) * _PER_DEGREE).astype(np.int64)
        last = np.floor((east + _MARGIN + 180.0) * _PER_DEGREE).astype(np.int64)
        wide = last - first >= _WIDEST
        self.rows = np.zeros(_ROWS, np.bool_)
        self.rows[spread(lowest[wide], highest[wide] + 1)[1]] = True
        first, last = first[~wide], last[~wide]
        box, row = spread(lowest[~wide], highest[~wide] + 1)
        line, column = spread(first[box], last[box] + 1)
        size = max(10, (_BITS_A_SQUARE * len(column)).bit_length())
        self.shift = np.uint64(64 - size)
        bits = np.zeros(1 << size, np.bool_)
        bits[self._place(row[line], column % _COLUMNS)] = True
        self.bits = np.packbits(bits, bitorder="little")

    def let_through(self, lats: Floats, lngs: Floats) -> Numbers:
        row, column = _row(lats), np.floor((lngs + 180.0) * _PER_DEGREE).astype(np.int64) % _COLUMNS
        place = self._place(row, column)
        bit = self.bits[place >> np.uint64(3)] >> (place & np.uint64(7)).astype(np.uint8) & np.uint8(1)
        return np.flatnonzero(bit.view(np.bool_) | self.rows[row])

    def _place(self, row: Numbers, column: Numbers) -> NDArray[np.uint64]:
        """Fibonacci hashing: the highest bits of a product with 2^64 over the golden ratio."""
        return ((row * _COLUMNS + column).view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> self.shift


def _row(lats: Floats) -> Numbers:
    return np.clip(np.floor((lats + 90.0) * _PER_DEGREE), 0, _ROWS - 1).astype(np.int64)


def _boxes(lats: Floats, lngs: Floats, radii: Floats) -> Floats:
    """South, north, west and east of circles, a little too large."""
    circle = radii >= 0.0
    lats, lngs, angle = lats[circle], lngs[circle], radii[circle] * 1.000001 / EARTH_RADIUS_M
    north = np.degrees(angle)
    # A circle is widest a little polewards of its middle: sin(east) = sin(angle) / cos(lat). It may go round a pole.
    sine = np.sin(angle) / np.maximum(np.cos(np.radians(lats)), 1e-12)
    east = np.where(sine < 1.0, np.degrees(np.arcsin(np.minimum(1.0, sine))), 360.0)
    return np.stack((lats - north, lats + north, lngs - east, lngs + east))


def _area_boxes(areas: Mapping[int, PreparedFence]) -> Floats:
    polygons = [polygon for fence in areas.values() for polygon in fence.polygons]
    boxes = [(polygon.south, polygon.north, polygon.west, polygon.east) for polygon in polygons]
    return np.array(boxes, np.float64).reshape(-1, 4).T
