"""The life of a coupon in the books: allowed moves only, each on its timeline, and revocation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from backend.service.errors import Conflict, NotFound
from backend.service.life import DISMISSED, CouponEvent
from backend.service.model import Coupon, CouponState
from backend.service.ports import Ports
from backend.service.staff import Actor
from tests.contracts.books import check_books
from tests.contracts.examples import (
    NOW,
    at_once,
    budget,
    change_campaign,
    give,
    minutes,
    move,
    open_shop,
    outstanding,
    redeem,
    roll_back,
)

MOVING = (CouponState.DELIVERED, CouponState.OPENED, CouponState.PRESENTED)


def told(ports: Ports, coupon: Coupon) -> list[tuple[str, datetime, str]]:
    """The coupon's timeline in short."""
    return [(str(each.event), each.at, each.cause) for each in ports.ledger.timeline(coupon.id)]


def revoke(ports: Ports, coupon_id: str, at: float = 2.0, store_id: str = "kamppi") -> Coupon:
    """Take a coupon back with a key that is bound to a store."""
    by = Actor("key1", NOW + minutes(at))
    return ports.ledger.revoke(coupon_id, "Out of buns", by, lambda each: each == store_id)


def test_a_timeline_tells_what_happened_when_and_by_whom(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    for at, event in enumerate(MOVING, start=1):
        move(ports, coupon.id, event, at)
    done = redeem(ports, coupon, at=4)
    roll_back(ports, done.id, at=5)
    assert told(ports, coupon) == [
        ("issued", NOW, "decision"),
        ("delivered", NOW + minutes(1), "app"),
        ("opened", NOW + minutes(2), "app"),
        ("presented", NOW + minutes(3), "app"),
        ("redeemed", NOW + minutes(4), "till"),
        ("rolled_back", NOW + minutes(5), "till"),
    ]
    check_books(ports)


def test_a_timeline_of_nothing_is_empty(ports: Ports) -> None:
    assert ports.ledger.timeline("unknown") == ()


def test_what_the_phone_says_of_the_time_is_kept_beside_the_books_own(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    event = CouponEvent(CouponState.OPENED, NOW + minutes(1), "app", reported_at=NOW + minutes(0.5))
    ports.ledger.advance(coupon.id, event)
    assert ports.ledger.timeline(coupon.id)[-1] == event


@pytest.mark.parametrize("before", MOVING)
@pytest.mark.parametrize("then", MOVING)
def test_moves_back_and_moves_made_before_change_nothing(ports: Ports, before: CouponState, then: CouponState) -> None:
    open_shop(ports)
    coupon = give(ports)
    move(ports, coupon.id, before)
    stands = move(ports, coupon.id, then, at=2.0)
    forward = MOVING.index(then) > MOVING.index(before)
    assert stands == replace(coupon, state=then if forward else before)
    assert len(ports.ledger.timeline(coupon.id)) == (3 if forward else 2)
    check_books(ports)


def test_a_dismissal_is_noted_once_and_moves_nothing(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    assert [move(ports, coupon.id, DISMISSED, at) for at in (1, 2)] == [coupon, coupon]
    assert told(ports, coupon)[1:] == [("dismissed", NOW + minutes(1), "app")]
    assert redeem(ports, coupon).coupon_id == coupon.id


def expire(ports: Ports, coupon: Coupon) -> None:
    ports.ledger.expire(coupon.expires_at)


ENDS: dict[str, Callable[[Ports, Coupon], object]] = {
    "redeemed": redeem,
    "expired": expire,
    "revoked": lambda ports, coupon: revoke(ports, coupon.id),
}


@pytest.mark.parametrize("how", list(ENDS))
@pytest.mark.parametrize("then", [*MOVING, DISMISSED])
def test_a_coupon_whose_life_is_over_moves_no_more(ports: Ports, how: str, then: CouponState) -> None:
    open_shop(ports)
    coupon = give(ports)
    ENDS[how](ports, coupon)
    before = ports.ledger.timeline(coupon.id)
    stands = move(ports, coupon.id, then, at=6.0)
    assert stands is not None
    assert stands.state == how
    assert ports.ledger.timeline(coupon.id) == before
    check_books(ports)


@pytest.mark.parametrize("then", [*MOVING, DISMISSED])
def test_a_coupon_past_its_end_moves_no_more_though_no_job_has_run(ports: Ports, then: CouponState) -> None:
    open_shop(ports)
    coupon = give(ports)
    move(ports, coupon.id, then, at=30.0)
    assert ports.ledger.coupon(coupon.id) == coupon
    assert told(ports, coupon) == [("issued", NOW, "decision")]
    assert ports.ledger.totals(coupon.expires_at - minutes(0.01)).coupons == {"issued": 1}
    assert ports.ledger.totals(coupon.expires_at).coupons == {"expired": 1}


def test_a_coupon_expires_at_its_end_whenever_the_job_runs(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    ports.ledger.expire(NOW + minutes(99))
    assert told(ports, coupon)[1:] == [("expired", coupon.expires_at, "expiry")]
    check_books(ports)


def test_a_coupon_that_is_revoked_gives_back_what_it_reserved_and_its_push_is_dropped(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    coupon, other = give(ports, "aino"), give(ports, "eero")
    move(ports, coupon.id, CouponState.OPENED)
    assert revoke(ports, coupon.id) == replace(coupon, state=CouponState.REVOKED) == ports.ledger.coupon(coupon.id)
    assert (budget(ports), outstanding(ports)) == ((100, 0), 1)
    assert ports.ledger.totals(NOW).pushes_dropped == {"coupon_revoked": 1}
    assert [row.coupon_id for row in ports.ledger.claim(10, 1e9, 60.0)] == [other.id]
    assert ports.ledger.timeline(coupon.id)[-1] == CouponEvent(
        CouponState.REVOKED, NOW + minutes(2), "staff:key1", reason="Out of buns"
    )
    check_books(ports)


def test_a_revocation_is_a_change_by_staff_in_the_audit_log(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    revoke(ports, coupon.id)
    entry = ports.identity.audit(None, 1)[0]
    assert (entry.by, entry.at, entry.what, entry.object_id) == ("key1", NOW + minutes(2), "coupon", coupon.id)
    assert (entry.before, entry.after) == ({"state": "issued"}, {"state": "revoked"})


@pytest.mark.parametrize("how", list(ENDS))
def test_only_a_live_coupon_can_be_revoked(ports: Ports, how: str) -> None:
    open_shop(ports)
    coupon = give(ports)
    ENDS[how](ports, coupon)
    before = ports.ledger.coupon(coupon.id), ports.ledger.timeline(coupon.id), budget(ports), outstanding(ports)
    with pytest.raises(Conflict) as raised:
        revoke(ports, coupon.id, at=6)
    assert raised.value.reason == f"coupon_{how}"
    assert before == (
        ports.ledger.coupon(coupon.id), ports.ledger.timeline(coupon.id), budget(ports), outstanding(ports)
    )  # fmt: skip


def test_a_coupon_past_its_end_cannot_be_revoked_though_no_job_has_run(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    with pytest.raises(Conflict) as raised:
        revoke(ports, coupon.id, at=30)
    assert raised.value.reason == "coupon_expired"


def test_a_coupon_of_a_store_that_is_not_ones_own_is_as_unknown_as_one_that_never_was(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    for name, store_id in ((coupon.id, "pasila"), ("unknown", "kamppi")):
        with pytest.raises(NotFound) as raised:
            revoke(ports, name, store_id=store_id)
        assert raised.value.reason == "coupon_unknown"
    assert ports.ledger.coupon(coupon.id) == coupon


def test_a_revoked_coupon_cannot_be_redeemed(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    revoke(ports, coupon.id)
    with pytest.raises(Conflict) as raised:
        redeem(ports, coupon)
    assert raised.value.reason == "coupon_revoked"
    check_books(ports)


def test_of_many_who_end_a_coupon_at_once_one_does(ports: Ports) -> None:
    crowd = tuple(f"m{n}" for n in range(6))
    open_shop(ports, members=crowd)
    change_campaign(ports, budget_count=6, store_budget_count=6, day_budget_count=6)
    coupons = [give(ports, name) for name in crowd]

    def one(n: int) -> object:
        coupon = coupons[n % 6]
        ways = (
            lambda: redeem(ports, coupon, key=f"k{n}", at=29.0),
            lambda: revoke(ports, coupon.id, at=29.0),
            lambda: move(ports, coupon.id, CouponState.PRESENTED, at=29.0),
            lambda: ports.ledger.expire(NOW + minutes(31)),
        )
        return ways[n // 6]()

    results = at_once(24, one)
    assert not [each for each in results if isinstance(each, Exception) and not isinstance(each, Conflict)]
    assert outstanding(ports) == 0
    assert budget(ports)[0] == 0
    check_books(ports)
