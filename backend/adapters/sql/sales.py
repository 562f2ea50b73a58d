"""Redemptions, roll-backs and purchases in the database, each done once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Literal

import sqlalchemy as sa

from backend.adapters.sql import budgets, rows, timeline
from backend.adapters.sql import tables as t
from backend.adapters.sql.booking import purchase_changed
from backend.adapters.sql.issue import close
from backend.adapters.sql.once import SqlOnce
from backend.service.budgets import unspending
from backend.service.errors import Conflict, NotFound
from backend.service.life import CouponEvent
from backend.service.model import CouponState, Purchase, Redemption, Sale
from backend.service.ports import Once
from backend.service.redemption import redemption
from backend.service.till_model import Bought

IMPORT_BATCH = 1_000


class SqlSales(SqlOnce):
    """The tills' part of the ledger port."""

    def redeem(
        self, once: Once, find: Mapping[Literal["id", "code_hash"], str], sale: Sale, now: datetime
    ) -> Redemption:
        """Use a coupon and book the sale."""

        def do(connection: sa.Connection) -> Redemption:
            wanted = [t.coupons.c[name] == value for name, value in find.items()]
            row = connection.execute(t.coupons.select().where(*wanted).with_for_update()).one_or_none()
            if row is None:
                raise NotFound("coupon_unknown", "there is no coupon with this code: check what was typed")
            coupon = rows.coupon(row)
            made = redemption(coupon, sale, now, "r_" + coupon.id)
            sold = Purchase(made.id, sale, now, coupon.member_id)
            connection.execute(t.purchases.insert(), rows.purchase_row(sold))
            purchase_changed(connection, None, sold, now)
            used = CouponEvent(CouponState.REDEEMED, now, "till")
            if not close(connection, [(coupon, used)], made.discount_minor):
                raise Conflict("coupon_used", "this coupon has been used; a coupon is good for one purchase")
            connection.execute(t.redemptions.insert(), rows.redemption_row(made))
            return made

        return self._once(once, now, do)

    def roll_back(self, once: Once, redemption_id: str, allowed: Callable[[str], bool], now: datetime) -> Redemption:
        """Undo a redemption."""

        def do(connection: sa.Connection) -> Redemption:
            made = _redemption(connection, redemption_id)
            if not allowed(made.store_id):
                raise NotFound("redemption_unknown", "there is no such redemption")
            mine = (t.redemptions.c.id == redemption_id, ~t.redemptions.c.rolled_back)
            if connection.execute(t.redemptions.update().where(*mine).values(rolled_back=True)).rowcount != 1:
                raise Conflict("already_rolled_back", "this redemption was rolled back before")
            remove = t.purchases.delete().where(t.purchases.c.id == redemption_id).returning(t.purchases)
            purchase_changed(connection, rows.purchase(connection.execute(remove).one()), None, now)
            coupon = rows.coupon(connection.execute(t.coupons.select().where(t.coupons.c.id == made.coupon_id)).one())
            timeline.roll_back(connection, coupon, CouponEvent(CouponState.ROLLED_BACK, now, "till"))
            budgets.book(connection, [(coupon, unspending(made.discount_minor, 1))])
            return _redemption(connection, redemption_id)

        return self._once(once, now, do)

    def buy(self, once: Once, purchase: Purchase, now: datetime) -> Bought:
        """Book a sale."""

        def do(connection: sa.Connection) -> Bought:
            insert = self._database.insert(t.purchases).on_conflict_do_nothing(index_elements=["id"])
            if connection.execute(insert, rows.purchase_row(purchase)).rowcount != 1:
                raise Conflict("purchase_exists", "a purchase with this id is booked already")
            purchase_changed(connection, None, purchase, now)
            return Bought(purchase.id)

        return self._once(once, now, do)

    def add_purchases(self, purchases: Iterable[Purchase]) -> int:
        """Import past purchases in one transaction."""
        insert = self._database.insert(t.purchases).on_conflict_do_nothing(index_elements=["id"])
        count = sa.select(sa.func.count()).select_from(t.purchases)
        with self._database.write() as connection:
            before = connection.execute(count).scalar_one()
            values = map(rows.purchase_row, purchases)
            while batch := list(islice(values, IMPORT_BATCH)):
                connection.execute(insert, batch)
            return int(connection.execute(count).scalar_one() - before)

    def purchases(self) -> Iterable[Purchase]:
        """All purchases, by time."""
        with self._database.read() as connection:
            for row in connection.execute(t.purchases.select().order_by(t.purchases.c.at, t.purchases.c.id)):
                yield rows.purchase(row)


def _redemption(connection: sa.Connection, redemption_id: str) -> Redemption:
    row = connection.execute(t.redemptions.select().where(t.redemptions.c.id == redemption_id)).one_or_none()
    if row is None:
        raise NotFound("redemption_unknown", "there is no such redemption")
    return rows.redemption(row)
