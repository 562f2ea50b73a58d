"""The tables of the loyalty programme; tiers and what members state stand with the members."""

from __future__ import annotations

import sqlalchemy as sa

from backend.adapters.sql.tables import Instant, member_id, metadata

stars = sa.Table(
    "stars",
    metadata,
    sa.Column("id", sa.Text, primary_key=True, nullable=False),
    member_id("stars", "CASCADE"),
    sa.Column("purchase_id", sa.Text, index=True),
    sa.Column("delta", sa.BigInteger, nullable=False),
    sa.Column("paid_minor", sa.BigInteger, nullable=False),
    sa.Column("earned_at", Instant, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Index("stars_member", "member_id", "earned_at"),
)

loyalty_rules = sa.Table(
    "loyalty_rules",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("effective_from", Instant, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
