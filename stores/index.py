"""Which fences is a position in, and which are near: an index over H3 cells that never scans all stores.

Every fence is covered by cells (see `stores.cover`); pairs of cell and store lie in one table sorted by cell. A
position costs one cell, one look-up and an exact test of the few stores at that cell. As the cells below one coarse
cell lie together in the table, it serves `nearest` as well, by rings of coarse cells around the position.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import compress

import numpy as np
from h3.api import basic_int as h3
from numpy.typing import ArrayLike

from stores.batch import Matches, match
from stores.cells import BELOW_COARSE, COARSE_REACH_M, RESOLUTION, coarse_of, family_of_coarse
from stores.fence_table import START, STOP, fence_table
from stores.geometry import METRES_PER_DEGREE, PreparedFence, great_circle_m, prepare
from stores.model import Position, Store

MAX_WITHIN_M = 100_000.0
"""`nearest` looks no further than this: the number of cells to visit grows with the square of the distance."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A store as seen from a position: metres to its own, to its fence (0 inside) and, inside, to the fence's edge.

    `size_m` is the radius of the fence, or of the circle with the same area.
    """

    store: Store
    distance_m: float
    size_m: float
    outside_m: float = 0.0
    depth_m: float = 0.0


class StoreIndex:
    """An immutable index of stores. A change gives a new index, so readers in other threads are never disturbed.

    Raises ValueError when two stores have the same id, or naming the store whose fence cannot be prepared.
    """

    __slots__ = ("_numbers", "_stores", "_table")

    def __init__(self, stores: Iterable[Store] = ()) -> None:
        self._stores = tuple(stores)
        self._numbers = _numbered(self._stores)
        self._table = fence_table(_prepared(self._stores))

    def __len__(self) -> int:
        return len(self._stores)

    def get(self, store_id: str) -> Store | None:
        """The store with this id, or None."""
        number = self._numbers.get(store_id)
        return None if number is None else self._stores[number]

    def stores(self) -> tuple[Store, ...]:
        """All stores, in the order in which they were added."""
        return self._stores

    def hits(self, position: Position) -> tuple[Hit, ...]:
        """The stores whose fence contains `position` (its edge included), nearest first, then by id."""
        lat, lng, table = position.lat, position.lng, self._table
        cell = h3.latlng_to_cell(lat, lng, RESOLUTION)
        span = table.spans.get(cell | BELOW_COARSE)
        if span is None:
            return ()
        cells, stop = table.cells, span & STOP
        at = bisect_left(cells, cell, span >> START, stop)
        found: list[Hit] = []
        while at < stop and cells[at] == cell:
            hit = self._inside(table.owners[at], lat, lng)
            if hit is not None:
                found.append(hit)
            at += 1
        if len(found) > 1:
            found.sort(key=_by_distance)
        return tuple(found)

    def match(self, lats: ArrayLike, lngs: ArrayLike) -> Matches:
        """As `hits`, for many positions in degrees at once; numbers of stores are places in `stores()`.

        Raises ValueError, without repeating a number, when some are no positions on the earth.
        """
        return match(self._table, lambda number: self._stores[number].id, lats, lngs)

    def nearest(self, position: Position, limit: int, within_m: float) -> tuple[Hit, ...]:
        """Up to `limit` stores whose fence is at most `within_m` metres away, nearest fence first, then by id.

        These are the fences worth watching. Rings of coarse cells are searched outwards until no cell further out can
        hold a nearer fence. Raises ValueError when `within_m` is more than `MAX_WITHIN_M`.
        """
        if not within_m <= MAX_WITHIN_M:
            raise ValueError(f"within_m must be at most {MAX_WITHIN_M:.0f} metres")
        if limit < 1:
            return ()
        lat, lng = position.lat, position.lng
        centre = coarse_of(h3.latlng_to_cell(lat, lng, RESOLUTION))
        seen: set[int] = set()
        best: list[Hit] = []
        ring_number = 0
        while True:
            ring = h3.grid_ring(centre, ring_number)
            fresh = self._fresh(ring, seen)
            hits = (self._seen(number, lat, lng) for number in fresh)
            best = nsmallest(limit, [*best, *(hit for hit in hits if hit.outside_m <= within_m)], key=_by_fence)
            # A way from the position to any cell further out crosses this ring, and is at least this long.
            reached = min((great_circle_m(lat, lng, *h3.cell_to_latlng(cell)) for cell in ring), default=float("inf"))
            worst = best[-1].outside_m if len(best) == limit else within_m
            if reached - COARSE_REACH_M > worst:
                return tuple(best)
            ring_number += 1

    def measure(self, position: Position, store_ids: Iterable[str]) -> tuple[Hit, ...]:
        """The named stores as seen from `position`, in the given order; ids that are not indexed are left out."""
        numbers = (self._numbers.get(store_id) for store_id in store_ids)
        return tuple(self._seen(number, position.lat, position.lng) for number in numbers if number is not None)

    def changed(self, put: Iterable[Store] = (), removed: Iterable[str] = ()) -> StoreIndex:
        """A new index without the stores `removed`, by id, and with those `put`, in the place of any of the same id.

        Stores that are put come last. Ids that are not there are no error. One copy, however many changes: fences that
        stay are not looked at again. Errors as in the constructor.
        """
        added = tuple(put)
        _numbered(added)
        gone = {store.id for store in added}.union(removed)
        kept = np.ones(len(self._stores), np.bool_)
        kept[[number for store_id in gone if (number := self._numbers.get(store_id)) is not None]] = False
        table = self._table.changed(kept, _prepared(added))
        index = StoreIndex()
        index._stores = (*compress(self._stores, kept.tolist()), *added)
        index._numbers, index._table = _numbered(index._stores), table
        return index

    def _inside(self, owner: int, lat: float, lng: float) -> Hit | None:
        """The store at a cell, if the position is in its fence."""
        table, number = self._table, owner if owner >= 0 else ~owner
        radius_m = table.radii[number]
        if radius_m < 0.0:
            fence = table.areas[number]
            if owner >= 0 and not fence.contains(lat, lng):
                return None
            distance = great_circle_m(lat, lng, fence.lat, fence.lng)
            return Hit(self._stores[number], distance, fence.size_m, depth_m=fence.depth_m(lat, lng))
        store_lat = table.lats[number]
        if abs(lat - store_lat) * METRES_PER_DEGREE > radius_m + 1.0:
            return None
        distance = great_circle_m(lat, lng, store_lat, table.lngs[number])
        if distance > radius_m:
            return None
        return Hit(self._stores[number], distance, radius_m, depth_m=radius_m - distance)

    def _fresh(self, ring: Iterable[int], seen: set[int]) -> set[int]:
        """The stores below coarse cells that were not seen before; they are now."""
        table = self._table
        owners: set[int] = set()
        for coarse in ring:
            span = table.spans.get(family_of_coarse(coarse))
            if span is not None:
                owners.update(table.owners[span >> START : span & STOP])
        fresh = {owner if owner >= 0 else ~owner for owner in owners} - seen
        seen |= fresh
        return fresh

    def _seen(self, number: int, lat: float, lng: float) -> Hit:
        table = self._table
        distance, radius_m = great_circle_m(lat, lng, table.lats[number], table.lngs[number]), table.radii[number]
        if radius_m < 0.0:
            area = table.areas[number]
            return Hit(self._stores[number], distance, area.size_m, area.distance_m(lat, lng))
        return Hit(self._stores[number], distance, radius_m, max(0.0, distance - radius_m))


def _numbered(stores: Sequence[Store]) -> dict[str, int]:
    numbers = {store.id: number for number, store in enumerate(stores)}
    if len(numbers) < len(stores):
        twice = next(store.id for number, store in enumerate(stores) if numbers[store.id] != number)
        raise ValueError(f"store {twice!r} is given twice: ids must be unique")
    return numbers


def _prepared(stores: Sequence[Store]) -> list[PreparedFence]:
    return [_prepare(store) for store in stores]


def _prepare(store: Store) -> PreparedFence:
    try:
        return prepare(store.position, store.fence)
    except ValueError as error:
        raise ValueError(f"the fence of store {store.id!r} cannot be used: {error}") from None


def _by_distance(hit: Hit) -> tuple[float, str]:
    return (hit.distance_m, hit.store.id)


def _by_fence(hit: Hit) -> tuple[float, float, str]:
    return (hit.outside_m, hit.distance_m, hit.store.id)
