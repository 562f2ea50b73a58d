"""What was measured in stores, and what is usual there, in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from backend.adapters.sql import audit
from backend.adapters.sql import tables as t
from backend.adapters.sql.database import Database
from backend.adapters.sql.prepared import Prepared
from backend.service.chain_model import Observation, Traffic
from backend.service.staff import Actor
from backend.service.traffic import SOLD_OUT_FOR, Standing, traffic_of

_p = sa.bindparam
_o = t.observations.c

_STORE = Prepared(
    sa.select(
        t.stores.c.staff,
        t.stores.c.outstanding,
        sa.select(t.baselines.c.per_hour)
        .where(t.baselines.c.store_id == _p("store"), t.baselines.c.hour_of_week == _p("hour"))
        .scalar_subquery()
        .label("per_hour"),
        sa.exists().where(t.pauses.c.scope.in_(["*", _p("store")])).label("paused"),
    ).where(t.stores.c.id == _p("store"))
)


def _within(since: str, *kinds: str) -> sa.ColumnElement[bool]:
    mine = _o.store_id == _p("store"), _o.kind.in_([sa.literal(kind) for kind in kinds])
    return sa.and_(*mine, _o.at > _p(since), _o.at <= _p("now"))


_WORD = ("kind", "at", "source")
# In the order in which an observation has them.
_SEEN = sa.select(_o.kind, _o.at, _o.value, _o.window_s, _o.product_id, _o.source)
# Of line and staff only the newest word of each source can count: the others are not fetched.
_NEWEST = (
    sa.select(_o.kind, _o.source, sa.func.max(_o.at).label("at"))
    .where(_within("since", "queue_length", "staff"))
    .group_by(_o.kind, _o.source)
    .subquery()
)
# Each select goes along the primary key: one with OR would read all that the store ever reported.
_OBSERVED = Prepared(
    sa.union_all(
        _SEEN.where(_within("since", "arrivals")),
        _SEEN.where(_within("since_sold_out", "sold_out")),
        _SEEN.join(_NEWEST, sa.and_(*(_o[name] == _NEWEST.c[name] for name in _WORD))).where(
            _o.store_id == _p("store"), _o.product_id == sa.literal("")
        ),
    )
)


class SqlTraffic:
    """Observations and baselines of the chain port."""

    _database: Database

    def observe(self, store_id: str, observations: Sequence[Observation]) -> None:
        """Keep observations; a source's last word about a moment holds."""
        values = {
            (each.kind, each.at, each.product_id or "", each.source): {
                "store_id": store_id,
                "kind": each.kind,
                "at": each.at,
                "product_id": each.product_id or "",
                "source": each.source,
                "value": each.value,
                "window_s": each.window_s,
            }
            for each in observations
        }
        insert = self._database.insert(t.observations)
        upsert = insert.on_conflict_do_update(
            index_elements=[column.name for column in t.observations.primary_key],
            set_={"value": insert.excluded["value"], "window_s": insert.excluded["window_s"]},
        )
        if values:
            # Always in the same order, so that no two who report again wait for each other in a ring.
            in_order = [values[key] for key in sorted(values)]
            with self._database.write() as connection:
                connection.execute(upsert, in_order)

    def traffic(self, store_id: str, since: datetime, now: datetime, hour_of_week: int) -> Traffic | None:
        """What was measured since then."""
        with self._database.read() as connection:
            row = _STORE.first(connection, {"store": store_id, "hour": hour_of_week})
            if row is None:
                return None
            moments = {"since": since, "since_sold_out": now - SOLD_OUT_FOR, "now": now}
            seen = _OBSERVED.all(connection, {"store": store_id, **moments})
        standing = Standing(row.staff, row.per_hour, row.outstanding, bool(row.paused))
        return traffic_of([Observation(*each) for each in seen], standing, since, now)

    def set_baselines(self, per_hour: Mapping[str, Mapping[int, float]], by: Actor) -> None:
        """Replace all baselines."""
        values = [
            {"store_id": store_id, "hour_of_week": hour, "per_hour": value}
            for store_id, hours in per_hour.items()
            for hour, value in hours.items()
        ]
        with self._database.write() as connection:
            connection.execute(t.baselines.delete())
            if values:
                connection.execute(t.baselines.insert(), values)
            audit.note(connection, by, "baselines", [("learn", None, {"stores": len(per_hour)})])
