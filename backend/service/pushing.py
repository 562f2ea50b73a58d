"""Sends what the outbox holds. Whatever comes too late is dropped, with its reason, never delayed."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from datetime import datetime
from math import floor

import structlog

from backend.decision.gates import sleeps
from backend.service.chain_model import Campaign
from backend.service.errors import Unavailable
from backend.service.model import LIVE_STATES
from backend.service.ports import Clock, Ports
from backend.service.push_model import Accepted, Claimed, Push, Queued, Refused, Retry, SendResult
from stores.hours import for_store

AT_ONCE = 64
"""Pushes under way at the same time."""
LEASE_S = 120.0
"""Outlasts a send that meets with slow answers: 30 s to ask, 20 s to send, 24 s of waiting to settle. Behind a database
that is slower still another worker may send the same push again."""
FIRST_RETRY_S = 10.0
GIVE_UP_S = 3600.0
LEAST_LIFE_S = 1
SETTLE_WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0)
"""How long to wait for a database that is away before trying again to settle; then a worker may end."""

log = structlog.get_logger("lull.outbox")


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
    stopped = _stopped(queued.campaign, now)
    if stopped is not None:
        return stopped
    hours = for_store(queued.store) if queued.store else None
    if hours is None or not hours.is_open(now):
        return "store_closed"
    if member.device is None:
        return "unreachable_device"
    if sleeps(member.preferences.quiet_hours, member.device.time_zone, now):
        return "quiet_hours"
    return None


def _stopped(campaign: Campaign | None, now: datetime) -> str | None:
    """Why a campaign does not run now; None when it does."""
    if campaign is None or campaign.status == "ended" or (campaign.ends_at is not None and campaign.ends_at <= now):
        return "campaign_ended"
    return None if campaign.runs(now) else "campaign_paused"


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


def outcome(result: SendResult, row: Claimed, real_now: float, jitter: float) -> Accepted | Retry | str:
    """What a send means for the outbox.

    `jitter` in [0, 1) spreads retries: 10 s, then doubling, each stretched by up to half; after an hour it is given up
    (firebase.google.com/docs/cloud-messaging/scale-fcm).
    """
    if isinstance(result, Accepted):
        return result
    wait_s = FIRST_RETRY_S * 2.0 ** (row.attempts - 1) * (1.0 + jitter / 2.0)
    if result.retry_after_s is not None:
        wait_s = max(wait_s, result.retry_after_s)
    if not result.retry or real_now + wait_s - row.first_tried_at > GIVE_UP_S:
        return result.reason
    return Retry(real_now + wait_s)


class Outbox:
    """Empties the outbox: each push is asked about, sent and settled in a thread of `pool`, `at_once` at a time.

    `jitter` gives numbers in [0, 1); `pause` waits so many real seconds. The public methods belong to one thread.
    """

    def __init__(
        self,
        ports: Ports,
        clock: Clock,
        jitter: Callable[[], float],
        pool: Executor,
        *,
        at_once: int = AT_ONCE,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ports = ports
        self._clock = clock
        self._jitter = jitter
        self._pool = pool
        self._at_once = at_once
        self._pause = pause
        self._under_way: set[Future[None]] = set()
        self._unsettled: dict[str, Accepted | str] = {}

    def send_due(self) -> int:
        """Start as many of the due pushes as there is room for, without waiting for their answers; how many.

        Raises Unavailable when the database is away, or when the sender cannot send now.
        """
        self._under_way = {each for each in self._under_way if not each.done()}
        room = self._at_once - len(self._under_way)
        if room == 0 or not self._clock.trusted():
            return 0
        self._ports.sender.prepare()
        rows = self._ports.ledger.claim(room, self._clock.real(), LEASE_S)
        for row in rows:
            self._under_way.add(self._pool.submit(self._try, row))
        return len(rows)

    def wait_for_room(self, timeout_s: float) -> None:
        """Return once another push can start, or after `timeout_s` real seconds."""
        if len(self._under_way) >= self._at_once:
            wait(self._under_way, timeout_s, FIRST_COMPLETED)

    def _try(self, row: Claimed) -> None:
        try:
            self._send(row)
        except Exception as error:
            # One push that cannot be handled must not stop the others; it comes due again when its lease is over.
            # Only the kind is logged: the text of an unforeseen error may quote the message.
            log.error("push left to its lease", coupon_id=row.coupon_id, error=type(error).__name__)

    def _send(self, row: Claimed) -> None:
        push = self._unsettled.get(row.coupon_id) or self._asked(row)
        if push is None:
            return
        if not isinstance(push, Push):
            self._settle(row, push)
            return
        result = self._ports.sender.send(push)
        if isinstance(result, Refused) and result.unregistered:
            self._ports.members.drop_device(push.registration)
        self._settle(row, outcome(result, row, self._clock.real(), self._jitter()))

    def _settle(self, row: Claimed, result: Accepted | Retry | str) -> None:
        """Settle, however often the database is away; raises Unavailable at last.

        A second send would be the price of an answer that is lost, so this worker remembers it until it is settled.
        """
        if not isinstance(result, Retry):
            self._unsettled[row.coupon_id] = result
        for wait_s in (*SETTLE_WAITS_S, None):
            try:
                self._ports.ledger.settle(row, result)
                break
            except Unavailable:
                if wait_s is None:
                    raise
                self._pause(wait_s)
        self._unsettled.pop(row.coupon_id, None)

    def _asked(self, row: Claimed) -> Push | Retry | str | None:
        """The push if it may be sent now; else when to ask again, why never, or None when the row is not ours."""
        later = Retry(self._clock.real() + FIRST_RETRY_S)
        try:
            queued = self._ports.ledger.queued(row)
        except Unavailable:
            return later
        if queued is None:
            return None
        now = self._clock.now()
        if not self._clock.trusted():
            return later
        return dropped(queued, now) or message(queued, now)
