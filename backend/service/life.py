"""The life of a coupon: which moves are allowed, and what is noted of each. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from backend.decision.facts import Facts
from backend.decision.result import Decision, Given
from backend.service.errors import Conflict
from backend.service.model import LIVE_STATES, Coupon, CouponState
from backend.service.staff import Actor
from backend.service.terms import Terms

MOVES: Mapping[CouponState, tuple[CouponState, ...]] = {
    CouponState.ISSUED: (
        CouponState.DELIVERED,
        CouponState.OPENED,
        CouponState.PRESENTED,
        CouponState.REDEEMED,
        CouponState.EXPIRED,
        CouponState.REVOKED,
    ),
    CouponState.DELIVERED: (
        CouponState.OPENED,
        CouponState.PRESENTED,
        CouponState.REDEEMED,
        CouponState.EXPIRED,
        CouponState.REVOKED,
    ),
    CouponState.OPENED: (CouponState.PRESENTED, CouponState.REDEEMED, CouponState.EXPIRED, CouponState.REVOKED),
    CouponState.PRESENTED: (CouponState.REDEEMED, CouponState.EXPIRED, CouponState.REVOKED),
    CouponState.REDEEMED: (CouponState.ROLLED_BACK,),
    CouponState.ROLLED_BACK: (),
    CouponState.EXPIRED: (),
    CouponState.REVOKED: (),
}
"""From each state, the states a coupon may come to. There is no way back, and none out of the last three."""

Dismissed = Literal["dismissed"]
DISMISSED: Dismissed = "dismissed"
"""Noted on the timeline, and no state: a coupon that was wiped away is still good."""

STAFF = "staff"
"""Begins the cause of what staff did; the id of their key follows."""

PHONE_AHEAD = timedelta(seconds=60)
"""How far a phone's clock may be off before its word on a time is worth nothing."""


def sources(to: CouponState) -> tuple[CouponState, ...]:
    """The states from which a coupon may come to this one."""
    return tuple(state for state, following in MOVES.items() if to in following)


@dataclass(frozen=True, slots=True)
class CouponEvent:
    """One entry of a coupon's timeline: the state it came to, when by the domain clock, and who or what caused it.

    Causes are `decision`, `app`, `till`, `expiry`, `erasure` and `staff:` with the id of the key. `reported_at` is when
    the phone says that it happened; `reason` is what staff gave as theirs.
    """

    event: CouponState | Dismissed
    at: datetime
    cause: str
    reported_at: datetime | None = None
    reason: str | None = None


def coupon_of(
    facts: Facts, decision: Decision, given: Given, terms: Terms, budget_day: date, code_key: str = ""
) -> Coupon:
    """The coupon that a decision gives. `budget_day` is the day it is booked on, `code_key` names its code's secret."""
    return Coupon(
        id=decision.opportunity_id,
        member_id=facts.member.id,
        store_id=facts.store.id,
        store_name=facts.store.name,
        campaign_id=given.campaign_id,
        offer_id=given.offer_id,
        product_id=given.product_id,
        product_name=given.product_name,
        discount_minor=given.discount_minor,
        currency=given.currency,
        title=given.title,
        body=given.body,
        issued_at=decision.at,
        expires_at=given.expires_at,
        budget_day=budget_day,
        terms=terms,
        code_key=code_key,
    )


def issued(coupon: Coupon) -> CouponEvent:
    """How the life of a coupon begins."""
    return CouponEvent(CouponState.ISSUED, coupon.issued_at, "decision")


def expired(coupon: Coupon) -> CouponEvent:
    """How the life of a coupon ends that nobody used: at its end, whenever the books take notice."""
    return CouponEvent(CouponState.EXPIRED, coupon.expires_at, "expiry")


def revoked(reason: str, by: Actor) -> CouponEvent:
    """How the life of a coupon ends that staff take back."""
    return CouponEvent(CouponState.REVOKED, by.at, f"{STAFF}:{by.id}", reason=reason)


def as_of(coupon: Coupon, now: datetime) -> Coupon:
    """The coupon as it stands now: past its end it has expired, whether or not the books have noticed."""
    ended = coupon.state in LIVE_STATES and now >= coupon.expires_at
    return replace(coupon, state=CouponState.EXPIRED) if ended else coupon


def timeline_of(events: tuple[CouponEvent, ...], coupon: Coupon, now: datetime) -> tuple[CouponEvent, ...]:
    """The timeline as it stands now: past its end a live coupon has expired, whether or not the books have noticed."""
    states = [each.event for each in events if each.event != DISMISSED]
    ended = now >= coupon.expires_at and states[-1:] and states[-1] in LIVE_STATES
    return (*events, expired(coupon)) if ended else events


def check_live(coupon: Coupon, now: datetime) -> None:
    """Raise Conflict unless the coupon can still be used."""
    state = as_of(coupon, now).state
    if state not in LIVE_STATES:
        raise Conflict(f"coupon_{state}", f"this coupon is {state.replace('_', ' ')}")


def plausible(reported_at: datetime, coupon: Coupon, now: datetime) -> datetime | None:
    """When a phone says that something happened to its coupon; None when that cannot be, give or take a minute."""
    return reported_at if coupon.issued_at - PHONE_AHEAD <= reported_at <= now + PHONE_AHEAD else None
