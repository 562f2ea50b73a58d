"""Failures on the short way to the driver."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from backend.adapters.sql import Database
from backend.adapters.sql.prepared import Prepared
from backend.service.errors import Unavailable

NOT_JSON = Prepared(sa.select(sa.func.json(sa.bindparam("text", type_=sa.Text)).label("read")))
"""SQLite notices what is wrong only when the row is fetched."""


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'lull.db'}")


@pytest.mark.parametrize("fetch", [NOT_JSON.first, NOT_JSON.all])
def test_what_fails_while_rows_are_fetched_is_told_like_all_else(database: Database, fetch: object) -> None:
    assert callable(fetch)
    with pytest.raises(Unavailable), database.read() as connection:
        fetch(connection, {"text": "no JSON"})


def test_errors_keep_values_to_themselves(database: Database) -> None:
    with pytest.raises(Unavailable) as told, database.read() as connection:
        NOT_JSON.first(connection, {"text": "a secret"})
    cause = told.value.__cause__
    assert isinstance(cause, exc.OperationalError)
    assert "a secret" not in str(cause)
