"""The bare driver: what Lull sent to a database is noted, and sent again by sqlite3 or psycopg alone."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from queue import SimpleQueue
from time import perf_counter_ns
from typing import Any

import psycopg
import sqlalchemy as sa

from backend.adapters.sql import Database
from backend.adapters.sql.database import BUSY_MS, POOL

COMMIT = "COMMIT"
_STAGE = re.compile(
    r"\s*(INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)|\s*SELECT.*?\sFROM\s+(\w+)", re.DOTALL | re.IGNORECASE
)


_PINGS = ("SELECT 1", ";")
"""With which the pool asks whether the server is still there, which is Lull's own doing."""


@dataclass(frozen=True, slots=True)
class Step:
    """One statement with its parameters, or the end of a transaction."""

    sql: str
    parameters: Any = ()


Trace = Sequence[Step]
"""All that one request sent, in order."""


def stage(sql: str) -> str:
    """A statement's kind and table."""
    found = _STAGE.match(sql)
    if found is None:
        return " ".join(sql.split()[:2]).upper().replace(";", "").partition("(")[0]
    return f"SELECT {found[3]}" if found[3] else f"{found[1].upper()} {found[2]}"


class Notes:
    """What is sent by one thread while something is noted."""

    def __init__(self) -> None:
        self._steps: list[Step] | None = None

    def add(self, sql: Any, parameters: Any = ()) -> None:
        """A step, unless it is the pool's own."""
        if self._steps is not None and str(sql) not in _PINGS:
            self._steps.append(Step(str(sql), parameters))

    @contextmanager
    def taken(self) -> Iterator[list[Step]]:
        """The steps within the block."""
        self._steps = []
        try:
            yield self._steps
        finally:
            self._steps = None


def noting(database: Database) -> Notes:
    """Notes of what this database is sent from now on; it must not have been used before."""
    notes = Notes()

    class LiteCursor(sqlite3.Cursor):
        def execute(self, sql: str, parameters: Any = (), /) -> Any:
            notes.add(sql, parameters)
            return super().execute(sql, parameters)

    class Lite(sqlite3.Connection):
        def cursor(self, factory: Any = LiteCursor) -> Any:
            return super().cursor(factory)

        def execute(self, sql: str, parameters: Any = (), /) -> Any:
            return self.cursor().execute(sql, parameters)

        def commit(self) -> None:
            notes.add(COMMIT)
            super().commit()

    class ServerCursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            notes.add(query, params)
            return super().execute(query, params, **options)

    class Server(psycopg.Connection[Any]):
        def commit(self) -> None:
            notes.add(COMMIT)
            super().commit()

    def connect(_: Any, __: Any, values: Any, named: dict[str, Any]) -> Any:
        if database.is_sqlite:
            return sqlite3.connect(*values, **named, factory=Lite)
        return Server.connect(*values, **named, cursor_factory=ServerCursor)

    sa.event.listen(database._engine, "do_connect", connect)
    return notes


class Bare:
    """As many connections as Lull's pool has, for any number of threads; on SQLite one writer at a time, as in Lull."""

    def __init__(self, url: sa.URL) -> None:
        self._sqlite = url.get_backend_name() == "sqlite"
        self._turn: AbstractContextManager[Any] = threading.Lock() if self._sqlite else nullcontext()
        self._free: SimpleQueue[Any] = SimpleQueue()
        self._all = [_connect(url) for _ in range(POOL)]
        for each in self._all:
            self._free.put(each)

    def send(self, trace: Trace) -> None:
        """Do what was noted."""
        with self._turn:
            connection = self._free.get()
            try:
                for step in trace:
                    _send(connection, step)
            finally:
                self._free.put(connection)

    def timed(self, trace: Trace) -> dict[str, int]:
        """Do what was noted; nanoseconds by stage."""
        connection, taken = self._free.get(), dict[str, int]()
        try:
            for step in trace:
                began = perf_counter_ns()
                _send(connection, step)
                name = stage(step.sql)
                taken[name] = taken.get(name, 0) + perf_counter_ns() - began
        finally:
            self._free.put(connection)
        return taken

    def close(self) -> None:
        """Close all connections."""
        for each in self._all:
            each.close()


def _send(connection: Any, step: Step) -> None:
    if step.sql == COMMIT:
        connection.commit()
        return
    cursor = connection.execute(step.sql, step.parameters)
    if cursor.description is not None:
        cursor.fetchall()


def _connect(url: sa.URL) -> Any:
    if url.get_backend_name() != "sqlite":
        return psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    connection = sqlite3.connect(str(url.database), isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_MS}", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection
