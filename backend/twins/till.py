"""Redemptions and purchases in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Literal

from backend.service.budgets import spending, unspending
from backend.service.errors import Conflict, LullError, NotFound
from backend.service.life import CouponEvent
from backend.service.model import CouponState, Purchase, Redemption, Sale
from backend.service.ports import Once
from backend.service.redemption import redemption
from backend.service.till_model import Bought, Done, Refusal
from backend.twins.world import World


class TwinTill:
    """The part of the ledger that tills write."""

    def __init__(self, world: World) -> None:
        self._world = world

    def redeem(
        self, once: Once, find: Mapping[Literal["id", "code_hash"], str], sale: Sale, now: datetime
    ) -> Redemption:
        """Use a coupon at a till and book the sale. Raises NotFound or Conflict with the reason."""
        with self._world.lock:
            return self._world.once(once, now, lambda: self._redeem(find, sale, now))

    def _redeem(self, find: Mapping[Literal["id", "code_hash"], str], sale: Sale, now: datetime) -> Redemption:
        world = self._world
        coupon_id = find["id"] if "id" in find else world.coupon_by_code.get(find["code_hash"], "")
        coupon = world.coupons.get(coupon_id)
        if coupon is None:
            raise NotFound("coupon_unknown", "there is no coupon with this code")
        redeemed = redemption(coupon, sale, now, "r_" + coupon.id)
        used = CouponEvent(CouponState.REDEEMED, now, "till")
        world.close(coupon, used, spending(coupon, redeemed.discount_minor))
        world.redemptions[redeemed.id] = redeemed
        sold = world.purchases[redeemed.id] = Purchase(redeemed.id, sale, now, coupon.member_id)
        world.purchase_changed(None, sold, now)
        return redeemed

    def roll_back(self, once: Once, redemption_id: str, allowed: Callable[[str], bool], now: datetime) -> Redemption:
        """Undo a redemption of a store that is `allowed`. Raises NotFound, or Conflict when it is undone already."""
        with self._world.lock:
            return self._world.once(once, now, lambda: self._roll_back(redemption_id, allowed, now))

    def _roll_back(self, redemption_id: str, allowed: Callable[[str], bool], now: datetime) -> Redemption:
        world = self._world
        done = world.redemptions.get(redemption_id)
        if done is None or not allowed(done.store_id):
            raise NotFound("redemption_unknown", "there is no such redemption")
        if done.rolled_back:
            raise Conflict("already_rolled_back", "this redemption has been undone already")
        coupon = world.coupons[done.coupon_id]
        world.move(coupon, CouponEvent(CouponState.ROLLED_BACK, now, "till"))
        world.book(coupon, unspending(done.discount_minor, 1))
        world.purchase_changed(world.purchases.pop(redemption_id), None, now)
        world.redemptions[redemption_id] = replace(done, rolled_back=True)
        return world.redemptions[redemption_id]

    def buy(self, once: Once, purchase: Purchase, now: datetime) -> Bought:
        """Book a sale without a coupon."""
        with self._world.lock:
            return self._world.once(once, now, lambda: self._buy(purchase, now))

    def _buy(self, purchase: Purchase, now: datetime) -> Bought:
        if purchase.id in self._world.purchases:
            raise Conflict("purchase_exists", "a purchase with this id is booked already")
        self._world.purchases[purchase.id] = purchase
        self._world.purchase_changed(None, purchase, now)
        return Bought(purchase.id)

    def refuse(self, once: Once, refusal: LullError, now: datetime) -> Done:
        """Keep a refusal as the answer to this request and raise it, unless the request was answered meanwhile."""
        with self._world.lock:
            known = self._world.answered(once, now)
            if known is None:
                known = Refusal.of(refusal)
                self._world.answers[once.credential, once.key] = (once.digest, known, now)
        if isinstance(known, Refusal):
            raise known.error()
        return known

    def forget_answers(self, before: datetime) -> int:
        """Drop answers given before then, whose keys are free again. How many."""
        with self._world.lock:
            old = [key for key, (_, _, at) in self._world.answers.items() if at < before]
            for key in old:
                del self._world.answers[key]
            return len(old)

    def add_purchases(self, purchases: Iterable[Purchase]) -> int:
        """Import past purchases, all or none; those there already (same id) are left out. How many were new."""
        everything = list(purchases)
        with self._world.lock:
            before = len(self._world.purchases)
            for purchase in everything:
                self._world.purchases.setdefault(purchase.id, purchase)
            return len(self._world.purchases) - before

    def purchases(self) -> Iterable[Purchase]:
        """All purchases, for learning."""
        with self._world.lock:
            return tuple(self._world.purchases.values())
