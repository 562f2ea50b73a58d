"""Taking out of the books what is older than it is to be kept, in small batches."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from backend.adapters.sql import rows_loyalty
from backend.adapters.sql import tables as t
from backend.adapters.sql.database import Database
from backend.adapters.sql.tables_life import coupon_events
from backend.adapters.sql.tables_loyalty import stars
from backend.adapters.sql.tables_staff import audit
from backend.adapters.sql.tables_till import purchases, rollbacks
from backend.service.loyalty import parted
from backend.service.model import LIVE_STATES
from backend.service.retention import Retention

_d, _k, _o, _q = t.decisions.c, t.coupons.c, t.observations.c, t.outbox.c
_e, _r = coupon_events.c, rollbacks.c


class SqlRetention:
    """The retention's part of the ledger port."""

    _database: Database

    def tidy(self, kept: Retention, now: datetime, limit: int) -> int:
        """Take out, clear, or part from their member at most `limit` rows of each kind, a transaction each."""
        total = 0
        for statement in _statements(kept, now, limit):
            with self._database.write() as connection:
                total += connection.execute(statement).rowcount
        with self._database.write() as connection:
            return total + _part_stars(connection, now - kept.purchase_link, limit)


def _statements(kept: Retention, now: datetime, limit: int) -> Iterator[Any]:
    ended = _k.state.not_in([state.value for state in LIVE_STATES])
    old_coupon = (_k.member_id.is_not(None), _k.expires_at < now - kept.coupon_link, ended)
    old_purchase = (purchases.c.member_id.is_not(None), purchases.c.at < now - kept.purchase_link)
    yield _oldest(t.decisions.delete(), _d.id, _d.at, limit, _d.at < now - kept.decisions)
    yield _oldest(t.coupons.update().values(member_id=None), _k.id, _k.expires_at, limit, *old_coupon)
    yield _oldest(purchases.update().values(member_id=None), purchases.c.id, purchases.c.at, limit, *old_purchase)
    settled = (_q.status != "pending", _q.queued_at < now - kept.pushes)
    yield _oldest(t.outbox.delete(), _q.coupon_id, _q.queued_at, limit, *settled)
    given = (_e.reason.is_not(None), _e.at < now - kept.words)
    yield _oldest(coupon_events.update().values(reason=None), _e.id, _e.at, limit, *given)
    said = (_r.reason != "", _r.rolled_back_at < now - kept.words)
    yield _oldest(rollbacks.update().values(reason=""), _r.id, _r.rolled_back_at, limit, *said)
    # These two have no key of one column, or must go from the old end on: up to and with the last of the oldest ones.
    moments = sa.select(_o.at).where(_o.at < now - kept.observations).order_by(_o.at).limit(limit).subquery()
    yield t.observations.delete().where(_o.at <= sa.select(sa.func.max(moments.c.at)).scalar_subquery())
    first_kept = sa.select(sa.func.min(audit.c.id)).where(audit.c.at >= now - kept.audit).scalar_subquery()
    names = sa.select(audit.c.id).where(audit.c.at < now - kept.audit).order_by(audit.c.id).limit(limit).subquery()
    upto = sa.select(sa.func.max(names.c.id)).scalar_subquery()
    yield audit.delete().where(audit.c.id <= upto, sa.or_(first_kept.is_(None), audit.c.id < first_kept))


def _part_stars(connection: sa.Connection, before: datetime, limit: int) -> int:
    old = stars.select().where(stars.c.purchase_id.is_not(None), stars.c.earned_at < before)
    oldest = old.order_by(stars.c.earned_at, stars.c.id).limit(limit).with_for_update(skip_locked=True)
    found = [rows_loyalty.star(row) for row in connection.execute(oldest)]
    if found:
        nameless = [rows_loyalty.star_row(parted(entry, f"s_{secrets.token_hex(16)}")) for entry in found]
        update = stars.update().where(stars.c.id == sa.bindparam("old"))
        connection.execute(update, [{"old": was.id, **row} for was, row in zip(found, nameless, strict=True)])
    return len(found)


def _oldest(change: Any, key: Any, at: Any, limit: int, *old: Any) -> Any:
    """The change, of the oldest rows that are old enough."""
    return change.where(key.in_(sa.select(key).where(*old).order_by(at).limit(limit)))
