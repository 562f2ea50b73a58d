"""All fences of an index as columns of numbers: small, and a look-up visits few places of memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stores.cells import Cells, families
from stores.cover import Cover, Owners, cover
from stores.edges import Edges
from stores.geometry import PreparedFence
from stores.sieve import Sieve

START, STOP = 32, (1 << 32) - 1
"""Two places in one number: half the memory of a pair, and read as fast."""


@dataclass(frozen=True, slots=True)
class FenceTable:
    """Fences numbered from 0, and the cells they are in.

    Columns are memory views, which Python reads one by one faster than arrays; `np.asarray` of one copies nothing.
    """

    lats: memoryview
    lngs: memoryview
    radii: memoryview
    """Metres; negative where the fence is an area."""
    areas: Mapping[int, PreparedFence]
    edges: Edges
    sieve: Sieve
    cells: memoryview
    """Sorted; a cell stands there once for each fence that it is in the cover of."""
    owners: memoryview
    """The fence at each of these; inverted (`~number`) where the whole cell is inside an area."""
    spans: Mapping[int, int]
    """By family of cells, at which of `cells` it begins (`>> START`) and which is the first behind it (`& STOP`)."""

    def changed(self, kept: NDArray[np.bool_], fences: Sequence[PreparedFence]) -> FenceTable:
        """A copy with only those fences that are `kept`, in the same order, and others behind them."""
        numbers = np.cumsum(kept, dtype=np.int32) - np.int32(1)
        owners = np.asarray(self.owners)
        plain = np.where(owners < 0, ~owners, owners)
        stays = kept[plain]
        renumbered = numbers[plain]
        left = Cover(
            np.asarray(self.cells)[stays], np.where(owners < 0, ~renumbered, renumbered)[stays].astype(np.int32)
        )
        areas = {int(numbers[number]): fence for number, fence in self.areas.items() if kept[number]}
        columns = [np.asarray(column)[kept] for column in (self.lats, self.lngs, self.radii)]
        return _table(columns, areas, left, fences)


def fence_table(fences: Sequence[PreparedFence]) -> FenceTable:
    """The table of these fences."""
    nothing = Cover(np.empty(0, np.int64), np.empty(0, np.int32))
    return _table([np.empty(0)] * 3, {}, nothing, fences)


def _table(
    columns: Sequence[NDArray[np.float64]], areas: dict[int, PreparedFence], old: Cover, fences: Sequence[PreparedFence]
) -> FenceTable:
    first = len(columns[0])
    fresh = [(fence.lat, fence.lng, -1.0 if fence.radius_m is None else fence.radius_m) for fence in fences]
    added = np.array(fresh, np.float64).reshape(-1, 3).T
    lats, lngs, radii = (np.concatenate(pair) for pair in zip(columns, added, strict=True))
    areas |= {first + number: fence for number, fence in enumerate(fences) if fence.radius_m is None}
    cells, owners = _merged(old, cover(fences), first)
    family = families(cells)
    starts = np.flatnonzero(np.diff(family, prepend=-1))
    spans = dict(
        zip(family[starts].tolist(), (starts << START | np.append(starts[1:], len(cells))).tolist(), strict=True)
    )
    sieve = Sieve(lats.data, lngs.data, radii.data, areas)
    return FenceTable(lats.data, lngs.data, radii.data, areas, Edges(areas), sieve, cells.data, owners.data, spans)


def _merged(old: Cover, fresh: Cover, first: int) -> tuple[Cells, Owners]:
    """Both covers as one, the fresh one's fences numbered from `first`."""
    owners = np.where(fresh.owners < 0, fresh.owners - first, fresh.owners + first).astype(np.int32)
    if not len(old.cells):
        return fresh.cells, owners
    places = np.searchsorted(old.cells, fresh.cells)
    return np.insert(old.cells, places, fresh.cells), np.insert(old.owners, places, owners)
