"""The books in the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from backend.adapters.sql import audit, budgets, rows, timeline
from backend.adapters.sql import tables as t
from backend.adapters.sql.chances import SqlChances
from backend.adapters.sql.database import Database
from backend.adapters.sql.erasure import SqlErasure
from backend.adapters.sql.holdings import SqlHoldings
from backend.adapters.sql.issue import Lost, close, issue, take_turn
from backend.adapters.sql.loyalty import SqlStars
from backend.adapters.sql.outbox import SqlOutbox
from backend.adapters.sql.prepared import Prepared
from backend.adapters.sql.retention import SqlRetention
from backend.adapters.sql.sales import SqlSales
from backend.decision.result import Reason
from backend.service.errors import NotFound
from backend.service.life import CouponEvent, check_live, expired, revoked
from backend.service.model import LIVE_STATES, Coupon, CouponState, Outcome, Record, Totals
from backend.service.staff import Actor

_p = sa.bindparam
_d, _k = t.decisions.c, t.coupons.c
_GIVEN = Prepared(
    sa.select(sa.func.count().label("number")).where(
        _d.member_id == _p("member"),
        _d.at >= _p("since"),
        _d.outcome.in_([sa.literal("issued"), sa.literal("ghost")]),
    )
)
# Both databases write this alike, and SQLite's dialect reads PostgreSQL's construct, but not the other way round.
_DECIDE = Prepared(postgresql.insert(t.decisions).on_conflict_do_nothing(index_elements=["id"]))
EXPIRE_BATCH = 500


class SqlLedger(SqlSales, SqlStars, SqlOutbox, SqlErasure, SqlHoldings, SqlRetention, SqlChances):
    """The ledger port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, record: Record, coupon: Coupon | None, code_hash: str) -> Record:
        """Write a decision down, with all that follows from it or nothing; the record as it stands."""
        if not record.decision.issues:
            return self._write(record, "ghost" if record.decision.reason is Reason.HELD_OUT else "none")
        if coupon is None:
            raise ValueError("a decision that issues is recorded together with its coupon; none was given")
        try:
            with self._database.write() as connection:
                if _insert(connection, record, "issued"):
                    issue(connection, record, coupon, code_hash)
                    return replace(record, outcome="issued")
        except Lost:
            return self._write(record, "lost")
        return self._known(record)

    def _write(self, record: Record, outcome: Outcome) -> Record:
        with self._database.write() as connection:
            if _insert(connection, record, outcome):
                if outcome == "ghost":
                    take_turn(connection, record)
                return replace(record, outcome=outcome)
        return self._known(record)

    def _known(self, record: Record) -> Record:
        known = self.decision(record.decision.opportunity_id)
        if known is None:
            raise LookupError("a decision that is in the way of another has gone from the books")
        return known

    def given_since(self, member_id: str, since: datetime) -> int:
        """Coupons and ghosts since then."""
        with self._database.read() as connection:
            return int(_GIVEN.first(connection, {"member": member_id, "since": since}).number)

    def budgets_left(self, store_id: str, day: date) -> Mapping[str, int]:
        """What each campaign can still give away in a store on a day."""
        with self._database.read() as connection:
            return budgets.left(connection, store_id, day)

    def coupons(self, member_id: str, limit: int) -> tuple[Coupon, ...]:
        """The member's coupons, newest first."""
        return self._coupons(t.coupons.select().where(_k.member_id == member_id), limit)

    def newest_coupons(self, limit: int) -> tuple[Coupon, ...]:
        """Coupons of all members, newest first."""
        return self._coupons(t.coupons.select(), limit)

    def _coupons(self, query: sa.Select[tuple[object, ...]], limit: int) -> tuple[Coupon, ...]:
        newest = query.order_by(_k.issued_at.desc(), _k.id.desc()).limit(limit)
        with self._database.read() as connection:
            return tuple(rows.coupon(row) for row in connection.execute(newest))

    def coupon(self, coupon_id: str) -> Coupon | None:
        """A coupon."""
        with self._database.read() as connection:
            row = connection.execute(t.coupons.select().where(_k.id == coupon_id)).one_or_none()
        return rows.coupon(row) if row else None

    def decision(self, opportunity_id: str) -> Record | None:
        """A decision as written down."""
        with self._database.read() as connection:
            row = connection.execute(t.decisions.select().where(_d.id == opportunity_id)).one_or_none()
        return rows.record(row) if row else None

    def decisions(self, before: str | None, limit: int) -> tuple[Record, ...]:
        """Decisions, newest first."""
        query = t.decisions.select().order_by(_d.at.desc(), _d.id.desc()).limit(limit)
        if before is not None:
            last = sa.select(_d.at, _d.id).where(_d.id == before)
            query = query.where(sa.tuple_(_d.at, _d.id) < last.scalar_subquery())
        with self._database.read() as connection:
            return tuple(rows.record(row) for row in connection.execute(query))

    def advance(self, coupon_id: str, event: CouponEvent) -> Coupon | None:
        """Note that a coupon was delivered, opened, presented or dismissed."""
        with self._database.write() as connection:
            timeline.advance(connection, coupon_id, event)
            row = connection.execute(t.coupons.select().where(_k.id == coupon_id)).one_or_none()
        return rows.coupon(row) if row else None

    def revoke(self, coupon_id: str, reason: str, by: Actor, allowed: Callable[[str], bool]) -> Coupon:
        """Take back a live coupon."""
        with self._database.write() as connection:
            row = connection.execute(t.coupons.select().where(_k.id == coupon_id).with_for_update()).one_or_none()
            if row is None or not allowed(row.store_id):
                raise NotFound("coupon_unknown", "there is no such coupon")
            coupon = rows.coupon(row)
            check_live(coupon, by.at)
            self._drop(connection, close(connection, [(coupon, revoked(reason, by))]), "coupon_revoked")
            taken = replace(coupon, state=CouponState.REVOKED)
            audit.note(connection, by, "coupon", [(coupon_id, {"state": coupon.state}, {"state": taken.state})])
            return taken

    def timeline(self, coupon_id: str) -> tuple[CouponEvent, ...]:
        """What happened to a coupon, in order."""
        with self._database.read() as connection:
            return timeline.timeline(connection, coupon_id)

    def expire(self, now: datetime) -> int:
        """Close coupons past their end, a batch a transaction."""
        live = [state.value for state in LIVE_STATES]
        query = t.coupons.select().where(_k.state.in_(live), _k.expires_at <= now).limit(EXPIRE_BATCH)
        total = 0
        while True:
            with self._database.write() as connection:
                ended = [rows.coupon(row) for row in connection.execute(query.with_for_update(skip_locked=True))]
                closed = close(connection, [(coupon, expired(coupon)) for coupon in ended])
                self._drop(connection, closed, "coupon_expired")
            total += len(closed)
            if len(ended) < EXPIRE_BATCH:
                return total

    def totals(self, now: datetime) -> Totals:
        """Counts over all of the books."""
        count = sa.func.count()
        ended = sa.and_(_k.state.in_([state.value for state in LIVE_STATES]), _k.expires_at <= now)
        pushes = sa.select(t.outbox.c.status, t.outbox.c.reason, count).group_by(t.outbox.c.status, t.outbox.c.reason)
        with self._database.read() as connection:
            decisions = _counted(connection, _d.reason)
            lost = connection.execute(sa.select(count).where(_d.outcome == "lost")).scalar_one()
            coupons = _counted(connection, sa.case((ended, CouponState.EXPIRED.value), else_=_k.state))
            sent = [(status, reason, n) for status, reason, n in connection.execute(pushes)]
            campaigns = [
                rows.campaign(row) for row in connection.execute(t.campaigns.select().order_by(t.campaigns.c.id))
            ]
        currency = campaigns[0].currency if campaigns else "EUR"
        counted = [campaign for campaign in campaigns if campaign.currency == currency]
        return Totals(
            decisions=decisions,
            lost=lost,
            coupons=coupons,
            pushes_pending=sum(n for status, _, n in sent if status == "pending"),
            pushes_accepted=sum(n for status, _, n in sent if status == "accepted"),
            pushes_dropped={reason: n for status, reason, n in sent if status == "dropped"},
            spent_minor=sum(campaign.spent_minor for campaign in counted),
            reserved_minor=sum(campaign.reserved_minor for campaign in counted),
            currency=currency,
        )


def _insert(connection: sa.Connection, record: Record, outcome: Outcome) -> bool:
    return _DECIDE.run(connection, {**rows.record_row(record), "outcome": outcome}) == 1


def _counted(connection: sa.Connection, column: sa.ColumnElement[str]) -> dict[str, int]:
    value = column.label("value")
    query = sa.select(value, sa.func.count()).group_by(value)
    return {str(value): int(number) for value, number in connection.execute(query)}
