"""What the databases themselves forbid: nobody rewrites the audit log, or takes out a single entry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from backend.adapters.sql import Database, SqlChain, upgrade
from backend.adapters.sql.tables_staff import audit
from tests.contracts.examples import BY, KAMPPI, PASILA
from tests.servers import postgresql_database, sqlite_database


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with two entries in its log."""
    with sqlite_database(tmp_path) if request.param == "sqlite" else postgresql_database() as url:
        upgrade(url)
        made = Database(url)
        SqlChain(made).put_stores([KAMPPI, PASILA], BY)
        yield made
        made.close()


def ids(database: Database) -> list[int]:
    """The entries that are there."""
    with database.read() as connection:
        return list(connection.execute(sa.select(audit.c.id).order_by(audit.c.id)).scalars())


def run(database: Database, statement: sa.Executable) -> None:
    """In a transaction of its own."""
    with database.write() as connection:
        connection.execute(statement)


def test_an_entry_is_not_rewritten(database: Database) -> None:
    with pytest.raises(exc.DatabaseError, match="append-only"):
        run(database, audit.update().values(actor="somebody else"))


def test_an_entry_is_not_taken_from_the_middle_or_the_end(database: Database) -> None:
    first, last = ids(database)
    with pytest.raises(exc.DatabaseError, match="old end"):
        run(database, audit.delete().where(audit.c.id == last))
    assert ids(database) == [first, last]


def test_retention_cuts_the_old_end(database: Database) -> None:
    first, last = ids(database)
    run(database, audit.delete().where(audit.c.id <= first))
    assert ids(database) == [last]
    run(database, audit.delete())
    assert ids(database) == []
