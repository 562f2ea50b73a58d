"""The values that pass between use cases and ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Literal

from backend.decision.facts import Facts, QuietHours
from backend.decision.result import Decision
from backend.service.loyalty_model import Profile, TierGrant, TierStep
from backend.service.loyalty_model import Tier as Tier
from backend.service.terms import Terms

Purpose = Literal["location_offers", "personalisation", "measurement"]
PURPOSES: tuple[Purpose, ...] = ("location_offers", "personalisation", "measurement")
Platform = Literal["ios", "android"]
Role = Literal["till", "marketer", "analyst", "admin"]
ROLES: tuple[Role, ...] = ("till", "marketer", "analyst", "admin")


class CouponState(StrEnum):
    """Where a coupon stands in its life."""

    ISSUED = "issued"
    DELIVERED = "delivered"
    OPENED = "opened"
    PRESENTED = "presented"
    REDEEMED = "redeemed"
    ROLLED_BACK = "rolled_back"
    EXPIRED = "expired"
    REVOKED = "revoked"


LIVE_STATES = (CouponState.ISSUED, CouponState.DELIVERED, CouponState.OPENED, CouponState.PRESENTED)
"""A coupon in one of these can still be redeemed, until its end."""


@dataclass(frozen=True, slots=True)
class Registration:
    """How FCM reaches a phone: a Firebase installation id or a registration token."""

    kind: Literal["fid", "token"]
    value: str


@dataclass(frozen=True, slots=True)
class Device:
    """A member's phone."""

    registration: Registration
    platform: Platform
    locale: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a member wants: no push in quiet hours (local), at most so many coupons a week, never these products.

    `own` once the member set them themselves; then no file does.
    """

    quiet_hours: QuietHours | None = field(default=QuietHours(time(22), time(7)))
    weekly_maximum: int = 3
    muted_products: tuple[str, ...] = ()
    own: bool = False


@dataclass(frozen=True, slots=True)
class Consent:
    """One entry of the append-only consent log."""

    purpose: Purpose
    granted: bool
    text_version: str
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A member as stored. `tastes` are shares of past purchases by product; `last_given_at` counts ghosts too.

    `tier` is what stars and `tier_grant` gave when last looked at, `tier_steps` how that goes on: ask `tier_at`.
    Only sessions of the generation `sessions` are good: signing out everywhere begins another.
    """

    id: str
    uid: str
    tier: Tier
    device: Device | None = None
    consents: frozenset[Purpose] = frozenset()
    preferences: Preferences = Preferences()
    tastes: Mapping[str, float] = field(default_factory=dict)
    time_zone: str | None = None
    locale: str = "en"
    last_given_at: datetime | None = None
    tier_grant: TierGrant | None = None
    tier_steps: tuple[TierStep, ...] = ()
    profile: Profile = field(default=Profile())
    sessions: int = 0

    def tier_at(self, now: datetime) -> Tier:
        """The tier the member has at this moment, whether or not anything has run since it changed."""
        return next((step.tier for step in reversed(self.tier_steps) if step.at <= now), self.tier)


@dataclass(frozen=True, slots=True)
class Coupon:
    """One offer issued to one member for one store until one moment; its id is that of its decision.

    `budget_day` is the day on whose budget it is booked: that of its issue, local to the store.
    `member_id` is None once the member was erased, or the coupon ended long ago.
    """

    id: str
    member_id: str | None
    store_id: str
    store_name: str
    campaign_id: str
    offer_id: str
    product_id: str
    product_name: str
    discount_minor: int
    currency: str
    title: str
    body: str
    issued_at: datetime
    expires_at: datetime
    budget_day: date
    state: CouponState = CouponState.ISSUED
    terms: Terms = field(default=Terms())
    code_key: str = ""
    """The name of the secret that its code was made with."""


Outcome = Literal["issued", "ghost", "none", "lost"]
"""What became of a decision in the books; lost: a race for budget, capacity or the member's cap was lost meanwhile."""


@dataclass(frozen=True, slots=True)
class Record:
    """A decision as written down, with the facts it rested on and the draw."""

    facts: Facts
    decision: Decision
    draw: float
    outcome: Outcome = "none"
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class BasketItem:
    """A line of a purchase."""

    product_id: str
    quantity: int
    unit_price_minor: int


@dataclass(frozen=True, slots=True)
class Sale:
    """What a till sold: the items and their total before any coupon; `sale_id` is the store's number of the receipt."""

    store_id: str
    items: tuple[BasketItem, ...]
    total_minor: int
    currency: str
    sale_id: str | None = None


@dataclass(frozen=True, slots=True)
class Purchase:
    """A sale at a moment, by a member if known; of its total, `discount_minor` is what coupons took off."""

    id: str
    sale: Sale
    at: datetime
    member_id: str | None = None
    discount_minor: int = 0

    @property
    def paid_minor(self) -> int:
        """What was paid of it."""
        return self.sale.total_minor - self.discount_minor


@dataclass(frozen=True, slots=True)
class Redemption:
    """A coupon used at a till, on the sale `purchase_id`. `to_pay_minor` is what was left to pay after it.

    Of `discount_minor`, returns have taken back `taken_back_minor`; once that is all of it, it is rolled back.
    """

    id: str
    coupon_id: str
    purchase_id: str
    store_id: str
    product_name: str
    discount_minor: int
    to_pay_minor: int
    currency: str
    redeemed_at: datetime
    taken_back_minor: int = 0
    rolled_back: bool = False

    @property
    def standing_minor(self) -> int:
        """What it still takes off."""
        return self.discount_minor - self.taken_back_minor


@dataclass(frozen=True, slots=True)
class Chance:
    """A member who was offered something or held out, and what became of it; `spent_minor` is what it cost."""

    member_id: str
    store_id: str
    tier: str
    outcome: Outcome
    events: frozenset[str] = frozenset()
    spent_minor: int = 0


@dataclass(frozen=True, slots=True)
class Key:
    """An API key: who it is, its role, and the stores it is bound to (None: all of the chain)."""

    id: str
    role: Role
    store_ids: frozenset[str] | None

    def may_touch(self, store_id: str) -> bool:
        """Whether the key is good for this store."""
        return self.store_ids is None or store_id in self.store_ids


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """A credential of one of a member's phones that can report fixes and nothing else; `label` is the member's word."""

    id: str
    member_id: str
    label: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over the books: decisions by reason, coupons by state, pushes by what became of them, money by currency.

    `lost` counts decisions to offer that lost a race in the books. `spent_minor` and `reserved_minor` add up the
    campaigns of `currency`, that of the first campaign.
    """

    decisions: Mapping[str, int]
    lost: int
    coupons: Mapping[str, int]
    pushes_pending: int
    pushes_accepted: int
    pushes_dropped: Mapping[str, int]
    spent_minor: int
    reserved_minor: int
    currency: str
