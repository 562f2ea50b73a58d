"""Budgets in the database: taken under every limit or not at all, and settled on the same rows.

Whoever books holds the campaign's row, so the rows of its stores and days need no order among themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from backend.adapters.sql import tables as t
from backend.adapters.sql import tables_life as tl
from backend.adapters.sql.prepared import Prepared
from backend.service.budgets import COUNTERS, WHOLE, Booked, Limit, day_scope, left_minor, scopes, store_scope
from backend.service.model import Coupon

_p = sa.bindparam
_c, _b = t.campaigns.c, tl.budgets.c
_UNLIMITED = 2**62

_TAKE = Prepared(
    t.campaigns.update()
    .where(_c.id == _p("campaign"), _c.status == "active")
    .where(_c.reserved_minor + _c.spent_minor + _p("cost") <= _c.budget_minor)
    .where(sa.or_(_c.budget_count.is_(None), _c.reserved_count + _c.spent_count < _c.budget_count))
    .values(reserved_minor=_c.reserved_minor + _p("cost"), reserved_count=_c.reserved_count + 1)
    .returning(_c.store_budget_minor, _c.store_budget_count, _c.day_budget_minor, _c.day_budget_count)
)


def _take_scope() -> Any:
    """Books on a scope, whose row is made when it is the first, unless that would pass a limit."""
    campaign, scope = _p("campaign", type_=sa.Text), _p("scope", type_=sa.Text)
    cost, most_minor, most_count = (_p(name, type_=sa.BigInteger) for name in ("cost", "most_minor", "most_count"))
    nothing: sa.ColumnElement[int] = sa.literal_column("0")
    one: sa.ColumnElement[int] = sa.literal_column("1")
    first = sa.select(campaign, scope, cost, one, nothing, nothing).where(cost <= most_minor, one <= most_count)
    names = ["campaign_id", "scope", *COUNTERS]
    # Both databases write this alike, and SQLite's dialect reads PostgreSQL's construct, but not the other way round.
    return (
        postgresql.insert(tl.budgets)
        .from_select(names, first)
        .on_conflict_do_update(
            index_elements=["campaign_id", "scope"],
            set_={"reserved_minor": _b.reserved_minor + cost, "reserved_count": _b.reserved_count + 1},
            where=sa.and_(
                _b.reserved_minor + _b.spent_minor + cost <= most_minor, _b.reserved_count + _b.spent_count < most_count
            ),
        )
    )


_TAKE_SCOPE = Prepared(_take_scope())


def _book(table: sa.Table, *mine: sa.ColumnElement[bool]) -> Prepared:
    added = {name: table.c[name] + _p(f"add_{name}") for name in COUNTERS}
    return Prepared(table.update().where(*mine).values(added))


_BOOK = _book(t.campaigns, _c.id == _p("campaign"))
_BOOK_SCOPE = _book(tl.budgets, _b.campaign_id == _p("campaign"), _b.scope == _p("scope"))

_s, _d = tl.budgets.alias("of_store"), tl.budgets.alias("of_day")


def _used(table: Any, what: str) -> sa.ColumnElement[int]:
    return sa.func.coalesce(table.c[f"reserved_{what}"] + table.c[f"spent_{what}"], sa.literal_column("0"))


_LEFT = Prepared(
    sa.select(
        _c.id,
        *(_c[f"{whose}budget_{what}"] for whose in ("", "store_", "day_") for what in ("minor", "count")),
        *(
            _used(table, what).label(f"{whose}_{what}")
            for whose, table in (("used", t.campaigns), ("store", _s), ("day", _d))
            for what in ("minor", "count")
        ),
    ).select_from(
        t.campaigns.outerjoin(_s, sa.and_(_s.c.campaign_id == _c.id, _s.c.scope == _p("store"))).outerjoin(
            _d, sa.and_(_d.c.campaign_id == _c.id, _d.c.scope == _p("day"))
        )
    )
)


def take(connection: sa.Connection, coupon: Coupon) -> bool:
    """Reserve a coupon on its campaign, store and day; False when a limit is in the way, then roll back."""
    values = {"campaign": coupon.campaign_id, "cost": coupon.discount_minor}
    limits = _TAKE.first(connection, values)
    if limits is None:
        return False
    _, store, day = scopes(coupon)
    wanted = (
        (store, limits.store_budget_minor, limits.store_budget_count),
        (day, limits.day_budget_minor, limits.day_budget_count),
    )
    return all(
        _TAKE_SCOPE.run(
            connection,
            {**values, "scope": scope, "most_minor": _or_any(most_minor), "most_count": _or_any(most_count)},
        )
        == 1
        for scope, most_minor, most_count in wanted
    )


def _or_any(most: int | None) -> int:
    return _UNLIMITED if most is None else most


def book(connection: sa.Connection, changes: Iterable[tuple[Coupon, Booked]]) -> None:
    """Add to what is booked for these coupons: campaigns by id, each before its stores and days."""
    totals: defaultdict[tuple[str, str], Booked] = defaultdict(Booked)
    for coupon, change in changes:
        for scope in scopes(coupon):
            totals[coupon.campaign_id, scope] += change
    for campaign_id, scope in sorted(totals):
        added = {f"add_{name}": amount for name, amount in asdict(totals[campaign_id, scope]).items()}
        if scope == WHOLE:
            _BOOK.run(connection, {"campaign": campaign_id, **added})
        else:
            _BOOK_SCOPE.run(connection, {"campaign": campaign_id, "scope": scope, **added})


def left(connection: sa.Connection, store_id: str, day: date) -> Mapping[str, int]:
    """What each campaign can still give away in this store on this day, in minor units."""
    found = _LEFT.all(connection, {"store": store_scope(store_id), "day": day_scope(day)})
    return {
        row.id: left_minor(
            (
                Limit(row.budget_minor, row.budget_count, row.used_minor, row.used_count),
                Limit(row.store_budget_minor, row.store_budget_count, row.store_minor, row.store_count),
                Limit(row.day_budget_minor, row.day_budget_count, row.day_minor, row.day_count),
            )
        )
        for row in found
    }


def booked(connection: sa.Connection, campaign_id: str) -> Mapping[str, Booked]:
    """What is booked on each store and day of a campaign, by scope."""
    mine = tl.budgets.select().where(_b.campaign_id == campaign_id).order_by(_b.scope)
    return {row.scope: Booked(*(getattr(row, name) for name in COUNTERS)) for row in connection.execute(mine)}
