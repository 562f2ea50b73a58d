"""Places that no fix may tell of: health care, worship, shelters and schools; and whether a fix may lie in one.

A fix that may lie in one is to be dropped before anything else looks at it, so the question is asked of every fix.
Every place is entered beforehand at all cells (H3) from which a fix can reach it, and one look-up finds the candidates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from h3.api import basic_int as h3

from stores.cells import REACH_M as CELL_REACH_M
from stores.cells import RESOLUTION
from stores.cover import cells_near
from stores.geometry import PreparedFence, prepare
from stores.model import Fence, Position

Category = Literal["health", "worship", "shelter", "school"]
CATEGORIES: tuple[Category, ...] = get_args(Category)

REACH_M = 200.0
"""No fix reaches further than this, however inaccurate: presence refuses one whose accuracy is worse than 200 m."""

_FAR_M = 1.01 * (CELL_REACH_M + REACH_M)
"""A cell with a point within reach has its centre no further away; stretched, since the distance to an area may come
out up to 1 % too long."""


@dataclass(frozen=True, slots=True)
class SensitivePlace:
    """A place in which nobody is followed. It has no name, since none is needed."""

    id: str
    category: Category
    position: Position
    fence: Fence


class SensitiveIndex:
    """An immutable index of sensitive places. Raises ValueError naming the place whose fence cannot be used."""

    __slots__ = ("_cells", "places")

    def __init__(self, places: Iterable[SensitivePlace] = ()) -> None:
        self.places = tuple(places)
        cells: dict[int, list[PreparedFence]] = {}
        for place in self.places:
            try:
                fence = prepare(place.position, place.fence)
            except ValueError as error:
                raise ValueError(f"the fence of the sensitive place {place.id!r} cannot be used: {error}") from None
            for cell in cells_near(fence, _FAR_M):
                cells.setdefault(cell, []).append(fence)
        self._cells = {cell: tuple(fences) for cell, fences in cells.items()}

    def touches(self, position: Position, accuracy_m: float) -> bool:
        """Whether a fix lies in a sensitive place, or no further from one than its accuracy (up to `REACH_M`)."""
        if not self._cells:
            return False
        candidates = self._cells.get(h3.latlng_to_cell(position.lat, position.lng, RESOLUTION))
        if candidates is None:
            return False
        # An accuracy that is no number, or below zero, is as good as none: then the furthest reach holds.
        reach_m = accuracy_m if 0.0 <= accuracy_m <= REACH_M else REACH_M
        return any(fence.distance_m(position.lat, position.lng) <= reach_m for fence in candidates)
