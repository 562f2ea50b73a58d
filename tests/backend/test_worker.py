"""The worker as a process of its own, against the emulator over HTTP: what it sends, and what its end costs."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from backend.adapters.clocks import MachineClock
from backend.adapters.sql import Database, SqlChain, SqlLedger, SqlMembers, rows, upgrade
from backend.adapters.sql import tables as t
from backend.emulator.faults import Fault
from backend.emulator.running import RunningEmulator, running_emulator
from backend.service.model import Coupon, Device, Member, Preferences, Registration
from backend.service.pushing import Outbox
from backend.twins import twin_ports
from tests.backend.service.test_pushing import COUPON
from tests.backend.service.test_sending import Inline, ScriptedSender, until
from tests.contracts.examples import BY, CONSENT, KAMPPI, SPRING

PUSHES = 20
SLOW = 4


class Books:
    """A SQLite file with twenty pushes that are due; the first four go to phones named slow."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lull.db"
        self.url = f"sqlite:///{self.path}"
        upgrade(self.url)
        self.database = Database(self.url)
        chain, members = SqlChain(self.database), SqlMembers(self.database)
        chain.put_stores([replace(KAMPPI, hours="24/7")], BY)
        chain.add_campaign(SPRING, BY)
        names = [f"{'slow' if n < SLOW else 'fast'}-{n}" for n in range(PUSHES)]
        awake = Preferences(quiet_hours=None)
        members.add([(Member(name, f"uid-{name}", "green", preferences=awake), (CONSENT,)) for name in names], BY)
        for name in names:
            members.set_device(name, Device(Registration("fid", name), "android", "en", "Europe/Helsinki"))
        now = datetime.now(UTC)
        coupons = [_coupon(name, now + timedelta(microseconds=n)) for n, name in enumerate(names)]
        queued = {"status": "pending", "attempts": 0, "not_before": 0.0}
        with self.database.write() as connection:
            connection.execute(t.coupons.insert(), [rows.coupon_row(each, each.id) for each in coupons])
            due = [{"coupon_id": each.id, "queued_at": each.issued_at, **queued} for each in coupons]
            connection.execute(t.outbox.insert(), due)

    def count(self, status: str) -> int:
        """How many pushes have this status."""
        query = sa.select(sa.func.count()).where(t.outbox.c.status == status)
        with self.database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def end_leases(self) -> None:
        """As if two minutes had passed."""
        with self.database.write() as connection:
            connection.execute(t.outbox.update().where(t.outbox.c.status == "pending").values(not_before=0.0))


def _coupon(name: str, at: datetime) -> Coupon:
    return replace(COUPON, id=f"c-{name}", member_id=name, issued_at=at, expires_at=at + timedelta(hours=1))


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    made = Books(tmp_path)
    yield made
    made.database.close()


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[RunningEmulator]:
    with running_emulator(tmp_path / "credentials.json") as running:
        yield running


@contextmanager
def worker(books: Books, emulator: RunningEmulator) -> Iterator[subprocess.Popen[bytes]]:
    """`lull worker`, killed at the end if it still runs."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("LULL_")}
    env |= {"LULL_DATABASE_URL": books.url, "LULL_CREDENTIALS": str(emulator.credentials)}
    env |= {"LULL_EMULATOR_URL": emulator.address}
    process = subprocess.Popen([sys.executable, "-m", "backend", "worker"], env=env, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def slow_phones(emulator: RunningEmulator, delay_ms: int) -> Callable[[], None]:
    """Sends to slow phones are answered this late, from now on and until the function given back is called."""
    for n in range(SLOW):
        emulator.state.faults.add(Fault(registration=f"slow-{n}", delay_ms=delay_ms, count=None))
    return emulator.state.faults.clear


def arrived(emulator: RunningEmulator) -> Counter[str]:
    """How many messages each phone was sent."""
    return Counter(entry["registration"] for entry in emulator.state.log.after(0, 1000))


def test_a_worker_killed_amid_its_work_sends_again_only_what_was_under_way(
    books: Books, emulator: RunningEmulator
) -> None:
    quicken = slow_phones(emulator, delay_ms=3000)
    with worker(books, emulator) as first:
        until(lambda: books.count("accepted") >= PUSHES - SLOW)
        first.send_signal(signal.SIGKILL)
        first.wait()
    quicken()
    books.end_leases()
    with worker(books, emulator):
        until(lambda: books.count("accepted") == PUSHES)
    sent = arrived(emulator)
    assert {sent[f"fast-{n}"] for n in range(SLOW, PUSHES)} == {1}
    assert {sent[f"slow-{n}"] for n in range(SLOW)} <= {1, 2}


def test_an_answer_waits_for_a_locked_database(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.adapters.sql.database.BUSY_MS", 10)
    database = Database(books.url)
    somebody = sqlite3.connect(books.path, isolation_level=None, check_same_thread=False)
    waits: list[float] = []

    def let_go(wait_s: float) -> None:
        waits.append(wait_s)
        somebody.execute("ROLLBACK")

    sender = ScriptedSender(lambda _: somebody.execute("BEGIN IMMEDIATE"))
    ports = replace(twin_ports(), ledger=SqlLedger(database), sender=sender)
    Outbox(ports, MachineClock(), lambda: 0.0, Inline(), at_once=1, pause=let_go).send_due()
    assert (len(sender.sent), books.count("accepted"), len(waits)) == (1, 1, 1)
    somebody.close()
    database.close()


def test_a_worker_told_to_stop_settles_what_is_under_way(books: Books, emulator: RunningEmulator) -> None:
    slow_phones(emulator, delay_ms=1000)
    with worker(books, emulator) as process:
        until(lambda: books.count("accepted") >= PUSHES - SLOW)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert (books.count("pending"), books.count("accepted")) == (0, PUSHES)
    assert set(arrived(emulator).values()) == {1}
