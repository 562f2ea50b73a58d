"""The tables of tills: answers that repeated requests get again."""

from __future__ import annotations

import sqlalchemy as sa

from backend.adapters.sql.tables import Instant, metadata

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("credential", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("done_at", Instant, nullable=False),
    sa.Index("idempotency_done", "done_at"),
)
