"""Taking a member out of the books in memory."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from backend.service.budgets import releasing
from backend.service.life import CouponEvent
from backend.service.model import CouponState
from backend.twins.holdings import coupons_of
from backend.twins.world import World


class TwinErasure:
    """The erasure's part of the ledger port."""

    _world: World

    def sending(self, member_id: str, real_now: float) -> bool:
        """Whether a push to the member may be under way."""
        with self._world.lock:
            mine = self._world.coupons_of.get(member_id, ())
            rows = [self._world.outbox[key] for key in mine if key in self._world.outbox]
            return any(row.leased_until > real_now for row in rows)

    def erase(self, member_id: str, now: datetime) -> None:
        """Take out a member who is leaving; coupons and purchases stay without a person."""
        world = self._world
        with world.lock:
            if world.leaving.pop(member_id, None) is None:
                return
            theirs = coupons_of(world, member_id)
            for coupon_id in world.coupons_of.pop(member_id, []):
                _end(world, coupon_id, now)
            _clear_words(world, theirs)
            bought = [each for each in world.purchases.values() if each.member_id == member_id]
            world.purchases |= {each.id: replace(each, member_id=None) for each in bought}
            world.records = {key: each for key, each in world.records.items() if each.facts.member.id != member_id}
            world.device_keys = {key: each for key, each in world.device_keys.items() if each.member_id != member_id}
            world.star_owners = {key: owner for key, owner in world.star_owners.items() if owner != member_id}
            world.stars.pop(member_id, None)
            world.consents.pop(member_id, None)
            world.given.pop(member_id, None)

    def wipe(self) -> bool:
        """There is no log."""
        return True


def _end(world: World, coupon_id: str, now: datetime) -> None:
    coupon = world.coupons[coupon_id]
    if coupon_id in world.live:
        coupon = world.close(coupon, CouponEvent(CouponState.REVOKED, now, "erasure"), releasing(coupon))
    for pushes in (world.outbox, world.accepted, world.dropped):
        pushes.pop(coupon_id, None)
    world.coupons[coupon_id] = replace(coupon, member_id=None)


def _clear_words(world: World, coupon_ids: Collection[str]) -> None:
    """Clear why staff revoked the coupons or rolled their sales back: it may name the member."""
    for coupon_id in coupon_ids:
        world.events[coupon_id] = [replace(each, reason=None) for each in world.events[coupon_id]]
    for name, (made, _) in world.rollbacks.items():
        if world.redemptions[made.redemption_id].coupon_id in coupon_ids:
            world.rollbacks[name] = made, ""
