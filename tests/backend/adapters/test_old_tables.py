"""A database that was not brought up to date."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from backend.adapters.sql import Database, check_newest, upgrade
from backend.service.errors import Unavailable


@pytest.mark.parametrize("missing", ["SELECT later FROM members", "SELECT id FROM later"])
def test_tables_of_another_version_are_told_from_a_database_that_is_away(tmp_path: Path, missing: str) -> None:
    url = f"sqlite:///{tmp_path / 'lull.db'}"
    upgrade(url)
    with pytest.raises(Unavailable, match="run lull database upgrade"), Database(url).read() as connection:
        connection.execute(sa.text(missing))


def test_a_server_does_not_start_on_tables_of_another_version(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'lull.db'}"
    upgrade(url)
    database = Database(url)
    check_newest(database)
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0003'"))
    with pytest.raises(Unavailable, match="run lull database upgrade"):
        check_newest(database)
