"""The domain clock of the demo, which runs fast."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class FastClock:
    """At `real_0` it showed `domain_0` (both seconds since 1970); it runs `rate` times as fast as `wall`."""

    real_0: float
    domain_0: float
    rate: float
    wall: Callable[[], float] = time.time

    def setting(self) -> str:
        """The clock as the setting LULL_CLOCK writes it."""
        return f"{self.real_0!r},{self.domain_0!r},{self.rate!r}"

    def epoch(self) -> float:
        """The domain's time in seconds since 1970."""
        return self.domain_0 + (self.wall() - self.real_0) * self.rate

    def now(self) -> datetime:
        """The domain's time."""
        return datetime.fromtimestamp(self.epoch(), UTC)

    def real(self) -> float:
        """Real seconds since 1970."""
        return self.wall()

    def trusted(self) -> bool:
        """Always."""
        return True
