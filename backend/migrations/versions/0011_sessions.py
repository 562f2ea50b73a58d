"""Sessions of members that can be ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Count the generations of sessions; those that are open stay good."""
    with op.batch_alter_table("members") as members:
        members.add_column(sa.Column("sessions", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    """Forget them."""
    with op.batch_alter_table("members") as members:
        members.drop_column("sessions")
