"""Writers on SQLite behind one who does not let go."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.adapters.sql import Database, SqlMembers, upgrade
from backend.adapters.sql import database as module
from backend.service.errors import Unavailable


def test_a_file_that_stays_locked_is_unavailable_to_all_in_about_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_MS", 200)
    path = tmp_path / "lull.db"
    upgrade(f"sqlite:///{path}")
    members = SqlMembers(Database(f"sqlite:///{path}"))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def sign_in(number: int) -> str:
        try:
            members.sign_in(f"u{number}", datetime(2026, 6, 2, tzinfo=UTC))
        except Unavailable as error:
            return error.reason
        return "signed in"

    with ThreadPoolExecutor(12) as pool:
        # One after the other they would take 12 times as long, and a test's time would not do for a real time-out.
        assert set(pool.map(sign_in, range(12))) == {"database_unavailable"}
    other.rollback()
    other.close()
    assert sign_in(1) == "signed in"
