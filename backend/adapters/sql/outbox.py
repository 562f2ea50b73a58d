"""The outbox in the database: a claim pushes a row's next turn into the future, so a crash only delays it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from backend.adapters.sql import rows
from backend.adapters.sql import tables as t
from backend.adapters.sql.database import Database
from backend.service.model import Accepted, Queued
from backend.service.ports import Retry

_q = t.outbox.c


class SqlOutbox:
    """The outbox' part of the ledger port."""

    _database: Database

    def claim(self, limit: int, real_now: float, lease_s: float) -> tuple[Queued, ...]:
        """Take due rows for a while."""
        due = sa.select(_q.coupon_id).where(_q.status == "pending", _q.not_before <= real_now)
        mine = due.order_by(_q.queued_at, _q.coupon_id).limit(limit).with_for_update(skip_locked=True)
        taken = {
            "attempts": _q.attempts + 1,
            "not_before": real_now + lease_s,
            "first_tried_at": sa.func.coalesce(_q.first_tried_at, real_now),
        }
        # Materialised, or PostgreSQL may run the limited query again for each row and take more than the limit.
        chosen = mine.cte("mine").prefix_with("MATERIALIZED", dialect="postgresql")
        claim = t.outbox.update().where(_q.coupon_id.in_(sa.select(chosen.c.coupon_id))).values(taken)
        with self._database.read() as connection:  # an empty outbox costs no write
            if connection.execute(due.limit(1)).first() is None:
                return ()
        with self._database.write() as connection:
            claimed = connection.execute(claim.returning(_q.coupon_id, _q.attempts, _q.first_tried_at)).all()
            return self._queued(connection, claimed)

    def _queued(self, connection: sa.Connection, claimed: Sequence[rows.Row]) -> tuple[Queued, ...]:
        ids = [row.coupon_id for row in claimed]
        coupons = [rows.coupon(row) for row in connection.execute(t.coupons.select().where(t.coupons.c.id.in_(ids)))]
        people = rows.MEMBER.where(t.members.c.id.in_({coupon.member_id for coupon in coupons}))
        members = {row.id: rows.member(row) for row in connection.execute(people)}
        shops = t.stores.select().where(t.stores.c.id.in_({coupon.store_id for coupon in coupons}))
        stores = {row.id: rows.store(row) for row in connection.execute(shops)}
        paused = set(connection.execute(sa.select(t.pauses.c.scope)).scalars())
        tries = {row.coupon_id: row for row in claimed}
        coupons.sort(key=lambda coupon: (coupon.issued_at, coupon.id))
        return tuple(
            Queued(
                coupon=coupon,
                member=members.get(coupon.member_id),
                store=stores.get(coupon.store_id),
                paused=not paused.isdisjoint(("*", coupon.store_id)),
                attempts=tries[coupon.id].attempts,
                first_tried_at=tries[coupon.id].first_tried_at,
            )
            for coupon in coupons
        )

    def settle(self, coupon_id: str, result: Accepted | Retry | str) -> None:
        """End a claim."""
        with self._database.write() as connection:
            if isinstance(result, str):
                self._drop(connection, [coupon_id], result)
                return
            if isinstance(result, Accepted):
                values: dict[str, object] = {"status": "accepted", "message_name": result.name}
            else:
                values = {"not_before": result.at}
            mine = (_q.coupon_id == coupon_id, _q.status == "pending")
            connection.execute(t.outbox.update().where(*mine).values(values))

    def _drop(self, connection: sa.Connection, coupon_ids: Sequence[str], reason: str) -> None:
        mine = (_q.coupon_id.in_(coupon_ids), _q.status == "pending")
        connection.execute(t.outbox.update().where(*mine).values(status="dropped", reason=reason))
