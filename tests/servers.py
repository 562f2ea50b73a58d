"""Databases for tests. A PostgreSQL server is the one named, the one at hand, or one of our own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL

VARIABLE = "LULL_TEST_POSTGRESQL"
"""Names a server as a libpq URL whose user may create databases, such as postgresql://user@host:5432/postgres."""

_AT_HAND = tuple(f"postgresql://{user}@127.0.0.1:5432/postgres" for user in ("root", "postgres"))


@contextmanager
def postgresql_server() -> Iterator[str]:
    """The URL of a server whose user may create databases.

    Skips the test where none can be had, and fails it where CI=true says that one must be there.
    """
    named = os.environ.get(VARIABLE)
    found = named or next((url for url in _AT_HAND if _answers(url)), None)
    if found is not None:
        yield found
        return
    tools = _tools()
    if tools is None:
        without(f"no PostgreSQL: set {VARIABLE}, or install the server's programs")
    with _own_server(tools) as url:
        yield url


@contextmanager
def postgresql_database() -> Iterator[str]:
    """A fresh database as an SQLAlchemy URL, dropped at the end."""
    with postgresql_server() as server:
        name = f"lull_test_{uuid4().hex[:12]}"
        _execute(server, "CREATE DATABASE {}", name)
        # No test pulls the plug of the database's machine, so none need wait for its disk.
        _execute(server, "ALTER DATABASE {} SET synchronous_commit = off", name)
        base = psycopg.conninfo.conninfo_to_dict(server)
        try:
            yield _sqlalchemy_url(base, name)
        finally:
            _execute(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


@contextmanager
def sqlite_database(folder: Path) -> Iterator[str]:
    """The URL of a file that is not there yet."""
    yield f"sqlite:///{folder / 'lull.db'}"


def _sqlalchemy_url(base: Mapping[str, object], name: str) -> str:
    query = {"host": str(base["host"])} if str(base.get("host", "")).startswith("/") else {}
    url = URL.create(
        "postgresql+psycopg",
        username=str(base.get("user", "postgres")),
        password=None if base.get("password") is None else str(base["password"]),
        host=None if query else str(base.get("host", "127.0.0.1")),
        port=int(str(base.get("port", 5432))),
        database=name,
        query=query,
    )
    return url.render_as_string(hide_password=False)


def _execute(server: str, statement: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def _answers(url: str) -> bool:
    with suppress(psycopg.Error), psycopg.connect(url, connect_timeout=2) as connection:
        row = connection.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        return bool(row and row[0])
    return False


def _tools() -> Path | None:
    """The folder with the newest initdb, pg_ctl and postgres."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True)
    complete = (
        folder for folder in folders if all((folder / tool).exists() for tool in ("initdb", "pg_ctl", "postgres"))
    )
    return next(complete, None)


@contextmanager
def _own_server(tools: Path) -> Iterator[str]:
    """A server that listens on a socket in a temporary folder only; as an unprivileged user when we are root."""
    root = os.geteuid() == 0
    user = _unprivileged() if root else None
    if root and user is None:
        without("no PostgreSQL: its server does not run as root, and there is no user postgres or nobody")
    folder = Path(tempfile.mkdtemp(prefix="lull-pg-", dir="/tmp" if os.name == "posix" else None))
    try:
        if user is not None:
            shutil.chown(folder, user)
        data = folder / "data"
        _run(user, tools / "initdb", "-D", data, "-U", "lull", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        _run(user, tools / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start")
        try:
            yield f"postgresql://lull@/postgres?host={folder}"
        finally:
            _run(user, tools / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> str | None:
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


def _run(user: str | None, *command: object) -> None:
    words = [str(word) for word in command]
    # pg_ctl start leaves a server behind that keeps the pipes open, so its output goes to its log only.
    done = subprocess.run(words, user=user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
    if done.returncode:
        raise RuntimeError(f"{Path(words[0]).name} failed with exit code {done.returncode}")


def without(why: str) -> NoReturn:
    """Skip the test for want of a server, or fail it with CI=true."""
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)
