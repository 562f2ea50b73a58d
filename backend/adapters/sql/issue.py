"""Issuing a coupon: what must still hold, asked and taken in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa

from backend.adapters.sql import budgets, rows
from backend.adapters.sql import tables as t
from backend.adapters.sql.prepared import Prepared
from backend.adapters.sql.timeline import append
from backend.service.budgets import releasing, spending
from backend.service.life import CouponEvent, issued
from backend.service.model import LIVE_STATES, Coupon, CouponState, Record

_p = sa.bindparam
_m, _s, _k = t.members.c, t.stores.c, t.coupons.c

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
_CLOSE = Prepared(
    t.coupons.update()
    .where(_k.id == _p("coupon"), _k.state.in_([sa.literal(state.value) for state in LIVE_STATES]))
    .values(state=_p("to"))
)
_COUPON = Prepared(t.coupons.insert())
_QUEUE = Prepared(
    t.outbox.insert().values(coupon_id=_p("coupon"), status="pending", queued_at=_p("now"), attempts=0, not_before=0.0)
)
_FREE_ROOM = Prepared(t.stores.update().where(_s.id == _p("store")).values(outstanding=_s.outstanding - _p("count")))


class Lost(Exception):
    """Somebody else was first."""


def issue(connection: sa.Connection, record: Record, coupon: Coupon, code_hash: str) -> None:
    """Take the member's turn, the store's room and the budget, always in this order, then write coupon and outbox row.

    Raises Lost when one of them is gone; the transaction must then be rolled back.
    """
    forecast = record.decision.forecast
    turn = {"member": coupon.member_id, "seen": record.facts.member.last_given_at, "now": coupon.issued_at}
    room = {"store": coupon.store_id, "room": forecast.room if forecast else 0}
    if _TAKE_TURN.run(connection, turn) != 1 or _TAKE_ROOM.run(connection, room) != 1:
        raise Lost
    if not budgets.take(connection, coupon):
        raise Lost
    _COUPON.run(connection, rows.coupon_row(coupon, code_hash))
    append(connection, coupon.id, issued(coupon))
    _QUEUE.run(connection, {"coupon": coupon.id, "now": coupon.issued_at})


def take_turn(connection: sa.Connection, record: Record) -> None:
    """A ghost counts for the member's cooldown and weekly maximum as a coupon would."""
    update = t.members.update().where(_m.id == record.facts.member.id)
    connection.execute(update.values(last_given_at=record.decision.at))


def close(connection: sa.Connection, ends: Sequence[tuple[Coupon, CouponEvent]], spent_minor: int = 0) -> list[str]:
    """End coupons' lives, all in the same way, free what they reserved, and book what they cost if they were used.

    Those that ended meanwhile are left. The ids of the others. Rows are locked as in issuing, stores before campaigns
    and each kind by id, so that nobody waits in a ring.
    """
    if not ends:
        return []
    to = _end(ends)
    closed = [end for end in ends if _CLOSE.run(connection, {"coupon": end[0].id, "to": to.value}) == 1]
    for store_id, count in sorted(Counter(coupon.store_id for coupon, _ in closed).items()):
        _FREE_ROOM.run(connection, {"store": store_id, "count": count})
    used = to is CouponState.REDEEMED
    budgets.book(connection, [(each, spending(each, spent_minor) if used else releasing(each)) for each, _ in closed])
    for coupon, event in closed:
        append(connection, coupon.id, event)
    return [coupon.id for coupon, _ in closed]


def _end(ends: Sequence[tuple[Coupon, CouponEvent]]) -> CouponState:
    (to,) = {event.event for _, event in ends}
    return CouponState(to)
