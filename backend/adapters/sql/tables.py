"""The tables, the same on both databases. Money in minor units; a migration builds exactly these."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware time: timestamptz on PostgreSQL, whole microseconds since 1970 on SQLite, which has no such type."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """The column's type in this database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(sa.BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        """To the database."""
        if value is None or dialect.name == "postgresql":
            return value
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        """From the database, in UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if dialect.name == "postgresql" else _EPOCH + timedelta(microseconds=value)


metadata = sa.MetaData()


def _id(name: str = "id", **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, **options)


def member_id(table: str, on_erasure: Literal["CASCADE", "SET NULL"], **options: Any) -> sa.Column[str]:
    """Whose row this is: when they are erased it goes with them, or stays as accounting without a person.

    The key is also what keeps a row of somebody who is gone out, whoever writes it.
    """
    key = sa.ForeignKey("members.id", name=f"{table}_member", ondelete=on_erasure)
    return sa.Column("member_id", sa.Text, key, nullable=on_erasure == "SET NULL", **options)


versions = sa.Table(
    "versions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
)

stores = sa.Table(
    "stores",
    metadata,
    _id(primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("lat", sa.Double, nullable=False),
    sa.Column("lng", sa.Double, nullable=False),
    sa.Column("fence", sa.Text, nullable=False),
    sa.Column("hours", sa.Text),
    sa.Column("time_zone", sa.Text),
    sa.Column("staff", sa.Integer),
    sa.Column("service_s", sa.Double),
    sa.Column("target_utilisation", sa.Double, nullable=False),
    sa.Column("outstanding", sa.Integer, nullable=False, server_default="0"),
    sa.CheckConstraint("outstanding >= 0", name="stores_outstanding"),
)

sensitive_places = sa.Table(
    "sensitive_places",
    metadata,
    _id(primary_key=True),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("lat", sa.Double, nullable=False),
    sa.Column("lng", sa.Double, nullable=False),
    sa.Column("fence", sa.Text, nullable=False),
)

menu_items = sa.Table(
    "menu_items",
    metadata,
    _id("store_id", primary_key=True),
    _id("product_id", primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("price_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
)

offers = sa.Table(
    "offers",
    metadata,
    _id(primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("product_id", sa.Text, nullable=False),
    sa.Column("discount_kind", sa.Text, nullable=False),
    sa.Column("discount_value", sa.BigInteger, nullable=False),
    sa.Column("tiers", sa.JSON, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("minimum_spend_minor", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("stackable", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("only_present", sa.Boolean, nullable=False, server_default=sa.false()),
)

campaigns = sa.Table(
    "campaigns",
    metadata,
    _id(primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("offer_ids", sa.JSON, nullable=False),
    sa.Column("budget_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("holdout", sa.Double, nullable=False),
    sa.Column("starts_at", Instant),
    sa.Column("ends_at", Instant),
    sa.Column("reserved_minor", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("spent_minor", sa.BigInteger, nullable=False, server_default="0"),
    *(
        sa.Column(name, sa.BigInteger)
        for name in ("budget_count", "store_budget_minor", "store_budget_count", "day_budget_minor", "day_budget_count")
    ),
    sa.Column("reserved_count", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("spent_count", sa.BigInteger, nullable=False, server_default="0"),
    sa.CheckConstraint("reserved_minor >= 0 AND spent_minor >= 0", name="campaigns_money"),
    sa.CheckConstraint("reserved_count >= 0 AND spent_count >= 0", name="campaigns_count"),
)

pauses = sa.Table("pauses", metadata, _id("scope", primary_key=True), sa.Column("since", Instant, nullable=False))

snapshots = sa.Table(
    "snapshots",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("published_at", Instant, nullable=False),
)

observations = sa.Table(
    "observations",
    metadata,
    _id("store_id", primary_key=True),
    _id("kind", primary_key=True),
    sa.Column("at", Instant, primary_key=True),
    _id("product_id", primary_key=True),
    _id("source", primary_key=True),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("window_s", sa.Double),
)

baselines = sa.Table(
    "baselines",
    metadata,
    _id("store_id", primary_key=True),
    sa.Column("hour_of_week", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("per_hour", sa.Double, nullable=False),
)

members = sa.Table(
    "members",
    metadata,
    _id(primary_key=True),
    _id("uid", unique=True),
    sa.Column("tier", sa.Text, nullable=False),
    sa.Column("time_zone", sa.Text),
    sa.Column("locale", sa.Text, nullable=False),
    sa.Column("location_offers", sa.Boolean, nullable=False),
    sa.Column("personalisation", sa.Boolean, nullable=False),
    sa.Column("measurement", sa.Boolean, nullable=False),
    sa.Column("preferences", sa.Text, nullable=False),
    sa.Column("tastes", sa.Text, nullable=False),
    sa.Column("last_given_at", Instant),
    sa.Column("tier_grant", sa.Text),
    sa.Column("tier_steps", sa.Text, nullable=False, server_default="[]"),
    sa.Column("tier_due_at", Instant, index=True),
    sa.Column("profile", sa.Text, nullable=False, server_default="{}"),
    sa.Column("leaving_since", Instant),
    sa.Column("sessions", sa.Integer, nullable=False, server_default="0"),
)

devices = sa.Table(
    "devices",
    metadata,
    member_id("devices", "CASCADE", primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("registration", sa.Text, nullable=False, unique=True),
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("locale", sa.Text, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
)

device_keys = sa.Table(
    "device_keys",
    metadata,
    _id(primary_key=True),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    member_id("device_keys", "CASCADE", index=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)

consents = sa.Table(
    "consents",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    member_id("consents", "CASCADE", index=True),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("granted", sa.Boolean, nullable=False),
    sa.Column("text_version", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
)

decisions = sa.Table(
    "decisions",
    metadata,
    _id(primary_key=True),
    member_id("decisions", "CASCADE"),
    sa.Column("store_id", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("draw", sa.Double, nullable=False),
    sa.Column("weight", sa.Double, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("decision", sa.Text, nullable=False),
    sa.Index("decisions_at", "at", "id"),
    sa.Index("decisions_given", "member_id", "at"),
)

coupons = sa.Table(
    "coupons",
    metadata,
    _id(primary_key=True),
    sa.Column("code_hash", sa.Text, nullable=False, unique=True),
    member_id("coupons", "SET NULL"),
    sa.Column("store_id", sa.Text, nullable=False),
    sa.Column("store_name", sa.Text, nullable=False),
    sa.Column("campaign_id", sa.Text, nullable=False),
    sa.Column("offer_id", sa.Text, nullable=False),
    sa.Column("product_id", sa.Text, nullable=False),
    sa.Column("product_name", sa.Text, nullable=False),
    sa.Column("discount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("issued_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("budget_day", sa.Date, nullable=False, server_default="1970-01-01"),
    sa.Column("terms", sa.Text, nullable=False, server_default="{}"),
    sa.Column("code_key", sa.Text, nullable=False, server_default=""),
    sa.Index("coupons_member", "member_id", "issued_at"),
    sa.Index("coupons_state", "state", "expires_at"),
    sa.Index("coupons_issued", "issued_at"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    _id("coupon_id", primary_key=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("message_name", sa.Text),
    sa.Column("queued_at", Instant, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("first_tried_at", sa.Double),
    sa.Column("not_before", sa.Double, nullable=False),
    sa.Column("leased_until", sa.Double),
    sa.Index("outbox_due", "status", "not_before"),
)

erasures = sa.Table(
    "erasures",
    metadata,
    _id(primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("wiped", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Index("erasures_to_wipe", "wiped"),
)
