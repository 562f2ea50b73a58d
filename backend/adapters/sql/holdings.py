"""What the books hold of one member."""

from __future__ import annotations

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
        mine = t.coupons.select().where(given.member_id == member_id)
        used = tt.redemptions.select().join(t.coupons, given.id == tt.redemptions.c.coupon_id)
        decisions = t.decisions.select().where(decided.member_id == member_id).order_by(decided.at, decided.id)
        redemptions = used.where(given.member_id == member_id).order_by(tt.redemptions.c.redeemed_at)
        undone = tt.rollbacks.select().join(tt.redemptions, back.redemption_id == tt.redemptions.c.id)
        returns = undone.join(t.coupons, given.id == tt.redemptions.c.coupon_id).where(given.member_id == member_id)
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
