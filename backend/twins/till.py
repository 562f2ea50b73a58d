"""Redemptions and purchases in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from backend.service.budgets import spending
from backend.service.errors import Conflict, LullError, NotFound
from backend.service.life import CouponEvent
from backend.service.model import BasketItem, Coupon, CouponState, Purchase, Redemption, Sale
from backend.service.redemption import Undone, book, check, purchase_name, revoked, undo, unknown
from backend.service.staff import Actor, Tally
from backend.service.till_model import Booking, Bought, Done, Once, Refusal, Rollback, Standing, Ticket, Till
from backend.twins.loyalty import purchase_changed, purchases_imported
from backend.twins.world import World


class TwinTill:
    """The part of the ledger that tills write."""

    def __init__(self, world: World) -> None:
        self._world = world

    def redeem(self, once: Once, ticket: Ticket, sale: Sale, till: Till, now: datetime) -> Redemption:
        """Use a coupon at a till and book the sale, or count it on the sale that was booked under this `sale_id`."""
        with self._world.lock:
            return self._world.once(once, now, lambda: self._redeem(ticket, sale, till, now))

    def _redeem(self, ticket: Ticket, sale: Sale, till: Till, now: datetime) -> Redemption:
        world = self._world
        coupon = self._found(ticket)
        if coupon is None or not till.may_touch(coupon.store_id):
            raise unknown()
        check(coupon, sale, till, now)
        if coupon.member_id not in world.members:
            raise revoked()
        before = None if sale.sale_id is None else world.purchases.get(purchase_name(sale, ""))
        made, sold = book(coupon, sale, None if before is None else self._booking(before), now)
        world.purchases[sold.id] = sold
        purchase_changed(world, before, sold, now)
        event = CouponEvent(CouponState.REDEEMED, now, "till")
        world.close(coupon, event, spending(coupon, made.discount_minor))
        world.redemptions[made.id] = made
        world.redemptions_on[sold.id].append(made.id)
        return made

    def _found(self, ticket: Ticket) -> Coupon | None:
        world = self._world
        names = [ticket.coupon_id, *(world.coupon_by_code.get(each) for each in ticket.code_hashes)]
        return next((world.coupons[name] for name in names if name is not None and name in world.coupons), None)

    def _booking(self, purchase: Purchase) -> Booking:
        made = [self._world.redemptions[name] for name in self._world.redemptions_on[purchase.id]]
        return Booking(purchase, tuple(Standing(each, self._world.coupons[each.coupon_id]) for each in made))

    def roll_back(
        self,
        once: Once,
        redemption_id: str,
        returned: tuple[BasketItem, ...],
        reason: str,
        allowed: Callable[[str], bool],
        now: datetime,
    ) -> Rollback:
        """Undo the sale of a redemption, or the part of it that was returned."""

        def do() -> Rollback:
            done = self._world.redemptions.get(redemption_id)
            if done is None or not allowed(done.store_id):
                raise NotFound("redemption_unknown", "there is no such redemption")
            if done.rolled_back:
                raise Conflict("already_rolled_back", "this redemption was rolled back before")
            booked = self._booking(self._world.purchases[done.purchase_id])
            undone = undo(booked, returned)
            name = once.name("b_")
            made = undone.rollback(name, redemption_id, booked.purchase.sale, returned, now)
            if self._world.rollbacks.setdefault(name, (made, reason))[0] is not made:
                raise Conflict("rollback_exists", "this return was booked before: send a new Idempotency-Key")
            self._undo(booked, undone, now)
            return made

        with self._world.lock:
            return self._world.once(once, now, do)

    def _undo(self, booked: Booking, undone: Undone, now: datetime) -> None:
        world, purchase_id, whole = self._world, booked.purchase.id, undone.after is None
        if undone.after is None:
            del world.purchases[purchase_id], world.redemptions_on[purchase_id]
        else:
            world.purchases[purchase_id] = undone.after
        purchase_changed(world, booked.purchase, undone.after, now)
        for each, back in zip(booked.standing, undone.back_minor, strict=True):
            made, coupon = each.redemption, each.coupon
            taken_back = made.taken_back_minor + back
            world.redemptions[made.id] = replace(made, taken_back_minor=taken_back, rolled_back=whole)
            if whole:
                world.move(coupon, CouponEvent(CouponState.ROLLED_BACK, now, "till"))
        for coupon, change in undone.unspent(booked):
            world.book(coupon, change)

    def buy(self, once: Once, purchase: Purchase, now: datetime) -> Bought:
        """Book a sale without a coupon."""
        with self._world.lock:
            return self._world.once(once, now, lambda: self._buy(purchase, now))

    def _buy(self, purchase: Purchase, now: datetime) -> Bought:
        if purchase.member_id is not None:
            self._world.must_exist(purchase.member_id)
        if purchase.id in self._world.purchases:
            raise Conflict("purchase_exists", "a purchase with this id is booked already")
        self._world.purchases[purchase.id] = purchase
        purchase_changed(self._world, None, purchase, now)
        return Bought(purchase.id)

    def refuse(self, once: Once, refusal: LullError, wrong: Mapping[str, int], now: datetime) -> Done:
        """Keep a refusal as the answer to this request, count a wrong code and raise it, unless there is an answer."""
        with self._world.lock:
            known = self._world.answered(once, now)
            if known is None:
                known = Refusal.of(refusal)
                self._world.answers[once.credential, once.key] = (once.digest, known, now)
                for name, most in wrong.items():
                    tally = self._world.wrong_codes.get(name, Tally(0, now))
                    self._world.wrong_codes[name] = tally.one_more(most, now)
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

    def add_purchases(self, purchases: Iterable[Purchase], by: Actor) -> int:
        """Import past purchases, all or none; those there already (same id) are left out. How many were new."""
        everything = {purchase.id: purchase for purchase in purchases}
        with self._world.lock:
            new = [purchase for name, purchase in everything.items() if name not in self._world.purchases]
            for purchase in new:
                known = purchase.member_id in self._world.members
                self._world.purchases[purchase.id] = purchase if known else replace(purchase, member_id=None)
            purchases_imported(self._world, new, by.at)
            if new:
                self._world.note(by, "purchases", "import", None, {"added": len(new)})
            return len(new)

    def purchases(self) -> Iterable[Purchase]:
        """All purchases, for learning."""
        with self._world.lock:
            return tuple(self._world.purchases.values())
