"""Identity in memory: ID tokens are plain words, API keys are kept by their hash."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from secrets import token_urlsafe

from backend.service.errors import InvalidIdToken
from backend.service.model import Key, Role
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
