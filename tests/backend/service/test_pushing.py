"""What is sent, what is dropped and why, and when a push is tried again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from backend.decision.facts import QuietHours
from backend.service.chain_model import Campaign
from backend.service.model import Coupon, CouponState, Device, Member, Preferences, Registration
from backend.service.push_model import Accepted, Claimed, Queued, Refused, Retry
from backend.service.pushing import Outbox, dropped, message, outcome
from backend.twins import TwinSender
from stores.model import Circle, Position, Store
from tests.backend.api.world import NOW, Lull
from tests.backend.service.test_sending import Inline

MEMBER = Member(
    id="aino",
    uid="aino",
    tier="green",
    device=Device(Registration("fid", "fid-aino"), "ios", "en", "Europe/Helsinki"),
    consents=frozenset({"location_offers"}),
)
COUPON = Coupon(
    id="c1",
    member_id="aino",
    store_id="kamppi",
    store_name="Kamppi",
    campaign_id="spring",
    offer_id="o",
    product_id="cappuccino",
    product_name="Cappuccino",
    discount_minor=100,
    currency="EUR",
    title="Quiet at Kamppi",
    body="Cappuccino for 3.00 EUR",
    issued_at=NOW,
    expires_at=NOW + timedelta(minutes=30),
    budget_day=NOW.date(),
)
STORE = Store(
    "kamppi", "Kamppi", Position(60.17, 24.93), Circle(150), hours="Mo-Su 07:00-23:00", time_zone="Europe/Helsinki"
)
CAMPAIGN = Campaign("spring", "Spring", "active", ("o",), 10_000, "EUR")
QUEUED = Queued(COUPON, MEMBER, STORE, CAMPAIGN, paused=False)
CLAIMED = Claimed("c1", attempts=1, first_tried_at=1000.0)


def queued(member: dict[str, Any] | None = None, coupon: dict[str, Any] | None = None, **changes: Any) -> Queued:
    """A row of the outbox that differs from the good one."""
    base = replace(QUEUED, member=replace(MEMBER, **(member or {})), coupon=replace(COUPON, **(coupon or {})))
    return replace(base, **changes)


def test_a_good_push_is_sent() -> None:
    dated = replace(CAMPAIGN, starts_at=NOW, ends_at=NOW + timedelta(seconds=1))
    assert dropped(QUEUED, NOW) is None
    assert dropped(queued(campaign=dated), NOW) is None


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (queued(member={"consents": frozenset()}), "no_consent"),
        (replace(QUEUED, member=None), "member_gone"),
        (queued(member={"device": None}), "unreachable_device"),
        (queued(paused=True), "paused"),
        (queued(campaign=replace(CAMPAIGN, status="paused")), "campaign_paused"),
        (queued(campaign=replace(CAMPAIGN, status="draft")), "campaign_paused"),
        (queued(campaign=replace(CAMPAIGN, starts_at=NOW + timedelta(days=1))), "campaign_paused"),
        (queued(campaign=replace(CAMPAIGN, status="ended")), "campaign_ended"),
        (queued(campaign=replace(CAMPAIGN, ends_at=NOW)), "campaign_ended"),
        (replace(QUEUED, campaign=None), "campaign_ended"),
        (replace(QUEUED, store=None), "store_closed"),
        (replace(QUEUED, store=replace(STORE, hours="Mo-Su 07:00-16:00")), "store_closed"),
        (replace(QUEUED, store=replace(STORE, hours=None)), "store_closed"),
        (queued(coupon={"state": CouponState.REDEEMED}), "coupon_redeemed"),
        (queued(coupon={"expires_at": NOW}), "coupon_expired"),
        (queued(member={"preferences": Preferences(QuietHours(time(16), time(18)))}), "quiet_hours"),
    ],
)
def test_what_comes_too_late_is_dropped(row: Queued, reason: str) -> None:
    assert dropped(row, NOW) == reason


def test_fcm_gives_up_when_the_coupon_ends() -> None:
    push = message(QUEUED, NOW + timedelta(minutes=10, seconds=0.5))
    assert (push.ttl_s, push.collapse_key) == (1199, "c1")
    assert push.data == {"coupon_id": "c1", "store_id": "kamppi"}


def test_retries_wait_ten_seconds_and_then_double_with_jitter() -> None:
    refused = Refused("UNAVAILABLE", retry=True)
    waits = [outcome(refused, replace(CLAIMED, attempts=n), 1000.0, 0.0) for n in (1, 2, 3)]
    assert waits == [Retry(1010.0), Retry(1020.0), Retry(1040.0)]
    assert outcome(refused, CLAIMED, 1000.0, 0.5) == Retry(1012.5)


def test_retry_after_is_kept_to() -> None:
    assert outcome(Refused("QUOTA_EXCEEDED", True, 60.0), CLAIMED, 1000.0, 0.0) == Retry(1060.0)


def test_after_an_hour_a_push_is_given_up() -> None:
    late = replace(CLAIMED, attempts=3)
    assert outcome(Refused("UNAVAILABLE", True), late, 1000.0 + 3570.0, 0.0) == "UNAVAILABLE"


def test_what_must_not_be_tried_again_is_dropped() -> None:
    assert outcome(Refused("UNREGISTERED", False, None, True), CLAIMED, 1000.0, 0.0) == "UNREGISTERED"
    assert outcome(Accepted("n"), CLAIMED, 1000.0, 0.0) == Accepted("n")


def outbox(lull: Lull, sender: TwinSender) -> Outbox:
    """The outbox over the twins, with this sender, one push after the other."""
    return Outbox(replace(lull.ports, sender=sender), lull.clock, lambda: 0.0, Inline())


def totals(lull: Lull) -> tuple[int, int, dict[str, int]]:
    """Pending, accepted, and dropped by reason."""
    books = lull.ports.ledger.totals(NOW)
    return books.pushes_pending, books.pushes_accepted, dict(books.pushes_dropped)


def test_an_issued_coupon_is_pushed_once() -> None:
    lull, sender = Lull(), TwinSender()
    coupon = lull.issue()
    box = outbox(lull, sender)
    assert [box.send_due(), box.send_due()] == [1, 0]
    assert [push.id for push in sender.sent] == [coupon["id"]]
    assert totals(lull) == (0, 1, {})


def test_consent_withdrawn_meanwhile_stops_a_queued_push() -> None:
    lull, sender = Lull(), TwinSender()
    lull.issue()
    lull.put("/v1/me/consents/location_offers", {"granted": False, "text_version": "1"}, lull.member)
    outbox(lull, sender).send_due()
    assert (sender.sent, totals(lull)) == ([], (0, 0, {"no_consent": 1}))


def test_a_phone_that_fcm_no_longer_knows_is_forgotten() -> None:
    lull = Lull()
    lull.issue()
    sender = TwinSender(refuse=lambda _: Refused("UNREGISTERED", retry=False, unregistered=True))
    outbox(lull, sender).send_due()
    (member,) = [lull.ports.members.get(key) for key in lull.world.members]
    assert member is not None
    assert member.device is None
    assert totals(lull) == (0, 0, {"UNREGISTERED": 1})


def test_a_push_to_be_tried_again_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    lull = Lull()
    lull.issue()
    box = outbox(lull, TwinSender(refuse=lambda _: Refused("UNAVAILABLE", retry=True)))
    assert [box.send_due(), box.send_due()] == [1, 0]
    lull.clock.real_moved += 11
    assert box.send_due() == 1


def in_helsinki(hour: int) -> datetime:
    """That hour of the day in Helsinki, in UTC."""
    return NOW.replace(hour=hour - 3)


def test_quiet_hours_are_the_phones_own() -> None:
    assert (
        dropped(queued(coupon={"expires_at": in_helsinki(22) + timedelta(hours=1)}), in_helsinki(22)) == "quiet_hours"
    )
