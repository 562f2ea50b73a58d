"""A short memory of who is a member, agreed to location offers, and on which platform.

A phone far from any store then costs no look-up.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.service.model import Member, Platform
from backend.service.ports import Clock, Members
from backend.service.remembered import Remembered

LIFE_S = 5.0
"""For so long another process may remember that a member agreed, and take a session that was ended.

It keeps nothing of who withdrew meanwhile.
"""
MEMBERS = 200_000


@dataclass(frozen=True, slots=True)
class _Known:
    agreed: bool
    platform: Platform | None
    sessions: int | None


class ConsentCache:
    """Remembers what it saw of a member for a few seconds; what is written here is forgotten at once."""

    def __init__(self, members: Members, clock: Clock) -> None:
        self._members = members
        self._clock = clock
        self._known: Remembered[str, _Known] = Remembered(MEMBERS)

    def location_offers(self, member_id: str) -> bool:
        """Whether the member agrees; somebody unknown does not."""
        return self._look(member_id).agreed

    def location_offers_now(self, member_id: str) -> bool:
        """The same, asked afresh: another process may have written since."""
        self._known.forget(member_id)
        return self.location_offers(member_id)

    def is_member(self, member_id: str) -> bool:
        """Whether there is such a member, who has not been erased."""
        return self._look(member_id).sessions is not None

    def platform(self, member_id: str) -> Platform | None:
        """What the member's phone runs; None when none is registered."""
        return self._look(member_id).platform

    def sessions(self, member_id: str) -> int | None:
        """Which generation of the member's sessions is good; None for somebody unknown, who has none."""
        return self._look(member_id).sessions

    def _look(self, member_id: str) -> _Known:
        now = self._clock.real()
        known = self._known.get(member_id, now)
        if known is not None:
            return known
        forgotten = self._known.forgotten
        found = _known(self._members.get(member_id))
        self._known.put(member_id, now + LIFE_S, found, forgotten)
        return found

    def forget(self, member_id: str) -> None:
        """Ask again next time."""
        self._known.forget(member_id)


def _known(member: Member | None) -> _Known:
    if member is None:
        return _Known(agreed=False, platform=None, sessions=None)
    platform = None if member.device is None else member.device.platform
    return _Known("location_offers" in member.consents, platform, member.sessions)
