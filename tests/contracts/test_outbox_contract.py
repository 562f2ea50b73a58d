"""The outbox: who takes a push, for how long, and how it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.service.model import CouponState
from backend.service.ports import Ports
from backend.service.push_model import Accepted, Claimed, Queued, Retry
from tests.contracts.examples import (
    BY,
    CONSENT,
    KAMPPI,
    NOW,
    PHONE,
    SPRING,
    ghost,
    give,
    move,
    open_shop,
    put_down,
    redeem,
)

REAL = 1_800_000_000.0


def claimed(ports: Ports, at: float, limit: int = 10, lease_s: float = 60.0) -> list[str]:
    return [row.coupon_id for row in ports.ledger.claim(limit, REAL + at, lease_s)]


def standing(ports: Ports, row: Claimed) -> Queued:
    """What stands about a claimed row, which is there."""
    queued = ports.ledger.queued(row)
    assert queued is not None
    return queued


def test_a_row_has_all_that_is_asked_again_before_it_is_sent(ports: Ports) -> None:
    open_shop(ports)
    ports.members.set_device("aino", PHONE)
    coupon = give(ports)
    opened = move(ports, coupon.id, CouponState.OPENED)
    (row,) = ports.ledger.claim(10, REAL, 60.0)
    assert row == Claimed(coupon.id, 1, REAL)
    (spring,) = ports.chain.campaigns()
    assert ports.ledger.queued(row) == Queued(opened, ports.members.get("aino"), KAMPPI, spring, paused=False)


def test_a_row_tells_of_pauses(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    give(ports, "aino")
    give(ports, "eero", "pasila", at=1)
    rows = ports.ledger.claim(10, REAL, 60.0)
    ports.chain.pause("kamppi", BY)
    assert [standing(ports, row).paused for row in rows] == [True, False]
    ports.chain.pause("*", BY)
    assert [standing(ports, row).paused for row in rows] == [True, True]


def test_a_row_is_read_as_it_stands_after_the_claim(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    (row,) = ports.ledger.claim(10, REAL, 60.0)
    ports.members.record_consent("aino", replace(CONSENT, granted=False, at=NOW))
    ports.chain.change_campaign(SPRING.id, lambda old: replace(old, status="paused", ends_at=NOW), BY)
    redeem(ports, coupon, at=1)
    queued = standing(ports, row)
    assert queued.member is not None
    assert queued.campaign is not None
    assert (queued.campaign.status, queued.campaign.ends_at) == ("paused", NOW)
    assert (queued.member.consents, queued.coupon.state) == (frozenset(), CouponState.REDEEMED)


def test_a_row_that_ended_or_was_claimed_anew_is_nobodys(ports: Ports) -> None:
    open_shop(ports)
    name = give(ports).id
    (late,) = ports.ledger.claim(10, REAL, 60.0)
    (row,) = ports.ledger.claim(10, REAL + 61, 60.0)
    assert ports.ledger.queued(late) is None
    assert standing(ports, row).coupon.id == name
    ports.ledger.settle(row, Accepted("projects/p/messages/1"))
    assert ports.ledger.queued(row) is None
    assert ports.ledger.queued(Claimed("unknown", 1, REAL)) is None


def test_the_oldest_rows_come_first_and_a_lease_keeps_them(ports: Ports) -> None:
    names = ("aino", "eero", "sisu")
    open_shop(ports, members=names)
    one, two, three = (give(ports, name, at=n).id for n, name in enumerate(names))
    assert claimed(ports, 0, limit=2) == [one, two]
    assert claimed(ports, 59) == [three]
    assert claimed(ports, 61) == [one, two]


def test_what_is_not_settled_in_time_is_tried_again_and_counted(ports: Ports) -> None:
    open_shop(ports)
    give(ports)
    claimed(ports, 0)
    (row,) = ports.ledger.claim(10, REAL + 60.5, 60.0)
    assert (row.attempts, row.first_tried_at) == (2, REAL)


def test_an_accepted_push_is_done_with(ports: Ports) -> None:
    open_shop(ports)
    give(ports)
    (row,) = ports.ledger.claim(10, REAL, 60.0)
    ports.ledger.settle(row, Accepted("projects/p/messages/1"))
    assert claimed(ports, 1e6) == []
    totals = ports.ledger.totals(NOW)
    assert (totals.pushes_pending, totals.pushes_accepted, dict(totals.pushes_dropped)) == (0, 1, {})


def test_a_dropped_push_is_done_with_for_a_reason(ports: Ports) -> None:
    open_shop(ports)
    give(ports)
    (row,) = ports.ledger.claim(10, REAL, 60.0)
    ports.ledger.settle(row, "quiet_hours")
    assert claimed(ports, 1e6) == []
    totals = ports.ledger.totals(NOW)
    assert (totals.pushes_pending, totals.pushes_accepted, dict(totals.pushes_dropped)) == (0, 0, {"quiet_hours": 1})


def test_a_push_to_be_tried_again_waits_for_its_time(ports: Ports) -> None:
    open_shop(ports)
    name = give(ports).id
    (row,) = ports.ledger.claim(10, REAL, 60.0)
    ports.ledger.settle(row, Retry(REAL + 10))
    assert claimed(ports, 9.9) == []
    (row,) = ports.ledger.claim(10, REAL + 10, 60.0)
    assert (row.coupon_id, row.attempts, row.first_tried_at) == (name, 2, REAL)
    assert ports.ledger.totals(NOW).pushes_pending == 1


def test_what_has_ended_stays_ended(ports: Ports) -> None:
    open_shop(ports)
    give(ports)
    (row,) = ports.ledger.claim(10, REAL, 60.0)
    ports.ledger.settle(row, "quiet_hours")
    for late in (Accepted("name"), Retry(REAL), "other"):
        ports.ledger.settle(row, late)
    ports.ledger.settle(Claimed("unknown", 1, REAL), Accepted("name"))
    totals = ports.ledger.totals(NOW)
    assert (totals.pushes_pending, totals.pushes_accepted, dict(totals.pushes_dropped)) == (0, 0, {"quiet_hours": 1})


def test_a_ghost_is_never_pushed(ports: Ports) -> None:
    open_shop(ports)
    put_down(ports, ghost())
    assert claimed(ports, 0) == []


@pytest.mark.parametrize("late", [Retry(REAL), "quiet_hours"])
def test_who_lost_the_claim_neither_drops_the_push_nor_brings_it_forward(ports: Ports, late: Retry | str) -> None:
    open_shop(ports)
    give(ports)
    (first,) = ports.ledger.claim(10, REAL, 60.0)
    (second,) = ports.ledger.claim(10, REAL + 61, 60.0)
    ports.ledger.settle(first, late)
    assert claimed(ports, 62) == []
    assert ports.ledger.queued(second) is not None


def test_that_a_push_was_accepted_counts_however_late(ports: Ports) -> None:
    open_shop(ports)
    give(ports)
    (first,) = ports.ledger.claim(10, REAL, 60.0)
    ports.ledger.claim(10, REAL + 61, 60.0)
    ports.ledger.settle(first, Accepted("name"))
    assert ports.ledger.totals(NOW).pushes_accepted == 1
