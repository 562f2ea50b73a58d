"""What members see of their coupons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from backend.api.schemas.base import Body, Moment
from backend.decision.result import Reason
from backend.service.model import Coupon, CouponState


@dataclass(frozen=True, slots=True)
class CouponAnswer:
    """A coupon as its member sees it; `code` is what to say at the till."""

    id: str
    code: str
    store_id: str
    store_name: str
    product_id: str
    product_name: str
    discount_minor: int
    currency: str
    title: str
    body: str
    issued_at: datetime
    expires_at: datetime
    state: CouponState
    minimum_spend_minor: int
    stackable: bool
    only_present: bool

    @staticmethod
    def of(coupon: Coupon, code: str) -> CouponAnswer:
        """From the use cases."""
        return CouponAnswer(
            id=coupon.id,
            code=code,
            store_id=coupon.store_id,
            store_name=coupon.store_name,
            product_id=coupon.product_id,
            product_name=coupon.product_name,
            discount_minor=coupon.discount_minor,
            currency=coupon.currency,
            title=coupon.title,
            body=coupon.body,
            issued_at=coupon.issued_at,
            expires_at=coupon.expires_at,
            state=coupon.state,
            minimum_spend_minor=coupon.terms.minimum_spend_minor,
            stackable=coupon.terms.stackable,
            only_present=coupon.terms.only_present,
        )


class CouponEventBody(Body):
    """What the phone did with a coupon, and when."""

    event: Literal["delivered", "opened", "dismissed"]
    at: Moment


@dataclass(frozen=True, slots=True)
class WhyAnswer:
    """Why the coupon came."""

    reason: Reason
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PresentationAnswer:
    """A token for the till's scanner, good for a minute (real time)."""

    token: str
    expires_at: datetime
