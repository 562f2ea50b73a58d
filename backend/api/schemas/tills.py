"""What tills send and get."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, JsonValue, StringConstraints, model_validator

from backend.api.schemas.base import Body, Currency, ImportedId, Item, Moment, Money, Secret, Text
from backend.service.chain_model import Observation
from backend.service.model import BasketItem, Redemption, Sale
from backend.service.till_model import Rollback
from backend.service.tills import Shown
from stores.money import money

Terminal = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:-]+$"),
    Field(description="Which of the tills that share this API key this is; the same one each time"),
]


SaleId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._:/-]+$"),
    Field(description="The number of the receipt, which no other sale of the store ever has. It books a sale once"),
]


class ObservationBody(Body):
    """Something measured in a store. `arrivals` needs `window_s`: the customers who came in the seconds before `at`.

    `sold_out` needs `product_id`; its value is 1, or 0 when the product is there again.
    """

    kind: Literal["arrivals", "queue_length", "headcount", "staff", "sold_out"]
    at: Moment
    value: float = Field(ge=0, le=10_000)
    window_s: float | None = Field(default=None, ge=1, le=86_400)
    product_id: ImportedId | None = None

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if (self.kind == "arrivals") != (self.window_s is not None):
            raise ValueError("window_s belongs to arrivals, and arrivals need it")
        if (self.kind == "sold_out") != (self.product_id is not None):
            raise ValueError("product_id belongs to sold_out, and sold_out needs it")
        if self.kind == "sold_out" and self.value not in (0.0, 1.0):
            raise ValueError("the value of sold_out is 1, or 0 when the product is there again")
        if self.value != int(self.value):
            raise ValueError("an observation counts: its value is a whole number")
        return self

    def to_observation(self) -> Observation:
        """As the use cases want it."""
        return Observation(self.kind, self.at, self.value, self.window_s, self.product_id)


class ObservationsBody(Body):
    """What one till measured in a store; all of it is kept, or nothing.

    Tills count apart: give each its own API key, or let those that share a key each send a `terminal`. What a till
    told of a moment is replaced when it tells of that moment again; another till's word never is. Arrivals are added
    up over a store's tills, and so are the newest queue lengths, so let no two of them count the same customers.
    """

    terminal: Terminal | None = None
    observations: list[ObservationBody] = Field(min_length=1, max_length=1000)


@dataclass(frozen=True, slots=True)
class AcceptedAnswer:
    """How many were kept."""

    accepted: int


class SaleBody(Body):
    """What was sold: items and their total before any coupon."""

    store_id: ImportedId
    items: list[Item] = Field(min_length=1, max_length=500)
    total_minor: Money
    currency: Currency
    sale_id: SaleId | None = None

    def to_sale(self) -> Sale:
        """As the use cases want it."""
        items = tuple(item.to_item() for item in self.items)
        return Sale(self.store_id, items, self.total_minor, self.currency, self.sale_id)


_ONE_WAY: list[JsonValue] = [
    {"required": [given], "properties": {given: {"type": "string"}, other: {"type": "null"}}}
    for given, other in (("code", "presentation"), ("presentation", "code"))
]
"""How JSON Schema says that one of two is given, and the other left out or null."""


class RedemptionBody(SaleBody):
    """A sale with a coupon, shown by its `code` (typed) or by a `presentation` (scanned).

    After 20 wrong codes the terminal takes none for a while, after 100 of all its terminals together the API key.
    """

    model_config = ConfigDict(json_schema_extra={"oneOf": _ONE_WAY})

    terminal: Terminal | None = None
    code: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    presentation: Secret | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.code is None) == (self.presentation is None):
            raise ValueError("give either code or presentation")
        return self

    def to_shown(self) -> Shown:
        """As the use cases want it."""
        return Shown("presentation", self.presentation) if self.presentation else Shown("code", self.code or "")


@dataclass(frozen=True, slots=True)
class RedemptionAnswer:
    """A redemption: what was taken off, what is left to pay, and a line for the receipt."""

    id: str
    coupon_id: str
    store_id: str
    product_name: str
    discount_minor: int
    to_pay_minor: int
    currency: str
    print: str
    redeemed_at: datetime
    rolled_back: bool

    @staticmethod
    def of(done: Redemption) -> RedemptionAnswer:
        """From the use cases."""
        off, left = money(done.discount_minor, done.currency), money(done.to_pay_minor, done.currency)
        return RedemptionAnswer(
            id=done.id,
            coupon_id=done.coupon_id,
            store_id=done.store_id,
            product_name=done.product_name,
            discount_minor=done.discount_minor,
            to_pay_minor=done.to_pay_minor,
            currency=done.currency,
            print=f"{done.product_name}: {off} off, {left} to pay",
            redeemed_at=done.redeemed_at,
            rolled_back=done.rolled_back,
        )


class RollbackBody(Body):
    """Why a sale is undone, and what of it was returned, priced as it was sold; without items all of it."""

    reason: Text
    items: Annotated[list[Item], Field(min_length=1, max_length=500)] | None = None

    def to_items(self) -> tuple[BasketItem, ...]:
        """As the use cases want it."""
        return tuple(item.to_item() for item in self.items or ())


@dataclass(frozen=True, slots=True)
class RollbackAnswer:
    """A return: what to give back, what has been paid for what is kept, and a line for the receipt.

    `rolled_back` is true once all of the sale was returned; then every coupon on it has ended.
    """

    id: str
    redemption_id: str
    store_id: str
    refund_minor: int
    to_pay_minor: int
    currency: str
    print: str
    rolled_back: bool
    rolled_back_at: datetime

    @staticmethod
    def of(done: Rollback) -> RollbackAnswer:
        """From the use cases."""
        back, paid = money(done.refund_minor, done.currency), money(done.to_pay_minor, done.currency)
        return RollbackAnswer(
            id=done.id,
            redemption_id=done.redemption_id,
            store_id=done.store_id,
            refund_minor=done.refund_minor,
            to_pay_minor=done.to_pay_minor,
            currency=done.currency,
            print=f"Returned: {back} to refund, {paid} paid for the rest",
            rolled_back=done.rolled_back,
            rolled_back_at=done.rolled_back_at,
        )


class PurchaseBody(SaleBody):
    """A sale without a coupon, by a member if one was told."""

    member_id: ImportedId | None = None
    at: Moment


@dataclass(frozen=True, slots=True)
class PurchaseAnswer:
    """A purchase as booked."""

    id: str
