"""The application that is fuzzed: a small chain over a real database, put back to its beginning again and again."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from backend.adapters.sql import upgrade
from backend.service.ports import Ports
from backend.service.services import services
from backend.twins import TwinPresence
from tests.backend.api.rights import CALLERS, TABLE, Scene
from tests.contracts.adapters import rows_as_upgraded, sql_ports, upgraded_sqlite
from tests.servers import postgresql_database

RENEWED_AFTER = 200
"""Requests. What is sent pauses stores, ends campaigns and moves fences, until nothing deep is reached any more."""
OTHERS = 0.2
"""How often a request has the credential of anybody at all."""


class Chain:
    """A WSGI application: the scene of the table of rights, and a credential for each request."""

    def __init__(self, url: str, ports: Ports) -> None:
        self.scene = Scene(given=ports)
        self._restore: Callable[[], None] = rows_as_upgraded(url)
        self._requests = 0

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer one request, in a new chain when it is time for one."""
        self._requests += 1
        if self._requests % RENEWED_AFTER == 0:
            self.renew()
        return self.scene.app(environ, start_response)

    def renew(self) -> None:
        """Everything as it was at first; nothing remembered."""
        scene = self.scene
        self._restore()
        scene.ports = replace(scene.ports, presence=TwinPresence())
        scene.services = services(scene.ports, scene.clock, "a secret for tests, long enough", scene.limiter)
        scene.app = scene.build()
        for name in ("aino", "eero"):
            scene.credentials[name] = scene.services.sessions.open(f"uid:{name}").token

    def authorise(self, case: Any, draw: Random) -> None:
        """Give a case a credential, mostly the one with which it can succeed, and now and then any other."""
        label = case.operation.label
        right = [caller for caller, role in CALLERS.items() if role in TABLE[label].may]
        if not right:
            return
        caller = draw.choice(tuple(CALLERS)) if draw.random() < OTHERS else right[0]
        secret = self.scene.credentials[caller]
        if caller == "phone" and label.endswith("/osmand"):
            case.query["id"] = secret
        elif caller == "phone" and label.endswith("/owntracks"):
            case.headers["Authorization"] = "Basic " + b64encode(f"aino:{secret}".encode()).decode()
        else:
            case.headers["Authorization"] = f"Bearer {secret}"


@contextmanager
def chain(database: str) -> Iterator[Chain]:
    """A chain over a new `sqlite` file, or a new database on the `postgresql` server that tests use."""
    if database == "sqlite":
        with TemporaryDirectory() as folder:
            url = upgraded_sqlite(Path(folder))
            with sql_ports(url) as ports:
                yield Chain(url, ports)
        return
    with postgresql_database() as url:
        upgrade(url)
        with sql_ports(url) as ports:
            yield Chain(url, ports)
