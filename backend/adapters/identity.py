"""Identity: members by Firebase, keys by the database."""

from __future__ import annotations

from datetime import datetime

from backend.adapters.firebase_auth import FirebaseVerifier
from backend.adapters.sql.keys import SqlKeys
from backend.service.errors import Unavailable
from backend.service.model import DeviceKey, Key, Role


class LullIdentity:
    """The identity port. Without a verifier (commands that need no members) no ID token is good."""

    def __init__(self, keys: SqlKeys, verifier: FirebaseVerifier | None) -> None:
        self._keys = keys
        self._verifier = verifier

    def uid(self, id_token: str) -> str:
        """Whose ID token this is."""
        if self._verifier is None:
            raise Unavailable("firebase_not_configured", "no Firebase project is set up here")
        return self._verifier.verify(id_token)

    def key(self, secret: str, now: datetime) -> Key | None:
        """The API key with this secret."""
        return self._keys.key(secret, now)

    def create_key(self, role: Role, store_ids: frozenset[str] | None, expires_at: datetime | None) -> tuple[Key, str]:
        """Make an API key."""
        return self._keys.create_key(role, store_ids, expires_at)

    def create_device_key(self, member_id: str, label: str, now: datetime, most: int) -> tuple[DeviceKey, str]:
        """Make a device key."""
        return self._keys.create_device_key(member_id, label, now, most)

    def device_keys(self, member_id: str) -> tuple[DeviceKey, ...]:
        """The member's device keys, oldest first."""
        return self._keys.device_keys(member_id)

    def device_key(self, secret: str) -> DeviceKey | None:
        """The device key with this secret."""
        return self._keys.device_key(secret)

    def revoke_device_key(self, member_id: str, key_id: str) -> DeviceKey:
        """Take a member's device key back."""
        return self._keys.revoke_device_key(member_id, key_id)
