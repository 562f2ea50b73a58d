"""Issuing a coupon: what must still hold, asked and taken in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa

from backend.adapters.sql import rows
from backend.adapters.sql import tables as t
from backend.adapters.sql.prepared import Prepared
from backend.service.model import LIVE_STATES, Coupon, CouponState, Record

_p = sa.bindparam
_m, _s, _c = t.members.c, t.stores.c, t.campaigns.c

_TAKE_TURN = Prepared(
    t.members.update()
    .where(
        _m.id == _p("member"), _m.location_offers, _m.last_given_at.is_not_distinct_from(_p("seen", type_=t.Instant))
    )
    .values(last_given_at=_p("now"))
)
_TAKE_ROOM = Prepared(
    t.stores.update()
    .where(_s.id == _p("store"), _s.outstanding < _p("room"))
    .where(~sa.exists().where(t.pauses.c.scope.in_(["*", _p("store")])))
    .values(outstanding=_s.outstanding + 1)
)
_TAKE_BUDGET = Prepared(
    t.campaigns.update()
    .where(_c.id == _p("campaign"), _c.status == "active")
    .where(_c.reserved_minor + _c.spent_minor + _p("cost") <= _c.budget_minor)
    .values(reserved_minor=_c.reserved_minor + _p("cost"))
)
_COUPON = Prepared(t.coupons.insert())
_QUEUE = Prepared(
    t.outbox.insert().values(coupon_id=_p("coupon"), status="pending", queued_at=_p("now"), attempts=0, not_before=0.0)
)
_FREE_ROOM = t.stores.update().where(_s.id == _p("store")).values(outstanding=_s.outstanding - _p("count"))
_SETTLE = (
    t.campaigns.update()
    .where(_c.id == _p("campaign"))
    .values(reserved_minor=_c.reserved_minor - _p("reserved"), spent_minor=_c.spent_minor + _p("spent"))
)


class Lost(Exception):
    """Somebody else was first."""


def issue(connection: sa.Connection, record: Record, coupon: Coupon, code_hash: str) -> None:
    """Take the member's turn, the store's room and the budget, always in this order, then write coupon and outbox row.

    Raises Lost when one of them is gone; the transaction must then be rolled back.
    """
    forecast = record.decision.forecast
    turn = {"member": coupon.member_id, "seen": record.facts.member.last_given_at, "now": coupon.issued_at}
    room = {"store": coupon.store_id, "room": forecast.room if forecast else 0}
    budget = {"campaign": coupon.campaign_id, "cost": coupon.discount_minor}
    for statement, values in ((_TAKE_TURN, turn), (_TAKE_ROOM, room), (_TAKE_BUDGET, budget)):
        if statement.run(connection, values) != 1:
            raise Lost
    _COUPON.run(connection, rows.coupon_row(coupon, code_hash))
    _QUEUE.run(connection, {"coupon": coupon.id, "now": coupon.issued_at})


def take_turn(connection: sa.Connection, record: Record) -> None:
    """A ghost counts for the member's cooldown and weekly maximum as a coupon would."""
    update = t.members.update().where(_m.id == record.facts.member.id)
    connection.execute(update.values(last_given_at=record.decision.at))


def close(
    connection: sa.Connection, coupons: Sequence[Coupon], state: CouponState, spent_minor: int
) -> Sequence[Coupon]:
    """End coupons' lives, free what they reserved and book what they cost; those that ended meanwhile are left.

    Rows are locked as in issuing, stores before campaigns and each kind by id, so that nobody waits in a ring.
    """
    ids = [coupon.id for coupon in coupons]
    live = t.coupons.c.state.in_([each.value for each in LIVE_STATES])
    mine = t.coupons.update().where(t.coupons.c.id.in_(ids), live).values(state=state.value)
    closed_ids = set(connection.execute(mine.returning(t.coupons.c.id)).scalars())
    closed = [coupon for coupon in coupons if coupon.id in closed_ids]
    for store_id, count in sorted(Counter(coupon.store_id for coupon in closed).items()):
        connection.execute(_FREE_ROOM, {"store": store_id, "count": count})
    reserved: Counter[str] = Counter()
    for coupon in closed:
        reserved[coupon.campaign_id] += coupon.discount_minor
    for campaign_id, amount in sorted(reserved.items()):
        connection.execute(_SETTLE, {"campaign": campaign_id, "reserved": amount, "spent": spent_minor})
    return closed
