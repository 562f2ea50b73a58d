"""What a till's request is worth, pure: which sale a coupon is good for, and what it takes off."""

from __future__ import annotations

from datetime import datetime

from backend.service.errors import Conflict
from backend.service.life import check_live
from backend.service.model import Coupon, CouponState, Redemption, Sale


def redemption(coupon: Coupon, sale: Sale, now: datetime, redemption_id: str) -> Redemption:
    """The redemption of `coupon` in `sale`, or Conflict with the reason why there is none.

    The discount never exceeds the price of one such product in the basket, nor the total.
    """
    if coupon.state in (CouponState.REDEEMED, CouponState.ROLLED_BACK):
        raise Conflict("coupon_used", "this coupon has been used; a coupon is good for one purchase")
    check_live(coupon, now)
    if sale.store_id != coupon.store_id:
        raise Conflict("wrong_store", f"this coupon is good at {coupon.store_name} only")
    if sale.currency != coupon.currency:
        raise Conflict("wrong_currency", f"this coupon takes off {coupon.currency}, the sale is in {sale.currency}")
    prices = [item.unit_price_minor for item in sale.items if item.product_id == coupon.product_id]
    if not prices:
        raise Conflict("product_missing", f"this coupon is for {coupon.product_name}, which is not in the basket")
    taken_off = min(coupon.discount_minor, max(prices), sale.total_minor)
    return Redemption(
        id=redemption_id,
        coupon_id=coupon.id,
        store_id=sale.store_id,
        product_name=coupon.product_name,
        discount_minor=taken_off,
        to_pay_minor=sale.total_minor - taken_off,
        currency=sale.currency,
        redeemed_at=now,
    )
