"""What a phone should watch next: the fences near by, and when to report again; one look-up for all in a cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from h3.api import basic_int as h3

from backend.service.model import Platform
from stores.cells import REACH_M, RESOLUTION
from stores.geometry import extent_m
from stores.index import Hit, StoreIndex
from stores.model import Position, Store

FENCES: Mapping[Platform, int] = {"ios": 20, "android": 100}
"""So many an app may watch: 20 regions on iOS (Apple, CLLocationManager), 100 geofences on Android (Google,
GeofencingClient)."""
FEWEST = min(FENCES.values())
"""What any phone can watch."""
WITHIN_M = 20_000.0
APPROACH_MPS = 5.0
"""Report again when, at this speed, the nearest fence could have been reached."""
REPORT_S = (15, 900)
REPORT_INSIDE_S = 60
HELD = 2_000_000
"""So many mentions of fences are remembered for all cells together, 8 bytes each."""


@dataclass(frozen=True, slots=True)
class WatchedFence:
    """A fence for the phone's own geofencing: a circle that covers the store's fence, in whole metres."""

    store_id: str
    lat: float
    lng: float
    radius_m: float

    @staticmethod
    def of(store: Store) -> WatchedFence:
        """Around the store's position."""
        place = store.position
        return WatchedFence(store.id, place.lat, place.lng, float(ceil(extent_m(place, store.fence))))


@dataclass(frozen=True, slots=True)
class Advice:
    """Fences worth registering on the phone, those nearest to the middle of its cell first, and in how many seconds to
    report again at the latest."""

    fences: tuple[WatchedFence, ...] = ()
    report_in_s: int = REPORT_S[1]


@dataclass(frozen=True, slots=True)
class _Near:
    fences: tuple[WatchedFence, ...]
    contenders: tuple[str, ...]
    """The stores whose fence may be the nearest one for some point of the cell."""


class _Memory:
    """What was found in one index; a new index gets a new memory."""

    def __init__(self, index: StoreIndex) -> None:
        self.index = index
        self.cells: dict[tuple[int, int], _Near] = {}
        self._fences: dict[str, WatchedFence] = {}
        self._held = 0

    def look(self, cell: int, most: int) -> _Near:
        """Find what is near a cell, and remember it."""
        centre = Position(*h3.cell_to_latlng(cell))
        hits = self.index.nearest(centre, most, WITHIN_M)
        reach = hits[0].outside_m + 2.0 * REACH_M if hits else 0.0
        if len(hits) == most and hits[-1].outside_m <= reach:  # then there may be more of them
            rivals = self.index.nearest(centre, len(self.index), reach)
        else:
            rivals = tuple(hit for hit in hits if hit.outside_m <= reach)
        near = _Near(tuple([self._fence(hit) for hit in hits]), tuple([hit.store.id for hit in rivals]))
        held = 1 + len(hits) + len(rivals)
        self._held += held
        if self._held > HELD:
            self.cells, self._held = {}, held
        self.cells[cell, most] = near
        return near

    def _fence(self, hit: Hit) -> WatchedFence:
        """The same value for all cells."""
        found = self._fences.get(hit.store.id)
        if found is None:
            found = self._fences[hit.store.id] = WatchedFence.of(hit.store)
        return found


class Watch:
    """Advises phones. What is near the centre of a cell is remembered until the index of stores changes."""

    def __init__(self) -> None:
        self._memory = _Memory(StoreIndex())

    def advise(self, index: StoreIndex, position: Position, most: int = FEWEST) -> Advice:
        """What to watch from here: the `most` fences nearest to the cell's centre, and the time for this position."""
        memory = self._memory
        if index is not memory.index:
            memory = self._memory = _Memory(index)
        cell = h3.latlng_to_cell(position.lat, position.lng, RESOLUTION)
        near = memory.cells.get((cell, most)) or memory.look(cell, most)
        if not near.fences:
            return Advice()
        outside_m = min(hit.outside_m for hit in index.measure(position, near.contenders))
        return Advice(near.fences, _report_in_s(outside_m))


def _report_in_s(outside_m: float) -> int:
    if outside_m <= 0.0:
        return REPORT_INSIDE_S
    return int(min(max(outside_m / APPROACH_MPS, REPORT_S[0]), REPORT_S[1]))
