"""Sales in a transaction: what is locked, what stands on them, and what follows when they change."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from backend.adapters.sql import budgets, rows, rows_till, timeline
from backend.adapters.sql import tables as t
from backend.adapters.sql import tables_till as tt
from backend.service.life import CouponEvent
from backend.service.model import CouponState, Purchase
from backend.service.redemption import Undone
from backend.service.till_model import Booking, Standing

_s, _r = tt.purchases.c, tt.redemptions.c


def member_of_sale(connection: sa.Connection, purchase_id: str) -> str | None:
    """Whose purchase it is."""
    return connection.execute(sa.select(_s.member_id).where(_s.id == purchase_id)).scalar_one_or_none()


def lock_sale(connection: sa.Connection, purchase_id: str) -> Purchase | None:
    """The purchase as it stands, which nobody else changes until the transaction ends; None when it is gone.

    What counts on a sale changes under this lock only.
    """
    row = connection.execute(tt.purchases.select().where(_s.id == purchase_id).with_for_update()).one_or_none()
    return rows_till.purchase(row) if row else None


def standing(connection: sa.Connection, purchase_id: str) -> tuple[Standing, ...]:
    """The redemptions that count on a sale, oldest first."""
    columns = [*rows.part("coupon", t.coupons.c), *rows.part("redemption", _r)]
    query = (
        sa.select(*columns)
        .join_from(tt.redemptions, t.coupons, t.coupons.c.id == _r.coupon_id)
        .where(_r.purchase_id == purchase_id, ~_r.rolled_back)
        .order_by(_r.redeemed_at, _r.id)
    )
    return tuple(
        Standing(rows_till.redemption(rows.Part(row, "redemption")), rows.coupon(rows.Part(row, "coupon")))
        for row in connection.execute(query)
    )


def update_sale(connection: sa.Connection, sold: Purchase) -> None:
    """Write down what became of a purchase."""
    connection.execute(tt.purchases.update().where(_s.id == sold.id).values(rows_till.purchase_row(sold)))


def take_back(connection: sa.Connection, booked: Booking, undone: Undone, now: datetime) -> None:
    """Take discounts back, end coupons whose sale has ended, and give the money back to their budgets."""
    whole = undone.after is None
    for each, back in zip(booked.standing, undone.back_minor, strict=True):
        mine = tt.redemptions.update().where(_r.id == each.redemption.id)
        connection.execute(mine.values(taken_back_minor=_r.taken_back_minor + back, rolled_back=whole))
        if whole:
            timeline.roll_back(connection, each.coupon, CouponEvent(CouponState.ROLLED_BACK, now, "till"))
    budgets.book(connection, undone.unspent(booked))
