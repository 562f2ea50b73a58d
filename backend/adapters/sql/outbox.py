"""The outbox in the database: a claim pushes a row's next turn into the future, so a crash only delays it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from backend.adapters.sql import rows
from backend.adapters.sql import tables as t
from backend.adapters.sql.database import Database
from backend.adapters.sql.prepared import Prepared
from backend.service.push_model import Accepted, Claimed, Queued, Retry

_q = t.outbox.c

_STANDING = Prepared(
    sa.select(
        *rows.part("coupon", t.coupons.c),
        *rows.part("member", rows.MEMBER.selected_columns),
        *rows.part("store", t.stores.c),
        *rows.part("campaign", t.campaigns.c),
        sa.exists().where(t.pauses.c.scope.in_(["*", t.coupons.c.store_id])).label("paused"),
    )
    .select_from(
        t.outbox.join(t.coupons, t.coupons.c.id == _q.coupon_id)
        .outerjoin(t.members, sa.and_(t.members.c.id == t.coupons.c.member_id, t.members.c.leaving_since.is_(None)))
        .outerjoin(t.devices, t.devices.c.member_id == t.members.c.id)
        .outerjoin(t.stores, t.stores.c.id == t.coupons.c.store_id)
        .outerjoin(t.campaigns, t.campaigns.c.id == t.coupons.c.campaign_id)
    )
    .where(_q.coupon_id == sa.bindparam("claimed"), _q.attempts == sa.bindparam("attempt"), _q.status == "pending")
)


class SqlOutbox:
    """The outbox' part of the ledger port."""

    _database: Database

    def claim(self, limit: int, real_now: float, lease_s: float) -> tuple[Claimed, ...]:
        """Take due rows for a while."""
        due = sa.select(_q.coupon_id).where(_q.status == "pending", _q.not_before <= real_now)
        mine = due.order_by(_q.queued_at, _q.coupon_id).limit(limit).with_for_update(skip_locked=True)
        taken = {
            "attempts": _q.attempts + 1,
            "not_before": real_now + lease_s,
            "leased_until": real_now + lease_s,
            "first_tried_at": sa.func.coalesce(_q.first_tried_at, real_now),
        }
        # Materialised, or PostgreSQL may run the limited query again for each row and take more than the limit.
        chosen = mine.cte("mine").prefix_with("MATERIALIZED", dialect="postgresql")
        claim = t.outbox.update().where(_q.coupon_id.in_(sa.select(chosen.c.coupon_id))).values(taken)
        with self._database.read() as connection:  # an empty outbox costs no write
            if connection.execute(due.limit(1)).first() is None:
                return ()
        with self._database.write() as connection:
            taken_rows = connection.execute(claim.returning(_q.coupon_id, _q.attempts, _q.first_tried_at, _q.queued_at))
            oldest_first = sorted(taken_rows, key=lambda row: (row.queued_at, row.coupon_id))
        return tuple(Claimed(row.coupon_id, row.attempts, row.first_tried_at) for row in oldest_first)

    def queued(self, claimed: Claimed) -> Queued | None:
        """What stands now about a push: one statement, which sees one moment on both databases."""
        with self._database.read() as connection:
            mine = {"claimed": claimed.coupon_id, "attempt": claimed.attempts}
            row = _STANDING.first(connection, mine)
        if row is None:
            return None
        return Queued(
            coupon=rows.coupon(rows.Part(row, "coupon")),
            member=rows.member(rows.Part(row, "member")) if row.member_id is not None else None,
            store=rows.store(rows.Part(row, "store")) if row.store_id is not None else None,
            campaign=rows.campaign(rows.Part(row, "campaign")) if row.campaign_id is not None else None,
            paused=row.paused,
        )

    def settle(self, claimed: Claimed, result: Accepted | Retry | str) -> None:
        """End a claim."""
        mine = [_q.coupon_id == claimed.coupon_id, _q.status == "pending"]
        if not isinstance(result, Accepted):
            mine.append(_q.attempts == claimed.attempts)
        with self._database.write() as connection:
            connection.execute(t.outbox.update().where(*mine).values(_settled(result)))

    def _drop(self, connection: sa.Connection, coupon_ids: Sequence[str], reason: str) -> None:
        mine = (_q.coupon_id.in_(coupon_ids), _q.status == "pending")
        connection.execute(t.outbox.update().where(*mine).values(status="dropped", reason=reason))


def _settled(result: Accepted | Retry | str) -> dict[str, object]:
    if isinstance(result, Accepted):
        return {"status": "accepted", "message_name": result.name}
    if isinstance(result, Retry):
        return {"not_before": result.at, "leased_until": None}
    return {"status": "dropped", "reason": result}
