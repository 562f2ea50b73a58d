"""What members say of themselves: phone, consents, preferences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from backend.service.consent import ConsentCache
from backend.service.errors import NotFound, Unauthenticated
from backend.service.model import PURPOSES, Consent, Device, Member, Preferences, Purpose
from backend.service.ports import Clock, Members, Presence


def member_gone() -> Unauthenticated:
    """What somebody is told who was erased and still has a session."""
    return Unauthenticated("member_gone", "there is no such member any more: sign in again to become one")


class Membership:
    """A member's own settings."""

    def __init__(self, members: Members, presence: Presence, consent: ConsentCache, clock: Clock) -> None:
        self._members = members
        self._presence = presence
        self._consent = consent
        self._clock = clock

    def recognised(self, member_id: str) -> str:
        """The member's id. Raises Unauthenticated once they were erased: then their session is good for nothing."""
        if not self._consent.is_member(member_id):
            raise member_gone()
        return member_id

    def member(self, member_id: str) -> Member:
        """The member. Raises NotFound after an erasure."""
        member = self._members.get(member_id)
        if member is None:
            raise NotFound("member_unknown", "there is no such member")
        return member

    def register(self, member_id: str, device: Device) -> Device:
        """Register the member's phone for pushes."""
        self.member(member_id)
        self._members.set_device(member_id, device)
        self._consent.forget(member_id)  # which remembers the platform too
        return device

    def consents(self, member_id: str) -> tuple[Consent, ...]:
        """The newest entry of each purpose; never asked counts as not given."""
        newest = {entry.purpose: entry for entry in self._members.consents(self.member(member_id).id)}
        return tuple(newest[purpose] for purpose in PURPOSES if purpose in newest)

    def consent_log(self, member_id: str) -> tuple[Consent, ...]:
        """All that the member ever agreed to or withdrew, oldest first. Raises NotFound after an erasure."""
        return self._members.consents(self.member(member_id).id)

    def consent(self, member_id: str, purpose: Purpose, granted: bool, text_version: str) -> Consent:
        """Note what the member agreed to or withdrew; withdrawal acts at once."""
        entry = Consent(purpose, granted, text_version, "app", self._clock.now())
        self._members.record_consent(self.member(member_id).id, entry)
        self._consent.forget(member_id)
        if purpose == "location_offers" and not granted:
            self._presence.forget(member_id)
        return entry

    def change_preferences(self, member_id: str, changes: Mapping[str, object]) -> Preferences:
        """Replace the preferences named in `changes`, keep the others. Raises NotFound."""
        return self._members.change_preferences(member_id, lambda old: replace(old, own=True, **changes))  # type: ignore[arg-type]
