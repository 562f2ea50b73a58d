"""What happens at a till, beside the values in `model`: who asks and for what, returns, and what was answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from backend.service.errors import Conflict, Invalid, LullError, NotFound
from backend.service.loyalty_model import Adjustment
from backend.service.model import BasketItem, Coupon, Purchase, Redemption

ANSWERS_KEPT = timedelta(hours=24)
"""So long the same request with the same Idempotency-Key gets the same answer; then the key is free again."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What leads to a coupon: its id, or the look-up hashes that its code may have."""

    coupon_id: str | None = None
    code_hashes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Till:
    """Who asks: which stores they may act for, and whether a member is inside a store's fence now, as far as is known.

    Both are asked within a transaction, so they must be quick and have no other effect.
    """

    may_touch: Callable[[str], bool]
    is_inside: Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Standing:
    """A redemption that counts on a sale, with its coupon."""

    redemption: Redemption
    coupon: Coupon


@dataclass(frozen=True, slots=True)
class Booking:
    """A sale as it stands in the books: the purchase, and the redemptions that count on it, oldest first."""

    purchase: Purchase
    standing: tuple[Standing, ...] = ()


@dataclass(frozen=True, slots=True)
class Rollback:
    """A sale undone, or the part of it that was returned: what to give back, and what has been paid for the rest.

    The reason given for it goes into the books beside it, and into no answer that is kept, since it may name somebody.
    `rolled_back` says whether the redemption has ended with it. Money in minor units of `currency`.
    """

    id: str
    redemption_id: str
    store_id: str
    items: tuple[BasketItem, ...]
    refund_minor: int
    to_pay_minor: int
    currency: str
    rolled_back: bool
    rolled_back_at: datetime


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase in the books."""

    id: str


@dataclass(frozen=True, slots=True)
class Once:
    """Who does something that must happen once: the credential, its Idempotency-Key, and a digest of the body."""

    credential: str
    key: str
    digest: str

    def name(self, prefix: str) -> str:
        """An id that the same request always makes, so that a very late repetition does nothing anew either."""
        return prefix + sha256("\x1f".join((self.credential, self.key, self.digest)).encode()).hexdigest()[:32]


Done = Redemption | Rollback | Bought | Adjustment
"""What can be done once."""

KEPT_REFUSALS: tuple[type[LullError], ...] = (NotFound, Conflict, Invalid)
"""Refusals that are an answer, and stay it; others may pass (503) or say that the request was none (400)."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal as it is kept."""

    status: int
    reason: str
    detail: str

    @staticmethod
    def of(error: LullError) -> Refusal:
        """From what a use case raised."""
        return Refusal(error.status, error.reason, error.detail)

    def error(self) -> LullError:
        """What to raise again."""
        kinds = {kind.status: kind for kind in KEPT_REFUSALS}
        return kinds[self.status](self.reason, self.detail)


def key_reused() -> Invalid:
    """What to raise for an Idempotency-Key that came with another request before."""
    detail = "this Idempotency-Key came with another request before: use a new key for each request"
    return Invalid("idempotency_key_reused", detail)
