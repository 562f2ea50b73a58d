"""Counting in memory: the real thing in one process; and not counting."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from threading import Lock

from backend.service.limits import Rate, take


class TwinLimiter:
    """The limiter in memory. Holds at most `capacity` counts of each rate, and none longer than it matters."""

    def __init__(self, capacity: int = 100_000) -> None:
        self._capacity = capacity
        self._lock = Lock()
        self._counts: defaultdict[str, OrderedDict[str, float]] = defaultdict(OrderedDict)

    def __len__(self) -> int:
        return sum(map(len, self._counts.values()))

    def take(self, rate: Rate, who: str, real_now: float) -> float:
        """Count one of `who`, atomically, and answer 0; or the seconds to wait, and nothing is counted."""
        with self._lock:
            counts = self._counts[rate.name]
            counts[who], wait_s = take(rate, counts.get(who, 0.0), real_now)
            counts.move_to_end(who)
            # The longest unused first: what is worked off tells nothing any more, and may be somebody's address.
            while len(counts) > self._capacity or next(iter(counts.values())) <= real_now:
                counts.popitem(last=False)
            return wait_s


class Unlimited:
    """Lets all pass: for simulations, and where limits are switched off."""

    def take(self, rate: Rate, who: str, real_now: float) -> float:
        """Always 0."""
        return 0.0
