"""Stars, tiers by rule, and what members state of themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.adapters.sql.tables import Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the members' columns; a tier that is there was stated by an import, and stays as granted."""
    op.create_table(
        "loyalty_rules",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("effective_from", Instant(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "stars",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("purchase_id", sa.Text(), nullable=True),
        sa.Column("delta", sa.BigInteger(), nullable=False),
        sa.Column("paid_minor", sa.BigInteger(), nullable=False),
        sa.Column("earned_at", Instant(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_stars_purchase_id", "stars", ["purchase_id"])
    op.create_index("stars_member", "stars", ["member_id", "earned_at"])
    op.add_column("members", sa.Column("tier_grant", sa.Text(), nullable=True))
    op.add_column("members", sa.Column("tier_steps", sa.Text(), server_default="[]", nullable=False))
    op.add_column("members", sa.Column("tier_due_at", Instant(), nullable=True))
    op.add_column("members", sa.Column("profile", sa.Text(), server_default="{}", nullable=False))
    op.create_index("ix_members_tier_due_at", "members", ["tier_due_at"])
    members = sa.table("members", sa.column("tier", sa.Text), sa.column("tier_grant", sa.Text))
    for tier in ("gold", "reserve"):
        grant = f'{{"tier":"{tier}","until":null,"by":"import","reason":"import","at":"1970-01-01T00:00:00Z"}}'
        op.execute(members.update().where(members.c.tier == tier).values(tier_grant=grant))


def downgrade() -> None:
    """Take them away."""
    op.drop_index("ix_members_tier_due_at", "members")
    for name in ("tier_grant", "tier_steps", "tier_due_at", "profile"):
        op.drop_column("members", name)
    op.drop_table("stars")
    op.drop_table("loyalty_rules")
