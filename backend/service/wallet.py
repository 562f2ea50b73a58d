"""A member's coupons: what they are worth, why they came, and the token a till can scan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from backend.service import presentations
from backend.service.coupon_codes import CouponCodes
from backend.service.errors import Conflict, NotFound
from backend.service.keyring import Keyring
from backend.service.life import DISMISSED, CouponEvent, Dismissed, as_of, check_live, plausible, timeline_of
from backend.service.model import Coupon, CouponState, Record
from backend.service.ports import Clock, Ledger

NEWEST = 100
Noted = Literal["delivered", "opened", "dismissed"]
_EVENTS: Mapping[Noted, CouponState | Dismissed] = {
    "delivered": CouponState.DELIVERED,
    "opened": CouponState.OPENED,
    "dismissed": DISMISSED,
}


class Wallet:
    """Shows coupons to the member they were issued to, and to nobody else."""

    def __init__(self, ledger: Ledger, clock: Clock, codes: CouponCodes, presentation_keys: Keyring) -> None:
        self._ledger = ledger
        self._clock = clock
        self._codes = codes
        self._presentation_keys = presentation_keys

    def code(self, coupon: Coupon) -> str:
        """The code to read out at the till."""
        return self._codes.code(coupon)

    def coupons(self, member_id: str) -> tuple[Coupon, ...]:
        """The member's newest coupons."""
        now = self._clock.now()
        return tuple(as_of(coupon, now) for coupon in self._ledger.coupons(member_id, NEWEST))

    def coupon(self, member_id: str, coupon_id: str) -> Coupon:
        """One coupon. Raises NotFound when it is not the member's."""
        coupon = self._ledger.coupon(coupon_id)
        if coupon is None or coupon.member_id != member_id:
            raise NotFound("coupon_unknown", "you have no such coupon")
        return as_of(coupon, self._clock.now())

    def why(self, member_id: str, coupon_id: str) -> Record:
        """The decision behind a coupon, with the facts it rested on."""
        record = self._ledger.decision(self.coupon(member_id, coupon_id).id)
        if record is None:
            raise NotFound("coupon_unknown", "you have no such coupon")
        return record

    def note(self, member_id: str, coupon_id: str, event: Noted, reported_at: datetime) -> Coupon:
        """Note what the phone did with the coupon, and when by its own clock; a dismissed one stays good."""
        coupon = self.coupon(member_id, coupon_id)
        now = self._clock.now()
        happened = CouponEvent(_EVENTS[event], now, "app", plausible(reported_at, coupon, now))
        return as_of(self._ledger.advance(coupon_id, happened) or coupon, now)

    def timeline(self, member_id: str, coupon_id: str) -> tuple[CouponEvent, ...]:
        """What happened to a coupon, in order."""
        coupon = self.coupon(member_id, coupon_id)
        return timeline_of(self._ledger.timeline(coupon_id), coupon, self._clock.now())

    def present(self, member_id: str, coupon_id: str) -> tuple[str, datetime]:
        """A signed token for the till's scanner, and when it ends (real time). Raises Conflict for a dead coupon."""
        coupon, now = self.coupon(member_id, coupon_id), self._clock.now()
        coupon = self._ledger.advance(coupon_id, CouponEvent(CouponState.PRESENTED, now, "app")) or coupon
        check_live(coupon, now)
        until = int(self._clock.real()) + presentations.PRESENTATION_S
        return presentations.make(self._presentation_keys, coupon.id, until), datetime.fromtimestamp(until, UTC)

    def presented(self, token: str) -> str:
        """The id of the coupon a token presents. Raises Conflict."""
        try:
            return presentations.read(self._presentation_keys, token, self._clock.real())
        except presentations.Ended as error:
            detail = "the presentation is older than 60 seconds: show the coupon again"
            raise Conflict("presentation_expired", detail) from error
        except ValueError as error:
            detail = "the presentation is not good: show the coupon again, or type its code"
            raise Conflict("invalid_presentation", detail) from error
