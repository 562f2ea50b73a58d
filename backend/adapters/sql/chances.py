"""What a campaign's decisions came to, for reports."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

import sqlalchemy as sa

from backend.adapters.sql import rows
from backend.adapters.sql import tables as t
from backend.adapters.sql.database import Database
from backend.adapters.sql.tables_life import coupon_events
from backend.adapters.sql.tables_till import redemptions
from backend.service.model import Chance

_d, _e, _r = t.decisions.c, coupon_events.c, redemptions.c


class SqlChances:
    """The reports' part of the ledger port."""

    _database: Database

    def chances(self, campaign_id: str, since: datetime, until: datetime) -> tuple[Chance, ...]:
        """The decisions of a time that gave something of the campaign, or would have."""
        mine = (_d.at >= since, _d.at < until, _d.outcome.in_(["issued", "ghost", "lost"]))
        named = sa.select(_d.id).where(*mine).scalar_subquery()
        events: dict[str, set[str]] = defaultdict(set)
        with self._database.read() as connection:
            decided = [rows.record(row) for row in connection.execute(t.decisions.select().where(*mine))]
            for name, event in connection.execute(sa.select(_e.coupon_id, _e.event).where(_e.coupon_id.in_(named))):
                events[name].add(event)
            costs = sa.select(_r.coupon_id, _r.discount_minor, _r.taken_back_minor).where(_r.coupon_id.in_(named))
            spent = {name: discount - back for name, discount, back in connection.execute(costs)}
        return tuple(
            Chance(
                record.facts.member.id,
                record.facts.store.id,
                record.facts.member.tier,
                record.outcome,
                frozenset(events[record.decision.opportunity_id]),
                spent.get(record.decision.opportunity_id, 0),
            )
            for record in decided
            if record.decision.given is not None and record.decision.given.campaign_id == campaign_id
        )
