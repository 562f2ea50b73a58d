"""A server that cannot write is not ready, and is again as soon as it can."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from backend.adapters.sql import Database
from backend.service.errors import Unavailable
from backend.service.ports import Ports
from tests.contracts.adapters import ports_over, upgraded_sqlite
from tests.contracts.examples import BY, KAMPPI


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty one."""
    made = Database(upgraded_sqlite(tmp_path))
    yield made
    made.close()


def let_write(database: Database, may: bool) -> None:
    """SQLite refuses writes as it does on a full disk; one thread has one connection."""
    with database.read() as connection:
        connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if may else 'ON'}")


@pytest.fixture
def ports(database: Database) -> Ports:
    """All over that database."""
    return ports_over(database)


def test_a_server_whose_last_write_failed_is_not_ready_until_one_succeeds(database: Database, ports: Ports) -> None:
    let_write(database, False)
    with pytest.raises(Unavailable):
        ports.chain.put_stores([KAMPPI], BY)
    with pytest.raises(Unavailable):
        ports.chain.check()
    let_write(database, True)
    before = ports.chain.version()
    ports.chain.check()
    assert ports.chain.version() > before, "what changes nothing would be written to a full disk too"


def test_a_server_that_has_written_asks_by_reading_only(database: Database, ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI], BY)
    let_write(database, False)
    ports.chain.check()


def test_the_log_tells_why_a_write_failed(database: Database, ports: Ports) -> None:
    let_write(database, False)
    with structlog.testing.capture_logs() as logged, pytest.raises(Unavailable):
        ports.chain.put_stores([KAMPPI], BY)
    assert [(each["event"], each["cause"]) for each in logged] == [("database unavailable", "SQLITE_READONLY")]
