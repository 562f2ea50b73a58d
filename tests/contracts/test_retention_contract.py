"""What is older than it is to be kept goes, or is parted from its member; accounting stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from backend.service.chain_model import Observation
from backend.service.life import CouponEvent
from backend.service.loyalty_model import StarEntry
from backend.service.model import CouponState
from backend.service.ports import Ports
from backend.service.push_model import Accepted
from backend.service.retention import Retention
from backend.service.tidying import tidy
from tests.contracts.books import written
from tests.contracts.examples import (
    BY,
    NOW,
    ghost,
    give,
    minutes,
    once,
    open_shop,
    purchase,
    put_down,
    redeem,
    roll_back,
)

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


def test_what_staff_said_is_cleared_in_time(ports: Ports) -> None:
    """Their words; what they did stays."""
    open_shop(ports, members=("aino", "eero"))
    revoked, used = give(ports), give(ports, "eero")
    ports.ledger.revoke(revoked.id, "she lost her card", BY, lambda _: True)
    ports.ledger.roll_back(once("back"), redeem(ports, used).id, (), "he was ill", lambda _: True, BY.at)
    only = replace(KEPT, decisions=timedelta(days=999), pushes=timedelta(days=999), coupon_link=timedelta(days=999))
    assert tidy(ports.ledger, BY.at + KEPT.words, only) == 0
    assert tidy(ports.ledger, BY.at + KEPT.words + MOMENT, only) == 2
    assert ports.ledger.timeline(revoked.id)[-1] == CouponEvent(CouponState.REVOKED, BY.at, f"staff:{BY.id}")
    assert "he was ill" not in written(ports)


def test_stars_of_long_ago_lead_to_no_purchase(ports: Ports) -> None:
    """Neither by id nor by the moment or the price; they still count, to the day."""
    open_shop(ports)
    ports.ledger.buy(once("a"), purchase("old", "aino"), NOW)
    ports.ledger.buy(once("b"), purchase("new", "aino", at=60), NOW + minutes(60))
    before, untouched = ports.members.stars("aino")
    tidy(ports.ledger, NOW + KEPT.purchase_link + MOMENT)
    after, new = ports.members.stars("aino")
    midnight = NOW.replace(hour=0, minute=0)
    assert after == StarEntry(after.id, "aino", None, before.delta, 0, midnight, midnight, "purchase")
    assert "old" not in after.id
    assert new == untouched


def test_a_sale_whose_stars_are_parted_from_it_is_rolled_back_as_any_other(ports: Ports) -> None:
    open_shop(ports)
    done = redeem(ports, give(ports))
    stars = [each.delta for each in ports.members.stars("aino")]
    tidy(ports.ledger, NOW + KEPT.purchase_link + minutes(60))
    assert roll_back(ports, done.id).rolled_back
    assert [each.delta for each in ports.members.stars("aino")] == stars


def test_stars_are_parted_in_batches(ports: Ports) -> None:
    open_shop(ports)
    for name in "abc":
        ports.ledger.buy(once(name), purchase(name, "aino"), NOW)
    late, only = NOW + KEPT.purchase_link + MOMENT, replace(KEPT, purchase_link=timedelta(days=9_999))
    tidy(ports.ledger, late, only)
    only = replace(only, purchase_link=KEPT.purchase_link)
    assert [ports.ledger.tidy(only, late, 2) for _ in range(3)] == [4, 2, 0]


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
