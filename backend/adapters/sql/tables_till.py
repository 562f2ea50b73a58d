"""The tables of tills: sales, coupons used on them, returns, and answers that repeated requests get again."""

from __future__ import annotations

import sqlalchemy as sa

from backend.adapters.sql.tables import Instant, member_id, metadata

_SAID = sa.text("reason <> ''")
redemptions = sa.Table(
    "redemptions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("coupon_id", sa.Text, nullable=False, unique=True),
    sa.Column("store_id", sa.Text, nullable=False),
    sa.Column("product_name", sa.Text, nullable=False),
    sa.Column("discount_minor", sa.BigInteger, nullable=False),
    sa.Column("to_pay_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("redeemed_at", Instant, nullable=False),
    sa.Column("rolled_back", sa.Boolean, nullable=False),
    sa.Column("purchase_id", sa.Text, nullable=False, server_default=""),
    sa.Column("taken_back_minor", sa.BigInteger, nullable=False, server_default="0"),
    sa.Index("redemptions_purchase", "purchase_id"),
)

purchases = sa.Table(
    "purchases",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("store_id", sa.Text, nullable=False),
    member_id("purchases", "SET NULL", index=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("total_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("items", sa.Text, nullable=False),
    sa.Column("sale_id", sa.Text),
    sa.Column("discount_minor", sa.BigInteger, nullable=False, server_default="0"),
)

rollbacks = sa.Table(
    "rollbacks",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("redemption_id", sa.Text, nullable=False, index=True),
    sa.Column("store_id", sa.Text, nullable=False),
    sa.Column("items", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("refund_minor", sa.BigInteger, nullable=False),
    sa.Column("to_pay_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("rolled_back", sa.Boolean, nullable=False),
    sa.Column("rolled_back_at", Instant, nullable=False),
    sa.Index("rollbacks_reason", "rolled_back_at", sqlite_where=_SAID, postgresql_where=_SAID),
)

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
