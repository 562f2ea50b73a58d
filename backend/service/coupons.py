"""What staff do with single coupons: look one up, and take it back."""

from __future__ import annotations

from dataclasses import dataclass

from backend.service.errors import NotFound
from backend.service.life import CouponEvent, as_of, timeline_of
from backend.service.model import Coupon, Key
from backend.service.ports import Clock, Ledger
from backend.service.staff import Actor


@dataclass(frozen=True, slots=True)
class Life:
    """A coupon as it stands, and what happened to it."""

    coupon: Coupon
    timeline: tuple[CouponEvent, ...]


class Coupons:
    """Coupons of the stores that a key is bound to; those of others are as unknown as those that never were."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def coupon(self, key: Key, coupon_id: str) -> Life:
        """One coupon. Raises NotFound."""
        coupon = self._ledger.coupon(coupon_id)
        if coupon is None or not key.may_touch(coupon.store_id):
            raise NotFound("coupon_unknown", "there is no such coupon")
        now = self._clock.now()
        return Life(as_of(coupon, now), timeline_of(self._ledger.timeline(coupon_id), coupon, now))

    def revoke(self, key: Key, coupon_id: str, reason: str, by: Actor) -> Life:
        """Take a live coupon back for good. Raises NotFound, and Conflict when it is not live any more."""
        coupon = self._ledger.revoke(coupon_id, reason, by, key.may_touch)
        return Life(coupon, self._ledger.timeline(coupon_id))
