"""The outbox in memory."""

from __future__ import annotations

from backend.service.push_model import Accepted, Claimed, Queued, Retry
from backend.twins.world import OutboxRow, World


class TwinOutbox:
    """The part of the ledger that the worker asks for pushes."""

    def __init__(self, world: World) -> None:
        self._world = world

    def claim(self, limit: int, real_now: float, lease_s: float) -> tuple[Claimed, ...]:
        """Take due rows of the outbox for `lease_s` seconds, oldest first."""
        with self._world.lock:
            due = [row for row in self._world.outbox.values() if max(row.not_before, row.leased_until) <= real_now]
            due.sort(key=lambda row: (self._world.coupons[row.coupon_id].issued_at, row.coupon_id))
            return tuple(self._take(row, real_now, real_now + lease_s) for row in due[:limit])

    def _take(self, row: OutboxRow, real_now: float, until: float) -> Claimed:
        row.leased_until = until
        row.attempts += 1
        if row.first_tried_at is None:
            row.first_tried_at = real_now
        return Claimed(row.coupon_id, row.attempts, row.first_tried_at)

    def queued(self, claimed: Claimed) -> Queued | None:
        """What stands now about a push."""
        with self._world.lock:
            row = self._world.outbox.get(claimed.coupon_id)
            if row is None or row.attempts != claimed.attempts:
                return None
            coupon = self._world.coupons[claimed.coupon_id]
            return Queued(
                coupon=coupon,
                member=self._world.members.get(coupon.member_id or ""),
                store=self._world.stores.get(coupon.store_id),
                campaign=self._world.campaigns.get(coupon.campaign_id),
                paused=self._world.is_paused(coupon.store_id),
            )

    def settle(self, claimed: Claimed, result: Accepted | Retry | str) -> None:
        """End a claim. A row that no longer waits stays as it is."""
        with self._world.lock:
            row = self._world.outbox.get(claimed.coupon_id)
            if row is None or (row.attempts != claimed.attempts and not isinstance(result, Accepted)):
                return
            if isinstance(result, Retry):
                row.not_before, row.leased_until = result.at, 0.0
            elif isinstance(result, Accepted):
                del self._world.outbox[claimed.coupon_id]
                self._world.accepted[claimed.coupon_id] = result.name
            else:
                self._world.drop(claimed.coupon_id, result)
