"""H3 cells of many positions at once, with h3ronpy when it is installed (the extra `fast`), else one by one.

The two may disagree about a position on the very edge of two cells. That does no harm: a fence's cover holds every cell
that comes near it, see `stores.cover`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TypeAlias

import numpy as np
from h3.api import basic_int as h3
from numpy.typing import NDArray

Cells: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

RESOLUTION = 9
"""Cells of about 0.1 km2. Coarser ones make the index smaller but bring more fences to test; see docs/benchmarks.md."""

COARSE_RESOLUTION = 6

_CIRCUMRADIUS = 1.2
"""Circumradius of a cell in average edge lengths of its resolution, at most. Measured over all cells of resolutions 0
to 3 and the cells around the pentagons of 6 and 9, where distortion is largest: 1.10. Of a coarse cell's centre and
all the cells below it: 1.15."""

REACH_M = _CIRCUMRADIUS * h3.average_hexagon_edge_length(RESOLUTION, unit="m")
"""No point of a cell is further from its centre."""

COARSE_REACH_M = _CIRCUMRADIUS * h3.average_hexagon_edge_length(COARSE_RESOLUTION, unit="m")
"""No point of any cell below a coarse one is further from the coarse one's centre."""

FAST = find_spec("h3ronpy") is not None
"""Whether the vectorised encoder is installed."""

BELOW_COARSE = (1 << 3 * (15 - COARSE_RESOLUTION)) - 1
"""`cell | BELOW_COARSE` is the cell's `family`, for who cannot afford a call."""

_RESOLUTIONS_APART = (RESOLUTION - COARSE_RESOLUTION) << 52


@dataclass(frozen=True, slots=True)
class Disks:
    """Cells around cells: `row` says around which of those asked for, `last` whether in the outermost ring."""

    row: NDArray[np.int64]
    cell: Cells
    last: NDArray[np.bool_]


def family(cell: int) -> int:
    """A number that all cells below one coarse cell share, and no others; they also lie together when sorted."""
    return cell | BELOW_COARSE


def families(cells: Cells) -> Cells:
    """As `family`, for many."""
    return cells | BELOW_COARSE


def coarse_of(cell: int) -> int:
    """The coarse cell that a cell is below."""
    return family(cell) - _RESOLUTIONS_APART


def family_of_coarse(coarse: int) -> int:
    """The family of the cells below a coarse one."""
    return coarse + _RESOLUTIONS_APART


def encode(lats: Floats, lngs: Floats) -> Cells:
    """The cell of every position."""
    if FAST:
        from h3ronpy.vector import coordinates_to_cells

        return np.asarray(coordinates_to_cells(lats, lngs, RESOLUTION)).astype(np.int64)
    pairs = zip(lats.tolist(), lngs.tolist(), strict=True)
    return np.fromiter((h3.latlng_to_cell(lat, lng, RESOLUTION) for lat, lng in pairs), np.int64, len(lats))


def centres(cells: Cells) -> tuple[Floats, Floats]:
    """Latitude and longitude of every cell's centre."""
    if FAST:
        from h3ronpy.vector import cells_to_coordinates

        table = cells_to_coordinates(cells.astype(np.uint64))
        return np.asarray(table["lat"]), np.asarray(table["lng"])
    pairs = np.array([h3.cell_to_latlng(cell) for cell in cells.tolist()]).reshape(-1, 2)
    return np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])


def disks(cells: Cells, rings: int) -> Disks:
    """Each cell with the rings of cells around it."""
    if FAST and (found := _fast_disks(cells, rings)) is not None:
        return found
    around = [h3.grid_disk(cell, rings) for cell in cells.tolist()]
    last = [set(h3.grid_ring(cell, rings)) for cell in cells.tolist()]
    return Disks(
        np.repeat(np.arange(len(cells)), [len(disk) for disk in around]),
        np.array([cell for disk in around for cell in disk], np.int64),
        np.array([cell in ring for disk, ring in zip(around, last, strict=True) for cell in disk], np.bool_),
    )


def _fast_disks(cells: Cells, rings: int) -> Disks | None:
    """The same in one call; None near a pentagon, where disks are smaller and it is not told which cell is whose."""
    from h3ronpy import grid_disk_distances

    table = grid_disk_distances(cells.astype(np.uint64), rings, flatten=True)
    found = np.asarray(table["cell"]).astype(np.int64)
    size = 3 * rings * (rings + 1) + 1
    if len(found) != size * len(cells):
        return None
    return Disks(np.repeat(np.arange(len(cells)), size), found, np.asarray(table["k"]) == rings)
