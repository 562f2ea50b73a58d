"""Budgets: what coupons book on a campaign, its stores and its days, and what is left. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from backend.service.chain_model import Campaign
from backend.service.model import Coupon

WHOLE = ""
"""The scope of a campaign as a whole; sorts before all others."""


COUNTERS = ("reserved_minor", "reserved_count", "spent_minor", "spent_count")
"""What is counted of each scope."""


def store_scope(store_id: str) -> str:
    """A campaign's coupons of one store, over the campaign's life."""
    return f"store:{store_id}"


def day_scope(day: date) -> str:
    """A campaign's coupons of one day, local to the store of each, all stores together."""
    return f"day:{day.isoformat()}"


def scopes(coupon: Coupon) -> tuple[str, str, str]:
    """On what a coupon is booked."""
    return WHOLE, store_scope(coupon.store_id), day_scope(coupon.budget_day)


@dataclass(frozen=True, slots=True)
class Booked:
    """What coupons have reserved, and redemptions spent, on one scope: minor units and numbers of coupons."""

    reserved_minor: int = 0
    reserved_count: int = 0
    spent_minor: int = 0
    spent_count: int = 0

    def __add__(self, other: Booked) -> Booked:
        return Booked(
            self.reserved_minor + other.reserved_minor,
            self.reserved_count + other.reserved_count,
            self.spent_minor + other.spent_minor,
            self.spent_count + other.spent_count,
        )


def reserving(coupon: Coupon) -> Booked:
    """What a coupon books when it is issued."""
    return Booked(reserved_minor=coupon.discount_minor, reserved_count=1)


def releasing(coupon: Coupon) -> Booked:
    """What a coupon books when its life ends unused."""
    return Booked(reserved_minor=-coupon.discount_minor, reserved_count=-1)


def spending(coupon: Coupon, spent_minor: int) -> Booked:
    """What a coupon books when it is redeemed for so much."""
    return releasing(coupon) + Booked(spent_minor=spent_minor, spent_count=1)


def unspending(minor: int, count: int) -> Booked:
    """What a roll-back books: the money it gives back, and 1 when nothing of the redemption is left, else 0."""
    return Booked(spent_minor=-minor, spent_count=-count)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so much money and so many coupons (None: as many as you like), and what is used of these."""

    most_minor: int | None
    most_count: int | None
    used_minor: int
    used_count: int


def limit(most_minor: int | None, most_count: int | None, booked: Booked | Campaign) -> Limit:
    """A limit on what is booked there."""
    used_minor, used_count = booked.reserved_minor + booked.spent_minor, booked.reserved_count + booked.spent_count
    return Limit(most_minor, most_count, used_minor, used_count)


def left_minor(limits: Iterable[Limit]) -> int:
    """What can still be given away under all limits, in minor units; nothing when a limit on the count is used up."""
    every = tuple(limits)
    if any(limit.most_count is not None and limit.used_count >= limit.most_count for limit in every):
        return 0
    return min(limit.most_minor - limit.used_minor for limit in every if limit.most_minor is not None)
