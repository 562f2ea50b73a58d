"""Sends what the outbox holds. Whatever comes too late is dropped, with its reason, never delayed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime
from math import floor

from backend.decision.gates import sleeps
from backend.service.model import LIVE_STATES, Accepted, Push, Queued, Refused, SendResult
from backend.service.ports import Clock, Ports, Retry
from stores.hours import for_store

AT_ONCE = 64
"""Pushes taken at a time, all sent at once: none waits long between being asked about and being sent."""
LEASE_S = 120.0
FIRST_RETRY_S = 10.0
GIVE_UP_S = 3600.0
LEAST_LIFE_S = 1


def dropped(queued: Queued, now: datetime) -> str | None:
    """Why a push may not be sent now; None when it may. Asked just before each send."""
    coupon, member = queued.coupon, queued.member
    if member is None:
        return "member_gone"
    if "location_offers" not in member.consents:
        return "no_consent"
    if coupon.state not in LIVE_STATES:
        return f"coupon_{coupon.state}"
    if (coupon.expires_at - now).total_seconds() < LEAST_LIFE_S:
        return "coupon_expired"
    if queued.paused:
        return "paused"
    hours = for_store(queued.store) if queued.store else None
    if hours is None or not hours.is_open(now):
        return "store_closed"
    if member.device is None:
        return "unreachable_device"
    if sleeps(member.preferences.quiet_hours, member.device.time_zone, now):
        return "quiet_hours"
    return None


def message(queued: Queued, now: datetime) -> Push:
    """The push for a coupon; FCM is to give up when the coupon ends."""
    coupon, member = queued.coupon, queued.member
    if member is None or member.device is None:
        raise ValueError("a push needs a member with a device")
    registration = member.device.registration
    return Push(
        id=coupon.id,
        registration_kind=registration.kind,
        registration=registration.value,
        title=coupon.title,
        body=coupon.body,
        data={"coupon_id": coupon.id, "store_id": coupon.store_id},
        ttl_s=floor((coupon.expires_at - now).total_seconds()),
        collapse_key=coupon.id,
    )


def outcome(result: SendResult, queued: Queued, real_now: float, jitter: float) -> Accepted | Retry | str:
    """What a send means for the outbox.

    `jitter` in [0, 1) spreads retries: 10 s, then doubling, each stretched by up to half; after an hour it is given up
    (firebase.google.com/docs/cloud-messaging/scale-fcm).
    """
    if isinstance(result, Accepted):
        return result
    wait_s = FIRST_RETRY_S * 2.0 ** (queued.attempts - 1) * (1.0 + jitter / 2.0)
    if result.retry_after_s is not None:
        wait_s = max(wait_s, result.retry_after_s)
    began = queued.first_tried_at if queued.first_tried_at is not None else real_now
    if not result.retry or real_now + wait_s - began > GIVE_UP_S:
        return result.reason
    return Retry(real_now + wait_s)


class Outbox:
    """Empties the outbox. `jitter` gives numbers in [0, 1); sends run in `pool`."""

    def __init__(self, ports: Ports, clock: Clock, jitter: Callable[[], float], pool: Executor) -> None:
        self._ports = ports
        self._clock = clock
        self._jitter = jitter
        self._pool = pool

    def send_due(self) -> int:
        """Send one batch of what is due; how many rows were taken."""
        if not self._clock.trusted() or self._ports.sender.prepare() is not None:
            return 0
        ledger = self._ports.ledger
        rows = ledger.claim(AT_ONCE, self._clock.real(), LEASE_S)
        now = self._clock.now()
        due: list[Queued] = []
        for row in rows:
            reason = dropped(row, now)
            if reason is None:
                due.append(row)
            else:
                ledger.settle(row.coupon.id, reason)
        results = self._pool.map(self._ports.sender.send, [message(row, now) for row in due])
        for row, result in zip(due, results, strict=True):
            ledger.settle(row.coupon.id, outcome(result, row, self._clock.real(), self._jitter()))
            if isinstance(result, Refused) and result.unregistered and row.member and row.member.device:
                self._ports.members.drop_device(row.member.device.registration.value)
        return len(rows)
