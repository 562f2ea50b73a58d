"""What the twins share: all state, in plain dictionaries, behind one lock."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import count
from threading import RLock
from typing import Any, TypeVar

from backend.decision.snapshot import Snapshot
from backend.service.budgets import COUNTERS, Booked, Limit, day_scope, limit, scopes, store_scope
from backend.service.chain_model import Campaign, Observation, Offer
from backend.service.errors import NotFound
from backend.service.life import CouponEvent
from backend.service.loyalty_model import RulesVersion, StarEntry
from backend.service.model import Consent, Coupon, CouponState, DeviceKey, Member, Purchase, Record, Redemption
from backend.service.staff import Actor, AuditEntry, KeyEntry, Tally, described
from backend.service.till_model import ANSWERS_KEPT, Done, Once, Refusal, Rollback, key_reused
from stores.model import Product, Store
from stores.sensitive import SensitivePlace

T = TypeVar("T", bound=Done)


@dataclass(slots=True)
class OutboxRow:
    """A push that waits; `leased_until` and `not_before` are real seconds."""

    coupon_id: str
    not_before: float = 0.0
    leased_until: float = 0.0
    attempts: int = 0
    first_tried_at: float | None = None


@dataclass(slots=True)
class Series:
    """Observations of one kind in one store: `moments` sorted, each with its product ("" for none) and source."""

    moments: list[tuple[datetime, str, str]] = field(default_factory=list)
    values: dict[tuple[datetime, str, str], Observation] = field(default_factory=dict)


@dataclass(slots=True)
class World:
    """The books of one chain in memory. Whoever reads or writes holds `lock`."""

    lock: RLock = field(default_factory=RLock)
    members: dict[str, Member] = field(default_factory=dict)
    member_by_uid: dict[str, str] = field(default_factory=dict)
    member_by_registration: dict[str, str] = field(default_factory=dict)
    consents: dict[str, list[Consent]] = field(default_factory=lambda: defaultdict(list))
    leaving: dict[str, Member] = field(default_factory=dict)
    """Members who are being erased; they are not among the others."""
    erasures: int = 0

    version: int = 1
    stores: dict[str, Store] = field(default_factory=dict)
    sensitive: dict[str, SensitivePlace] = field(default_factory=dict)
    menu: dict[str, dict[str, Product]] = field(default_factory=lambda: defaultdict(dict))
    offers: dict[str, Offer] = field(default_factory=dict)
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    paused: dict[str, datetime] = field(default_factory=dict)
    """Since when scopes are paused."""
    snapshot: Snapshot = field(default_factory=Snapshot)
    observations: dict[tuple[str, str], Series] = field(default_factory=lambda: defaultdict(Series))
    baselines: dict[str, dict[int, float]] = field(default_factory=dict)

    records: dict[str, Record] = field(default_factory=dict)
    given: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    coupons: dict[str, Coupon] = field(default_factory=dict)
    live: set[str] = field(default_factory=set)
    """Ids of the coupons in a live state."""
    coupons_of: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    coupon_by_code: dict[str, str] = field(default_factory=dict)
    events: dict[str, list[CouponEvent]] = field(default_factory=lambda: defaultdict(list))
    """Timelines by coupon."""
    budgets: dict[tuple[str, str], Booked] = field(default_factory=lambda: defaultdict(Booked))
    """What is booked by campaign and scope; that of the whole stands in the campaign itself."""
    outstanding: Counter[str] = field(default_factory=Counter)

    outbox: dict[str, OutboxRow] = field(default_factory=dict)
    """Pending pushes by coupon, oldest first."""
    accepted: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    """What became of pushes by coupon: what FCM called the message, or why it was not sent."""

    redemptions: dict[str, Redemption] = field(default_factory=dict)
    redemptions_on: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Ids of the redemptions that count on a sale, by purchase, oldest first."""
    rollbacks: dict[str, tuple[Rollback, str]] = field(default_factory=dict)
    """Each with the reason that the till gave."""
    purchases: dict[str, Purchase] = field(default_factory=dict)
    answers: dict[tuple[str, str], tuple[str, Done | Refusal, datetime]] = field(default_factory=dict)
    """What was done once: digest, answer and time by credential and Idempotency-Key."""
    keys: dict[str, KeyEntry] = field(default_factory=dict)
    secrets: dict[str, tuple[str, datetime | None]] = field(default_factory=dict)
    """Ids of API keys by the SHA-256 of their secrets; with a secret that was replaced, until when it is good."""
    wrong_codes: dict[str, Tally] = field(default_factory=dict)
    audit: list[AuditEntry] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    """For the entries of the audit log."""
    stars: dict[str, list[StarEntry]] = field(default_factory=lambda: defaultdict(list))
    """Star entries by member."""
    star_owners: dict[str, str] = field(default_factory=dict)
    """Whose the stars of a purchase are, by purchase."""
    loyalty_rules: list[RulesVersion] = field(default_factory=list)
    tiers_due: dict[str, datetime] = field(default_factory=dict)
    """When the tier of a member must be looked at again."""
    device_keys: dict[str, DeviceKey] = field(default_factory=dict)
    """Device keys by the SHA-256 of their secrets."""

    def is_paused(self, store_id: str) -> bool:
        """Whether offers and pushes of this store are stopped."""
        return "*" in self.paused or store_id in self.paused

    def note(self, by: Actor, what: str, object_id: str, before: Any, after: Any) -> None:
        """Append a change to the audit log."""
        told = described(before), described(after)
        self.audit.append(AuditEntry(next(self.numbers), by.at, by.id, what, object_id, *told))

    def must_exist(self, member_id: str) -> None:
        """Raise NotFound for nobody."""
        if member_id not in self.members:
            raise NotFound("member_unknown", "there is no such member")

    def book(self, coupon: Coupon, change: Booked) -> None:
        """Add to what is booked for a coupon: on its campaign, its store and its day."""
        _, *others = scopes(coupon)
        old = self.campaigns[coupon.campaign_id]
        added = {name: getattr(old, name) + getattr(change, name) for name in COUNTERS}
        self.campaigns[coupon.campaign_id] = replace(old, **added)
        for scope in others:
            self.budgets[coupon.campaign_id, scope] += change

    def limits(self, campaign: Campaign, store_id: str, day: date) -> tuple[Limit, ...]:
        """What a campaign may give away in a store on a day, and what is used of it."""
        of_store = self.budgets.get((campaign.id, store_scope(store_id)), Booked())
        of_day = self.budgets.get((campaign.id, day_scope(day)), Booked())
        return (
            limit(campaign.budget_minor, campaign.budget_count, campaign),
            limit(campaign.store_budget_minor, campaign.store_budget_count, of_store),
            limit(campaign.day_budget_minor, campaign.day_budget_count, of_day),
        )

    def move(self, coupon: Coupon, event: CouponEvent) -> Coupon:
        """Bring a coupon to the state of an event, and note it on its timeline."""
        moved = replace(coupon, state=CouponState(event.event))
        self.coupons[coupon.id] = moved
        self.events[coupon.id].append(event)
        return moved

    def close(self, coupon: Coupon, event: CouponEvent, change: Booked) -> Coupon:
        """End a live coupon: its budget is settled by `change`, the room it took is free again."""
        self.live.discard(coupon.id)
        self.book(coupon, change)
        self.outstanding[coupon.store_id] -= 1
        return self.move(coupon, event)

    def drop(self, coupon_id: str, reason: str) -> None:
        """Take a push out of the outbox unsent."""
        if self.outbox.pop(coupon_id, None) is not None:
            self.dropped[coupon_id] = reason

    def once(self, once: Once, now: datetime, do: Callable[[], T]) -> T:
        """Do something, or answer as before when it was done already. A `do` that raises leaves no trace."""
        known = self.answered(once, now)
        if known is None:
            made = do()
            self.answers[once.credential, once.key] = (once.digest, made, now)
            return made
        if isinstance(known, Refusal):
            raise known.error()
        again: T = known  # type: ignore[assignment]  # the digest tells the route, and so the kind
        return again

    def answered(self, once: Once, now: datetime) -> Done | Refusal | None:
        """What was answered under this key in the last 24 hours. Raises Invalid when that was another request."""
        digest, answer, at = self.answers.get((once.credential, once.key), ("", None, now))
        if answer is None or at <= now - ANSWERS_KEPT:
            return None
        if digest != once.digest:
            raise key_reused()
        return answer
