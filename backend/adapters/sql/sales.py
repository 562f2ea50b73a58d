"""Redemptions, returns and purchases in the database, each done once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from backend.adapters.sql import audit, rows, rows_till
from backend.adapters.sql import tables as t
from backend.adapters.sql import tables_till as tt
from backend.adapters.sql.booking import lock_sale, member_of_sale, standing, take_back, update_sale
from backend.adapters.sql.issue import close
from backend.adapters.sql.loyalty import hold, imports_earn, purchase_changed, purchases_imported
from backend.adapters.sql.once import SqlOnce
from backend.adapters.sql.prepared import Prepared
from backend.service.errors import Conflict, InFlight, NotFound
from backend.service.life import CouponEvent
from backend.service.model import BasketItem, Coupon, CouponState, Purchase, Redemption, Sale
from backend.service.redemption import book, check, revoked, undo, unknown, used
from backend.service.staff import Actor
from backend.service.till_model import Booking, Bought, Once, Rollback, Ticket, Till

_p, _k = sa.bindparam, t.coupons.c
_BY_ID = Prepared(sa.select(t.coupons).where(_k.id == _p("coupon")))
_BY_CODE = Prepared(sa.select(t.coupons).where(_k.code_hash.in_([_p("first"), _p("last")])))
_REDEMPTION = Prepared(tt.redemptions.insert())
_PURCHASE = Prepared(postgresql.insert(tt.purchases).on_conflict_do_nothing(index_elements=["id"]))
IMPORT_BATCH = 1_000


class SqlSales(SqlOnce):
    """The tills' part of the ledger port."""

    def redeem(self, once: Once, ticket: Ticket, sale: Sale, till: Till, now: datetime) -> Redemption:
        """Use a coupon and book the sale; locks member, sale, coupon, store and campaign, in this order."""

        def do(connection: sa.Connection) -> Redemption:
            row = _find(connection, ticket)
            if row is None or not till.may_touch(row.store_id):
                raise unknown()
            coupon = rows.coupon(row)
            check(coupon, sale, till, now)
            if hold(connection, coupon.member_id) is None:
                raise revoked()
            made = self._booked(connection, coupon, sale, now)
            event = CouponEvent(CouponState.REDEEMED, now, "till")
            if not close(connection, [(coupon, event)], made.discount_minor):
                check(
                    rows.coupon(_find(connection, ticket)), sale, till, now
                )  # was it used, revoked, noted as expired?
                raise used()
            _REDEMPTION.run(connection, rows_till.redemption_row(made))
            return made

        return self._once(once, now, do)

    def _booked(self, connection: sa.Connection, coupon: Coupon, sale: Sale, now: datetime) -> Redemption:
        """Book the sale, or count the coupon on it when it is booked already."""
        made, sold = book(coupon, sale, None, now)
        if _PURCHASE.run(connection, rows_till.purchase_row(sold)) == 1:
            purchase_changed(connection, None, sold, now)
            return made
        if sale.sale_id is None:
            raise used()
        before = lock_sale(connection, sold.id)
        if before is None:
            raise InFlight("sale_in_flight", "this sale is being changed: ask again in a second")
        made, sold = book(coupon, sale, Booking(before, standing(connection, sold.id)), now)
        update_sale(connection, sold)
        purchase_changed(connection, before, sold, now)
        return made

    def roll_back(
        self,
        once: Once,
        redemption_id: str,
        returned: tuple[BasketItem, ...],
        reason: str,
        allowed: Callable[[str], bool],
        now: datetime,
    ) -> Rollback:
        """Undo a sale or a part of it; locks member, sale, redemptions, coupons and campaigns, in this order."""

        def do(connection: sa.Connection) -> Rollback:
            row = connection.execute(tt.redemptions.select().where(tt.redemptions.c.id == redemption_id)).one_or_none()
            if row is None or not allowed(row.store_id):
                raise NotFound("redemption_unknown", "there is no such redemption")
            hold(connection, member_of_sale(connection, row.purchase_id))
            before = lock_sale(connection, row.purchase_id)
            booked = None if before is None else Booking(before, standing(connection, before.id))
            if booked is None or redemption_id not in {each.redemption.id for each in booked.standing}:
                raise Conflict("already_rolled_back", "this redemption was rolled back before")
            undone = undo(booked, returned)
            if undone.after is None:
                connection.execute(tt.purchases.delete().where(tt.purchases.c.id == row.purchase_id))
            else:
                update_sale(connection, undone.after)
            purchase_changed(connection, booked.purchase, undone.after, now)
            take_back(connection, booked, undone, now)
            made = undone.rollback(once.name("b_"), redemption_id, booked.purchase.sale, returned, now)
            insert = self._database.insert(tt.rollbacks).on_conflict_do_nothing(index_elements=["id"])
            if connection.execute(insert, rows_till.rollback_row(made, reason)).rowcount != 1:
                raise Conflict("rollback_exists", "this return was booked before: send a new Idempotency-Key")
            return made

        return self._once(once, now, do)

    def buy(self, once: Once, purchase: Purchase, now: datetime) -> Bought:
        """Book a sale; locks member and sale, in this order."""

        def do(connection: sa.Connection) -> Bought:
            if purchase.member_id is not None and hold(connection, purchase.member_id) is None:
                raise NotFound("member_unknown", "there is no such member")
            if _PURCHASE.run(connection, rows_till.purchase_row(purchase)) != 1:
                raise Conflict("purchase_exists", "a purchase with this id is booked already")
            purchase_changed(connection, None, purchase, now)
            return Bought(purchase.id)

        return self._once(once, now, do)

    def add_purchases(self, purchases: Iterable[Purchase], by: Actor) -> int:
        """Import past purchases in one transaction."""
        insert = self._database.insert(tt.purchases).on_conflict_do_nothing(index_elements=["id"])
        count = sa.select(sa.func.count()).select_from(tt.purchases)
        with self._database.write_many() as connection:
            before = connection.execute(count).scalar_one()
            earning, rest = imports_earn(connection, by.at), iter(purchases)
            while batch := list(islice(rest, IMPORT_BATCH)):
                fresh = _new_ones(connection, batch) if earning else []
                connection.execute(insert, _of_members(connection, [rows_till.purchase_row(each) for each in batch]))
                purchases_imported(connection, fresh, by.at)
            added = int(connection.execute(count).scalar_one() - before)
            if added:
                audit.note(connection, by, "purchases", [("import", None, {"added": added})])
            return added

    def purchases(self) -> Iterable[Purchase]:
        """All purchases, by time."""
        with self._database.read() as connection:
            for row in connection.execute(tt.purchases.select().order_by(tt.purchases.c.at, tt.purchases.c.id)):
                yield rows_till.purchase(row)


def _find(connection: sa.Connection, ticket: Ticket) -> Any:
    if ticket.coupon_id is not None:
        return _BY_ID.first(connection, {"coupon": ticket.coupon_id})
    hashes = ticket.code_hashes or ("",)  # what is no code is looked up as well, and takes as long
    return _BY_CODE.first(connection, {"first": hashes[0], "last": hashes[-1]})


def _of_members(connection: sa.Connection, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The purchases, those of people who are no members without a person."""
    named = {row["member_id"] for row in batch} - {None}
    query = sa.select(t.members.c.id).where(t.members.c.id.in_(named), t.members.c.leaving_since.is_(None))
    known = set(connection.execute(query.with_for_update(read=True, key_share=True)).scalars())
    return [row | {"member_id": row["member_id"] if row["member_id"] in known else None} for row in batch]


def _new_ones(connection: sa.Connection, batch: list[Purchase]) -> list[Purchase]:
    """Those that are not booked yet, each once."""
    wanted = {each.id: each for each in batch}
    known = connection.execute(sa.select(tt.purchases.c.id).where(tt.purchases.c.id.in_(wanted))).scalars().all()
    return [each for name, each in wanted.items() if name not in set(known)]
