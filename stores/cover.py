"""Which cells a fence is in: every cell that touches it, and some near by that do not.

Why a cover is complete: a point P in the fence and in a cell is at most `REACH_M` away from the cell's centre, so every
cell that touches the fence has its centre within that reach of the fence. The cells that touch one connected part of a
fence are connected, so walking from neighbour to neighbour finds all of them. `REACH_M` is some 9 % more than any cell
needs, so a neighbour which another encoder takes for the cell of a point on the edge is in the cover as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from h3.api import basic_int as h3
from numpy.typing import NDArray

from stores.cells import REACH_M, RESOLUTION, Cells, Floats, centres, disks, encode
from stores.geometry import PreparedFence, great_circles_m

Owners = NDArray[np.int32]

_LIMIT_M = REACH_M * 1.01
"""An area's distance is up to 1 % too long at this reach, and below 89 degrees."""
_EDGE_M = h3.average_hexagon_edge_length(RESOLUTION, unit="m")
_AT_ONCE = 2_000_000
"""Cells looked at together: bounds what building takes beside what stays."""


@dataclass(frozen=True, slots=True)
class Cover:
    """Pairs of a cell and the number of the fence it belongs to, sorted by cell.

    The number is inverted (`~number`) where the whole cell lies inside an area, so that no further test is needed.
    """

    cells: Cells
    owners: Owners


def cover(fences: Sequence[PreparedFence]) -> Cover:
    """The cells of all fences; fences are numbered from 0 in the given order."""
    circles = np.array([number for number, fence in enumerate(fences) if fence.radius_m is not None], np.int32)
    columns = np.array([(fences[n].lat, fences[n].lng, fences[n].radius_m) for n in circles.tolist()])
    lats, lngs, radii = columns.reshape(-1, 3).T.copy()
    rings = 1 + ((radii + REACH_M + _EDGE_M) // (1.5 * _EDGE_M)).astype(np.int64)
    found: list[tuple[Cells, Owners]] = [(np.empty(0, np.int64), np.empty(0, np.int32))]
    for count in np.unique(rings).tolist():
        alike = np.flatnonzero(rings == count)
        for part in np.array_split(alike, 1 + len(alike) * 3 * count * (count + 1) // _AT_ONCE):
            found += _around(circles[part], lats[part], lngs[part], radii[part], count)
    found += [_walk(fence, number) for number, fence in enumerate(fences) if fence.radius_m is None]
    cells, owners = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(cells, kind="stable")
    return Cover(cells[order], owners[order])


def _around(owners: Owners, lats: Floats, lngs: Floats, radii: Floats, rings: int) -> list[tuple[Cells, Owners]]:
    """The cells of circles, looked for within so many rings. More where the last ring still holds some: as the cells
    of a fence are connected, there can be none behind a ring that holds none."""
    around = disks(encode(lats, lngs), rings)
    row = around.row
    metres = great_circles_m(lats[row], lngs[row], *centres(around.cell))
    near = metres <= radii[row] + _LIMIT_M
    open_rows = np.unique(row[near & around.last])
    near &= ~np.isin(row, open_rows)
    found = [(around.cell[near], owners[row[near]])]
    if len(open_rows):
        found += _around(owners[open_rows], lats[open_rows], lngs[open_rows], radii[open_rows], rings + 2)
    return found


def cells_near(fence: PreparedFence, limit_m: float) -> dict[int, float]:
    """The cells whose centre is at most so many metres from the fence, and how far that is.

    `limit_m` must be at least `REACH_M` and a hundredth: then the cells around one connected part of the fence are
    connected, and walking from neighbour to neighbour finds them all.
    """
    near: dict[int, float] = {}
    following = [h3.latlng_to_cell(lat, lng, RESOLUTION) for lat, lng in fence.anchors()]
    seen = set(following)
    while following:
        cell = following.pop()
        metres = fence.distance_m(*h3.cell_to_latlng(cell))
        if metres <= limit_m:
            near[cell] = metres
            fresh = [each for each in h3.grid_disk(cell, 1) if each not in seen]
            seen.update(fresh)
            following += fresh
    return near


def _walk(fence: PreparedFence, number: int) -> tuple[Cells, Owners]:
    """The cells of an area."""
    near = cells_near(fence, _LIMIT_M)
    whole = [m == 0.0 and fence.depth_m(*h3.cell_to_latlng(cell)) > _LIMIT_M for cell, m in near.items()]
    return np.array(list(near), np.int64), np.where(whole, ~number, number).astype(np.int32)
