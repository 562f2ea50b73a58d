"""What the books hold of one member."""

from __future__ import annotations

import sqlalchemy as sa

from backend.adapters.sql import rows, rows_till
from backend.adapters.sql import tables as t
from backend.adapters.sql import tables_till as tt
from backend.adapters.sql.database import Database
from backend.service.member_books import BooksOfMember


class SqlHoldings:
    """The export's part of the ledger port."""

    _database: Database

    def of_member(self, member_id: str) -> BooksOfMember:
        """All that names the member, oldest first."""
        decided, given, back, bought = t.decisions.c, t.coupons.c, tt.rollbacks.c, tt.purchases.c
        used, names = tt.redemptions.c, coupons_of(member_id)
        mine = t.coupons.select().where(given.id.in_(names))
        decisions = t.decisions.select().where(decided.member_id == member_id).order_by(decided.at, decided.id)
        redemptions = tt.redemptions.select().where(used.coupon_id.in_(names)).order_by(used.redeemed_at)
        undone = tt.rollbacks.select().join(tt.redemptions, back.redemption_id == used.id)
        returns = undone.where(used.coupon_id.in_(names))
        purchases = tt.purchases.select().where(bought.member_id == member_id).order_by(bought.at, bought.id)
        with self._database.read() as connection:
            return BooksOfMember(
                tuple(rows.record(row) for row in connection.execute(decisions)),
                tuple(rows.coupon(row) for row in connection.execute(mine.order_by(given.issued_at, given.id))),
                tuple(rows_till.redemption(row) for row in connection.execute(redemptions)),
                tuple(
                    rows_till.returned(row)
                    for row in connection.execute(returns.order_by(back.rolled_back_at, back.id))
                ),
                tuple(rows_till.purchase(row) for row in connection.execute(purchases)),
            )


def coupons_of(member_id: str) -> sa.CompoundSelect[tuple[str]]:
    """The ids of all coupons that lead to the member: in their name, or used on a sale that is theirs still."""
    named = sa.select(t.coupons.c.id).where(t.coupons.c.member_id == member_id)
    sales = tt.purchases.c.id == tt.redemptions.c.purchase_id
    used = sa.select(tt.redemptions.c.coupon_id).join(tt.purchases, sales).where(tt.purchases.c.member_id == member_id)
    return named.union(used)
