"""Terms of offers and coupons, sales with several coupons, and returns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.adapters.sql.tables import Instant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns, and the table of returns; coupons and sales that are there go on as before."""
    op.add_column("offers", sa.Column("minimum_spend_minor", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("offers", sa.Column("stackable", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("offers", sa.Column("only_present", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("coupons", sa.Column("terms", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("purchases", sa.Column("sale_id", sa.Text()))
    op.add_column("purchases", sa.Column("discount_minor", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("redemptions", sa.Column("purchase_id", sa.Text(), nullable=False, server_default=""))
    op.add_column("redemptions", sa.Column("taken_back_minor", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE redemptions SET purchase_id = id")
    op.execute("UPDATE redemptions SET taken_back_minor = discount_minor WHERE rolled_back")
    op.execute(
        "UPDATE purchases SET discount_minor = "
        "(SELECT discount_minor FROM redemptions WHERE redemptions.id = purchases.id) "
        "WHERE EXISTS (SELECT 1 FROM redemptions WHERE redemptions.id = purchases.id)"
    )
    op.create_index("redemptions_purchase", "redemptions", ["purchase_id"])
    op.create_table(
        "rollbacks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("redemption_id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("refund_minor", sa.BigInteger(), nullable=False),
        sa.Column("to_pay_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("rolled_back", sa.Boolean(), nullable=False),
        sa.Column("rolled_back_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_rollbacks_redemption_id", "rollbacks", ["redemption_id"])


def downgrade() -> None:
    """Drop what was added."""
    op.drop_table("rollbacks")
    op.drop_index("redemptions_purchase", "redemptions")
    for table, columns in (
        ("redemptions", ("purchase_id", "taken_back_minor")),
        ("purchases", ("sale_id", "discount_minor")),
        ("coupons", ("terms",)),
        ("offers", ("minimum_spend_minor", "stackable", "only_present")),
    ):
        for column in columns:
            op.drop_column(table, column)
