"""Many positions at once: the same stores as one by one, several times as fast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stores.cells import Floats, encode
from stores.edges import Numbers, spread
from stores.fence_table import FenceTable
from stores.geometry import METRES_PER_DEGREE, great_circle_m, great_circles_m
from stores.sieve import Sieve

_AT_ONCE = 65_536
"""Positions looked at together; what they need then fits a processor's cache."""

_SLACK_M = 0.001
"""How much further than a radius is looked with arrays, whose last digits may differ from those of single numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Hits, one in each place of the arrays: row of the point, number of the store, metres between the two."""

    point: NDArray[np.int64]
    store: NDArray[np.int64]
    distance_m: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.point)


def match(table: FenceTable, store_id: Callable[[int], str], lats: ArrayLike, lngs: ArrayLike) -> Matches:
    """The fences that contain the points, by row of the point, then distance, then the id that `store_id` knows.

    Raises ValueError when lats and lngs are not as many, and saying how many points are not on the earth.
    """
    lats, lngs = np.asarray(lats, np.float64), np.asarray(lngs, np.float64)
    if lats.ndim != 1 or lats.shape != lngs.shape:
        raise ValueError("lats and lngs must be two lists of equal length")
    wrong = np.flatnonzero(~on_earth(lats, lngs))
    if len(wrong):
        raise ValueError(f"{len(wrong)} of {len(lats)} points are no positions on the earth, first in row {wrong[0]}")
    # One block there is always, be it empty.
    blocks = range(0, max(1, len(lats)), _AT_ONCE)
    sieve = table.sieve if table.sieve.is_worth(len(lats)) else None
    found = [_block(table, sieve, lats[at : at + _AT_ONCE], lngs[at : at + _AT_ONCE], at) for at in blocks]
    point, store, distance = (np.concatenate(column) for column in zip(*found, strict=True))
    return _ordered(store_id, point, store, distance)


def on_earth(lats: Floats, lngs: Floats) -> NDArray[np.bool_]:
    """Which points are positions on the earth; those with a number that is none are not."""
    return np.asarray((np.abs(lats) <= 90.0) & (np.abs(lngs) <= 180.0))


def _block(
    table: FenceTable, sieve: Sieve | None, lats: Floats, lngs: Floats, first: int
) -> tuple[Numbers, Numbers, Floats]:
    near = np.arange(len(lats)) if sieve is None else sieve.let_through(lats, lngs)
    place, owner = _candidates(table, lats[near], lngs[near])
    point = near[place]
    whole = owner < 0
    store = np.where(whole, ~owner, owner).astype(np.int64)
    radius = np.asarray(table.radii)[store]
    area = radius < 0.0
    north = lats[point] - np.asarray(table.lats)[store]
    keep = np.where(area, whole, np.abs(north) * METRES_PER_DEGREE <= radius + 1.0)
    asked = np.flatnonzero(area & ~whole)
    if len(asked):
        keep[asked] = table.edges.contain(store[asked], lats[point[asked]], lngs[point[asked]])
    point, store, radius = point[keep], store[keep], np.where(area, np.inf, radius)[keep]
    near_lats, near_lngs = np.asarray(table.lats)[store], np.asarray(table.lngs)[store]
    keep = great_circles_m(lats[point], lngs[point], near_lats, near_lngs) <= radius + _SLACK_M
    point, store, radius = point[keep], store[keep], radius[keep]
    # The last word has the function that single look-ups use, so that both always say the same.
    ends = (lats[point], lngs[point], near_lats[keep], near_lngs[keep])
    distance = np.array(list(map(great_circle_m, *(column.tolist() for column in ends))), np.float64)
    inside = distance <= radius
    return point[inside] + first, store[inside], distance[inside]


def _candidates(table: FenceTable, lats: Floats, lngs: Floats) -> tuple[Numbers, NDArray[np.int32]]:
    """Every point with every fence at its cell. Points go by cell: neighbours find what is still in the cache."""
    cells = encode(lats, lngs)
    order = np.argsort(cells)
    cells = cells[order]
    column = np.asarray(table.cells)
    start, stop = np.searchsorted(column, cells, "left"), np.searchsorted(column, cells, "right")
    which, entry = spread(start, stop)
    return order[which], np.asarray(table.owners)[entry]


def _ordered(store_id: Callable[[int], str], point: Numbers, store: Numbers, distance: Floats) -> Matches:
    order = np.lexsort((distance, point))
    point, store, distance = point[order], store[order], distance[order]
    equal = np.flatnonzero((point[1:] == point[:-1]) & (distance[1:] == distance[:-1]))
    tied = np.unique(store[np.concatenate((equal, equal + 1))])
    if len(tied):
        ranks = np.empty(len(tied), np.int64)
        ranks[sorted(range(len(tied)), key=lambda at: store_id(int(tied[at])))] = np.arange(len(tied))
        rank = ranks[np.minimum(np.searchsorted(tied, store), len(tied) - 1)]
        order = np.lexsort((rank, distance, point))
        point, store, distance = point[order], store[order], distance[order]
    return Matches(point, store, distance)
