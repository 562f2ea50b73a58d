"""Whose a row is, kept by the database: nobody's row comes in, and a member's rows go or stay with an erasure.

The consent log is append-only: no entry is rewritten, and it goes with its member only.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.adapters.sql.tables import Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_GO = ("devices", "device_keys", "consents", "decisions", "stars")
_STAY = ("coupons", "purchases")
_SQLITE = (
    """
    CREATE TRIGGER consents_stay BEFORE UPDATE ON consents
    BEGIN SELECT RAISE(ABORT, 'the consent log is append-only'); END
    """,
    """
    CREATE TRIGGER consents_go BEFORE DELETE ON consents
    WHEN EXISTS (SELECT 1 FROM members WHERE id = OLD.member_id)
    BEGIN SELECT RAISE(ABORT, 'the consent log goes with its member only'); END
    """,
)
_POSTGRESQL = (
    """
    CREATE FUNCTION consents_stay() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the consent log is append-only'; END $$
    """,
    "CREATE TRIGGER consents_stay BEFORE UPDATE ON consents FOR EACH ROW EXECUTE FUNCTION consents_stay()",
    """
    CREATE FUNCTION consents_go() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        IF EXISTS (SELECT 1 FROM members WHERE id = OLD.member_id) THEN
            RAISE EXCEPTION 'the consent log goes with its member only';
        END IF;
        RETURN OLD;
    END $$
    """,
    "CREATE TRIGGER consents_go BEFORE DELETE ON consents FOR EACH ROW EXECUTE FUNCTION consents_go()",
)


def upgrade() -> None:
    """Add the keys, and what an erasure notes."""
    op.add_column("members", sa.Column("leaving_since", Instant()))
    op.add_column("outbox", sa.Column("leased_until", sa.Double()))
    op.create_table(
        "erasures",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_purchases_member_id", "purchases", ["member_id"])
    for name in _GO:
        # No member was ever deleted, but who edited the database by hand must be able to upgrade.
        op.execute(f"DELETE FROM {name} WHERE member_id NOT IN (SELECT id FROM members)")  # noqa: S608 - our own names
        with op.batch_alter_table(name) as table:
            table.create_foreign_key(f"{name}_member", "members", ["member_id"], ["id"], ondelete="CASCADE")
    with op.batch_alter_table("coupons") as table:
        table.alter_column("member_id", existing_type=sa.Text(), nullable=True)
    for name in _STAY:
        op.execute(f"UPDATE {name} SET member_id = NULL WHERE member_id NOT IN (SELECT id FROM members)")  # noqa: S608
        with op.batch_alter_table(name) as table:
            table.create_foreign_key(f"{name}_member", "members", ["member_id"], ["id"], ondelete="SET NULL")
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """Take them out again; coupons that are nobody's stay so."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name in ("consents_stay", "consents_go"):
        op.execute(f"DROP TRIGGER {name}" if sqlite else f"DROP FUNCTION {name} CASCADE")
    for name in (*_GO, *_STAY):
        with op.batch_alter_table(name) as table:
            table.drop_constraint(f"{name}_member", type_="foreignkey")
    op.drop_index("ix_purchases_member_id", "purchases")
    op.drop_table("erasures")
    op.drop_column("outbox", "leased_until")
    op.drop_column("members", "leaving_since")
