"""API keys that are rotated and revoked, and the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.adapters.sql.tables import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SQLITE = (
    """
    CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
    """
    CREATE TRIGGER audit_ends BEFORE DELETE ON audit
    WHEN EXISTS (SELECT 1 FROM audit WHERE id < OLD.id)
    BEGIN SELECT RAISE(ABORT, 'the audit log is cut at its old end only'); END
    """,
)
_POSTGRESQL = (
    """
    CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$
    """,
    "CREATE TRIGGER audit_stays BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_stays()",
    """
    CREATE FUNCTION audit_ends() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        IF EXISTS (SELECT 1 FROM audit WHERE id < (SELECT max(id) FROM gone)) THEN
            RAISE EXCEPTION 'the audit log is cut at its old end only';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER audit_ends AFTER DELETE ON audit REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION audit_ends()
    """,
)


def upgrade() -> None:
    """Make the log, which nobody rewrites, and the columns of keys."""
    with op.batch_alter_table("api_keys") as keys:
        keys.add_column(sa.Column("label", sa.Text(), server_default="", nullable=False))
        for name in ("created_at", "last_used_at", "revoked_at", "previous_until"):
            keys.add_column(sa.Column(name, Instant(), nullable=True))
        keys.add_column(sa.Column("previous_hash", sa.Text(), nullable=True))
        keys.create_index("ix_api_keys_previous_hash", ["previous_hash"])
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("audit")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION audit_stays")
        op.execute("DROP FUNCTION audit_ends")
    with op.batch_alter_table("api_keys") as keys:
        keys.drop_index("ix_api_keys_previous_hash")
        for name in ("label", "created_at", "last_used_at", "revoked_at", "previous_until", "previous_hash"):
            keys.drop_column(name)
