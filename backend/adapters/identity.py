"""Identity: members by Firebase, keys by the database."""

from __future__ import annotations

from datetime import datetime

from backend.adapters.firebase_auth import FirebaseVerifier
from backend.adapters.sql.keys import SqlKeys
from backend.service.errors import Unavailable
from backend.service.model import Key, Role


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
