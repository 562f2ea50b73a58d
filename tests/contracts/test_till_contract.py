"""Redemptions, rollbacks and purchases happen once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from backend.service.errors import Conflict, Invalid, LullError, NotFound
from backend.service.model import BasketItem, CouponState, Purchase
from backend.service.ports import Ports
from backend.service.till_model import Bought, Ticket, Till
from tests.contracts.examples import (
    BY,
    NOW,
    SALE,
    TILL,
    anywhere,
    budget,
    code_hash,
    give,
    minutes,
    once,
    open_shop,
    outstanding,
    purchase,
    redeem,
    roll_back,
)


def test_a_coupon_is_used_and_the_sale_is_booked(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    done = redeem(ports, coupon)
    assert (done.coupon_id, done.store_id, done.product_name) == (coupon.id, "kamppi", "Cappuccino")
    assert (done.discount_minor, done.to_pay_minor, done.currency) == (100, 650, "EUR")
    assert (done.redeemed_at, done.rolled_back) == (NOW + minutes(5), False)
    used = ports.ledger.coupon(coupon.id)
    assert used is not None
    assert used.state is CouponState.REDEEMED
    assert (budget(ports), outstanding(ports)) == ((0, 100), 0)
    assert list(ports.ledger.purchases()) == [Purchase(done.id, SALE, NOW + minutes(5), "aino", 100)]


def test_a_coupon_is_found_by_its_code(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    done = ports.ledger.redeem(once(), Ticket(code_hashes=("older key", code_hash(coupon.id))), SALE, TILL, NOW)
    assert done.coupon_id == coupon.id


@pytest.mark.parametrize("ticket", [Ticket("unknown"), Ticket(code_hashes=("unknown",))])
def test_a_coupon_nobody_knows_is_not_found(ports: Ports, ticket: Ticket) -> None:
    open_shop(ports)
    give(ports)
    with pytest.raises(NotFound) as raised:
        ports.ledger.redeem(once(), ticket, SALE, TILL, NOW)
    assert raised.value.reason == "coupon_unknown"


def test_a_till_of_another_store_learns_nothing_of_a_coupon_used_or_not(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    elsewhere = Till(lambda store_id: store_id == "pasila", lambda member_id, store_id: True)
    told = []
    for key, ticket in (("k1", Ticket("unknown")), ("k2", Ticket(coupon.id)), ("k3", Ticket(coupon.id))):
        with pytest.raises(NotFound) as raised:
            ports.ledger.redeem(once(key), ticket, replace(SALE, store_id="pasila"), elsewhere, NOW)
        told.append((raised.value.reason, raised.value.detail))
        if key == "k2":
            redeem(ports, coupon, key="right till")
    assert len(set(told)) == 1


def test_a_cheap_basket_gets_no_more_off_than_it_costs_and_the_rest_goes_back(ports: Ports) -> None:
    open_shop(ports)
    done = redeem(ports, give(ports), items=(BasketItem("cappuccino", 1, 60),), total_minor=60)
    assert (done.discount_minor, done.to_pay_minor) == (60, 0)
    assert budget(ports) == (0, 60)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"at": 30}, "coupon_expired"),
        ({"store_id": "pasila"}, "wrong_store"),
        ({"currency": "SEK"}, "wrong_currency"),
        ({"items": (BasketItem("tea", 1, 250),)}, "product_missing"),
    ],
)
def test_a_refusal_changes_nothing(ports: Ports, changes: dict[str, Any], reason: str) -> None:
    open_shop(ports)
    coupon = give(ports)
    with pytest.raises(Conflict) as raised:
        redeem(ports, coupon, **changes)
    assert raised.value.reason == reason
    assert (ports.ledger.coupon(coupon.id), list(ports.ledger.purchases())) == (coupon, [])
    assert (budget(ports), outstanding(ports)) == ((100, 0), 1)
    assert redeem(ports, coupon).coupon_id == coupon.id


def test_a_coupon_is_good_for_one_purchase(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    redeem(ports, coupon)
    with pytest.raises(Conflict) as raised:
        redeem(ports, coupon, key="k2")
    assert raised.value.reason == "coupon_used"
    assert budget(ports) == (0, 100)


def test_a_coupon_that_was_closed_is_not_good_any_more(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    ports.ledger.expire(NOW + minutes(31))
    with pytest.raises(Conflict) as raised:
        redeem(ports, coupon)
    assert raised.value.reason == "coupon_expired"


def test_the_same_request_again_gets_the_same_redemption(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    first = redeem(ports, coupon)
    assert redeem(ports, coupon, at=60) == first
    assert (budget(ports), outstanding(ports), len(list(ports.ledger.purchases()))) == ((0, 100), 0, 1)


def test_a_key_is_good_for_one_request_of_one_credential(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    one, two = give(ports, "aino"), give(ports, "eero")
    redeem(ports, one, key="k1")
    for digest in ("another", "d2"):
        with pytest.raises(Invalid) as raised:
            ports.ledger.redeem(once("k1", digest), Ticket(two.id), SALE, TILL, NOW)
        assert raised.value.reason == "idempotency_key_reused"
    done = ports.ledger.redeem(once("k1", "another", credential="other till"), Ticket(two.id), SALE, TILL, NOW)
    assert done.coupon_id == two.id


def test_a_rollback_gives_the_money_back_and_the_coupon_stays_used(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    done = redeem(ports, coupon)
    undone = roll_back(ports, done.id)
    assert (undone.redemption_id, undone.rolled_back, undone.items) == (done.id, True, SALE.items)
    assert (undone.refund_minor, undone.to_pay_minor, undone.currency) == (650, 0, "EUR")
    stands = ports.ledger.coupon(coupon.id)
    assert stands is not None
    assert stands.state is CouponState.ROLLED_BACK
    assert (budget(ports), outstanding(ports), list(ports.ledger.purchases())) == ((0, 0), 0, [])
    with pytest.raises(Conflict) as raised:
        redeem(ports, coupon, key="k2")
    assert raised.value.reason == "coupon_used"


def test_a_rollback_happens_once(ports: Ports) -> None:
    open_shop(ports)
    done = redeem(ports, give(ports))
    first = roll_back(ports, done.id)
    assert roll_back(ports, done.id) == first
    refused = {"already_rolled_back": ("back-2", "d"), "idempotency_key_reused": ("back", "d2")}
    for reason, (key, digest) in refused.items():
        with pytest.raises(LullError) as raised:
            roll_back(ports, done.id, key=key, digest=digest)
        assert raised.value.reason == reason
    assert budget(ports) == (0, 0)


def test_who_may_not_touch_the_store_does_not_learn_of_its_redemptions(ports: Ports) -> None:
    open_shop(ports)
    done = redeem(ports, give(ports))
    seen: list[str] = []

    def nowhere(store_id: str) -> bool:
        seen.append(store_id)
        return False

    answers: list[LullError] = []
    for name, allowed in ((done.id, nowhere), ("unknown", anywhere)):
        with pytest.raises(NotFound) as raised:
            ports.ledger.roll_back(once("back"), name, (), "changed mind", allowed, NOW)
        answers.append(raised.value)
    assert seen == ["kamppi"]
    assert answers[0].reason == answers[1].reason
    assert budget(ports) == (0, 100)


def test_a_sale_without_a_coupon_is_booked_once(ports: Ports) -> None:
    open_shop(ports)
    sold = purchase("p1", "aino")
    assert [ports.ledger.buy(once("b1"), sold, NOW) for _ in range(2)] == [Bought("p1"), Bought("p1")]
    with pytest.raises(Conflict) as raised:
        ports.ledger.buy(once("b2"), sold, NOW)
    assert raised.value.reason == "purchase_exists"
    assert list(ports.ledger.purchases()) == [sold]


def test_past_purchases_are_imported_once(ports: Ports) -> None:
    open_shop(ports)
    past = [purchase(f"p{n}", "aino", at=-n) for n in range(3)]
    assert ports.ledger.add_purchases(past[:2], BY) == 2
    assert ports.ledger.add_purchases([*past, past[2]], BY) == 1
    assert sorted(ports.ledger.purchases(), key=lambda each: each.id) == past


def test_an_import_of_purchases_that_breaks_off_leaves_nothing_behind(ports: Ports) -> None:
    def broken() -> Iterator[Purchase]:
        yield purchase("p1")
        raise RuntimeError("line 2 cannot be read")

    open_shop(ports)
    with pytest.raises(RuntimeError):
        ports.ledger.add_purchases(broken(), BY)
    assert list(ports.ledger.purchases()) == []
