"""With which secret a coupon's code was made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("coupons", sa.Column("code_key", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("coupons", "code_key")
