"""What members see of their coupons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from backend.api.schemas.base import Body, Moment, Text
from backend.decision.result import Reason
from backend.service.coupons import Life
from backend.service.life import CouponEvent, Dismissed
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
    """What the phone did with a coupon, and when by its own clock, which is kept only where that can be."""

    event: Literal["delivered", "opened", "dismissed"]
    at: Moment


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """What happened to a coupon: the state it came to, or that it was dismissed, when, and who or what caused it.

    Causes are `decision`, `app`, `till`, `expiry`, `erasure` and `staff`. `reported_at` is the phone's own time of it.
    """

    event: CouponState | Dismissed
    at: datetime
    cause: str
    reported_at: datetime | None

    @staticmethod
    def of(event: CouponEvent) -> TimelineEntry:
        """From the use cases; which key of staff it was is not the member's business."""
        return TimelineEntry(event.event, event.at, event.cause.partition(":")[0], event.reported_at)


@dataclass(frozen=True, slots=True)
class StaffTimelineEntry:
    """The same for staff: causes name the key, as `staff:<id>`, and `reason` is what was given for a revocation."""

    event: CouponState | Dismissed
    at: datetime
    cause: str
    reported_at: datetime | None
    reason: str | None

    @staticmethod
    def of(event: CouponEvent) -> StaffTimelineEntry:
        """From the use cases."""
        return StaffTimelineEntry(event.event, event.at, event.cause, event.reported_at, event.reason)


@dataclass(frozen=True, slots=True)
class StaffCouponAnswer:
    """A coupon as staff see it: without code and member, with its timeline."""

    id: str
    store_id: str
    campaign_id: str
    offer_id: str
    product_id: str
    product_name: str
    discount_minor: int
    currency: str
    issued_at: datetime
    expires_at: datetime
    budget_day: date
    state: CouponState
    timeline: tuple[StaffTimelineEntry, ...]

    @staticmethod
    def of(life: Life) -> StaffCouponAnswer:
        """From the use cases."""
        names = [name for name in StaffCouponAnswer.__slots__ if name != "timeline"]
        values = {name: getattr(life.coupon, name) for name in names}
        return StaffCouponAnswer(**values, timeline=tuple(map(StaffTimelineEntry.of, life.timeline)))


class RevocationBody(Body):
    """Why a coupon is taken back. Other staff see it; name nobody."""

    reason: Text


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
