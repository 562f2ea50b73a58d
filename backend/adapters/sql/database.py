"""One database: how to read from it, how to write to it, and what its failures mean."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.pq import Conninfo
from sqlalchemy import exc
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url

from backend.adapters.sql import tables as t
from backend.adapters.sql.prepared import Prepared
from backend.service.errors import Invalid, NotFound, Unavailable

log = structlog.get_logger("lull.database")
MIGRATIONS = Path(__file__).parents[2] / "migrations"
BUSY_MS = 2_500
WIPE_MS = 100
"""As long as SQLite waits for readers so as to empty its log, it keeps writers waiting."""
POOL = 20
"""Connections of one process; statements take milliseconds, so more threads than that wait a little for one."""
POOL_WAIT_S = 10
_MANY = 0x6C756C6C
"""Names the advisory lock of whoever changes many members; the letters of Lull."""
_BEGIN = Prepared(sa.text("BEGIN IMMEDIATE"))
_PATIENCE = {
    "connect_timeout": 3,
    "options": "-c statement_timeout=30000",
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
"""Seconds and milliseconds: a PostgreSQL that is out of reach is told as such, not waited for, also when it vanished
amid a statement."""


_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    f"busy_timeout={BUSY_MS}",
    "secure_delete=ON",
    "foreign_keys=ON",
)


def _configure_sqlite(engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def connect(connection: Any, _: Any) -> None:
        # sqlite3 must not begin transactions by itself: we say BEGIN IMMEDIATE, which never ends in a deadlock.
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        if connection.get_execution_options().get("writes"):
            _BEGIN.run(connection, {})


class Database:
    """An engine for SQLite or PostgreSQL. Raises ValueError for a URL of anything else."""

    def __init__(self, url: str) -> None:
        parsed = checked_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.insert: Any = sqlite.insert if self.is_sqlite else postgresql.insert
        options: dict[str, Any] = {} if self.is_sqlite else {"pool_pre_ping": True, "connect_args": _PATIENCE}
        # Parameters are people's data: they stay out of every error's text.
        engine = sa.create_engine(
            parsed, pool_size=POOL, max_overflow=0, pool_timeout=POOL_WAIT_S, hide_parameters=True, **options
        )
        if self.is_sqlite:
            _configure_sqlite(engine)
        self._engine = engine
        # SQLAlchemy forgets the row counts of inserts unless told to keep them; ours say who came first.
        self._writer = engine.execution_options(writes=True, preserve_rowcount=True)
        # SQLite takes one writer at a time: a lock wakes the next at once, its own busy handler sleeps and polls.
        self._lock: Any = _Turns() if self.is_sqlite else nullcontext()
        self.write_failed = False
        self._reader = engine if self.is_sqlite else engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for single reads, outside any transaction."""
        with _mapped(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A connection in one transaction, committed at the end and rolled back by an exception."""
        try:
            with _mapped(), self._lock, self._writer.begin() as connection:
                yield connection
        except Unavailable:
            self.write_failed = True
            raise
        self.write_failed = False

    @contextmanager
    def write_many(self) -> Iterator[sa.Connection]:
        """The same for what changes many members in any order, such as an import.

        One such transaction after the other: two that wait for each other's members would wait for ever. Nobody else
        holds more than one member and waits for another.
        """
        with self.write() as connection:
            if not self.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MANY)))
            yield connection

    @contextmanager
    def change_tables(self) -> Iterator[sa.Connection]:
        """A connection in one transaction in which tables may be made anew; what refers to their rows stays."""
        if not self.is_sqlite:
            with self.write() as connection:
                yield connection
            return
        with _mapped(), self._lock, self._reader.connect() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")  # is deaf within a transaction
            _BEGIN.run(connection, {})
            yield connection
            connection.commit()
            connection.invalidate()  # nobody else is to have it as it is now

    def wipe(self) -> bool:
        """Take what was deleted out of SQLite's log as well; False while somebody still reads or writes what was.

        A page of the file is overwritten as rows are deleted from it (secure_delete). PostgreSQL has no such call.
        """
        if not self.is_sqlite:
            return True
        with _mapped(), self._reader.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={WIPE_MS}")
            try:
                busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
            finally:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_MS}")
        return bool(busy == 0)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


class _Turns:
    """One writer after another, each waiting no longer than SQLite itself would."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=BUSY_MS / 1000.0):
            raise exc.TimeoutError("other writers took too long")

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@contextmanager
def _mapped() -> Iterator[None]:
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError) as error:
        if "no such table" in str(error) or "no such column" in str(error):
            raise _not_ready() from error
        log.warning("database unavailable", error=type(error).__name__, cause=_cause(error))
        detail = "the database cannot be reached, or not written, now: try again soon"
        raise Unavailable("database_unavailable", detail) from error
    except exc.DataError as error:
        raise Invalid("data", "the database cannot hold a value: it is too large, or no text") from error
    except exc.ProgrammingError as error:
        if "does not exist" in str(error.orig):
            raise _not_ready() from error
        raise
    except exc.IntegrityError as error:
        if "foreign key" in str(error.orig).lower():  # every one of them leads to a member
            raise NotFound("member_unknown", "there is no such member") from error
        raise
    except exc.DatabaseError as error:
        if "not a database" in str(error) or "malformed" in str(error):
            raise Unavailable("no_database", "the file is not a SQLite database, or it is damaged") from error
        raise


def _cause(error: exc.SQLAlchemyError) -> str | None:
    """What the database calls it, such as SQLITE_FULL or 53100: a full disk."""
    original = getattr(error, "orig", None)
    return getattr(original, "sqlite_errorname", None) or getattr(original, "sqlstate", None)


def _not_ready() -> Unavailable:
    detail = "the database has no tables yet, or those of another version: run lull database upgrade"
    return Unavailable("database_not_ready", detail)


def checked_url(url: str) -> sa.URL:
    """The URL, with the driver Lull uses. Raises ValueError, without repeating a password, when it cannot be used."""
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError) as error:
        raise ValueError(
            "the database URL cannot be read: it looks like sqlite:///lull.db or postgresql://..."
        ) from error
    name = parsed.drivername.partition("+")[0]
    if name == "postgresql":
        return _checked_server(parsed).set(drivername="postgresql+psycopg")
    if name == "sqlite":
        return _checked_file(parsed).set(drivername="sqlite")
    raise ValueError(f"the database URL names {name!r}; Lull runs on sqlite and postgresql")


def _checked_file(url: sa.URL) -> sa.URL:
    if url.query:
        raise ValueError("the database URL has parameters, and SQLite's takes none: write it as sqlite:///lull.db")
    if url.database in (None, "", ":memory:") or url.host or url.username:
        raise ValueError("SQLite needs a file, such as sqlite:///lull.db: several processes work on it")
    path = Path(url.database)
    if path.is_dir():
        raise ValueError(f"the database URL names {path}, which is a folder: give the name of a file in it")
    if not path.parent.is_dir():
        raise ValueError(f"the database URL names {path}, but there is no folder {path.parent}: make it first")
    return url


def _checked_server(url: sa.URL) -> sa.URL:
    if not url.database and "dbname" not in url.query:
        raise ValueError("the database URL names no database: it looks like postgresql://user@host/lull")
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    unknown = sorted(set(url.query) - known)
    if unknown:
        raise ValueError(f"the database URL has a parameter {unknown[0]!r}, which PostgreSQL does not know: remove it")
    if url.port is not None and not 0 < url.port < 65_536:
        raise ValueError("the database URL's port cannot be: give one between 1 and 65535")
    return url


def upgrade(url: str) -> None:
    """Bring the database to the newest tables; what is there already stays."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    database = Database(url)
    try:
        with database.change_tables() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        database.close()


def check_newest(database: Database) -> None:
    """Raise Unavailable unless the tables are those of this version."""
    script = ScriptDirectory(str(MIGRATIONS))
    with database.read() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != script.get_current_head():
        raise _not_ready()


def bump(connection: sa.Connection) -> None:
    """Note that the catalogue changed."""
    connection.execute(t.versions.update().values(number=t.versions.c.number + 1))
