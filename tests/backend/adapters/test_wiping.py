"""What an erasure leaves in SQLite's log goes as soon as nobody reads the log any more."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend.adapters.sql import Database
from backend.service.consent import ConsentCache
from backend.service.erasure import Erasure, finish_erasures
from backend.service.errors import Unavailable
from backend.service.model import Member
from backend.service.ports import Ports
from tests.backend.api.world import BY, NOW, FakeClock
from tests.contracts.adapters import ports_over, upgraded_sqlite

UID = b"the-uid-of-aino"


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[Ports]:
    """Books with one member."""
    database = Database(upgraded_sqlite(tmp_path))
    made = ports_over(database)
    made.members.add([(Member("aino", UID.decode(), "green"), ())], BY)
    yield made
    database.close()


@contextmanager
def reader(folder: Path) -> Iterator[None]:
    """Somebody who reads the books as they are now, and takes their time, as a backup does."""
    connection = sqlite3.connect(folder / "lull.db", isolation_level=None)
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM members").fetchone()
    yield
    connection.close()


def forget(ports: Ports) -> None:
    clock = FakeClock()
    Erasure(ports, ConsentCache(ports.members, clock), clock, lambda _: None).erase("aino")


def is_written_somewhere(folder: Path) -> bool:
    return any(UID in file.read_bytes() for file in folder.glob("lull.db*"))


def test_nothing_is_left_in_any_file(ports: Ports, tmp_path: Path) -> None:
    assert is_written_somewhere(tmp_path)
    forget(ports)
    assert not is_written_somewhere(tmp_path)


def test_an_erasure_is_not_acknowledged_while_somebody_reads_the_log(ports: Ports, tmp_path: Path) -> None:
    with reader(tmp_path), pytest.raises(Unavailable) as raised:
        forget(ports)
    assert raised.value.reason == "erasure_unfinished"
    assert (ports.members.get("aino"), ports.members.leaving()) == (None, ())
    forget(ports)
    assert not is_written_somewhere(tmp_path)


def test_a_worker_finishes_when_the_reader_has_gone_and_tells_so_until_then(ports: Ports, tmp_path: Path) -> None:
    with reader(tmp_path):
        with pytest.raises(Unavailable):
            forget(ports)
        with pytest.raises(Unavailable) as raised:
            finish_erasures(ports, NOW, 0.0)
        assert raised.value.reason == "erasure_unfinished"
        assert is_written_somewhere(tmp_path)
    finish_erasures(ports, NOW, 0.0)
    assert not is_written_somewhere(tmp_path)


def test_a_reader_keeps_no_other_member_from_being_erased(ports: Ports, tmp_path: Path) -> None:
    ports.members.add([(Member("eero", "uid-eero", "green"), ())], BY)
    for member_id in ("aino", "eero"):
        ports.members.leave(member_id, NOW)
    with reader(tmp_path), pytest.raises(Unavailable):
        finish_erasures(ports, NOW, 0.0)
    assert ports.members.leaving() == ()
