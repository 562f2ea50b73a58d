"""What a till asks is worth, pure: on which sale a coupon is good, what it takes off, what a return gives back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from backend.service.budgets import Booked, unspending
from backend.service.errors import Conflict, Invalid, NotFound
from backend.service.life import check_live
from backend.service.model import BasketItem, Coupon, CouponState, Purchase, Redemption, Sale
from backend.service.till_model import Booking, Rollback, Till
from stores.money import money


def unknown() -> NotFound:
    """What is told of a coupon that is not there, and of others' to those who have no right to know."""
    return NotFound("coupon_unknown", "there is no coupon with this code: check what was typed")


def used() -> Conflict:
    """What is told of a coupon that was used."""
    return Conflict("coupon_used", "this coupon has been used; a coupon is good for one purchase")


def revoked() -> Conflict:
    """What is told of a coupon whose member is being erased, which revokes it."""
    return Conflict("coupon_revoked", "this coupon is revoked")


def purchase_name(sale: Sale, otherwise: str) -> str:
    """The id of a sale's purchase: made of store and `sale_id`, so that it is booked once; `otherwise` without one."""
    if sale.sale_id is None:
        return otherwise
    return "s_" + sha256(f"{sale.store_id}\x1f{sale.sale_id}".encode()).hexdigest()[:32]


def check(coupon: Coupon, sale: Sale, till: Till, now: datetime) -> None:
    """Raise Conflict with the reason when the coupon is not good on such a sale now."""
    if coupon.state in (CouponState.REDEEMED, CouponState.ROLLED_BACK):
        raise used()
    check_live(coupon, now)
    if sale.store_id != coupon.store_id:
        raise Conflict("wrong_store", f"this coupon is good at {coupon.store_name} only")
    if sale.currency != coupon.currency:
        raise Conflict("wrong_currency", f"this coupon takes off {coupon.currency}, the sale is in {sale.currency}")
    if all(item.product_id != coupon.product_id for item in sale.items):
        raise Conflict("product_missing", f"this coupon is for {coupon.product_name}, which is not in the basket")
    minimum = coupon.terms.minimum_spend_minor
    if sale.total_minor < minimum:
        raise Conflict("minimum_spend", f"this coupon is good from {money(minimum, coupon.currency)} on")
    if coupon.terms.only_present and not (coupon.member_id and till.is_inside(coupon.member_id, coupon.store_id)):
        detail = "this coupon is good while its phone is in the store: open the app there with location allowed"
        raise Conflict("not_present", detail)


def taken_off(coupon: Coupon, items: Iterable[BasketItem], left_minor: int) -> int:
    """What the coupon takes off this basket: of one piece of its product, the dearest; at most what was reserved.

    `left_minor` is what other coupons left to pay. Percentages are rounded down.
    """
    price = max((item.unit_price_minor for item in items if item.product_id == coupon.product_id), default=0)
    percent = coupon.terms.percent
    off = price if percent is None else price * percent // 100
    return min(off, coupon.discount_minor, left_minor)


def book(coupon: Coupon, sale: Sale, booked: Booking | None, now: datetime) -> tuple[Redemption, Purchase]:
    """The redemption, and the purchase with it; `booked` is what the same sale brought before.

    Raises Conflict when the coupon cannot join that, or there is nothing left that it could take off.
    """
    redemption_id = "r_" + coupon.id
    stands = Purchase(purchase_name(sale, redemption_id), sale, now, coupon.member_id)
    if booked is not None:
        _check_joins(coupon, sale, booked)
        stands = replace(booked.purchase, member_id=coupon.member_id)
    left = sale.total_minor - stands.discount_minor
    off = taken_off(coupon, sale.items, left)
    if off < 1:
        raise Conflict("nothing_to_take_off", "there is nothing on this sale that the coupon could take off")
    made = Redemption(
        id=redemption_id,
        coupon_id=coupon.id,
        purchase_id=stands.id,
        store_id=sale.store_id,
        product_name=coupon.product_name,
        discount_minor=off,
        to_pay_minor=left - off,
        currency=sale.currency,
        redeemed_at=now,
    )
    return made, replace(stands, discount_minor=stands.discount_minor + off)


def _check_joins(coupon: Coupon, sale: Sale, booked: Booking) -> None:
    if booked.purchase.sale != sale:
        raise Conflict("sale_differs", "a sale with this sale_id is booked with another basket: give each sale its own")
    if booked.purchase.member_id not in (None, coupon.member_id):
        raise Conflict("sale_of_another", "this sale counts for another member: ring up what this coupon is for apart")
    if booked.standing and not all(each.terms.stackable for each in (coupon, *(s.coupon for s in booked.standing))):
        raise Conflict("not_stackable", "a coupon on this sale is not good together with others")


@dataclass(frozen=True, slots=True)
class Undone:
    """What a return leads to: the purchase that is left, what each standing discount gives back, and the refund."""

    after: Purchase | None
    back_minor: tuple[int, ...]
    refund_minor: int

    @property
    def to_pay_minor(self) -> int:
        """What has been paid for what is kept."""
        return 0 if self.after is None else self.after.sale.total_minor - self.after.discount_minor

    def unspent(self, booked: Booking) -> list[tuple[Coupon, Booked]]:
        """What the coupons' budgets get back: a coupon counts as spent until its whole sale is undone."""
        count = 1 if self.after is None else 0
        found = zip(booked.standing, self.back_minor, strict=True)
        return [(each.coupon, unspending(back, count)) for each, back in found]

    def rollback(
        self, name: str, redemption_id: str, sale: Sale, items: tuple[BasketItem, ...], now: datetime
    ) -> Rollback:
        """The return as it goes into the books; with no items named, all that was kept until now was returned."""
        return Rollback(
            id=name,
            redemption_id=redemption_id,
            store_id=sale.store_id,
            items=items or sale.items,
            refund_minor=self.refund_minor,
            to_pay_minor=self.to_pay_minor,
            currency=sale.currency,
            rolled_back=self.after is None,
            rolled_back_at=now,
        )


def undo(booked: Booking, returned: tuple[BasketItem, ...]) -> Undone:
    """Work out a return; nothing `returned` stands for everything. Raises Invalid when more is returned than there is.

    The discounts are those that the coupons would take off what is kept, and never more than before. Where that would
    ask for more than was paid, since a minimum spend is missed, they stay so high that nothing is to pay or to refund.
    """
    purchase, discounts = booked.purchase, [each.redemption.standing_minor for each in booked.standing]
    paid = purchase.sale.total_minor - purchase.discount_minor
    kept = _without(purchase.sale.items, returned) if returned else ()
    if not kept:
        return Undone(None, tuple(discounts), paid)
    worth = sum(item.quantity * item.unit_price_minor for item in returned)
    total = max(0, purchase.sale.total_minor - worth)
    left, stay = total, []
    for each, most in zip(booked.standing, discounts, strict=True):
        enough = total >= each.coupon.terms.minimum_spend_minor
        stay.append(min(most, taken_off(each.coupon, kept, left)) if enough else 0)
        left -= stay[-1]
    missing = max(0, left - paid)
    for place, most in enumerate(discounts):
        more = min(missing, most - stay[place])
        stay[place] += more
        missing -= more
    after = replace(purchase, sale=replace(purchase.sale, items=kept, total_minor=total), discount_minor=sum(stay))
    back = tuple(most - still for most, still in zip(discounts, stay, strict=True))
    return Undone(after, back, paid - (total - sum(stay)))


def _without(items: tuple[BasketItem, ...], returned: tuple[BasketItem, ...]) -> tuple[BasketItem, ...]:
    """The items that are kept; what is returned must be among them at the same price."""
    gone: Counter[tuple[str, int]] = Counter()
    for item in returned:
        gone[item.product_id, item.unit_price_minor] += item.quantity
    kept = []
    for item in items:
        taken = min(item.quantity, gone[item.product_id, item.unit_price_minor])
        gone[item.product_id, item.unit_price_minor] -= taken
        if item.quantity > taken:
            kept.append(replace(item, quantity=item.quantity - taken))
    if any(gone.values()):
        detail = "items: more is returned than was bought and kept, or at another price: check the receipt"
        raise Invalid("not_bought", detail)
    return tuple(kept)
