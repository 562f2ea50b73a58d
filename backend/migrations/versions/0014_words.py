"""Finding the words of staff that are old enough to go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the few rows that have any."""
    given, said = sa.text("reason IS NOT NULL"), sa.text("reason <> ''")
    op.create_index("coupon_events_reason", "coupon_events", ["at"], sqlite_where=given, postgresql_where=given)
    op.create_index("rollbacks_reason", "rollbacks", ["rolled_back_at"], sqlite_where=said, postgresql_where=said)


def downgrade() -> None:
    """Drop the indexes."""
    op.drop_index("coupon_events_reason", "coupon_events")
    op.drop_index("rollbacks_reason", "rollbacks")
