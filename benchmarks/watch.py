"""What advice on when to report is worth: the demo's city in memory, with it and with a report every 15 seconds."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Annotated

import numpy as np
import simpy
import typer

from backend.api.schemas.marketing import CampaignBody, OfferBody
from backend.service.chain_model import Observation
from backend.service.errors import LullError
from backend.service.model import BasketItem, Coupon, Device, Platform, Registration, Sale
from backend.service.services import Services, services
from backend.service.staff import COMMAND_LINE, Actor
from backend.service.till_model import Once
from backend.service.tills import Shown
from backend.twins import Unlimited, twin_ports
from simulator.cast import Cast, Options, lay_out
from simulator.city import City, environment
from simulator.demo_setup import prepare
from simulator.port import CouponNotice, DirectCourier, FixAnswer, FixReport, Observed, Till
from simulator.scenario import Scenario
from stores.model import Fix, Position

UNLIMITED = 1e6
EVERY_S = 15.0


@dataclass(frozen=True, slots=True)
class CityClock:
    """The city's own time."""

    env: simpy.Environment

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.env.now, UTC)

    def real(self) -> float:
        return float(self.env.now)

    def trusted(self) -> bool:
        return True


class MemoryBackend:
    """The use cases over the twins, spoken to directly."""

    def __init__(self, made: Services, till_key: str) -> None:
        self._made = made
        self._till_key = till_key

    def post_fixes(self, member_id: str, fixes: Sequence[FixReport]) -> FixAnswer:
        taken = [
            Fix(Position(each.lat, each.lng), each.accuracy_m, _moment(each.recorded_at), each.speed_mps)
            for each in fixes
        ]
        report = self._made.fixes.report(member_id, taken)
        return FixAnswer(
            report.accepted,
            tuple(each.reason for each in report.rejected),
            tuple(str(each.decision.reason) for each in report.answers),
            tuple(self._notice(coupon) for coupon in report.coupons),
            float(report.watch.report_in_s),
        )

    def coupon_event(self, member_id: str, coupon_id: str, event: str, at: float) -> None:
        self._made.wallet.note(member_id, coupon_id, event, _moment(at))  # type: ignore[arg-type]

    def present(self, member_id: str, coupon_id: str) -> str:
        return self._made.wallet.present(member_id, coupon_id)[0]

    def observe(self, store_id: str, observations: Sequence[Observed]) -> int:
        told = [Observation(each.kind, _moment(each.at), each.value, each.window_s) for each in observations]  # type: ignore[arg-type]
        return self._made.tills.observe(self._made.api_keys.key(self._till_key), store_id, told)

    def redeem(self, till: Till) -> bool:
        key = self._made.api_keys.key(self._till_key)
        sale = Sale(
            till.store_id,
            (BasketItem(till.product_id, 1, till.unit_price_minor),),
            till.unit_price_minor,
            till.currency,
        )
        shown = Shown("code", till.code) if till.code else Shown("presentation", till.presentation or "")
        try:
            self._made.tills.redeem(key, Once(key.id, till.key, till.key), shown, sale)
        except LullError:
            return False
        return True

    def _notice(self, coupon: Coupon) -> CouponNotice:
        return CouponNotice(
            coupon.id,
            self._made.wallet.code(coupon),
            coupon.store_id,
            coupon.product_id,
            coupon.discount_minor,
            coupon.currency,
            coupon.issued_at.timestamp(),
            coupon.expires_at.timestamp(),
        )


def _moment(epoch_s: float) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)


def play(scenario: Scenario) -> City:
    """A whole run of the demo's city, in memory."""
    cast = lay_out(Options(scenario))
    env = environment(scenario, cast.start)
    backend = _backend(cast, scenario, env)
    city = City(env, DirectCourier(env), backend, scenario, cast.town, cast.people, cast.start, cast.stores_seed)
    env.run(until=city.end)
    return city


def _backend(cast: Cast, scenario: Scenario, env: simpy.Environment) -> MemoryBackend:
    ports, people = twin_ports(), [person for person, _ in cast.people]
    rng = np.random.default_rng(cast.history_seed)
    keys = prepare(ports, cast.chain, scenario, cast.town, people, cast.start, rng, lambda _: None)
    made = services(ports, CityClock(env), f"watch {scenario.seed}", Unlimited())
    for person in people:
        registration = Registration("fid", person.registration)
        platform: Platform = "ios" if person.platform == "ios" else "android"
        ports.members.set_device(person.member_id, Device(registration, platform, person.locale, person.time_zone))
    by = Actor(COMMAND_LINE, made.clock.now())
    for offer in cast.chain.offers:
        made.marketing.put_offer(OfferBody.model_validate_json(json.dumps(offer)).to_offer(), by)
    for campaign in cast.chain.campaigns:
        made.marketing.add_campaign(CampaignBody.model_validate_json(json.dumps(campaign)).to_campaign(), by)
    return MemoryBackend(made, keys.till)


def main(
    seeds: Annotated[int, typer.Option(min=1, help="How many cities, with seeds from 1 on.")] = 5,
    minutes: Annotated[float, typer.Option(help="Simulated minutes of each.")] = 60.0,
) -> None:
    """Compare phones that report when advised with phones that report every 15 seconds."""
    advised = Scenario(minutes=minutes, fixes_per_real_s=UNLIMITED, longest_report_s=900.0)
    ways = {"advised": advised, "every 15 s": replace(advised, longest_report_s=EVERY_S)}
    began, rows = perf_counter(), []
    for name, scenario in ways.items():
        cities = [play(replace(scenario, seed=seed)) for seed in range(1, seeds + 1)]
        phone_hours = scenario.phones * scenario.minutes / 60.0 * seeds
        reports = sum(city.tally.fixes_posted for city in cities) / phone_hours
        coupons = [city.tally.coupons_received for city in cities]
        redeemed = sum(city.tally.redeemed for city in cities)
        outside = sum(not issue.inside for city in cities for issue in city.issues)
        rows.append((reports, sum(coupons)))
        print(f"  {name:<12} {reports:>7.1f} reports a phone and hour, {sum(coupons):>5} coupons {coupons}", end="")
        print(f", {redeemed} redeemed, {outside} issued outside the fence", flush=True)
    (reports, coupons_advised), (often, coupons_often) = rows
    share, kept = reports / often, coupons_advised / coupons_often
    print(f"  advised over every 15 s: {share:.3f} of the reports, {kept:.2f} of the coupons", end="")
    print(f" ({seeds} cities, {perf_counter() - began:.0f} s)")


if __name__ == "__main__":
    typer.run(main)
