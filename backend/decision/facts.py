"""Everything known about one opportunity, as a plain value that can be written as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal

from pydantic import TypeAdapter

from stores.utilisation import Evidence

Trigger = Literal["enter", "dwell"]


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local times between which a member wants no push; may run past midnight."""

    start: time
    end: time

    def cover(self, local: time) -> bool:
        """Whether the local time of day lies within; the end itself does not."""
        if self.start <= self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


@dataclass(frozen=True, slots=True)
class PresenceFacts:
    """The signal: what happened at the fence, and how far the store is.

    `distance_m` is rounded up before it gets here, to the fence's extent or to rings at least as wide as a map cell:
    with it written down, nobody can tell where within the fence the member stood.
    """

    trigger: Trigger
    inside: bool
    distance_m: int


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """The member as the policy may see them; tastes and favourites are empty without consent to personalisation."""

    id: str
    tier: str
    location_offers: bool
    reachable: bool
    time_zone: str | None
    quiet_hours: QuietHours | None
    weekly_maximum: int
    muted: tuple[str, ...]
    tastes: dict[str, float]
    given_this_week: int
    last_given_at: datetime | None
    favourites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """The store now. `open` is None when its hours or zone are unknown; `evidence` None when its traffic is."""

    id: str
    name: str
    paused: bool
    open: bool | None
    closes_at: datetime | None
    target_utilisation: float
    evidence: Evidence | None
    outstanding: int


@dataclass(frozen=True, slots=True)
class OfferFacts:
    """One offer of one running campaign, with its product as this store sells it (price None: it does not, now)."""

    id: str
    campaign_id: str
    product_id: str
    product_name: str
    price_minor: int | None
    currency: str
    discount_kind: Literal["percent", "amount"]
    discount_value: int
    tiers: tuple[str, ...]
    title: str
    body: str
    budget_left_minor: int
    ends_at: datetime | None
    holdout: float


@dataclass(frozen=True, slots=True)
class Facts:
    """One opportunity: one member at one store at the moment of one presence event."""

    opportunity_id: str
    clock_trusted: bool
    paused: bool
    presence: PresenceFacts
    member: MemberFacts
    store: StoreFacts
    offers: tuple[OfferFacts, ...]


FACTS: TypeAdapter[Facts] = TypeAdapter(Facts)
"""Reads and writes facts as JSON."""
