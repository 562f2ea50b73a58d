"""A bounded memory of what was found, each until a moment of the real clock."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """At most `most` entries; the oldest make room. Safe from several threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._forgotten = 0
        self._lock = threading.Lock()

    @property
    def forgotten(self) -> int:
        """How often something was forgotten so far: to be asked before a look-up, and told to `put` after it."""
        return self._forgotten

    def get(self, key: K, real_now: float) -> V | None:
        """What is remembered, if it is still to be believed."""
        entry = self._entries.get(key)
        return entry[1] if entry and real_now < entry[0] else None

    def put(self, key: K, until: float, value: V, forgotten: int | None = None) -> None:
        """Remember; not what was looked up when less had been `forgotten`, which may be from before the change."""
        with self._lock:
            if forgotten not in (None, self._forgotten):
                return
            self._entries[key] = (until, value)
            self._entries.move_to_end(key)
            if len(self._entries) > self._most:
                self._entries.popitem(last=False)

    def clear(self) -> None:
        """Ask again about everything."""
        with self._lock:
            self._forgotten += 1
            self._entries.clear()

    def forget(self, key: K) -> None:
        """Ask again next time."""
        with self._lock:
            self._forgotten += 1
            self._entries.pop(key, None)
