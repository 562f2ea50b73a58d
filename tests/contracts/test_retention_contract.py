"""What is older than it is to be kept goes, or is parted from its member; accounting stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from backend.service.model import Accepted, CouponState, Observation
from backend.service.ports import Ports
from backend.service.retention import Retention, tidy
from tests.contracts.examples import NOW, ghost, give, minutes, once, open_shop, purchase, put_down, redeem

KEPT = Retention()
MOMENT = timedelta(seconds=1)


def test_decisions_go_with_their_facts(ports: Ports) -> None:
    open_shop(ports)
    old, new = ghost(), ghost(at=60)
    put_down(ports, old)
    put_down(ports, new)
    assert tidy(ports.ledger, NOW + KEPT.decisions) == 0
    assert tidy(ports.ledger, NOW + KEPT.decisions + MOMENT) == 1
    assert [each.decision for each in ports.ledger.decisions(None, 9)] == [new.decision]


def test_coupons_that_ended_long_ago_are_nobodys(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    coupon, live = give(ports), give(ports, "eero")
    redeem(ports, coupon)
    later = coupon.expires_at + KEPT.coupon_link
    unlinked = replace(KEPT, decisions=timedelta(days=999))
    assert tidy(ports.ledger, later, unlinked) == 0
    assert tidy(ports.ledger, later + MOMENT, unlinked) >= 1
    kept, untouched = ports.ledger.coupon(coupon.id), ports.ledger.coupon(live.id)
    assert kept is not None
    assert (kept.member_id, kept.state, kept.discount_minor) == (None, CouponState.REDEEMED, coupon.discount_minor)
    assert ports.ledger.coupons("aino", 9) == ()
    assert untouched == live


def test_what_became_of_pushes_goes(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    give(ports)
    give(ports, "eero")
    dropped, accepted = ports.ledger.claim(9, 1e9, 60.0)
    ports.ledger.settle(dropped, "unregistered")
    ports.ledger.settle(accepted, Accepted("name"))
    unlinked = replace(KEPT, decisions=timedelta(days=999))
    assert tidy(ports.ledger, NOW + KEPT.pushes, unlinked) == 0
    assert tidy(ports.ledger, NOW + KEPT.pushes + MOMENT, unlinked) == 2
    left = ports.ledger.totals(NOW)
    assert (left.pushes_accepted, left.pushes_dropped) == (0, {})


def test_purchases_of_long_ago_are_nobodys_and_still_tell_what_is_usual(ports: Ports) -> None:
    open_shop(ports)
    ports.ledger.buy(once("a"), purchase("old", "aino"), NOW)
    ports.ledger.buy(once("b"), purchase("new", "aino", at=60), NOW)
    tidy(ports.ledger, NOW + KEPT.purchase_link + MOMENT)
    assert {each.id: each.member_id for each in ports.ledger.purchases()} == {"old": None, "new": "aino"}
    assert all(each.purchase_id == "new" or each.earned_at < NOW + MOMENT for each in ports.members.stars("aino"))


def test_observations_go(ports: Ports) -> None:
    open_shop(ports)
    old = Observation("queue_length", NOW, 3.0, source="till")
    new = replace(old, at=NOW + minutes(1), value=2.0)
    ports.chain.observe("kamppi", [old, new])
    late = NOW + KEPT.observations + MOMENT
    assert tidy(ports.ledger, late, replace(KEPT, audit=timedelta(days=9_999))) == 1
    traffic = ports.chain.traffic("kamppi", NOW - minutes(20), NOW + minutes(2), 0)
    assert traffic is not None
    assert traffic.waiting == 2


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_a_batch_takes_no_more_than_its_limit_and_a_second_run_the_rest(ports: Ports, limit: int) -> None:
    open_shop(ports)
    for n in range(3):
        put_down(ports, ghost(at=n))
    late, only = NOW + timedelta(days=31), Retention()
    assert ports.ledger.tidy(only, late, limit) == min(limit, 3)
    assert tidy(ports.ledger, late) == 3 - min(limit, 3)
    assert tidy(ports.ledger, late) == 0
