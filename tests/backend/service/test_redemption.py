"""Laws of returns: whatever is returned in whatever order, no more goes back than was paid, reserved or taken off."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from backend.service.errors import Conflict
from backend.service.model import BasketItem, Coupon, Purchase, Sale
from backend.service.redemption import book, undo
from backend.service.terms import Terms
from backend.service.till_model import Booking, Standing
from tests.backend.decision.builders import NOW

PRODUCTS = ("cappuccino", "bun", "tea")


def coupon(number: int, product_id: str, reserved: int, terms: Terms) -> Coupon:
    """A coupon of Aino's at Kamppi."""
    return Coupon(
        id=f"c{number}",
        member_id="aino",
        store_id="kamppi",
        store_name="Kamppi",
        campaign_id="spring",
        offer_id="o",
        product_id=product_id,
        product_name=product_id.title(),
        discount_minor=reserved,
        currency="EUR",
        title="",
        body="",
        issued_at=NOW,
        expires_at=NOW,
        budget_day=NOW.date(),
        terms=terms,
    )


terms = st.builds(
    Terms,
    percent=st.none() | st.integers(1, 100),
    minimum_spend_minor=st.integers(0, 1500),
    stackable=st.just(True),
)
coupons = st.lists(st.tuples(st.sampled_from(PRODUCTS), st.integers(1, 600), terms), min_size=1, max_size=3)
items = st.lists(
    st.builds(BasketItem, st.sampled_from(PRODUCTS), st.integers(1, 3), st.integers(0, 500)), min_size=1, max_size=5
)


def booking(basket: list[BasketItem], wanted: list[tuple[str, int, Terms]], reduction: int) -> Booking:
    """The sale with those coupons that are good on it; its total may be less than its items cost, or more."""
    worth = sum(item.quantity * item.unit_price_minor for item in basket)
    sale = Sale("kamppi", tuple(basket), max(0, worth - reduction), "EUR", "r1")
    booked = Booking(Purchase("s", sale, NOW, "aino"))
    for number, (product_id, reserved, its) in enumerate(wanted):
        one = coupon(number, product_id, reserved, its)
        try:
            made, sold = book(one, sale, booked, NOW)
        except Conflict:
            continue
        booked = Booking(sold, (*booked.standing, Standing(made, one)))
    return booked


@given(items, coupons, st.integers(-200, 200), st.data())
def test_returns_balance(
    basket: list[BasketItem], wanted: list[tuple[str, int, Terms]], reduction: int, data: st.DataObject
) -> None:
    booked = booking(basket, wanted, reduction)
    paid = booked.purchase.sale.total_minor - booked.purchase.discount_minor
    assert paid >= 0
    refunded, back = 0, [0] * len(booked.standing)
    while True:
        units = [replace(item, quantity=1) for item in booked.purchase.sale.items for _ in range(item.quantity)]
        chosen = data.draw(st.lists(st.integers(0, len(units) - 1), max_size=3, unique=True))
        returned = tuple(units[each] for each in chosen)
        undone = undo(booked, returned)
        assert undone.refund_minor >= 0
        assert all(each >= 0 for each in undone.back_minor)
        refunded += undone.refund_minor
        back = [one + more for one, more in zip(back, undone.back_minor, strict=True)]
        assert undone.to_pay_minor == paid - refunded >= 0
        standing = tuple(
            replace(each, redemption=replace(each.redemption, taken_back_minor=each.redemption.taken_back_minor + more))
            for each, more in zip(booked.standing, undone.back_minor, strict=True)
        )
        if undone.after is None:
            break
        assert undone.after.discount_minor == sum(each.redemption.standing_minor for each in standing)
        booked = Booking(undone.after, standing)
    assert refunded == paid
    assert back == [each.redemption.discount_minor for each in booked.standing]
