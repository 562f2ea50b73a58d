"""The value types: where phones and stores are, and of a store when it is open, what it sells, how fast it serves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import isfinite

Ring = tuple[tuple[float, float], ...]
"""A closed line of (lng, lat) pairs in degrees; the first pair is repeated at the end (RFC 7946, 3.1.6)."""


@dataclass(frozen=True, slots=True)
class Position:
    """A point on the earth in degrees WGS 84.

    Raises ValueError, without repeating the numbers, when they are no point on the earth.
    """

    lat: float
    lng: float

    def __post_init__(self) -> None:
        if not (isfinite(self.lat) and -90.0 <= self.lat <= 90.0):
            raise ValueError("lat must lie between -90 and 90 degrees")
        if not (isfinite(self.lng) and -180.0 <= self.lng <= 180.0):
            raise ValueError("lng must lie between -180 and 180 degrees")


@dataclass(frozen=True, slots=True)
class Fix:
    """One location report. `accuracy_m` is the radius in which the device is with 68 % confidence."""

    position: Position
    accuracy_m: float
    recorded_at: datetime
    speed_mps: float | None = None
    mocked: bool = False


@dataclass(frozen=True, slots=True)
class Circle:
    """All points within `radius_m` metres of the store's position, 10 m to 5 km."""

    radius_m: float

    def __post_init__(self) -> None:
        if not (isfinite(self.radius_m) and 10.0 <= self.radius_m <= 5_000.0):
            raise ValueError("radius_m must lie between 10 and 5000 metres")


@dataclass(frozen=True, slots=True)
class Area:
    """A multipolygon: each polygon is an outer ring followed by its holes (RFC 7946, 3.1.7).

    Edges are straight in longitude and latitude. Raises ValueError when a ring is not closed or too short.
    """

    polygons: tuple[tuple[Ring, ...], ...]

    def __post_init__(self) -> None:
        if not self.polygons or not all(self.polygons):
            raise ValueError("an area needs at least one polygon with an outer ring")
        for polygon in self.polygons:
            for ring in polygon:
                if len(ring) < 4 or ring[0] != ring[-1]:
                    raise ValueError("a ring needs at least four pairs, the last equal to the first")


Fence = Circle | Area


@dataclass(frozen=True, slots=True)
class Product:
    """Something on a store's menu. `price_minor` counts the currency's minor unit (cents)."""

    id: str
    name: str
    price_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Store:
    """A shop. What is None is unknown, and what is unknown never leads to an offer.

    `hours` is an OpenStreetMap opening_hours expression, read in `time_zone` (IANA name). `staff` is the number of
    people who serve at once unless an observation says otherwise, `service_s` the mean seconds one customer keeps
    one of them, `target_utilisation` the share of service capacity the store wants in use at most.
    """

    id: str
    name: str
    position: Position
    fence: Fence
    hours: str | None = None
    time_zone: str | None = None
    staff: int | None = None
    service_s: float | None = None
    target_utilisation: float = 0.7
