"""Timelines of coupons; budgets in count, by store and by day.

What is outstanding and spent already is booked on the stores and days too. Of coupons issued before, timelines tell
only what the books know a time for.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.adapters.sql.tables import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LIMITS = ("budget_count", "store_budget_minor", "store_budget_count", "day_budget_minor", "day_budget_count")
VIEW = """
    CREATE TEMPORARY VIEW booked AS
    SELECT c.campaign_id, 'store:' || c.store_id AS store, 'day:' || CAST(c.budget_day AS TEXT) AS day,
        CASE WHEN c.state IN ('issued', 'delivered', 'opened') THEN c.discount_minor ELSE 0 END AS reserved_minor,
        CASE WHEN c.state IN ('issued', 'delivered', 'opened') THEN 1 ELSE 0 END AS reserved_count,
        CASE WHEN c.state = 'redeemed' THEN r.discount_minor ELSE 0 END AS spent_minor,
        CASE WHEN c.state = 'redeemed' THEN 1 ELSE 0 END AS spent_count
    FROM coupons c LEFT JOIN redemptions r ON r.coupon_id = c.id
"""
FILL = (
    VIEW,
    """
    INSERT INTO budgets (campaign_id, scope, reserved_minor, reserved_count, spent_minor, spent_count)
    SELECT campaign_id, store, SUM(reserved_minor), SUM(reserved_count), SUM(spent_minor), SUM(spent_count)
    FROM booked GROUP BY campaign_id, store
    """,
    """
    INSERT INTO budgets (campaign_id, scope, reserved_minor, reserved_count, spent_minor, spent_count)
    SELECT campaign_id, day, SUM(reserved_minor), SUM(reserved_count), SUM(spent_minor), SUM(spent_count)
    FROM booked GROUP BY campaign_id, day
    """,
    """
    UPDATE campaigns SET
        reserved_count = (SELECT COALESCE(SUM(reserved_count), 0) FROM booked WHERE campaign_id = campaigns.id),
        spent_count = (SELECT COALESCE(SUM(spent_count), 0) FROM booked WHERE campaign_id = campaigns.id)
    """,
    "DROP VIEW booked",
    """
    INSERT INTO coupon_events (coupon_id, event, at, cause)
    SELECT id, 'issued', issued_at, 'decision' FROM coupons ORDER BY issued_at, id
    """,
    """
    INSERT INTO coupon_events (coupon_id, event, at, cause)
    SELECT coupon_id, 'redeemed', redeemed_at, 'till' FROM redemptions ORDER BY redeemed_at, id
    """,
    """
    INSERT INTO coupon_events (coupon_id, event, at, cause)
    SELECT id, 'expired', expires_at, 'expiry' FROM coupons WHERE state = 'expired' ORDER BY expires_at, id
    """,
)


def upgrade() -> None:
    """Make the tables and columns, and fill them from the coupons."""
    _make_tables()
    for name in LIMITS:
        op.add_column("campaigns", sa.Column(name, sa.BigInteger(), nullable=True))
    # As SQL, since Alembic cannot add a check to a table of SQLite; with its column both databases can.
    op.execute("ALTER TABLE campaigns ADD COLUMN reserved_count BIGINT DEFAULT '0' NOT NULL")
    op.execute(
        "ALTER TABLE campaigns ADD COLUMN spent_count BIGINT DEFAULT '0' NOT NULL"
        " CONSTRAINT campaigns_count CHECK (reserved_count >= 0 AND spent_count >= 0)"
    )
    op.add_column("coupons", sa.Column("budget_day", sa.Date(), server_default="1970-01-01", nullable=False))
    if op.get_bind().dialect.name == "sqlite":
        op.execute("UPDATE coupons SET budget_day = date(issued_at / 1000000, 'unixepoch')")
    else:
        op.execute("UPDATE coupons SET budget_day = (issued_at AT TIME ZONE 'UTC')::date")
    for statement in FILL:
        op.execute(statement)


def _make_tables() -> None:
    op.create_table(
        "coupon_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("coupon_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("reported_at", Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("coupon_events_coupon", "coupon_events", ["coupon_id", "id"], unique=False)
    op.create_table(
        "budgets",
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("reserved_minor", sa.BigInteger(), nullable=False),
        sa.Column("reserved_count", sa.BigInteger(), nullable=False),
        sa.Column("spent_minor", sa.BigInteger(), nullable=False),
        sa.Column("spent_count", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "reserved_minor >= 0 AND reserved_count >= 0 AND spent_minor >= 0 AND spent_count >= 0",
            name="budgets_booked",
        ),
        sa.PrimaryKeyConstraint("campaign_id", "scope"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_column("coupons", "budget_day")
    op.execute("ALTER TABLE campaigns DROP COLUMN spent_count")
    for name in ("reserved_count", *LIMITS):
        op.drop_column("campaigns", name)
    op.drop_table("budgets")
    op.drop_table("coupon_events")
