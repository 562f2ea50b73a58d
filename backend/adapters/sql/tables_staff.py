"""Tables about staff: API keys, and the log of what was done with them."""

from __future__ import annotations

import sqlalchemy as sa

from backend.adapters.sql.tables import Instant, metadata

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("store_ids", sa.JSON(none_as_null=True)),
    sa.Column("expires_at", Instant),
    sa.Column("label", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", Instant),
    sa.Column("last_used_at", Instant),
    sa.Column("revoked_at", Instant),
    sa.Column("previous_hash", sa.Text, index=True),
    sa.Column("previous_until", Instant),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("object_id", sa.Text, nullable=False),
    sa.Column("before", sa.JSON(none_as_null=True)),
    sa.Column("after", sa.JSON(none_as_null=True)),
)

wrong_codes = sa.Table(
    "wrong_codes",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, nullable=False),
    sa.Column("codes", sa.Integer, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("locked_until", Instant),
)
