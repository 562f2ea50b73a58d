"""An emulator over real HTTP for each test; the keys are generated once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from backend.emulator.keys import Keys, generate_keys
from backend.emulator.running import RunningEmulator, running_emulator


@pytest.fixture(scope="session")
def keys() -> Keys:
    return generate_keys(datetime.now(UTC))


@pytest.fixture
def emulator(keys: Keys, tmp_path: Path) -> Iterator[RunningEmulator]:
    with running_emulator(tmp_path / "credentials.json", keys=keys) as running:
        yield running


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session
