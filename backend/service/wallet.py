"""A member's coupons: what they are worth, why they came, and the token a till can scan."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

import jwt

from backend.service.codes import coupon_code
from backend.service.errors import Conflict, NotFound
from backend.service.model import LIVE_STATES, Coupon, CouponState, Record
from backend.service.ports import Clock, Ledger
from backend.service.sessions import ALGORITHM, decode

PRESENTATION_S = 60
NEWEST = 100
_STATES = {"delivered": CouponState.DELIVERED, "opened": CouponState.OPENED}


class Wallet:
    """Shows coupons to the member they were issued to, and to nobody else."""

    def __init__(self, ledger: Ledger, clock: Clock, code_key: bytes, presentation_key: bytes) -> None:
        self._ledger = ledger
        self._clock = clock
        self._code_key = code_key
        self._presentation_key = presentation_key

    def code(self, coupon: Coupon) -> str:
        """The code to read out at the till."""
        return coupon_code(self._code_key, coupon.id)

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

    def note(self, member_id: str, coupon_id: str, event: Literal["delivered", "opened", "dismissed"]) -> Coupon:
        """Note what the phone did with the coupon; a dismissed one stays good."""
        coupon = self.coupon(member_id, coupon_id)
        if event in _STATES:
            coupon = self._ledger.advance(coupon_id, _STATES[event]) or coupon
        return as_of(coupon, self._clock.now())

    def present(self, member_id: str, coupon_id: str) -> tuple[str, datetime]:
        """A signed token for the till's scanner, and when it ends (real time). Raises Conflict for a dead coupon."""
        coupon = self.coupon(member_id, coupon_id)
        if coupon.state not in LIVE_STATES:
            raise Conflict("coupon_" + coupon.state, f"this coupon is {coupon.state.replace('_', ' ')}")
        until = int(self._clock.real()) + PRESENTATION_S
        claims = {"sub": coupon.id, "store": coupon.store_id, "exp": until, "aud": "till"}
        token = jwt.encode(claims, self._presentation_key, algorithm=ALGORITHM)
        return token, datetime.fromtimestamp(until, UTC)

    def presented(self, token: str) -> str:
        """The id of the coupon a token presents. Raises Conflict."""
        try:
            claims = decode(token, self._presentation_key, "till", self._clock.real())
        except jwt.InvalidTokenError as error:
            detail = "the presentation is not good or older than 60 seconds: show the coupon again"
            raise Conflict("invalid_presentation", detail) from error
        return str(claims["sub"])


def as_of(coupon: Coupon, now: datetime) -> Coupon:
    """The coupon as it stands now: past its end it has expired, whether or not the books have noticed."""
    ended = coupon.state in LIVE_STATES and now >= coupon.expires_at
    return replace(coupon, state=CouponState.EXPIRED) if ended else coupon
