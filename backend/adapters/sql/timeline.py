"""Moves of coupons in the database, each one conditional update, and their timelines, in the same transaction."""

from __future__ import annotations

import sqlalchemy as sa

from backend.adapters.sql import tables as t
from backend.adapters.sql import tables_life as tl
from backend.adapters.sql.prepared import Prepared
from backend.service.life import DISMISSED, CouponEvent, sources
from backend.service.model import LIVE_STATES, Coupon, CouponState

_p = sa.bindparam
_k, _e = t.coupons.c, tl.coupon_events.c
_FIELDS = tuple(CouponEvent.__dataclass_fields__)
_APPEND = Prepared(tl.coupon_events.insert().inline().values({name: _p(name) for name in ("coupon_id", *_FIELDS)}))


def append(connection: sa.Connection, coupon_id: str, event: CouponEvent) -> None:
    """Note what happened to a coupon."""
    values = {name: getattr(event, name) for name in _FIELDS}
    _APPEND.run(connection, {**values, "coupon_id": coupon_id, "event": str(event.event)})


def advance(connection: sa.Connection, coupon_id: str, event: CouponEvent) -> None:
    """Move a coupon that is live at the time of the event, and note it; nothing when it cannot move so."""
    if event.event == DISMISSED:
        if _move(connection, coupon_id, event, LIVE_STATES, _k.state) and not _was_noted(connection, coupon_id):
            append(connection, coupon_id, event)
    elif _move(connection, coupon_id, event, sources(event.event), sa.literal(event.event.value)):
        append(connection, coupon_id, event)


def roll_back(connection: sa.Connection, coupon: Coupon, event: CouponEvent) -> None:
    """Move a coupon whose redemption is undone as a whole, and note it."""
    mine = (_k.id == coupon.id, _k.state.in_([state.value for state in sources(CouponState.ROLLED_BACK)]))
    if connection.execute(t.coupons.update().where(*mine).values(state=CouponState.ROLLED_BACK.value)).rowcount:
        append(connection, coupon.id, event)


def _move(
    connection: sa.Connection,
    coupon_id: str,
    event: CouponEvent,
    states: tuple[CouponState, ...],
    to: sa.ColumnElement[str],
) -> bool:
    mine = (_k.id == coupon_id, _k.state.in_([state.value for state in states]), _k.expires_at > event.at)
    return connection.execute(t.coupons.update().where(*mine).values(state=to)).rowcount == 1


def _was_noted(connection: sa.Connection, coupon_id: str) -> bool:
    """Whether the coupon, whose row is ours, was dismissed before."""
    noted = sa.select(_e.id).where(_e.coupon_id == coupon_id, _e.event == DISMISSED).limit(1)
    return connection.execute(noted).first() is not None


def timeline(connection: sa.Connection, coupon_id: str) -> tuple[CouponEvent, ...]:
    """What happened to a coupon, in order."""
    mine = sa.select(*(_e[name] for name in _FIELDS)).where(_e.coupon_id == coupon_id).order_by(_e.id)
    return tuple(_event(row) for row in connection.execute(mine))


def _event(row: sa.Row[tuple[object, ...]]) -> CouponEvent:
    values = dict(row._mapping)
    name = values.pop("event")
    return CouponEvent(event=DISMISSED if name == DISMISSED else CouponState(name), **values)
