"""A Redis for tests that writes nothing to disk: the one named, or one of our own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from tests.processes import until
from tests.servers import without

VARIABLE = "LULL_TEST_REDIS"
"""Names a Redis without persistence, such as redis://127.0.0.1:6379/9; tests write keys to it and delete them."""
VOLATILE = ("--save", "", "--appendonly", "no")


@contextmanager
def redis_server() -> Iterator[str]:
    """The URL of a Redis. Skips the test where none can be had, and fails it where CI=true says one must be there."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        yield named
        return
    with own_redis(*VOLATILE) as url:
        yield url


@contextmanager
def own_redis(*options: str) -> Iterator[str]:
    """The URL of a fresh server with these options, on a socket in a temporary folder only."""
    program = shutil.which("redis-server")
    if program is None:
        without(f"no Redis: set {VARIABLE}, or install redis-server")
    folder = Path(tempfile.mkdtemp(prefix="lull-redis-", dir="/tmp" if os.name == "posix" else None))
    socket = folder / "socket"
    command = [program, "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            url = f"unix://{socket}"
            until(lambda: _answers(url), 20.0)
            yield url
        finally:
            process.kill()
            process.wait()
            shutil.rmtree(folder, ignore_errors=True)


def _answers(url: str) -> bool:
    with Redis.from_url(url) as client:
        try:
            return bool(client.ping())
        except RedisError:
            return False
