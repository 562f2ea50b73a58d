"""Terms of coupons at the till, several coupons on one sale, and returns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.service.errors import Conflict, Invalid, LullError
from backend.service.model import BasketItem, CouponState, Purchase
from backend.service.ports import Ports
from backend.service.terms import Terms
from backend.service.till_model import Ticket, Till
from tests.contracts.books import check_books
from tests.contracts.examples import (
    BUN,
    NOW,
    SALE,
    TILL,
    anywhere,
    budget,
    change_campaign,
    give,
    minutes,
    once,
    open_shop,
    outstanding,
    purchase,
    redeem,
    roll_back,
)

CAPPUCCINO = SALE.items[0]
STACKABLE = Terms(stackable=True)


def refusal(ports: Ports, coupon_id: str, till: Till = TILL, **changes: object) -> str:
    """Why the coupon is refused."""
    sale = replace(SALE, **changes)  # type: ignore[arg-type]
    with pytest.raises(LullError) as raised:
        ports.ledger.redeem(once(f"refused {changes}"), Ticket(coupon_id), sale, till, NOW + minutes(5))
    return raised.value.reason


def state(ports: Ports, coupon_id: str) -> CouponState:
    """The coupon's state in the books."""
    coupon = ports.ledger.coupon(coupon_id)
    assert coupon is not None
    return coupon.state


def the_sale(ports: Ports) -> Purchase:
    """The only purchase."""
    (sold,) = ports.ledger.purchases()
    return sold


def test_terms_are_kept_as_they_were_when_the_coupon_was_issued(ports: Ports) -> None:
    open_shop(ports)
    terms = Terms(percent=25, minimum_spend_minor=700, stackable=True, only_present=True)
    assert give(ports, terms=terms).terms == terms


def test_a_percentage_is_one_of_the_price_at_the_till(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports, terms=Terms(percent=25))
    done = redeem(ports, coupon, items=(replace(CAPPUCCINO, unit_price_minor=299),), total_minor=299)
    assert (done.discount_minor, done.to_pay_minor) == (74, 225)
    assert budget(ports) == (0, 74)


def test_a_percentage_takes_off_no_more_than_was_reserved(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports, terms=Terms(percent=25))
    done = redeem(ports, coupon, items=(replace(CAPPUCCINO, unit_price_minor=900),), total_minor=900)
    assert done.discount_minor == coupon.discount_minor == 100


def test_a_minimum_spend_is_asked_of_the_basket(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports, terms=Terms(minimum_spend_minor=750))
    assert refusal(ports, coupon.id, total_minor=749) == "minimum_spend"
    assert redeem(ports, coupon, total_minor=750).to_pay_minor == 650


def test_a_coupon_for_those_present_asks_where_the_phone_is(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports, terms=Terms(only_present=True))
    asked: list[tuple[str, str]] = []

    def inside(member_id: str, store_id: str) -> bool:
        asked.append((member_id, store_id))
        return len(asked) > 1

    till = Till(anywhere, inside)
    assert refusal(ports, coupon.id, till) == "not_present"
    assert ports.ledger.redeem(once(), Ticket(coupon.id), SALE, till, NOW).coupon_id == coupon.id
    assert asked == [("aino", "kamppi")] * 2


def test_a_coupon_is_not_used_up_for_nothing(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    free = (replace(CAPPUCCINO, unit_price_minor=0), BUN)
    assert refusal(ports, coupon.id, items=free, total_minor=350) == "nothing_to_take_off"
    assert state(ports, coupon.id) is CouponState.ISSUED


def test_stackable_coupons_count_on_what_the_others_left_and_the_sale_is_booked_once(ports: Ports) -> None:
    open_shop(ports)
    coupons = [give(ports, at=n, terms=STACKABLE) for n in range(3)]
    cheap = {"sale_id": "r1", "items": (replace(CAPPUCCINO, unit_price_minor=250),), "total_minor": 250}
    done = [redeem(ports, coupon, key=coupon.id, **cheap) for coupon in coupons]
    assert [(each.discount_minor, each.to_pay_minor) for each in done] == [(100, 150), (100, 50), (50, 0)]
    assert (the_sale(ports).discount_minor, the_sale(ports).member_id) == (250, "aino")
    assert (budget(ports), outstanding(ports)) == ((0, 250), 0)


@pytest.mark.parametrize("terms", [(Terms(), STACKABLE), (STACKABLE, Terms())])
def test_a_coupon_that_is_not_stackable_joins_no_other(ports: Ports, terms: tuple[Terms, Terms]) -> None:
    open_shop(ports)
    first, second = give(ports, terms=terms[0]), give(ports, at=1, terms=terms[1])
    redeem(ports, first, sale_id="r1")
    assert refusal(ports, second.id, sale_id="r1") == "not_stackable"
    assert redeem(ports, second, key="k2", sale_id="r2").discount_minor == 100


def test_a_sale_keeps_its_basket_and_its_member(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    mine, more, other = (give(ports, name, at=n, terms=STACKABLE) for n, name in enumerate(("aino", "aino", "eero")))
    redeem(ports, mine, sale_id="r1")
    assert refusal(ports, more.id, sale_id="r1", total_minor=800) == "sale_differs"
    assert refusal(ports, other.id, sale_id="r1") == "sale_of_another"
    assert the_sale(ports).discount_minor == 100


def test_a_sale_number_of_another_store_is_another_sale(ports: Ports) -> None:
    open_shop(ports)
    here, there = give(ports), give(ports, store_id="pasila", at=1)
    redeem(ports, here, sale_id="r1")
    redeem(ports, there, key="k2", sale_id="r1", store_id="pasila")
    assert sorted(sold.sale.store_id for sold in ports.ledger.purchases()) == ["kamppi", "pasila"]


def test_a_coupon_joins_a_sale_that_was_booked_without_one(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    done = redeem(ports, coupon, sale_id="r1")
    roll_back(ports, done.id)
    sold = replace(purchase(done.purchase_id), sale=replace(SALE, sale_id="r1"))
    ports.ledger.buy(once("b1"), sold, NOW)
    redeem(ports, give(ports, at=1), key="k2", sale_id="r1")
    assert the_sale(ports) == replace(sold, member_id="aino", discount_minor=100)


def test_a_part_is_returned_and_the_discount_stays_while_its_product_does(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    done = redeem(ports, coupon)
    part = roll_back(ports, done.id, BUN)
    assert (part.refund_minor, part.to_pay_minor, part.rolled_back, part.items) == (350, 300, False, (BUN,))
    assert state(ports, coupon.id) is CouponState.REDEEMED
    assert the_sale(ports) == Purchase(
        done.id, replace(SALE, items=(CAPPUCCINO,), total_minor=400), NOW + minutes(5), "aino", 100
    )
    assert budget(ports) == (0, 100)


def test_the_discount_goes_back_with_its_product(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    part = roll_back(ports, redeem(ports, coupon).id, CAPPUCCINO)
    assert (part.refund_minor, part.to_pay_minor, part.rolled_back) == (300, 350, False)
    assert (budget(ports), the_sale(ports).discount_minor) == ((0, 0), 0)


def test_parts_never_exceed_the_whole(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    done = redeem(ports, coupon)
    parts = [roll_back(ports, done.id, item, key=item.product_id) for item in (CAPPUCCINO, BUN)]
    assert [(part.refund_minor, part.rolled_back) for part in parts] == [(300, False), (350, True)]
    assert state(ports, coupon.id) is CouponState.ROLLED_BACK
    assert (budget(ports), list(ports.ledger.purchases())) == ((0, 0), [])
    check_books(ports)
    with pytest.raises(Conflict) as raised:
        roll_back(ports, done.id, BUN, key="again")
    assert raised.value.reason == "already_rolled_back"


@pytest.mark.parametrize(
    "wrong", [replace(BUN, quantity=2), replace(BUN, unit_price_minor=351), BasketItem("tea", 1, 250)]
)
def test_more_than_was_bought_is_not_returned(ports: Ports, wrong: BasketItem) -> None:
    open_shop(ports)
    done = redeem(ports, give(ports))
    with pytest.raises(Invalid) as raised:
        roll_back(ports, done.id, wrong)
    assert raised.value.reason == "not_bought"
    assert (budget(ports), the_sale(ports).sale) == ((0, 100), SALE)


def test_what_returns_take_back_of_a_discount_adds_up(ports: Ports) -> None:
    open_shop(ports)
    pieces = tuple(BasketItem("cappuccino", 1, price) for price in (400, 80, 60))
    done = redeem(ports, give(ports), items=pieces, total_minor=540)
    spent = [budget(ports)[1]]
    for number, piece in enumerate(pieces):
        roll_back(ports, done.id, piece, key=f"b{number}")
        spent.append(budget(ports)[1])
    assert spent == [100, 80, 60, 0]
    check_books(ports)


def test_a_return_that_misses_the_minimum_spend_loses_the_discount(ports: Ports) -> None:
    open_shop(ports)
    done = redeem(ports, give(ports, terms=Terms(minimum_spend_minor=700)))
    part = roll_back(ports, done.id, BUN)
    assert (part.refund_minor, part.to_pay_minor) == (250, 400)
    assert budget(ports) == (0, 0)


def test_a_return_never_asks_for_more_money(ports: Ports) -> None:
    open_shop(ports)
    mint = BasketItem("mint", 1, 30)
    done = redeem(ports, give(ports, terms=Terms(minimum_spend_minor=430)), items=(CAPPUCCINO, mint), total_minor=430)
    part = roll_back(ports, done.id, mint)
    assert (part.refund_minor, part.to_pay_minor) == (0, 330)
    assert (budget(ports), the_sale(ports).discount_minor) == ((0, 70), 70)
    check_books(ports)


def test_all_coupons_of_a_sale_share_its_fate(ports: Ports) -> None:
    open_shop(ports)
    first, second = (give(ports, at=n, terms=STACKABLE) for n in range(2))
    one = redeem(ports, first, sale_id="r1")
    two = redeem(ports, second, key="k2", sale_id="r1")
    undone = roll_back(ports, one.id)
    assert (undone.refund_minor, undone.rolled_back) == (550, True)
    assert {state(ports, each.id) for each in (first, second)} == {CouponState.ROLLED_BACK}
    assert (budget(ports), list(ports.ledger.purchases())) == ((0, 0), [])
    check_books(ports)
    with pytest.raises(Conflict) as raised:
        roll_back(ports, two.id, key="back-2")
    assert raised.value.reason == "already_rolled_back"


def test_a_return_that_is_told_again_a_day_later_is_not_booked_twice(ports: Ports) -> None:
    open_shop(ports)
    done = redeem(ports, give(ports), items=(CAPPUCCINO, replace(BUN, quantity=2)), total_minor=1100)
    roll_back(ports, done.id, BUN)
    with pytest.raises(Conflict) as raised:
        roll_back(ports, done.id, BUN, at=24 * 60 + 7)
    assert raised.value.reason == "rollback_exists"
    assert the_sale(ports).sale.total_minor == 750


def test_money_goes_back_also_to_a_campaign_that_has_ended(ports: Ports) -> None:
    open_shop(ports)
    done = redeem(ports, give(ports))
    change_campaign(ports, status="ended")
    roll_back(ports, done.id)
    assert budget(ports) == (0, 0)
