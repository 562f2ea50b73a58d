"""A short memory of who agreed to location offers, so that a phone far from any store costs no look-up."""

from __future__ import annotations

import threading
from collections import OrderedDict

from backend.service.ports import Clock, Members

LIFE_S = 5.0
"""For so long another process may still take fixes of a member who withdrew. Offers and pushes always ask afresh."""
MEMBERS = 200_000


class ConsentCache:
    """Remembers consent to location offers for a few seconds; what is written here is forgotten at once."""

    def __init__(self, members: Members, clock: Clock) -> None:
        self._members = members
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, bool]] = OrderedDict()
        self._lock = threading.Lock()

    def location_offers(self, member_id: str) -> bool:
        """Whether the member agrees; somebody unknown does not."""
        now = self._clock.real()
        entry = self._known.get(member_id)
        if entry and now - entry[0] < LIFE_S:
            return entry[1]
        member = self._members.get(member_id)
        agreed = member is not None and "location_offers" in member.consents
        with self._lock:
            self._known[member_id] = (now, agreed)
            self._known.move_to_end(member_id)
            if len(self._known) > MEMBERS:
                self._known.popitem(last=False)
        return agreed

    def forget(self, member_id: str) -> None:
        """Ask again next time."""
        with self._lock:
            self._known.pop(member_id, None)
