"""What a chain says, beside its stores: what was measured there, offers and campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from backend.service.loyalty_model import Tier
from backend.service.terms import Terms


@dataclass(frozen=True, slots=True)
class Observation:
    """Something measured in a store; `window_s` only for arrivals, `product_id` only for a sold-out item.

    `source` is who measured it: of one source there is one word of each kind (and product) about a moment.
    """

    kind: Literal["arrivals", "queue_length", "headcount", "staff", "sold_out"]
    at: datetime
    value: float
    window_s: float | None = None
    product_id: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a store's tills said lately, with what is usual at this hour of the week; None is unknown."""

    arrivals: int
    observed_s: float
    waiting: int | None
    staff: int | None
    baseline_per_hour: float | None
    sold_out: frozenset[str]
    outstanding: int
    paused: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be given: a discount on a product, to some tiers, with its words, on terms (see `Terms`)."""

    id: str
    name: str
    product_id: str
    discount_kind: Literal["percent", "amount"]
    discount_value: int
    tiers: tuple[Tier, ...]
    title: str
    body: str
    minimum_spend_minor: int = 0
    stackable: bool = False
    only_present: bool = False

    def terms(self) -> Terms:
        """What a coupon of this offer keeps of it."""
        percent = self.discount_value if self.discount_kind == "percent" else None
        return Terms(percent, self.minimum_spend_minor, self.stackable, self.only_present)


@dataclass(frozen=True, slots=True)
class Campaign:
    """Offers that run together on one budget, in money and, if limited, in numbers of coupons.

    Further limits are on each store, over the campaign's life, and on each day, local to the store, all stores
    together. What is reserved is bound by coupons outstanding.
    """

    id: str
    name: str
    status: Literal["draft", "active", "paused", "ended"]
    offer_ids: tuple[str, ...]
    budget_minor: int
    currency: str
    holdout: float = 0.0
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    budget_count: int | None = None
    store_budget_minor: int | None = None
    store_budget_count: int | None = None
    day_budget_minor: int | None = None
    day_budget_count: int | None = None
    reserved_minor: int = 0
    reserved_count: int = 0
    spent_minor: int = 0
    spent_count: int = 0

    def runs(self, now: datetime) -> bool:
        """Whether it is active and within its dates."""
        begun = self.starts_at is None or self.starts_at <= now
        return self.status == "active" and begun and (self.ends_at is None or now < self.ends_at)


@dataclass(frozen=True, slots=True)
class ImportCount:
    """What an import did."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
