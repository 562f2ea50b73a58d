"""Stores as marketers send and get them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from backend.api.problems import FieldError, InvalidFields
from backend.api.schemas.base import Body, ImportedId, Name, ZoneName, changes
from backend.service.errors import Invalid
from stores.geometry import MAX_AREA_EXTENT_M, check_area, prepare
from stores.hours import for_store
from stores.model import Area, Circle, Fence, Position, Store

Lng = Annotated[float, Field(ge=-180, le=180)]
Lat = Annotated[float, Field(ge=-90, le=90)]
Ring = Annotated[list[tuple[Lng, Lat]], Field(min_length=4, max_length=1000)]
Polygon = Annotated[list[Ring], Field(min_length=1, max_length=50)]
Hours = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*$")]
_STORE_FIELDS = ("name", "hours", "time_zone", "staff", "service_s", "target_utilisation")


class MultiPolygonBody(Body):
    """A GeoJSON MultiPolygon of (lng, lat) pairs (RFC 7946)."""

    type: Literal["MultiPolygon"]
    coordinates: list[Polygon] = Field(min_length=1, max_length=50)

    @model_validator(mode="after")
    def _can_be_a_fence(self) -> Self:
        check_area(self.to_area())
        return self

    def to_area(self) -> Area:
        """As stores have it."""
        return Area(tuple(tuple(tuple(ring) for ring in polygon) for polygon in self.coordinates))


class StoreChangesBody(Body):
    """What to change of a store; what is not named stays. Give `radius_m` or `fence`, not both."""

    name: Name = Field(default_factory=str)
    lat: Lat = Field(default_factory=float)
    lng: Lng = Field(default_factory=float)
    radius_m: float = Field(default_factory=float, ge=10, le=5000)
    fence: MultiPolygonBody | None = None
    hours: Hours | None = None
    time_zone: ZoneName | None = None
    staff: int | None = Field(default=None, ge=1, le=1000)
    service_s: float | None = Field(default=None, ge=1, le=7200)
    target_utilisation: float = Field(default=0.7, ge=0.05, le=1)

    def apply(self, old: Store) -> Store:
        """The store with the changes. Raises Invalid when the whole cannot be."""
        named = changes(self)
        if "radius_m" in named and self.fence is not None:
            raise _wrong("fence", "Give either radius_m or fence")
        fence: Fence = old.fence
        if "radius_m" in named:
            fence = Circle(self.radius_m)
        elif self.fence is not None:
            fence = self.fence.to_area()
        position = Position(named.get("lat", old.position.lat), named.get("lng", old.position.lng))
        own = {name: named[name] for name in _STORE_FIELDS if name in named}
        return _checked(replace(old, position=position, fence=fence, **own))


class StoreBody(StoreChangesBody):
    """A store. What is left out or null is unknown, and what is unknown never leads to an offer."""

    id: ImportedId
    name: Name
    lat: Lat
    lng: Lng

    def to_store(self) -> Store:
        """As the use cases want it. Raises Invalid when the whole cannot be."""
        if ("radius_m" in self.model_fields_set) == (self.fence is not None):
            raise _wrong("fence", "Give either radius_m or fence")
        fence: Fence = self.fence.to_area() if self.fence else Circle(self.radius_m)
        own = {name: getattr(self, name) for name in _STORE_FIELDS}
        return _checked(Store(id=self.id, position=Position(self.lat, self.lng), fence=fence, **own))


def _wrong(field: str, message: str) -> Invalid:
    return InvalidFields([FieldError(field, message)])


def _checked(store: Store) -> Store:
    try:
        # Hours are read in any zone to find out whether they can be read at all.
        for_store(replace(store, time_zone=store.time_zone or "UTC"))
    except ValueError as error:
        raise _wrong("hours", str(error)) from None
    away_m = prepare(store.position, store.fence).distance_m(store.position.lat, store.position.lng)
    if away_m > MAX_AREA_EXTENT_M:
        raise _wrong("fence", f"It lies more than {MAX_AREA_EXTENT_M / 1000:.0f} km from lat and lng")
    return store


@dataclass(frozen=True, slots=True)
class MultiPolygonAnswer:
    """A GeoJSON MultiPolygon of (lng, lat) pairs (RFC 7946)."""

    type: Literal["MultiPolygon"]
    coordinates: tuple[tuple[tuple[tuple[float, float], ...], ...], ...]


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    """A store; either `radius_m` or `fence` is null."""

    id: str
    name: str
    lat: float
    lng: float
    radius_m: float | None
    fence: MultiPolygonAnswer | None
    hours: str | None
    time_zone: str | None
    staff: int | None
    service_s: float | None
    target_utilisation: float

    @staticmethod
    def of(store: Store) -> StoreAnswer:
        """From the use cases."""
        return StoreAnswer(
            id=store.id,
            name=store.name,
            lat=store.position.lat,
            lng=store.position.lng,
            radius_m=store.fence.radius_m if isinstance(store.fence, Circle) else None,
            fence=None if isinstance(store.fence, Circle) else MultiPolygonAnswer("MultiPolygon", store.fence.polygons),
            hours=store.hours,
            time_zone=store.time_zone,
            staff=store.staff,
            service_s=store.service_s,
            target_utilisation=store.target_utilisation,
        )
