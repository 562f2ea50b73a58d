"""A town of three stores and a backend in memory that gives one coupon to everyone who reports from a quiet store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from simulator.city import City, environment
from simulator.people import make_people
from simulator.places import Town, make_town
from simulator.port import Backend, CouponNotice, DirectCourier, FixAnswer, FixReport, Observed, Till
from simulator.scenario import Scenario
from stores.geometry import contains
from stores.model import Circle, Position, Product, Store

SCENARIO = Scenario(seed=7, minutes=40.0, phones=30, warm_up_min=20.0)
START = SCENARIO.start_epoch_s("Europe/Helsinki")


def store(number: int, lat: float, lng: float) -> Store:
    return Store(
        id=f"store-{number}",
        name=f"Store {number}",
        position=Position(lat, lng),
        fence=Circle(200.0),
        hours="Mo-Su 08:00-20:00",
        time_zone="Europe/Helsinki",
        staff=2,
        service_s=60.0,
    )


STORES = (store(1, 60.170, 24.940), store(2, 60.175, 24.950), store(3, 60.180, 24.930))
PRODUCTS = (Product("espresso", "Espresso", 290, "EUR"), Product("tea", "Tea", 340, "EUR"))


def town() -> Town:
    visits = {one.id: [10.0] * 168 for one in STORES}
    return make_town(STORES, PRODUCTS, visits, START, (0.2, 0.9), np.random.default_rng(1))


def toy_city(backend: Backend, seed: int = 1, start: float = START, **changes: object) -> City:
    scenario = replace(SCENARIO, **changes)  # type: ignore[arg-type]
    env = environment(scenario, start)
    people_seed, stores_seed = np.random.SeedSequence(seed).spawn(2)
    people = make_people(scenario.phones, [one.id for one in PRODUCTS], "Europe/Helsinki", 0.04, people_seed)
    return City(env, DirectCourier(env), backend, scenario, town(), people, start, stores_seed)


class FakeBackend:
    """Remembers every call in order; accepts everything."""

    def __init__(self, coupon_life_s: float = 1_800.0) -> None:
        self.calls: list[tuple[object, ...]] = []
        self._life_s = coupon_life_s
        self._given: set[str] = set()

    def post_fixes(self, member_id: str, fixes: Sequence[FixReport]) -> FixAnswer:
        self.calls.append(("fixes", member_id, *fixes))
        fix = fixes[-1]
        near = [one for one in STORES if contains(one, Position(fix.lat, fix.lng))]
        if not near or member_id in self._given:
            return FixAnswer(accepted=1, report_in_s=60.0)
        self._given.add(member_id)
        coupon = CouponNotice(
            id=f"coupon-{member_id}",
            code="ABC",
            store_id=near[0].id,
            product_id="tea",
            discount_minor=100,
            currency="EUR",
            issued_at=fix.recorded_at,
            expires_at=fix.recorded_at + self._life_s,
        )
        return FixAnswer(accepted=1, reasons=("offered",), coupons=(coupon,), report_in_s=120.0)

    def coupon_event(self, member_id: str, coupon_id: str, event: str, at: float) -> None:
        self.calls.append(("event", member_id, coupon_id, event, at))

    def present(self, member_id: str, coupon_id: str) -> str:
        self.calls.append(("present", member_id, coupon_id))
        return f"token-{coupon_id}"

    def observe(self, store_id: str, observations: Sequence[Observed]) -> int:
        self.calls.append(("observe", store_id, *observations))
        return len(observations)

    def redeem(self, till: Till) -> bool:
        self.calls.append(("redeem", till))
        return True

    def named(self, name: str) -> list[tuple[object, ...]]:
        return [call for call in self.calls if call[0] == name]
