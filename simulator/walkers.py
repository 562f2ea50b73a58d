"""What a person of the city does: wander between stores and other places, and go for a coupon they like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import simpy

from simulator.movement import Leg, Point, noisy, point_around, stand
from simulator.people import Person, Streams
from simulator.places import Place, Town
from simulator.port import CouponNotice, FixReport
from simulator.queueing import SimProcess
from simulator.scenario import Scenario

NEAREST_STORES = 6
"""How many of the stores around a person compete for their next trip."""
WALK_M = 1_500.0
"""Metres beyond which a store is too far to compete."""
DETOUR = 1.25
"""Length of the way on foot over the distance as the crow flies."""
DRIVING_MPS = (7.0, 14.0)
NEIGHBOURHOOD_M = 1_000.0
STAY_NEAR_STORE_S = 600.0
STAY_ELSEWHERE_S = 1_500.0
"""Means of the exponential stays, in seconds."""


@dataclass(slots=True)
class Known:
    """A coupon the person's phone knows of, and how far it has come."""

    notice: CouponNotice
    noticed: bool = False


@dataclass(slots=True)
class Walker:
    """One person under way. `on_arrival(walker, notice, place)` gives the process that goes on in the store."""

    env: simpy.Environment
    scenario: Scenario
    town: Town
    person: Person
    streams: Streams
    on_arrival: Callable[[Walker, CouponNotice, Place], SimProcess]
    leg: Leg = field(init=False)
    coupons: dict[str, Known] = field(default_factory=dict)
    setting_out: simpy.Event = field(init=False)
    """Happens the next time the person sets out; the phone's motion sensor."""
    _plan: CouponNotice | None = None
    _attention: simpy.Event = field(init=False)

    def __post_init__(self) -> None:
        self.leg = stand(self._somewhere(first=True), self.env.now)
        self._attention = self.env.event()
        self.setting_out = self.env.event()

    def live(self) -> SimProcess:
        """The person's days: stay a while, go somewhere, stay again; a coupon taken up comes first."""
        while True:
            yield from self._pause(self._stay_s())
            if self._plan is None:
                self._set_out(self._somewhere(), self._speed_mps())
                yield from self._pause(self.leg.arrives_at - self.env.now)
            if self._plan is not None:
                notice, self._plan = self._plan, None
                yield from self._use(notice)

    @property
    def stands(self) -> bool:
        """Whether the person stands still now."""
        return self.leg.speed_at(self.env.now) == 0.0

    def go_for(self, notice: CouponNotice) -> None:
        """Take up a coupon: whatever the person is doing, the next thing is to walk to the store."""
        if self._plan is None:
            self._plan = notice
            if not self._attention.triggered:
                self._attention.succeed()

    def wants(self, notice: CouponNotice) -> bool:
        """Whether the person goes for a coupon: in reach before its end, and a draw against taste and eagerness."""
        place = self.town.place(notice.store_id)
        draw = float(self.streams.response.random())
        if place is None or self._plan is not None:
            return False
        walk_s = self.walk_s(place)
        in_reach = walk_s <= self.scenario.longest_walk_s and self.env.now + walk_s < notice.expires_at
        return in_reach and draw < self.scenario.accept_probability * min(
            1.0, 0.4 + self.person.likes(notice.product_id)
        )

    def walk_s(self, place: Place) -> float:
        """Seconds on foot from here to a store."""
        here = self.leg.at(self.env.now)
        metres = float(np.hypot(place.point[0] - here[0], place.point[1] - here[1]))
        return metres * DETOUR / self.person.walking_mps

    def fix(self, now: float) -> FixReport:
        """What the phone's receiver says at `now`."""
        rng = self.streams.phone
        spread = float(np.exp(self.scenario.accuracy_spread * rng.standard_normal()))
        accuracy_m = round(min(100.0, max(3.0, self.scenario.accuracy_median_m * spread)), 1)
        position = self.town.frame.position(noisy(self.leg.at(now), accuracy_m, rng))
        speed = max(0.0, self.leg.speed_at(now) + float(rng.normal(0.0, 0.15)))
        return FixReport(round(position.lat, 6), round(position.lng, 6), accuracy_m, now, round(speed, 2))

    def _use(self, notice: CouponNotice) -> SimProcess:
        place = self.town.place(notice.store_id)
        if place is None:
            return
        self._set_out(place.point, self.person.walking_mps / DETOUR)
        yield self.env.timeout(max(0.0, self.leg.arrives_at - self.env.now))
        if self.env.now < notice.expires_at:
            yield from self.on_arrival(self, notice, place)

    def _pause(self, seconds: float) -> SimProcess:
        if self._plan is not None:
            return
        self._attention = self.env.event()
        yield self.env.timeout(max(0.0, seconds)) | self._attention

    def _set_out(self, to: Point, speed_mps: float) -> None:
        self.leg = Leg(self.leg.at(self.env.now), to, self.env.now, speed_mps)
        self.setting_out.succeed()
        self.setting_out = self.env.event()

    def _speed_mps(self) -> float:
        if self.person.drives:
            return float(self.streams.movement.uniform(*DRIVING_MPS))
        return self.person.walking_mps / DETOUR

    def _stay_s(self) -> float:
        here = self.leg.at(self.env.now)
        near = any(np.hypot(p.point[0] - here[0], p.point[1] - here[1]) < p.reach_m for p in self.town.places)
        return float(self.streams.movement.exponential(STAY_NEAR_STORE_S if near else STAY_ELSEWHERE_S))

    def _nearest(self, places: list[Place]) -> list[Place]:
        """The stores that somebody on foot thinks of: the nearest few, and of those far away only two."""
        here = self.leg.at(self.env.now)
        away = sorted((float(np.hypot(p.point[0] - here[0], p.point[1] - here[1])), n) for n, p in enumerate(places))
        near = [places[n] for metres, n in away[:NEAREST_STORES] if metres <= WALK_M]
        return near if len(near) > 1 else [places[n] for _, n in away[:2]]

    def _somewhere(self, first: bool = False) -> Point:
        """The next place of a random waypoint walk: at a store near by, or anywhere in some store's neighbourhood."""
        rng = self.streams.movement
        at_store = rng.random() < self.scenario.near_store_share
        places = list(self.town.places)
        if not first and not self.person.drives:
            places = self._nearest(places)
        place = places[int(rng.integers(len(places)))]
        return point_around(place.point, 1.3 * place.reach_m if at_store else NEIGHBOURHOOD_M, rng)
