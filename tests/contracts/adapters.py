"""What the suite runs over: the twin, and the SQL adapters on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import MetaData, create_engine

from backend.adapters.sql import Database, SqlChain, SqlKeys, SqlLedger, SqlMembers, upgrade
from backend.service.ports import Ports
from backend.twins import TwinIdentity, TwinPresence, TwinSender, World

ADAPTERS = ("twin", "sqlite", "postgresql")


class KeysOverSql(SqlKeys):
    """The identity port from its two ends: the twin's ID tokens and the keys in SQL."""

    def uid(self, id_token: str) -> str:
        return TwinIdentity(World()).uid(id_token)


@contextmanager
def sql_ports(url: str) -> Iterator[Ports]:
    """The ports over an upgraded database."""
    database = Database(url)
    try:
        yield ports_over(database)
    finally:
        database.close()


def ports_over(database: Database) -> Ports:
    """The ports over a database that somebody else opens and closes."""
    return Ports(
        members=SqlMembers(database),
        presence=TwinPresence(),
        chain=SqlChain(database),
        ledger=SqlLedger(database),
        sender=TwinSender(),
        identity=KeysOverSql(database),
    )


def upgraded_sqlite(folder: Path) -> str:
    """The URL of a new SQLite file with all tables."""
    url = f"sqlite:///{folder / 'lull.db'}"
    upgrade(url)
    return url


def rows_as_upgraded(url: str) -> Callable[[], None]:
    """Puts the rows of every table back to what they are now, right after the upgrade."""
    engine, tables = create_engine(url), MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:
        kept = {table: [row._asdict() for row in connection.execute(table.select())] for table in tables.sorted_tables}
    engine.dispose()

    def restore() -> None:
        with engine.begin() as connection:
            # Members first: what is theirs goes with them. With so few rows far faster than TRUNCATE.
            for table in tables.sorted_tables:
                connection.execute(table.delete())
            for table, rows in kept.items():
                if rows:
                    connection.execute(table.insert(), rows)
        engine.dispose()

    return restore
