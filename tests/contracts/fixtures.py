"""The fixture `ports`: each test that takes it runs once over every adapter."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from backend.adapters.redis_link import RedisLink
from backend.adapters.sql import upgrade
from backend.service.ports import Ports
from backend.twins import twin_ports
from tests.contracts.adapters import ADAPTERS, rows_as_upgraded, sql_ports, upgraded_sqlite
from tests.redis_server import redis_server
from tests.servers import postgresql_database


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An upgraded, empty SQLite file to copy; Alembic runs once."""
    folder = tmp_path_factory.mktemp("sqlite")
    upgraded_sqlite(folder)
    return folder


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[tuple[str, Callable[[], None]]]:
    """One database for the session, and what empties it between tests."""
    with postgresql_database() as url:
        upgrade(url)
        yield url, rows_as_upgraded(url)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """One Redis for the session."""
    with redis_server() as url:
        yield url


@pytest.fixture
def redis(redis_url: str) -> Iterator[tuple[RedisLink, str]]:
    """A link, and a prefix under which nobody else has keys; these are gone afterwards."""
    link, prefix = RedisLink(redis_url), f"lull-test-{uuid4().hex[:12]}:"
    yield link, prefix
    for key in link.ask("KEYS", f"{prefix}*"):
        link.ask("DEL", key)
    link.close()


@pytest.fixture(params=ADAPTERS)
def ports(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ports]:
    """Empty books of one adapter."""
    if request.param == "twin":
        yield twin_ports()
    elif request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        shutil.copytree(template, tmp_path / "books")
        with sql_ports(f"sqlite:///{tmp_path / 'books' / 'lull.db'}") as made:
            yield made
    else:
        url, restore = request.getfixturevalue("postgresql_url")
        restore()
        with sql_ports(url) as made:
            yield made
