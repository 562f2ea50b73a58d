"""What a position tells by itself: its time zone, its country, and whether latitude and longitude are exchanged.

Time zones come from the borders that tzfpy carries, countries of zones from the tables of the time zone database. Both
are data of libraries, as the zones of `zoneinfo` are; nothing is asked of a network or a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import resources
from math import ceil, floor

from tzfpy import get_tzs

from stores.hours import zone
from stores.model import Position

_SEASONS = (datetime(2025, 1, 15, tzinfo=UTC), datetime(2025, 7, 15, tzinfo=UTC))
"""Two zones count as alike when their clocks agree in winter and in summer."""

_FEWEST_ROWS = 10
_WIDEST_DEG = 60.0
_FAR_DEG = 10.0
_NEAR_DEG = 5.0


def zone_at(position: Position) -> str | None:
    """The IANA zone of the land at a position; None at sea, and where borders overlap with different clocks."""
    names = _zones(position)
    if not names or any(not same_clock(names[0], other) for other in names[1:]):
        return None
    return names[0]


@lru_cache(maxsize=1024)
def offsets(name: str) -> tuple[timedelta, ...]:
    """A zone's distance from UTC in winter and in summer. Raises ValueError when there is no such zone."""
    where = zone(name)
    return tuple(moment.astimezone(where).utcoffset() or timedelta() for moment in _SEASONS)


def same_clock(name: str, other: str) -> bool:
    """Whether clocks in two zones agree in winter and in summer."""
    return name == other or offsets(name) == offsets(other)


def keeps_zone(position: Position, name: str) -> bool:
    """Whether clocks at a position may well show the time of this zone; True where nothing is known."""
    names = _zones(position)
    return not names or any(same_clock(name, each) for each in names)


def swapped_by_zone(position: Position, name: str) -> bool:
    """Whether a zone speaks for exchanged axes: clocks here differ, and after the exchange it is this very zone."""
    other = exchanged(position)
    if other is None or name not in _zones(other):
        return False
    return not any(same_clock(name, each) for each in _zones(position))


def swapped_by_country(position: Position, code: str) -> bool:
    """Whether a country (ISO 3166, two letters) speaks for exchanged axes: not here, but there after the exchange."""
    other, code = exchanged(position), code.upper()
    return other is not None and code not in _countries_at(position) and code in _countries_at(other)


def in_country(position: Position, code: str) -> bool:
    """Whether a position lies in a country (ISO 3166, two letters)."""
    return code.upper() in _countries_at(position)


def exchanged(position: Position) -> Position | None:
    """The position with latitude and longitude exchanged; None when that is no point on the earth."""
    return Position(position.lng, position.lat) if abs(position.lng) <= 90.0 else None


@dataclass(frozen=True, slots=True)
class Region:
    """Where the middle eight tenths of a file's rows are, in latitude and in longitude."""

    south: float
    north: float
    west: float
    east: float

    @classmethod
    def of(cls, positions: Sequence[Position]) -> Region | None:
        """The region of a file; None when it has few rows or spans so much that a place outside says nothing."""
        if len(positions) < _FEWEST_ROWS:
            return None
        lats, lngs = sorted(each.lat for each in positions), sorted(each.lng for each in positions)
        first, last = floor(0.1 * (len(lats) - 1)), ceil(0.9 * (len(lats) - 1))
        region = cls(lats[first], lats[last], lngs[first], lngs[last])
        return region if max(region.north - region.south, region.east - region.west) <= _WIDEST_DEG else None

    def speaks_for_swap(self, position: Position) -> bool:
        """Whether a position is far away in both directions, while it would be among the others when exchanged."""
        other = exchanged(position)
        return other is not None and self._near(other) and self._far(position)

    def _near(self, position: Position) -> bool:
        return (
            self.south - _NEAR_DEG <= position.lat <= self.north + _NEAR_DEG
            and self.west - _NEAR_DEG <= position.lng <= self.east + _NEAR_DEG
        )

    def _far(self, position: Position) -> bool:
        return not (
            self.south - _FAR_DEG <= position.lat <= self.north + _FAR_DEG
            or self.west - _FAR_DEG <= position.lng <= self.east + _FAR_DEG
        )


def _zones(position: Position) -> tuple[str, ...]:
    """All zones of the land at a position; none at sea, where zones are lines every 15 degrees."""
    return tuple(name for name in get_tzs(position.lng, position.lat) if not name.startswith("Etc/"))


def _countries_at(position: Position) -> frozenset[str]:
    known = _countries()
    return frozenset().union(*(known.get(name, frozenset()) for name in _zones(position)))


@lru_cache(maxsize=1)
def _countries() -> dict[str, frozenset[str]]:
    """Countries by zone, from the tables that the time zone database keeps for this (one zone may serve several)."""
    found: dict[str, set[str]] = {}
    for table in ("zone.tab", "zone1970.tab"):
        text = resources.files("tzdata").joinpath("zoneinfo", table).read_text(encoding="utf-8")
        for line in text.splitlines():
            if not line.startswith("#"):
                codes, _, name, *_ = line.split("\t")
                found.setdefault(name, set()).update(codes.split(","))
    return {name: frozenset(codes) for name, codes in found.items()}
