"""Presence in memory: for simulations, tests, and the live server when it is one process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from backend.service.fixes import KEPT_S
from stores.presence import PresenceState, Step


class TwinPresence:
    """The presence port. Volatile; holds at most `capacity` devices, and forgets those unheard of for longest first."""

    def __init__(self, capacity: int = 1_000_000) -> None:
        self._capacity = capacity
        self._lock = Lock()
        self._states: OrderedDict[str, tuple[float, PresenceState]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._states)

    def apply(self, member_id: str, real_now: float, move: Callable[[PresenceState | None], Step]) -> Step:
        """Replace the member's state by that of the step `move` makes of it, atomically; the step.

        A refused fix does not prolong the life of the accepted one before it.
        """
        with self._lock:
            self._sweep(real_now)
            kept = self._states.get(member_id)
            before = None if kept is None else kept[1]
            step = move(before)
            if step.state is None:
                self._states.pop(member_id, None)
            elif kept is None or step.state.last != kept[1].last:
                self._states[member_id] = (real_now, step.state)
                self._states.move_to_end(member_id)
            else:
                self._states[member_id] = (kept[0], step.state)
            while len(self._states) > self._capacity:
                self._states.popitem(last=False)
            return step

    def inside(self, member_id: str, store_id: str, real_now: float) -> bool:
        """Whether the member is in the store's fence beyond doubt, as far as was told in the last 15 minutes."""
        with self._lock:
            self._sweep(real_now)
            kept = self._states.get(member_id)
        visit = None if kept is None else kept[1].inside.get(store_id)
        return visit is not None and visit.sure

    def forget(self, member_id: str) -> None:
        """Drop all that is known of the member's whereabouts."""
        with self._lock:
            self._states.pop(member_id, None)

    def sweep(self, real_now: float) -> None:
        """Drop what is older than 15 real minutes; `apply` does so too, this is for when nobody reports."""
        with self._lock:
            self._sweep(real_now)

    def _sweep(self, real_now: float) -> None:
        # In order of time, so only what goes is looked at. What lies ahead of a clock set back goes as well.
        while self._states:
            member_id, (at, _) = next(iter(self._states.items()))
            if abs(real_now - at) <= KEPT_S:
                return
            del self._states[member_id]
