"""Databases that die amid their work, and the three ends that a story is told to in lock step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from backend.adapters.sql import Database
from backend.adapters.sql.prepared import Prepared
from backend.service.errors import LullError
from backend.service.ports import Ports

PATIENCE = 1_000
Work = Callable[[Ports], Any]


class Died(BaseException):
    """The process ended here; nothing after this ran, and nobody caught it."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a request. It dies before its `before`-th statement, or else before it commits; or is done and
    its answer is lost; or, when both say nothing, it is answered."""

    before: int | None = None
    answer_lost: bool = False


ANSWERED = Fate()


class MortalDatabase(Database):
    """A database whose writes meet a fate: its connection is gone without a word, as when the process is killed."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.fate = ANSWERED
        self._statements = 0
        self._writer = self._writer.execution_options(mortal=self)
        sa.event.listen(self._engine, "before_cursor_execute", _step)

    def meet(self, fate: Fate) -> None:
        """What comes of the writes from now on."""
        self.fate, self._statements = fate, 0

    def step(self, connection: sa.Connection) -> None:
        """A statement of a write is about to be sent."""
        if self.fate.before is not None:
            if self._statements >= self.fate.before:
                _die(connection)
            self._statements += 1

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that may die within, or be committed unheard."""
        with super().write() as connection:
            yield connection
            if self.fate.before is not None:
                _die(connection)
        if self.fate.answer_lost:
            raise Died


def _die(connection: sa.Connection) -> None:
    connection.invalidate()  # closes the driver's connection with its transaction open
    raise Died


def _step(connection: sa.Connection, *_: Any) -> None:
    database = connection.get_execution_options().get("mortal")
    if database is not None:
        database.step(connection)


@contextmanager
def watched_statements() -> Iterator[None]:
    """Statements that take the short way to the driver are counted too."""
    plain: Any = Prepared._execute

    def execute(self: Prepared, connection: sa.Connection, *values: Any) -> Any:
        _step(connection)
        return plain(self, connection, *values)

    Prepared._execute = execute  # type: ignore[method-assign]
    try:
        yield
    finally:
        Prepared._execute = plain  # type: ignore[method-assign]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal, as far as all ends say the same."""

    kind: str
    reason: str


class Ends:
    """The twin and the databases, each of which is told everything."""

    def __init__(self, twin: Ports, databases: dict[str, tuple[MortalDatabase, Ports]]) -> None:
        self.twin = twin
        self._databases = databases

    def ask(self, read: Work) -> Any:
        """What the twin says, and what all others say as well."""
        said = read(self.twin)
        for name, (_, ports) in self._databases.items():
            assert read(ports) == said, f"{name} differs from the twin"
        return said

    def tell(self, work: Work, fate: Fate) -> Any:
        """What comes of it, which is the same everywhere; None where it died before it was done, also in the twin."""
        if fate.before is not None:
            for database, ports in self._databases.values():
                _answer(work, ports, database, fate)
            return None
        said = _outcome(work, self.twin)
        for name, (database, ports) in self._databases.items():
            heard = _answer(work, ports, database, fate)
            assert heard in (said, None if fate.answer_lost else said), f"{name} differs from the twin"
        return said


def _answer(work: Work, ports: Ports, database: MortalDatabase, fate: Fate) -> Any:
    """What is heard, None when it is lost. Who died may hold a key until the server has noticed: it is asked again."""
    for _ in range(PATIENCE):
        database.meet(fate)
        try:
            heard = _outcome(work, ports)
        except Died:
            return None
        finally:
            database.meet(ANSWERED)
        if not (isinstance(heard, Refusal) and heard.reason == "request_in_flight"):
            return heard
        time.sleep(0.01)
    raise TimeoutError("the connection of a process that died is still at work")


def _outcome(work: Work, ports: Ports) -> Any:
    try:
        return work(ports)
    except LullError as error:
        return Refusal(type(error).__name__, error.reason)
