"""Identity in memory: ID tokens are plain words, keys are kept by their hash."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from secrets import token_hex, token_urlsafe

from backend.service.errors import Conflict, InvalidIdToken, NotFound
from backend.service.model import DeviceKey, Key, Role
from backend.twins.world import World


def secret_hash(secret: str) -> str:
    """SHA-256 of a secret, in hexadecimal."""
    return sha256(secret.encode()).hexdigest()


class TwinIdentity:
    """The identity port; it believes the ID token "uid:<uid>"."""

    def __init__(self, world: World, make_secret: Callable[[], str] = lambda: "lk_" + token_urlsafe()) -> None:
        self._world = world
        self._make_secret = make_secret

    def uid(self, id_token: str) -> str:
        """What stands after "uid:". Raises InvalidIdToken for any other token."""
        kind, _, uid = id_token.partition(":")
        if kind != "uid" or not uid:
            raise InvalidIdToken('the ID token is not good here; the twin takes "uid:<uid>"')
        return uid

    def key(self, secret: str, now: datetime) -> Key | None:
        """The API key with this secret, or None when there is none or it has ended."""
        with self._world.lock:
            key, ends = self._world.keys.get(secret_hash(secret), (None, None))
            return None if ends is not None and ends <= now else key

    def create_key(self, role: Role, store_ids: frozenset[str] | None, expires_at: datetime | None) -> tuple[Key, str]:
        """Make an API key; its secret is told this once."""
        with self._world.lock:
            key, secret = Key(f"k_{len(self._world.keys) + 1}", role, store_ids), self._make_secret()
            self._world.keys[secret_hash(secret)] = (key, expires_at)
            return key, secret

    def create_device_key(self, member_id: str, label: str, now: datetime, most: int) -> tuple[DeviceKey, str]:
        """Make a device key; its secret is told this once. Raises NotFound, and Conflict when the member has `most`."""
        with self._world.lock:
            if member_id not in self._world.members:
                raise NotFound("member_unknown", "there is no such member")
            if len(self.device_keys(member_id)) >= most:
                raise Conflict("too_many_device_keys", f"a member has at most {most} device keys: revoke one first")
            key, secret = DeviceKey("dk_" + token_hex(8), member_id, label, now), "ld_" + token_urlsafe(32)
            self._world.device_keys[secret_hash(secret)] = key
            return key, secret

    def device_keys(self, member_id: str) -> tuple[DeviceKey, ...]:
        """The member's device keys, oldest first."""
        with self._world.lock:
            mine = [key for key in self._world.device_keys.values() if key.member_id == member_id]
        return tuple(sorted(mine, key=lambda key: (key.created_at, key.id)))

    def device_key(self, secret: str) -> DeviceKey | None:
        """The device key with this secret; None when it was revoked or its member is gone."""
        with self._world.lock:
            key = self._world.device_keys.get(secret_hash(secret))
            return key if key is not None and key.member_id in self._world.members else None

    def revoke_device_key(self, member_id: str, key_id: str) -> DeviceKey:
        """Take a member's device key back. Raises NotFound."""
        with self._world.lock:
            for hashed, key in self._world.device_keys.items():
                if (key.id, key.member_id) == (key_id, member_id):
                    return self._world.device_keys.pop(hashed)
        raise NotFound("device_key_unknown", "the member has no such device key")
