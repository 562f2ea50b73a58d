"""The arrangements that must hold: SQLite with one process, PostgreSQL and Redis with two."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.races.running import Running, running
from tests.redis_server import redis_server
from tests.servers import postgresql_database


@dataclass(frozen=True)
class Size:
    """How large the races are."""

    coupons: int
    clients: int
    members: int
    budget: int
    erased: int


@pytest.fixture(scope="session")
def size() -> Size:
    """Small, or with LULL_RACES=full (`make faults`) as large as they are meant."""
    if os.environ.get("LULL_RACES") == "full":
        return Size(coupons=500, clients=64, members=200, budget=50, erased=40)
    return Size(coupons=60, clients=16, members=60, budget=15, erased=6)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def lull(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A chain that is open for business."""
    folder = tmp_path_factory.mktemp(f"races-{request.param}")
    if request.param == "sqlite":
        with running(folder, f"sqlite:///{folder / 'lull.db'}", None, servers=1) as made:
            yield made
    else:
        with (
            postgresql_database() as url,
            redis_server() as redis_url,
            running(folder, url, redis_url, servers=2) as made,
        ):
            yield made
