"""Which fences is a position in, and which are near: an index over H3 cells that never scans all stores.

Every fence is covered by cells at two resolutions. The fine cover answers `hits` with one dictionary look-up
and an exact test of a few candidates; the coarse one answers `nearest` by rings of cells around the position.

Why the cover is complete: a point P in the fence and in a cell is at most the cell's circumradius away from the cell's
centre, so every cell that touches the fence has its centre within one circumradius of the fence. The cells that touch
one connected part of a fence are connected, so walking from neighbour to neighbour finds all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import nsmallest

from h3.api import basic_int as h3

from stores.geometry import PreparedFence, great_circle_m, prepare
from stores.model import Position, Store

FINE_RESOLUTION = 9
COARSE_RESOLUTION = 6

MAX_WITHIN_M = 100_000.0
"""`nearest` looks no further than this: the number of cells to visit grows with the square of the distance."""

_CIRCUMRADIUS = 1.2
"""Circumradius of a cell in average edge lengths of its resolution, at most. Measured over all cells of resolutions 0
to 3 and the cells around the pentagons of 6 and 9, where distortion is largest: 1.10."""

_FINE_REACH_M = _CIRCUMRADIUS * h3.average_hexagon_edge_length(FINE_RESOLUTION, unit="m")
_COARSE_REACH_M = _CIRCUMRADIUS * h3.average_hexagon_edge_length(COARSE_RESOLUTION, unit="m")


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


@dataclass(frozen=True, slots=True)
class _Entry:
    store: Store
    fence: PreparedFence
    fine: tuple[int, ...]
    coarse: tuple[int, ...]


_Cells = dict[int, tuple[_Entry, ...]]


class StoreIndex:
    """An immutable index of stores. A change gives a new index, so readers in other threads are never disturbed.

    Raises ValueError when two stores have the same id, or naming the store whose fence cannot be prepared.
    """

    __slots__ = ("_coarse", "_entries", "_fine")

    def __init__(self, stores: Iterable[Store] = ()) -> None:
        self._entries: dict[str, _Entry] = {}
        for store in stores:
            if store.id in self._entries:
                raise ValueError(f"store {store.id!r} is given twice: ids must be unique")
            self._entries[store.id] = _entry(store)
        self._fine = _by_cell((entry, entry.fine) for entry in self._entries.values())
        self._coarse = _by_cell((entry, entry.coarse) for entry in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, store_id: object) -> bool:
        return store_id in self._entries

    def get(self, store_id: str) -> Store | None:
        """The store with this id, or None."""
        entry = self._entries.get(store_id)
        return None if entry is None else entry.store

    def stores(self) -> tuple[Store, ...]:
        """All stores, in the order in which they were added."""
        return tuple(entry.store for entry in self._entries.values())

    def hits(self, position: Position) -> tuple[Hit, ...]:
        """The stores whose fence contains `position` (its edge included), nearest first, then by id."""
        lat, lng = position.lat, position.lng
        candidates = self._fine.get(h3.latlng_to_cell(lat, lng, FINE_RESOLUTION))
        if candidates is None:
            return ()
        found: list[Hit] = []
        for entry in candidates:
            fence = entry.fence
            distance = great_circle_m(lat, lng, fence.lat, fence.lng)
            if fence.radius_m is not None:
                if distance <= fence.radius_m:
                    found.append(Hit(entry.store, distance, fence.size_m, depth_m=fence.radius_m - distance))
            elif fence.contains(lat, lng):
                found.append(Hit(entry.store, distance, fence.size_m, depth_m=fence.depth_m(lat, lng)))
        if len(found) > 1:
            found.sort(key=_by_distance)
        return tuple(found)

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
        centre = h3.latlng_to_cell(lat, lng, COARSE_RESOLUTION)
        seen: dict[str, Hit] = {}
        best: list[Hit] = []
        ring_number = 0
        while True:
            ring = h3.grid_ring(centre, ring_number)
            fresh = self._fresh(ring, lat, lng, within_m, seen)
            best = nsmallest(limit, [*best, *fresh], key=_by_fence)
            # A way from the position to any cell further out crosses this ring, and is at least this long.
            reached = min((great_circle_m(lat, lng, *h3.cell_to_latlng(cell)) for cell in ring), default=float("inf"))
            worst = best[-1].outside_m if len(best) == limit else within_m
            if reached - _COARSE_REACH_M > worst:
                return tuple(best)
            ring_number += 1

    def distance_to_nearest_fence_m(self, position: Position, within_m: float) -> float | None:
        """Metres to the nearest fence, 0 in one, None when there is none within `within_m`.

        Divided by the speed of a member this says when the next report is worth its battery.
        """
        nearest = self.nearest(position, 1, within_m)
        return nearest[0].outside_m if nearest else None

    def measure(self, position: Position, store_ids: Iterable[str]) -> tuple[Hit, ...]:
        """The named stores as seen from `position`, in the given order; ids that are not indexed are left out."""
        entries = (self._entries.get(store_id) for store_id in store_ids)
        return tuple(_seen(entry, position.lat, position.lng) for entry in entries if entry is not None)

    def with_store(self, store: Store) -> StoreIndex:
        """A new index with this store added, or put in the place of the one with the same id."""
        return self._changed(store.id, _entry(store))

    def without(self, store_id: str) -> StoreIndex:
        """A new index without this store; the same index when there is no such store."""
        return self._changed(store_id, None) if store_id in self._entries else self

    def _fresh(
        self, cells: Iterable[int], lat: float, lng: float, within_m: float, seen: dict[str, Hit]
    ) -> Iterable[Hit]:
        fresh: list[Hit] = []
        for cell in cells:
            for entry in self._coarse.get(cell, ()):
                if entry.store.id not in seen:
                    hit = seen[entry.store.id] = _seen(entry, lat, lng)
                    if hit.outside_m <= within_m:
                        fresh.append(hit)
        return fresh

    def _changed(self, store_id: str, entry: _Entry | None) -> StoreIndex:
        old = self._entries.get(store_id)
        changed = StoreIndex()
        changed._entries = {key: value for key, value in self._entries.items() if key != store_id}
        if entry is not None:
            changed._entries[store_id] = entry
        changed._fine = _exchanged(self._fine, store_id, old.fine if old else (), entry.fine if entry else (), entry)
        changed._coarse = _exchanged(
            self._coarse, store_id, old.coarse if old else (), entry.coarse if entry else (), entry
        )
        return changed


def _entry(store: Store) -> _Entry:
    try:
        fence = prepare(store.position, store.fence)
    except ValueError as error:
        raise ValueError(f"the fence of store {store.id!r} cannot be used: {error}") from None
    fine = _cover(fence, FINE_RESOLUTION, _FINE_REACH_M)
    return _Entry(store, fence, fine, _cover(fence, COARSE_RESOLUTION, _COARSE_REACH_M))


def _cover(fence: PreparedFence, resolution: int, reach_m: float) -> tuple[int, ...]:
    """All cells that touch the fence, and some that do not; see the module's text for the reason."""
    # An area's distance is up to 1 % too long (more only beyond 85 degrees), so the reach is stretched by as much.
    limit = reach_m * 1.01
    start = [h3.latlng_to_cell(lat, lng, resolution) for lat, lng in fence.anchors()]
    cover, seen = set(start), set(start)
    while start:
        for cell in h3.grid_disk(start.pop(), 1):
            if cell not in seen:
                seen.add(cell)
                if fence.distance_m(*h3.cell_to_latlng(cell)) <= limit:
                    cover.add(cell)
                    start.append(cell)
    return tuple(sorted(cover))


def _by_cell(covers: Iterable[tuple[_Entry, tuple[int, ...]]]) -> _Cells:
    lists: dict[int, list[_Entry]] = {}
    for entry, cells in covers:
        for cell in cells:
            lists.setdefault(cell, []).append(entry)
    return {cell: tuple(entries) for cell, entries in lists.items()}


def _exchanged(
    cells: Mapping[int, tuple[_Entry, ...]], store_id: str, old: Iterable[int], new: Iterable[int], entry: _Entry | None
) -> _Cells:
    """A copy of `cells` where the store is taken out of the cells `old` and `entry` put into the cells `new`."""
    copy = dict(cells)
    for cell in old:
        left = tuple(other for other in copy[cell] if other.store.id != store_id)
        if left:
            copy[cell] = left
        else:
            del copy[cell]
    if entry is not None:
        for cell in new:
            copy[cell] = (*copy.get(cell, ()), entry)
    return copy


def _seen(entry: _Entry, lat: float, lng: float) -> Hit:
    fence = entry.fence
    distance = great_circle_m(lat, lng, fence.lat, fence.lng)
    outside = fence.distance_m(lat, lng) if fence.radius_m is None else max(0.0, distance - fence.radius_m)
    return Hit(entry.store, distance, fence.size_m, outside)


def _by_distance(hit: Hit) -> tuple[float, str]:
    return (hit.distance_m, hit.store.id)


def _by_fence(hit: Hit) -> tuple[float, float, str]:
    return (hit.outside_m, hit.distance_m, hit.store.id)
