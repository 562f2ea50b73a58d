"""Statements of the hot path: compiled once for each database, then run on the driver's own connection.

`Connection.execute` takes 60 to 200 us of Python for a statement that the database answers in 10. Statements are still
written in SQLAlchemy Core, and are the same for both databases; only the way to the driver is shorter.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

_Process = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Text:
    """A statement in one dialect, and how values go in."""

    sql: str
    positions: tuple[str, ...] | None
    constants: Mapping[str, Any]
    binds: tuple[tuple[str, _Process], ...]


class Prepared:
    """One statement whose parameters are all named; a list in an IN must consist of SQL literals and parameters."""

    def __init__(self, statement: sa.Executable) -> None:
        self._statement: Any = statement
        self._texts: dict[str, _Text] = {}
        self._readers: dict[str, _Process] = {}

    def run(self, connection: sa.Connection, values: Mapping[str, Any]) -> int:
        """Execute it; how many rows were written. Errors are SQLAlchemy's, without the values."""
        return int(self._execute(connection, values, _count))

    def first(self, connection: sa.Connection, values: Mapping[str, Any]) -> Any:
        """The first row, its columns as attributes, or None."""
        found, description = self._execute(connection, values, _fetch_first)
        return None if found is None else self._reader(connection.dialect, description)(found)

    def all(self, connection: sa.Connection, values: Mapping[str, Any]) -> list[Any]:
        """All rows."""
        found, description = self._execute(connection, values, _fetch_all)
        read = self._reader(connection.dialect, description)
        return [read(each) for each in found]

    def _execute(self, connection: sa.Connection, values: Mapping[str, Any], take: _Process) -> Any:
        """What `take` makes of the cursor. SQLite finds rows as they are fetched, and may fail as late as then."""
        dialect: Any = connection.dialect
        text = self._texts.get(dialect.name)
        if text is None:
            text = self._texts[dialect.name] = _text(self._statement, dialect)
        given = {**text.constants, **values}
        for name, process in text.binds:
            given[name] = process(given[name])
        parameters: Any = given if text.positions is None else [given[name] for name in text.positions]
        driver: Any = connection.connection.driver_connection
        try:
            return take(driver.execute(text.sql, parameters))
        except dialect.dbapi.Error as error:
            if dialect.is_disconnect(error, driver, None):
                connection.invalidate(error)
            base: Any = dialect.dbapi.Error
            raise exc.DBAPIError.instance(text.sql, None, error, base, hide_parameters=True) from error

    def _reader(self, dialect: Any, description: Sequence[Sequence[Any]]) -> _Process:
        reader = self._readers.get(dialect.name)
        if reader is None:
            columns = list(self._statement.exported_columns)
            reader = self._readers[dialect.name] = _reader(columns, dialect, description)
        return reader


def _count(cursor: Any) -> int:
    return int(cursor.rowcount)


def _fetch_first(cursor: Any) -> tuple[Any, Any]:
    found, description = cursor.fetchone(), cursor.description
    cursor.close()  # or SQLite would go on reading, and hold its log
    return found, description


def _fetch_all(cursor: Any) -> tuple[Any, Any]:
    return cursor.fetchall(), cursor.description


def _text(statement: Any, dialect: Any) -> _Text:
    compiled: Any = statement.compile(dialect=dialect)
    binds: dict[Any, str] = compiled.bind_names
    writing = {name: process for bind, name in binds.items() if (process := bind.type._cached_bind_processor(dialect))}
    return _Text(
        sql=compiled.string,
        positions=tuple(compiled.positiontup) if compiled.positional else None,
        constants={name: bind.value for bind, name in binds.items() if not bind.required},
        binds=tuple(writing.items()),
    )


def _reader(columns: Sequence[Any], dialect: Any, description: Sequence[Sequence[Any]]) -> _Process:
    """Makes a row of what the driver found: times in UTC, truth values, and each column by its name."""
    row: Any = namedtuple("_Row", [column.key for column in columns])  # type: ignore[misc]  # names known when run
    found = [
        column.type._cached_result_processor(dialect, described[1])
        for column, described in zip(columns, description, strict=True)
    ]
    processes = [(place, process) for place, process in enumerate(found) if process]

    def read(values: Any) -> Any:
        made = list(values)
        for place, process in processes:
            made[place] = process(made[place])
        return row._make(made)

    return read
