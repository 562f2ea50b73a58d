"""The chain as the city needs it: its stores, what they sell, and how many customers they see in each hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from simulator.movement import LocalFrame, Point
from stores.geometry import PreparedFence, extent_m, prepare
from stores.hours import OpeningHours, for_store, hour_of_week
from stores.model import Product, Store

HOURS_PER_WEEK = 168


@dataclass(frozen=True, slots=True)
class Place:
    """A store of the city: fence ready to be asked, position in metres, customers per hour for each hour of the week.

    `per_hour[0]` is Monday 00:00 to 01:00 in the store's time zone.
    """

    store: Store
    fence: PreparedFence
    point: Point
    staff: int
    service_s: float
    per_hour: tuple[float, ...]
    time_zone: ZoneInfo
    hours: OpeningHours
    extent_m: float
    """Metres around the store within which the whole of its fence lies."""

    @property
    def reach_m(self) -> float:
        """Metres around the store that people think of as being near it."""
        return self.fence.size_m

    def is_open(self, epoch_s: float) -> bool:
        """Whether the store is open at a moment."""
        return self.hours.is_open(datetime.fromtimestamp(epoch_s, UTC))

    def hour_of_week(self, epoch_s: float) -> int:
        """0 to 167 in the store's time zone."""
        return hour_of_week(datetime.fromtimestamp(epoch_s, UTC), self.time_zone)

    def rate_per_s(self, epoch_s: float) -> float:
        """Background customers per second at a moment; none while the store is closed."""
        return self.per_hour[self.hour_of_week(epoch_s)] / 3_600.0 if self.is_open(epoch_s) else 0.0


@dataclass(frozen=True, slots=True)
class Town:
    """All places and products of a run, and the flat frame they lie in."""

    frame: LocalFrame
    places: tuple[Place, ...]
    products: tuple[Product, ...]
    time_zone: str

    def place(self, store_id: str) -> Place | None:
        """The place of a store, or None."""
        return next((place for place in self.places if place.store.id == store_id), None)


def make_town(
    stores: Sequence[Store],
    products: Sequence[Product],
    visits_per_hour: Mapping[str, Sequence[float]],
    start_epoch_s: float,
    utilisation_range: tuple[float, float],
    rng: np.random.Generator,
) -> Town:
    """Lay out the chain.

    `visits_per_hour` gives each store's 168 rates by hour of the week, or their shape: they are scaled so that, were
    the store open, background customers alone would use a share of its capacity at `start_epoch_s` which is spread
    evenly over `utilisation_range` from store to store, in an order that `rng` shuffles.

    Raises ValueError when a store lacks hours, zone, staff or service time.
    """
    if not stores:
        raise ValueError("A town needs at least one store.")
    frame = LocalFrame(
        sum(store.position.lat for store in stores) / len(stores),
        sum(store.position.lng for store in stores) / len(stores),
    )
    loads = rng.permutation(np.linspace(*utilisation_range, len(stores)))
    places = tuple(
        _place(store, frame, visits_per_hour[store.id], float(load), start_epoch_s)
        for store, load in zip(stores, loads, strict=True)
    )
    zones = sorted(store.time_zone or "" for store in stores)
    return Town(frame, places, tuple(products), max(zones, key=zones.count))


def _place(store: Store, frame: LocalFrame, visits: Sequence[float], load: float, start_epoch_s: float) -> Place:
    hours = for_store(store)
    if store.time_zone is None or store.staff is None or store.service_s is None or hours is None:
        raise ValueError(f"Store {store.id} needs hours, time_zone, staff and service_s to take part in a simulation.")
    if len(visits) != HOURS_PER_WEEK:
        raise ValueError(f"Store {store.id} needs {HOURS_PER_WEEK} rates of visits, one for each hour of a week.")
    zone = ZoneInfo(store.time_zone)
    start_hour = hour_of_week(datetime.fromtimestamp(start_epoch_s, UTC), zone)
    capacity_per_hour = 3_600.0 * store.staff / store.service_s
    scale = load * capacity_per_hour / visits[start_hour] if visits[start_hour] > 0.0 else 0.0
    return Place(
        store=store,
        fence=prepare(store.position, store.fence),
        point=frame.point(store.position),
        staff=store.staff,
        service_s=store.service_s,
        # No hour goes past 105 % of capacity: what fits an afternoon must not make a morning rush without end.
        per_hour=tuple(min(rate * scale, 1.05 * capacity_per_hour) for rate in visits),
        time_zone=zone,
        hours=hours,
        extent_m=extent_m(store.position, store.fence),
    )
