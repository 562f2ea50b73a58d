"""Migrations build exactly the tables that tables.py describes, and docs/privacy.md tells of every column."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from backend.adapters.sql import Database, upgrade
from backend.adapters.sql.tables import metadata
from tests.contracts.privacy_page import PAGE, gaps
from tests.servers import postgresql_database, sqlite_database

Shape = dict[str, Any]
KEPT_AS_ACCOUNTING = {"coupons", "purchases"}
"""Tables whose rows stay after an erasure, without a person."""


def shape(url: str, make: Callable[[sa.Connection], None] | None = None) -> Shape:
    """All that the database says of its tables, after `make` has made them."""
    database = Database(url)
    try:
        with database.write() as connection:
            if make:
                make(connection)
            inspector = sa.inspect(connection)
            names = set(inspector.get_table_names()) - {"alembic_version"}
            return {name: table_shape(inspector, name) for name in sorted(names)}
    finally:
        database.close()


def table_shape(inspector: sa.Inspector, name: str) -> Shape:
    """A table's columns by name, its keys, constraints and indexes."""
    columns = {
        column["name"]: (
            column["type"].compile(inspector.dialect),
            column["nullable"],
            column["default"],
            column.get("identity"),
            column.get("computed"),
        )
        for column in inspector.get_columns(name)
    }
    return {
        "columns": columns,
        "primary key": inspector.get_pk_constraint(name)["constrained_columns"],
        "unique": in_order(inspector.get_unique_constraints(name)),
        "checks": in_order(inspector.get_check_constraints(name)),
        "foreign keys": in_order(inspector.get_foreign_keys(name)),
        "indexes": in_order(inspector.get_indexes(name)),
    }


def in_order(found: Any) -> list[str]:
    """What was found, as text, so that None can stand beside names, and conditions of indexes can be compared."""
    return sorted(repr(sorted((name, _plain(value)) for name, value in each.items())) for each in found)


def _plain(value: Any) -> Any:
    return {name: str(each) for name, each in value.items()} if isinstance(value, dict) else value


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    with sqlite_database(tmp_path) if request.param == "sqlite" else postgresql_database() as made:
        yield made


def drop_all(connection: sa.Connection) -> None:
    """Drop every table there is."""
    found = sa.MetaData()
    found.reflect(connection)
    found.drop_all(connection)


def test_migrations_build_the_tables(url: str) -> None:
    upgrade(url)
    migrated = shape(url)

    def make(connection: sa.Connection) -> None:
        drop_all(connection)
        metadata.create_all(connection)

    described = shape(url, make)
    assert set(migrated) == set(described) == set(metadata.tables)
    for name in described:
        assert migrated[name] == described[name], name


def keyed_otherwise(table: sa.Table) -> None:
    """The same key in another order."""
    columns = [table.c[name] for name in ("store_id", "kind", "product_id", "at", "source")]
    table.constraints.discard(table.primary_key)
    table.primary_key = sa.PrimaryKeyConstraint(*columns)  # type: ignore[assignment]
    table.append_constraint(table.primary_key)


def without_checks(table: sa.Table) -> None:
    """No check constraints."""
    for constraint in [each for each in table.constraints if isinstance(each, sa.CheckConstraint)]:
        table.constraints.discard(constraint)


SLIPS: dict[str, tuple[str, Callable[[sa.Table], object]]] = {
    "a column more": ("stores", lambda table: table.append_column(sa.Column("colour", sa.Text))),
    "another type": ("stores", lambda table: setattr(table.c.staff, "type", sa.BigInteger())),
    "null allowed": ("stores", lambda table: setattr(table.c.name, "nullable", True)),
    "no default": ("stores", lambda table: setattr(table.c.outstanding, "server_default", None)),
    "another key": ("observations", keyed_otherwise),
    "no checks": ("campaigns", without_checks),
    "a check more": ("offers", lambda table: table.append_constraint(sa.CheckConstraint("discount_value > 0"))),
    "an index more": ("outbox", lambda table: sa.Index("outbox_reason", table.c.reason)),
    "an index less": ("outbox", lambda table: table.indexes.clear()),
    "another unique column": ("members", lambda table: table.append_constraint(sa.UniqueConstraint("tier"))),
}


@pytest.mark.parametrize("slip", list(SLIPS))
def test_a_slip_would_be_noticed(url: str, slip: str) -> None:
    """Each difference that this file is to find is one that it can find."""
    name, change = SLIPS[slip]
    plain, changed = sa.MetaData(), sa.MetaData()
    metadata.tables[name].to_metadata(plain)
    change(metadata.tables[name].to_metadata(changed))

    def make_anew(connection: sa.Connection) -> None:
        drop_all(connection)
        changed.create_all(connection)

    assert shape(url, plain.create_all) != shape(url, make_anew)


def test_every_column_has_its_purpose_and_its_retention_in_the_privacy_page() -> None:
    assert gaps(PAGE.read_text()) == []


@pytest.mark.parametrize(
    ("now", "then", "gap"),
    [
        ("`tastes`", "", "not told: members.tastes"),
        ("`tastes`", "`colour`", "no such column: members.colour"),
        ("| `tastes`", "| `tastes`, `tier`", "told twice: members.tier"),
        ("### pauses", "### naps", "no chapter: pauses"),
        ("### pauses", "### naps", "no such table: naps"),
        ("| `scope`, `since` | what is stopped |", "| `scope`, `since` | |", "nothing said: pauses.['scope', 'since']"),
    ],
)
def test_a_gap_in_the_privacy_page_would_be_noticed(now: str, then: str, gap: str) -> None:
    """Each slip that this file is to find is one that it can find."""
    page = PAGE.read_text()
    assert now in page
    assert gap in gaps(page.replace(now, then))


def test_every_row_of_a_member_goes_with_them_or_stays_without_them() -> None:
    """A table that says whose a row is must say what becomes of it at an erasure: see `tables.member_id`."""
    columns = [table.c.member_id for table in metadata.tables.values() if "member_id" in table.c]
    ends = {
        column.table.name: [(key.target_fullname, key.ondelete) for key in column.foreign_keys] for column in columns
    }
    stays = [("members.id", "SET NULL")]
    assert ends
    for column in columns:
        assert ends[column.table.name] == (stays if column.nullable else [("members.id", "CASCADE")])
        assert column.table.name in KEPT_AS_ACCOUNTING or not column.nullable
