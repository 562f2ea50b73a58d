"""Keys for phones whose app cannot renew a session: each can report fixes for one member, and nothing else."""

from __future__ import annotations

import re

from backend.service.codes import secret_hash
from backend.service.errors import Unauthenticated
from backend.service.model import DeviceKey
from backend.service.ports import Clock, Identity
from backend.service.remembered import Remembered

MOST = 10
"""Device keys of one member."""
REMEMBER_S = 30.0
"""For so long another process may still take a key that was revoked here."""
REMEMBERED = 100_000
_SECRET = re.compile(r"ld_[A-Za-z0-9_-]{43}", re.ASCII)


class DeviceKeys:
    """Makes, lists and revokes device keys, and recognises them."""

    def __init__(self, identity: Identity, clock: Clock) -> None:
        self._identity = identity
        self._clock = clock
        self._known: Remembered[str, DeviceKey] = Remembered(REMEMBERED)
        self._revoked: Remembered[str, bool] = Remembered(REMEMBERED)

    def create(self, member_id: str, label: str) -> tuple[DeviceKey, str]:
        """Make a key; its secret is told this once. Raises NotFound, and Conflict when the member has too many."""
        return self._identity.create_device_key(member_id, label, self._clock.now(), MOST)

    def of(self, member_id: str) -> tuple[DeviceKey, ...]:
        """The member's keys, oldest first, without their secrets."""
        return self._identity.device_keys(member_id)

    def revoke(self, member_id: str, key_id: str) -> DeviceKey:
        """Take a key back; from now on nobody reports with it here. Raises NotFound."""
        key = self._identity.revoke_device_key(member_id, key_id)
        # Asked at every use, so that a look-up that began before this cannot bring the key back to life.
        self._revoked.put(key.id, self._clock.real() + REMEMBER_S, True)
        return key

    def member(self, secret: str) -> str:
        """The id of the member whose key this is. Raises Unauthenticated."""
        now = self._clock.real()
        # Only what looks like a key is worth a question to the database.
        if _SECRET.fullmatch(secret) is None:
            raise _not_good()
        digest = secret_hash(secret)
        key = self._known.get(digest, now)
        if key is None:
            key = self._identity.device_key(secret)
            if key is None:
                raise _not_good()
            self._known.put(digest, now + REMEMBER_S, key)
        if self._revoked.get(key.id, now):
            raise _not_good()
        return key.member_id


def _not_good() -> Unauthenticated:
    return Unauthenticated("invalid_device_key", "the device key is not good or was revoked: make a new one")
