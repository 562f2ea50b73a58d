"""What a phone should watch next: the fences near by, and when to report again; one look-up for all in a cell."""

from __future__ import annotations

from dataclasses import dataclass

from h3.api import basic_int as h3

from stores.index import Hit, StoreIndex
from stores.model import Position

RESOLUTION = 9
_REACH_M = 1.2 * h3.average_hexagon_edge_length(RESOLUTION, unit="m")
"""How far a point of a cell may be from its centre; 1.2 average edges are safe everywhere on earth."""

FENCES = 20
"""iOS lets an app watch 20 regions (Apple, CLLocationManager)."""
WITHIN_M = 20_000.0
APPROACH_MPS = 5.0
"""Report again when, at this speed, the nearest fence could have been reached."""
REPORT_S = (15, 900)
REPORT_INSIDE_S = 60
CELLS = 50_000


@dataclass(frozen=True, slots=True)
class Advice:
    """Fences worth registering on the phone, nearest first, and in how many seconds to report again at the latest."""

    fences: tuple[Hit, ...] = ()
    report_in_s: int = REPORT_S[1]


@dataclass(frozen=True, slots=True)
class _Near:
    fences: tuple[Hit, ...]
    contenders: tuple[str, ...]
    """The stores whose fence may be the nearest one for some point of the cell."""


class Watch:
    """Advises phones. What is near the centre of a cell is remembered until the index of stores changes."""

    def __init__(self) -> None:
        self._index: StoreIndex | None = None
        self._cells: dict[int, _Near] = {}

    def advise(self, index: StoreIndex, position: Position) -> Advice:
        """What to watch from here: the fences nearest to the cell's centre, and the time for this very position."""
        if index is not self._index:
            self._index, self._cells = index, {}
        cells = self._cells
        cell = h3.latlng_to_cell(position.lat, position.lng, RESOLUTION)
        near = cells.get(cell)
        if near is None:
            if len(cells) >= CELLS:
                cells.clear()
            near = cells[cell] = _look(index, cell)
        if not near.fences:
            return Advice()
        outside_m = min(hit.outside_m for hit in index.measure(position, near.contenders))
        return Advice(near.fences, _report_in_s(outside_m))


def _look(index: StoreIndex, cell: int) -> _Near:
    fences = index.nearest(Position(*h3.cell_to_latlng(cell)), FENCES, WITHIN_M)
    reach = fences[0].outside_m + 2.0 * _REACH_M if fences else 0.0
    return _Near(fences, tuple(hit.store.id for hit in fences if hit.outside_m <= reach))


def _report_in_s(outside_m: float) -> int:
    if outside_m <= 0.0:
        return REPORT_INSIDE_S
    return int(min(max(outside_m / APPROACH_MPS, REPORT_S[0]), REPORT_S[1]))
