"""A Redis that keeps nothing: what several server processes must know together, and nobody may find on a disk."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from typing import Any

import structlog
from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as LostConnection
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.retry import Retry

from backend.service.errors import Unavailable

PREFIX = "lull:"
PATIENCE_S = 1.0
"""How long a connection or an answer may take."""
REST_S = 1.0
"""For so long after a failure nobody asks, so that threads do not wait for a Redis that is away one after the other."""
_log = structlog.get_logger("lull.redis")


class RedisLink:
    """One Redis, with a connection for each thread. Nothing is asked before the first question.

    redis-py's client spends more on choosing a connection for each command than on the command; threads of a server
    are few and stay, so each keeps its own.
    """

    def __init__(self, url: str, steady: Callable[[], float] = time.monotonic) -> None:
        patience: Any = {"socket_connect_timeout": PATIENCE_S, "socket_timeout": PATIENCE_S}
        self._pool = ConnectionPool.from_url(url, protocol=2, retry=Retry(NoBackoff(), 0), **patience)
        self._steady = steady
        self._asked_again_at = float("-inf")
        self._mine = threading.local()
        self._all: list[Any] = []

    def ask(self, *words: object) -> Any:
        """What Redis answers to a command. Raises Unavailable when it is away, was a moment ago, or refuses."""
        if self._steady() < self._asked_again_at:
            raise _away()
        try:
            return self._ask(words)
        except NoScriptError:
            raise
        except RedisError as error:
            self._asked_again_at = self._steady() + REST_S
            _log.warning("redis unavailable", error=type(error).__name__)
            raise _away() from None  # redis-py's errors may hold what was sent

    def _ask(self, words: tuple[object, ...]) -> Any:
        connection = self._connection()
        try:
            return self._exchange(connection, words)
        except LostConnection:  # it was idle, and may have gone meanwhile
            return self._exchange(connection, words)

    def _exchange(self, connection: Any, words: tuple[object, ...]) -> Any:
        try:
            connection.send_command(*words)
            return connection.read_response()
        except ResponseError:
            raise
        except BaseException:
            connection.disconnect()  # an answer that comes late must not be taken for another's
            raise

    def _connection(self) -> Any:
        found = getattr(self._mine, "connection", None)
        if found is None:
            found = self._mine.connection = self._pool.make_connection()
            self._all.append(found)
        return found

    def script(self, lua: str) -> Callable[..., Any]:
        """A Lua script with one key as a function of the key and its arguments."""
        sha = hashlib.sha1(lua.encode(), usedforsecurity=False).hexdigest()

        def run(key: str, *values: object) -> Any:
            try:
                return self.ask("EVALSHA", sha, 1, key, *values)
            except NoScriptError:
                return self.ask("EVAL", lua, 1, key, *values)  # from now on Redis knows it

        return run

    def check_volatile(self, confirmed: bool) -> None:
        """See that this Redis writes nothing to a disk.

        Where it does not tell, the operator must have `confirmed` it. Raises ValueError otherwise, and Unavailable.
        """
        settings = self._persistence()
        if settings is None and not confirmed:
            raise ValueError(
                "LULL_REDIS_URL: this Redis does not tell whether it writes to disk (CONFIG GET is forbidden): see "
                "that it keeps no snapshots, append-only file or backups, then set LULL_REDIS_VOLATILE=true"
            )
        if settings is not None and settings != (b"", b"no"):
            raise ValueError(
                "LULL_REDIS_URL: this Redis writes to disk, where no position may go: give one of its own "
                'that was started with --save "" --appendonly no'
            )

    def _persistence(self) -> tuple[bytes, bytes] | None:
        """When this Redis makes snapshots, and whether it keeps an append-only file; None when it does not tell."""
        try:
            answers = [self._ask(("CONFIG", "GET", name)) for name in ("save", "appendonly")]
        except ResponseError:
            return None
        except RedisError:
            raise _away() from None
        return (answers[0][1], answers[1][1]) if all(answers) else None

    def close(self) -> None:
        """End all connections."""
        for each in self._all:
            each.disconnect()


def _away() -> Unavailable:
    return Unavailable("redis_unavailable", "Redis cannot be reached now, or refuses: try again soon")
