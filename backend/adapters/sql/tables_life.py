"""The tables of a coupon's timeline and of budgets by store and day."""

from __future__ import annotations

import sqlalchemy as sa

from backend.adapters.sql.tables import Instant, metadata

_GIVEN = sa.text("reason IS NOT NULL")
coupon_events = sa.Table(
    "coupon_events",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
    sa.Column("coupon_id", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("reported_at", Instant),
    sa.Column("reason", sa.Text),
    sa.Index("coupon_events_coupon", "coupon_id", "id"),
    sa.Index("coupon_events_reason", "at", sqlite_where=_GIVEN, postgresql_where=_GIVEN),
)
"""Only ever appended to, but for reasons, which go; the id tells the order."""

budgets = sa.Table(
    "budgets",
    metadata,
    sa.Column("campaign_id", sa.Text, primary_key=True),
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("reserved_minor", sa.BigInteger, nullable=False),
    sa.Column("reserved_count", sa.BigInteger, nullable=False),
    sa.Column("spent_minor", sa.BigInteger, nullable=False),
    sa.Column("spent_count", sa.BigInteger, nullable=False),
    sa.CheckConstraint(
        "reserved_minor >= 0 AND reserved_count >= 0 AND spent_minor >= 0 AND spent_count >= 0", name="budgets_booked"
    ),
)
"""Of each store and each day of a campaign; that of the whole campaign stands in its own row."""
