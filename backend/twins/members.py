"""Members in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b

from backend.service.errors import Conflict
from backend.service.loyalty_model import TIERS, TierGrant
from backend.service.model import Consent, Device, Member, Preferences
from backend.service.own_word import is_news, settings_kept
from backend.service.staff import Actor
from backend.twins.loyalty import TwinLoyalty, settle
from backend.twins.world import World


class TwinMembers(TwinLoyalty):
    """The members port."""

    def __init__(self, world: World) -> None:
        self._world = world

    def sign_in(self, uid: str, now: datetime) -> Member:
        """The member with this identity; made, without any consent, when there is none."""
        with self._world.lock:
            known = self._world.member_by_uid.get(uid)
            if known is None:
                known = "m_" + blake2b(self._seed(uid).encode(), digest_size=12).hexdigest()
                self._world.members[known] = Member(known, uid, "green")
                self._world.member_by_uid[uid] = known
            return self._world.members[known]

    def _seed(self, uid: str) -> str:
        """Who signs in again after an erasure is somebody new."""
        return f"{uid} {self._world.erasures}" if self._world.erasures else uid

    def get(self, member_id: str) -> Member | None:
        """The member, or None."""
        with self._world.lock:
            return self._world.members.get(member_id)

    def end_sessions(self, member_id: str) -> None:
        """Sign the member out everywhere. Raises NotFound."""
        with self._world.lock:
            member = self._known(member_id)
            self._put(replace(member, sessions=member.sessions + 1))

    def set_device(self, member_id: str, device: Device) -> None:
        """Register the member's phone, and take its registration from whoever had it. Raises NotFound."""
        with self._world.lock:
            member = self._known(member_id)
            self.drop_device(device.registration.value)
            self._put(replace(member, device=device))

    def drop_device(self, registration: str) -> None:
        """Forget a registration that FCM no longer knows."""
        with self._world.lock:
            owner = self._world.member_by_registration.get(registration)
            if owner is not None:
                self._put(replace(self._world.members[owner], device=None))

    def record_consent(self, member_id: str, consent: Consent) -> None:
        """Append to the consent log. Raises NotFound."""
        with self._world.lock:
            member = self._known(member_id)
            self._append(member, consent)

    def consents(self, member_id: str) -> tuple[Consent, ...]:
        """The consent log, oldest first."""
        with self._world.lock:
            return tuple(self._world.consents.get(member_id, ()))

    def change_preferences(self, member_id: str, change: Callable[[Preferences], Preferences]) -> Preferences:
        """Replace the member's preferences by what `change` makes of them. Raises NotFound."""
        with self._world.lock:
            member = self._known(member_id)
            changed = replace(member, preferences=change(member.preferences))
            self._put(changed)
            return changed.preferences

    def add(self, members: Iterable[tuple[Member, tuple[Consent, ...]]], by: Actor) -> int:
        """Import members: all or none; who is there already is replaced, but for newer consents. Number of changes."""
        everybody = list(members)
        with self._world.lock:
            owners = dict(self._world.member_by_uid)
            if any(owners.setdefault(member.uid, member.id) != member.id for member, _ in everybody):
                raise Conflict("uid_taken", "two members cannot have one identity: give each its own uid")
            if any(member.id in self._world.leaving for member, _ in everybody):
                raise Conflict("member_leaving", "a member in the file is being erased: import again in a minute")
            changed = sum(self._add(member, consents) for member, consents in everybody)
            if changed:
                self._world.note(by, "members", "import", None, {"changed": changed})
            return changed

    def _add(self, member: Member, consents: tuple[Consent, ...]) -> bool:
        before = self._world.members.get(member.id)
        if before is None:  # an import knows nothing of phones and of what was given
            self._put(replace(member, tier=TIERS[0], tier_steps=(), device=None, last_given_at=None))
            self._settle_granted(member, None)
            for entry in consents:
                self._append(self._world.members[member.id], entry)
            return True
        member = settings_kept(member, before)
        fields = ("uid", "tier_grant", "time_zone", "locale", "preferences", "profile")
        self._put(replace(before, **{name: getattr(member, name) for name in fields}))
        self._settle_granted(member, before.tier_grant)
        for entry in sorted(consents, key=lambda entry: entry.at):
            known = self._world.members[member.id]
            if self._is_news(known, entry):
                self._append(known, entry)
        return self._world.members[member.id] != before

    def _settle_granted(self, member: Member, before: TierGrant | None) -> None:
        if member.tier_grant is not None and member.tier_grant != before:
            settle(self._world, member.id, member.tier_grant.at)

    def _is_news(self, member: Member, entry: Consent) -> bool:
        said = [known for known in self._world.consents[member.id] if known.purpose == entry.purpose]
        return is_news(sorted(said, key=lambda known: known.at), entry)

    def _append(self, member: Member, entry: Consent) -> None:
        self._world.consents[member.id].append(entry)
        others = member.consents - {entry.purpose}
        tastes = {} if entry.purpose == "personalisation" and not entry.granted else member.tastes
        self._put(replace(member, consents=others | {entry.purpose} if entry.granted else others, tastes=tastes))

    def leave(self, member_id: str, now: datetime) -> bool:
        """Note that the member is going; the identity is free at once."""
        with self._world.lock:
            member = self._world.members.pop(member_id, None)
            if member is None:
                return False
            self._world.member_by_uid.pop(member.uid)
            if member.device is not None:
                self._world.member_by_registration.pop(member.device.registration.value)
            self._world.tiers_due.pop(member_id, None)
            self._world.leaving[member_id] = member
            self._world.erasures += 1
            return True

    def leaving(self) -> tuple[str, ...]:
        """Who is going and not yet gone, oldest first."""
        with self._world.lock:
            return tuple(self._world.leaving)

    def set_tastes(self, tastes: Mapping[str, Mapping[str, float]], by: Actor) -> int:
        """Set tastes by member id, of those who agreed to personalisation; who is not a member is passed over."""
        count = 0
        with self._world.lock:
            for member_id, shares in tastes.items():
                member = self._world.members.get(member_id)
                if member is not None and "personalisation" in member.consents:
                    self._put(replace(member, tastes=dict(shares)))
                    count += 1
            if tastes:
                self._world.note(by, "tastes", "learn", None, {"members": count})
        return count

    def _known(self, member_id: str) -> Member:
        self._world.must_exist(member_id)
        return self._world.members[member_id]

    def _put(self, member: Member) -> None:
        world, before = self._world, self._world.members.get(member.id)
        if before is not None:
            world.member_by_uid.pop(before.uid, None)
            if before.device is not None:
                world.member_by_registration.pop(before.device.registration.value, None)
        world.members[member.id] = member
        world.member_by_uid[member.uid] = member.id
        if member.device is not None:
            world.member_by_registration[member.device.registration.value] = member.id
