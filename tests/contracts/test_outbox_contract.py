"""The outbox: who takes a push, for how long, and how it ends."""

from __future__ import annotations

from backend.service.model import Accepted, CouponState
from backend.service.ports import Ports, Retry
from tests.contracts.examples import NOW, PHONE, ghost, give, open_shop, put_down

REAL = 1_800_000_000.0


def claimed(ports: Ports, at: float, limit: int = 10, lease_s: float = 60.0) -> list[str]:
    return [queued.coupon.id for queued in ports.ledger.claim(limit, REAL + at, lease_s)]


def test_a_row_has_all_that_is_asked_again_before_it_is_sent(ports: Ports) -> None:
    open_shop(ports)
    ports.members.set_device("aino", PHONE)
    coupon = give(ports)
    opened = ports.ledger.advance(coupon.id, CouponState.OPENED)
    (queued,) = ports.ledger.claim(10, REAL, 60.0)
    assert (queued.coupon, queued.member, queued.paused) == (opened, ports.members.get("aino"), False)
    assert (queued.attempts, queued.first_tried_at) == (1, REAL)


def test_a_row_tells_of_pauses(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    at = {give(ports, "aino").id: True, give(ports, "eero", "pasila").id: False}
    ports.chain.pause("kamppi", NOW)
    assert {queued.coupon.id: queued.paused for queued in ports.ledger.claim(10, REAL, 60.0)} == at
    ports.chain.pause("*", NOW)
    assert [queued.paused for queued in ports.ledger.claim(10, REAL + 61, 60.0)] == [True, True]


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
    (queued,) = ports.ledger.claim(10, REAL + 60.5, 60.0)
    assert (queued.attempts, queued.first_tried_at) == (2, REAL)


def test_an_accepted_push_is_done_with(ports: Ports) -> None:
    open_shop(ports)
    name = give(ports).id
    claimed(ports, 0)
    ports.ledger.settle(name, Accepted("projects/p/messages/1"))
    assert claimed(ports, 1e6) == []
    totals = ports.ledger.totals()
    assert (totals.pushes_pending, totals.pushes_accepted, dict(totals.pushes_dropped)) == (0, 1, {})


def test_a_dropped_push_is_done_with_for_a_reason(ports: Ports) -> None:
    open_shop(ports)
    name = give(ports).id
    claimed(ports, 0)
    ports.ledger.settle(name, "quiet_hours")
    assert claimed(ports, 1e6) == []
    totals = ports.ledger.totals()
    assert (totals.pushes_pending, totals.pushes_accepted, dict(totals.pushes_dropped)) == (0, 0, {"quiet_hours": 1})


def test_a_push_to_be_tried_again_waits_for_its_time(ports: Ports) -> None:
    open_shop(ports)
    name = give(ports).id
    claimed(ports, 0)
    ports.ledger.settle(name, Retry(REAL + 10))
    assert claimed(ports, 9.9) == []
    (queued,) = ports.ledger.claim(10, REAL + 10, 60.0)
    assert (queued.coupon.id, queued.attempts, queued.first_tried_at) == (name, 2, REAL)
    assert ports.ledger.totals().pushes_pending == 1


def test_what_has_ended_stays_ended(ports: Ports) -> None:
    open_shop(ports)
    name = give(ports).id
    claimed(ports, 0)
    ports.ledger.settle(name, "quiet_hours")
    for late in (Accepted("name"), Retry(REAL), "other"):
        ports.ledger.settle(name, late)
    ports.ledger.settle("unknown", Accepted("name"))
    totals = ports.ledger.totals()
    assert (totals.pushes_pending, totals.pushes_accepted, dict(totals.pushes_dropped)) == (0, 0, {"quiet_hours": 1})


def test_a_ghost_is_never_pushed(ports: Ports) -> None:
    open_shop(ports)
    put_down(ports, ghost())
    assert claimed(ports, 0) == []
