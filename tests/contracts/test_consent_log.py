"""The consent log is append-only, in the database itself, whoever writes to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from backend.adapters.sql import Database, SqlLedger, SqlMembers, upgrade
from backend.adapters.sql import tables as t
from tests.contracts.examples import CONSENT, NOW
from tests.servers import postgresql_database, sqlite_database


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with a member who agreed once."""
    with sqlite_database(tmp_path) if request.param == "sqlite" else postgresql_database() as url:
        upgrade(url)
        made = Database(url)
        members = SqlMembers(made)
        members.record_consent(members.sign_in("uid", NOW).id, CONSENT)
        yield made
        made.close()


def entries(database: Database) -> int:
    """How many entries the log has."""
    with database.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(t.consents)).scalar_one())


@pytest.mark.parametrize("change", [t.consents.update().values(granted=False), t.consents.delete()])
def test_no_entry_is_rewritten_or_taken_out(database: Database, change: sa.Executable) -> None:
    with pytest.raises(exc.DatabaseError, match="consent log"), database.write() as connection:
        connection.execute(change)
    assert entries(database) == 1


def test_the_log_goes_with_its_member(database: Database) -> None:
    members = SqlMembers(database)
    member = members.sign_in("uid", NOW)
    members.leave(member.id, NOW)
    SqlLedger(database).erase(member.id, NOW)
    assert entries(database) == 0
