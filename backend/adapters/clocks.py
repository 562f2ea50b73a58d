"""The domain clocks: the machine's and the database server's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from backend.service.errors import Unavailable

JUMP_S = 5.0
DISTRUST_S = 60.0
ASK_EVERY_S = 10.0
TOO_OLD_S = 60.0


class MachineClock:
    """This machine's clock. When it jumps against the monotonic one, it is in doubt for a minute."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._steady = steady
        self._offset = wall() - steady()
        self._doubtful_until = float("-inf")

    def now(self) -> datetime:
        """The machine's time."""
        return datetime.fromtimestamp(self.real(), UTC)

    def real(self) -> float:
        """Real seconds since 1970."""
        wall, steady = self._wall(), self._steady()
        offset = wall - steady
        if abs(offset - self._offset) > JUMP_S:
            self._doubtful_until = steady + DISTRUST_S
        self._offset = offset  # small differences are the clock being kept right
        return wall

    def trusted(self) -> bool:
        """False for a minute after a jump of more than five seconds."""
        self.real()
        return self._steady() >= self._doubtful_until


class DatabaseClock:
    """The database server's clock, asked every ten seconds and carried on in between."""

    def __init__(self, ask: Callable[[], datetime], steady: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._steady = steady
        self._lock = threading.Lock()
        self._tried_at = steady()
        self._heard = (ask(), self._tried_at)  # one value, so that no reader sees half of a new one

    def now(self) -> datetime:
        """The server's time; carried on by this machine's steady clock while the server is away."""
        steady = self._steady()
        if steady - self._tried_at >= ASK_EVERY_S and self._lock.acquire(blocking=False):
            try:
                self._tried_at = steady
                self._heard = (self._ask(), self._steady())
            except Unavailable:
                pass
            finally:
                self._lock.release()
        heard, at = self._heard
        return heard + timedelta(seconds=self._steady() - at)

    def real(self) -> float:
        """Real seconds since 1970, by this machine."""
        return time.time()

    def trusted(self) -> bool:
        """False once the server has not been heard for a minute; asks it, as `now` does, so that doubt can end."""
        self.now()
        return self._steady() - self._heard[1] < TOO_OLD_S
