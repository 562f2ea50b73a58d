"""Whether an erasure is out of the database's own log as well."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those of before count as done: whoever asked for them was answered so, or asked again."""
    op.add_column("erasures", sa.Column("wiped", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_index("erasures_to_wipe", "erasures", ["wiped"])


def downgrade() -> None:
    """Forget it."""
    op.drop_index("erasures_to_wipe", "erasures")
    op.drop_column("erasures", "wiped")
