"""A short memory of who is a member, agreed to location offers, and on which platform.

A phone far from any store then costs no look-up.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from backend.service.model import Platform
from backend.service.ports import Clock, Members
from backend.service.remembered import Remembered

LIFE_S = 5.0
"""For so long another process may remember that a member agreed; it keeps nothing of who withdrew meanwhile."""
MEMBERS = 200_000


@dataclass(frozen=True, slots=True)
class _Known:
    member: bool
    agreed: bool
    platform: Platform | None


class ConsentCache:
    """Remembers consent and the phone's platform for a few seconds; what is written here is forgotten at once."""

    def __init__(self, members: Members, clock: Clock) -> None:
        self._members = members
        self._clock = clock
        self._known: Remembered[str, _Known] = Remembered(MEMBERS)
        self._lock = Lock()
        self._forgotten = 0

    def location_offers(self, member_id: str) -> bool:
        """Whether the member agrees; somebody unknown does not."""
        return self._look(member_id).agreed

    def location_offers_now(self, member_id: str) -> bool:
        """The same, asked afresh: another process may have written since."""
        self._known.forget(member_id)
        return self.location_offers(member_id)

    def is_member(self, member_id: str) -> bool:
        """Whether there is such a member, who has not been erased."""
        return self._look(member_id).member

    def platform(self, member_id: str) -> Platform | None:
        """What the member's phone runs; None when none is registered."""
        return self._look(member_id).platform

    def _look(self, member_id: str) -> _Known:
        now = self._clock.real()
        known = self._known.get(member_id, now)
        if known is not None:
            return known
        forgotten = self._forgotten
        member = self._members.get(member_id)
        agreed = member is not None and "location_offers" in member.consents
        found = _Known(
            member is not None,
            agreed,
            member.device.platform if member is not None and member.device is not None else None,
        )
        with self._lock:
            if forgotten == self._forgotten:  # or what was read may be from before somebody changed their mind
                self._known.put(member_id, now + LIFE_S, found)
        return found

    def forget(self, member_id: str) -> None:
        """Ask again next time."""
        with self._lock:
            self._forgotten += 1
            self._known.forget(member_id)
