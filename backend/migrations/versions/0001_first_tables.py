"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.adapters.sql.tables import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""

    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("store_ids", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
    )
    op.create_table(
        "baselines",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("hour_of_week", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("per_hour", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "hour_of_week"),
    )
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("offer_ids", sa.JSON(), nullable=False),
        sa.Column("budget_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("holdout", sa.Double(), nullable=False),
        sa.Column("starts_at", Instant(), nullable=True),
        sa.Column("ends_at", Instant(), nullable=True),
        sa.Column("reserved_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("spent_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("reserved_minor >= 0 AND spent_minor >= 0", name="campaigns_money"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_consents_member_id"), "consents", ["member_id"], unique=False)
    op.create_table(
        "coupons",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("store_name", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("product_name", sa.Text(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("issued_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code_hash"),
    )
    op.create_index("coupons_issued", "coupons", ["issued_at"], unique=False)
    op.create_index("coupons_member", "coupons", ["member_id", "issued_at"], unique=False)
    op.create_index("coupons_state", "coupons", ["state", "expires_at"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("draw", sa.Double(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("decisions_at", "decisions", ["at", "id"], unique=False)
    op.create_index("decisions_given", "decisions", ["member_id", "at"], unique=False)
    op.create_table(
        "devices",
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("registration", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("member_id"),
        sa.UniqueConstraint("registration"),
    )
    op.create_table(
        "idempotency",
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("result_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("credential", "key"),
    )
    op.create_table(
        "members",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("location_offers", sa.Boolean(), nullable=False),
        sa.Column("personalisation", sa.Boolean(), nullable=False),
        sa.Column("measurement", sa.Boolean(), nullable=False),
        sa.Column("preferences", sa.Text(), nullable=False),
        sa.Column("tastes", sa.Text(), nullable=False),
        sa.Column("last_given_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uid"),
    )
    op.create_table(
        "menu_items",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "product_id"),
    )
    op.create_table(
        "observations",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("window_s", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("store_id", "kind", "at", "product_id", "source"),
    )
    op.create_table(
        "offers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("discount_kind", sa.Text(), nullable=False),
        sa.Column("discount_value", sa.BigInteger(), nullable=False),
        sa.Column("tiers", sa.JSON(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "outbox",
        sa.Column("coupon_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("message_name", sa.Text(), nullable=True),
        sa.Column("queued_at", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_tried_at", sa.Double(), nullable=True),
        sa.Column("not_before", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("coupon_id"),
    )
    op.create_index("outbox_due", "outbox", ["status", "not_before"], unique=False)
    op.create_table(
        "pauses",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("scope"),
    )
    op.create_table(
        "purchases",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("items", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "redemptions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("coupon_id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("product_name", sa.Text(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), nullable=False),
        sa.Column("to_pay_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("redeemed_at", Instant(), nullable=False),
        sa.Column("rolled_back", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("coupon_id"),
    )
    op.create_table(
        "snapshots",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "stores",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lng", sa.Double(), nullable=False),
        sa.Column("fence", sa.Text(), nullable=False),
        sa.Column("hours", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("staff", sa.Integer(), nullable=True),
        sa.Column("service_s", sa.Double(), nullable=True),
        sa.Column("target_utilisation", sa.Double(), nullable=False),
        sa.Column("outstanding", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("outstanding >= 0", name="stores_outstanding"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )

    op.execute("INSERT INTO versions (id, number) VALUES (1, 1)")


def downgrade() -> None:
    """Drop them."""

    op.drop_table("versions")
    op.drop_table("stores")
    op.drop_table("snapshots")
    op.drop_table("redemptions")
    op.drop_table("purchases")
    op.drop_table("pauses")
    op.drop_index("outbox_due", table_name="outbox")
    op.drop_table("outbox")
    op.drop_table("offers")
    op.drop_table("observations")
    op.drop_table("menu_items")
    op.drop_table("members")
    op.drop_table("idempotency")
    op.drop_table("devices")
    op.drop_index("decisions_given", table_name="decisions")
    op.drop_index("decisions_at", table_name="decisions")
    op.drop_table("decisions")
    op.drop_index("coupons_state", table_name="coupons")
    op.drop_index("coupons_member", table_name="coupons")
    op.drop_index("coupons_issued", table_name="coupons")
    op.drop_table("coupons")
    op.drop_index(op.f("ix_consents_member_id"), table_name="consents")
    op.drop_table("consents")
    op.drop_table("campaigns")
    op.drop_table("baselines")
    op.drop_table("api_keys")
