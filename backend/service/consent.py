"""A short memory of who agreed to location offers, so that a phone far from any store costs no look-up."""

from __future__ import annotations

from threading import Lock

from backend.service.ports import Clock, Members
from backend.service.remembered import Remembered

LIFE_S = 5.0
"""For so long another process may still take fixes of a member who withdrew. Offers and pushes always ask afresh."""
MEMBERS = 200_000


class ConsentCache:
    """Remembers consent to location offers for a few seconds; what is written here is forgotten at once."""

    def __init__(self, members: Members, clock: Clock) -> None:
        self._members = members
        self._clock = clock
        self._known: Remembered[str, bool] = Remembered(MEMBERS)
        self._lock = Lock()
        self._forgotten = 0

    def location_offers(self, member_id: str) -> bool:
        """Whether the member agrees; somebody unknown does not."""
        now = self._clock.real()
        known = self._known.get(member_id, now)
        if known is not None:
            return known
        forgotten = self._forgotten
        member = self._members.get(member_id)
        agreed = member is not None and "location_offers" in member.consents
        with self._lock:
            if forgotten == self._forgotten:  # or what was read may be from before somebody changed their mind
                self._known.put(member_id, now + LIFE_S, agreed)
        return agreed

    def forget(self, member_id: str) -> None:
        """Ask again next time."""
        with self._lock:
            self._forgotten += 1
            self._known.forget(member_id)
