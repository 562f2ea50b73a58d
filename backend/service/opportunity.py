"""Gathers the facts of one opportunity, asks for a decision, and has it written down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil, floor
from typing import Literal
from zoneinfo import ZoneInfo

from backend.decision.assignment import draw, opportunity_id
from backend.decision.decide import decide
from backend.decision.facts import Facts, MemberFacts, PresenceFacts, StoreFacts
from backend.decision.result import Decision
from backend.service.catalogue import Catalogue, View
from backend.service.chain_model import Traffic
from backend.service.coupon_codes import CouponCodes
from backend.service.errors import NotFound
from backend.service.life import coupon_of
from backend.service.model import Coupon, Member, Outcome, Record
from backend.service.ports import Clock, Ports
from stores.geometry import extent_m
from stores.hours import for_store, hour_of_week
from stores.model import Store
from stores.utilisation import Evidence

WEEK = timedelta(days=7)
RING_M = 400.0
"""About the width of an H3 cell of resolution 9, whose average area is 0.105 km2 (h3geo.org, cell statistics)."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A presence event that may lead to an offer."""

    trigger: Literal["enter", "dwell"]
    store_id: str
    at: datetime
    distance_m: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision, what became of it in the books, and the coupon if one was issued."""

    decision: Decision
    store_id: str
    outcome: Outcome
    coupon: Coupon | None


class Opportunities:
    """Answers signals. `key` makes the names of opportunities, and the draws."""

    def __init__(self, ports: Ports, clock: Clock, catalogue: Catalogue, key: bytes, codes: CouponCodes) -> None:
        self._ports = ports
        self._clock = clock
        self._catalogue = catalogue
        self._key = key
        self._codes = codes

    def answer(self, member_id: str, signal: Signal) -> Answer | None:
        """Decide about one signal and write the decision down; None when member or store is gone.

        A signal that was answered before gets the same answer again.
        """
        now = self._clock.now()
        view = self._catalogue.view()
        store = view.index.get(signal.store_id)
        facts = self._facts(view, store, member_id, signal, now) if store else None
        if store is None or facts is None:
            return None
        number = draw(self._key, facts.opportunity_id)
        decision = decide(facts, view.snapshot, now, number)
        coupon = self._coupon(facts, decision, local_day(store, now), view) if decision.issues else None
        secret = self._codes.new_hash(decision.opportunity_id)
        try:
            made = self._ports.ledger.record(Record(facts, decision, number), coupon, secret)
        except NotFound:  # erased meanwhile
            return None
        if made.outcome != "issued":
            coupon = None
        elif made.decision != decision:  # an earlier report got as far as the books, but no answer
            coupon = self._ports.ledger.coupon(made.decision.opportunity_id)
        return Answer(made.decision, signal.store_id, made.outcome, coupon)

    def _coupon(self, facts: Facts, decision: Decision, budget_day: date, view: View) -> Coupon | None:
        given = decision.given
        if given is None:
            return None
        terms = next(offer.terms() for offer, _ in view.offers if offer.id == given.offer_id)
        return coupon_of(facts, decision, given, terms, budget_day, self._codes.key_name)

    def _facts(self, view: View, store: Store, member_id: str, signal: Signal, now: datetime) -> Facts | None:
        member = self._ports.members.get(member_id)
        if member is None:
            return None
        since = now - timedelta(seconds=view.snapshot.rules.observation_window_s)
        traffic = self._ports.chain.traffic(store.id, since, now, store_hour(store, now))
        if traffic is None:
            return None
        budgets = self._ports.ledger.budgets_left(store.id, local_day(store, now))
        return Facts(
            opportunity_id=opportunity_id(self._key, member_id, store.id, signal.at),
            clock_trusted=self._clock.trusted(),
            paused="*" in view.paused,
            presence=PresenceFacts(signal.trigger, inside=True, distance_m=_told_m(signal, store)),
            member=_member_facts(member, self._ports.ledger.given_since(member_id, now - WEEK), now),
            store=_store_facts(store, traffic, now),
            offers=view.offer_facts(store.id, traffic.sold_out, budgets, now),
        )


def rough_m(distance_m: float, reach_m: float) -> int:
    """A distance within a fence rounded up so far that it tells no more than an H3 cell of resolution 9 would.

    The fence is cut into rings of one width, at least `RING_M`; the answer is the outer edge of the ring. A fence that
    reaches less than two such widths is one ring: then "inside" is all that is told.
    """
    width_m = reach_m / max(1, floor(reach_m / RING_M))
    return ceil(min(reach_m, width_m * max(1, ceil(distance_m / width_m))))


def _told_m(signal: Signal, store: Store) -> int:
    return rough_m(signal.distance_m, extent_m(store.position, store.fence))


def store_hour(store: Store, at: datetime) -> int:
    """The hour of the week in the store's zone, in UTC where that is unknown."""
    return hour_of_week(at, _zone(store))


def local_day(store: Store, at: datetime) -> date:
    """The day in the store's zone, in UTC where that is unknown."""
    return at.astimezone(_zone(store)).date()


def _zone(store: Store) -> ZoneInfo:
    return ZoneInfo(store.time_zone or "UTC")


def _member_facts(member: Member, given_this_week: int, now: datetime) -> MemberFacts:
    personal = "personalisation" in member.consents
    return MemberFacts(
        id=member.id,
        tier=member.tier_at(now),
        location_offers="location_offers" in member.consents,
        reachable=member.device is not None,
        time_zone=member.device.time_zone if member.device else member.time_zone,
        quiet_hours=member.preferences.quiet_hours,
        weekly_maximum=member.preferences.weekly_maximum,
        muted=tuple(sorted(member.preferences.muted_products)),
        tastes=dict(sorted(member.tastes.items())) if personal else {},
        given_this_week=given_this_week,
        last_given_at=member.last_given_at,
        favourites=tuple(sorted(member.profile.favourite_products)) if personal else (),
    )


def evidence(store: Store, traffic: Traffic) -> Evidence | None:
    """The store's traffic as the estimate wants it; None when staff, line or service time are unknown."""
    if not traffic.staff or not store.service_s or traffic.waiting is None:
        return None
    return Evidence(
        arrivals=traffic.arrivals,
        observed_s=traffic.observed_s,
        baseline_per_hour=traffic.baseline_per_hour,
        waiting=traffic.waiting,
        staff=traffic.staff,
        service_s=store.service_s,
    )


def _store_facts(store: Store, traffic: Traffic, now: datetime) -> StoreFacts:
    hours = for_store(store)
    return StoreFacts(
        id=store.id,
        name=store.name,
        paused=traffic.paused,
        open=hours.is_open(now) if hours else None,
        closes_at=hours.closes_at(now) if hours else None,
        target_utilisation=store.target_utilisation,
        evidence=evidence(store, traffic),
        outstanding=traffic.outstanding,
    )
