"""What marketers and analysts send and get."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from backend.api.schemas.base import Body, Count, Currency, Id, ImportedId, Moment, Money, Name, Text, changes
from backend.decision.facts import Trigger
from backend.decision.result import Forecast, Reason
from backend.service.budgets import Booked
from backend.service.chain_model import Campaign, Offer
from backend.service.loyalty_model import Tier
from backend.service.model import Outcome, Record

Status = Literal["draft", "active", "paused", "ended"]


class DiscountBody(Body):
    """A percentage of the price (1 to 100), or an amount in minor units of the campaign's currency."""

    kind: Literal["percent", "amount"]
    value: int = Field(ge=1, le=10**9)


class OfferBody(Body):
    """What may be given. Title and body may name {store}, {product}, {price}, {discount} and {until}."""

    id: Id
    name: Name
    product_id: ImportedId
    discount: DiscountBody
    tiers: list[Tier] = Field(min_length=1, max_length=3)
    title: Annotated[Text, StringConstraints(max_length=200)]
    body: Text
    minimum_spend_minor: Money = Field(default=0, description="Of the basket before any coupon")
    stackable: bool = Field(default=False, description="Whether other stackable coupons may count on the same sale")
    only_present: bool = Field(default=False, description="Redeemed only while the phone is inside the store's fence")

    def to_offer(self) -> Offer:
        """As the use cases want it."""
        return Offer(
            id=self.id,
            name=self.name,
            product_id=self.product_id,
            discount_kind=self.discount.kind,
            discount_value=self.discount.value,
            tiers=tuple(dict.fromkeys(self.tiers)),
            title=self.title,
            body=self.body,
            minimum_spend_minor=self.minimum_spend_minor,
            stackable=self.stackable,
            only_present=self.only_present,
        )


@dataclass(frozen=True, slots=True)
class DiscountAnswer:
    """What is taken off."""

    kind: Literal["percent", "amount"]
    value: int


@dataclass(frozen=True, slots=True)
class OfferAnswer:
    """What may be given."""

    id: str
    name: str
    product_id: str
    discount: DiscountAnswer
    tiers: tuple[Tier, ...]
    title: str
    body: str
    minimum_spend_minor: int
    stackable: bool
    only_present: bool

    @staticmethod
    def of(offer: Offer) -> OfferAnswer:
        """From the use cases."""
        return OfferAnswer(
            id=offer.id,
            name=offer.name,
            product_id=offer.product_id,
            discount=DiscountAnswer(offer.discount_kind, offer.discount_value),
            tiers=offer.tiers,
            title=offer.title,
            body=offer.body,
            minimum_spend_minor=offer.minimum_spend_minor,
            stackable=offer.stackable,
            only_present=offer.only_present,
        )


OfferIds = Annotated[list[Id], Field(min_length=1, max_length=500)]
Holdout = Annotated[float, Field(ge=0, le=1, description="Share of offers that become ghosts, to measure lift")]


class CampaignBody(Body):
    """Offers that run together on one budget.

    `budget_minor` is the money of the whole campaign; `budget_count`, where it is given, the number of its coupons.
    Each store may have a share of both over the campaign's life (`store_budget_...`), and each day, local to the store
    where a coupon is issued, one for all stores together (`day_budget_...`). A coupon counts from its issue; one that
    ends unused gives its money and its count back.
    """

    id: Id
    name: Name
    status: Status = "draft"
    offer_ids: OfferIds
    budget_minor: Money
    currency: Currency
    holdout: Holdout = 0.0
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    budget_count: Count | None = None
    store_budget_minor: Money | None = None
    store_budget_count: Count | None = None
    day_budget_minor: Money | None = None
    day_budget_count: Count | None = None

    def to_campaign(self) -> Campaign:
        """As the use cases want it."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return Campaign(**fields | {"offer_ids": tuple(dict.fromkeys(self.offer_ids))})


class CampaignChangesBody(Body):
    """What to change of a campaign; what is not named stays. A limit that becomes null is lifted.

    The budget of the whole campaign cannot become less than what is reserved and spent. A limit on stores or days can:
    where more was given already, no more is given, and nothing is taken back.
    """

    name: Name = Field(default_factory=str)
    status: Status = Field(default_factory=lambda: "draft")
    offer_ids: OfferIds = Field(default_factory=list)
    budget_minor: Money = Field(default_factory=int)
    holdout: Holdout = Field(default_factory=float)
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    budget_count: Count | None = None
    store_budget_minor: Money | None = None
    store_budget_count: Count | None = None
    day_budget_minor: Money | None = None
    day_budget_count: Count | None = None

    def to_changes(self) -> dict[str, object]:
        """As the use cases want it. Raises Invalid when nothing is named."""
        found: dict[str, object] = changes(self)
        if "offer_ids" in found:
            found["offer_ids"] = tuple(dict.fromkeys(self.offer_ids))
        return found


@dataclass(frozen=True, slots=True)
class CampaignAnswer:
    """A campaign, with what coupons outstanding have reserved of its budget and what redemptions have spent."""

    id: str
    name: str
    status: Status
    offer_ids: tuple[str, ...]
    budget_minor: int
    budget_count: int | None
    store_budget_minor: int | None
    store_budget_count: int | None
    day_budget_minor: int | None
    day_budget_count: int | None
    reserved_minor: int
    reserved_count: int
    spent_minor: int
    spent_count: int
    currency: str
    holdout: float
    starts_at: datetime | None
    ends_at: datetime | None

    @staticmethod
    def of(campaign: Campaign) -> CampaignAnswer:
        """From the use cases."""
        return CampaignAnswer(**{name: getattr(campaign, name) for name in CampaignAnswer.__slots__})


@dataclass(frozen=True, slots=True)
class BookedAnswer:
    """What coupons outstanding reserve, and redemptions have spent, of a campaign in one store or on one day."""

    store_id: str | None
    day: date | None
    reserved_minor: int
    reserved_count: int
    spent_minor: int
    spent_count: int

    @staticmethod
    def of(scope: str, booked: Booked) -> BookedAnswer:
        """From the use cases."""
        kind, _, name = scope.partition(":")
        store_id, day = (name, None) if kind == "store" else (None, date.fromisoformat(name))
        return BookedAnswer(store_id, day, **asdict(booked))


class ScopeBody(Body):
    """One store, or everything when none is named."""

    store_id: ImportedId | None = None


@dataclass(frozen=True, slots=True)
class PausedAnswer:
    """What is paused now."""

    everything: bool
    store_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """A decision: why, or why not, with which probability, and what became of it in the books."""

    id: str
    at: datetime
    member_id: str
    store_id: str
    trigger: Trigger
    reason: Reason
    outcome: Outcome
    propensity: float
    draw: float
    weight: float
    snapshot_hash: str
    campaign_id: str | None
    offer_id: str | None
    discount_minor: int | None
    forecast: Forecast | None

    @staticmethod
    def of(record: Record) -> RecordAnswer:
        """From the use cases."""
        facts, decision = record.facts, record.decision
        given = decision.given
        return RecordAnswer(
            id=decision.opportunity_id,
            at=decision.at,
            member_id=facts.member.id,
            store_id=facts.store.id,
            trigger=facts.presence.trigger,
            reason=decision.reason,
            outcome=record.outcome,
            propensity=decision.propensity,
            draw=record.draw,
            weight=record.weight,
            snapshot_hash=decision.snapshot_hash,
            campaign_id=given.campaign_id if given else None,
            offer_id=given.offer_id if given else None,
            discount_minor=given.discount_minor if given else None,
            forecast=decision.forecast,
        )
