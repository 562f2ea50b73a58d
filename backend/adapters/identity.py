"""Identity: members by Firebase, keys by the database."""

from __future__ import annotations

from backend.adapters.firebase_auth import FirebaseVerifier
from backend.adapters.sql import Database, SqlKeys
from backend.service.errors import Unavailable


class LullIdentity(SqlKeys):
    """The identity port. Without a verifier (commands that need no members) no ID token is good."""

    def __init__(self, database: Database, verifier: FirebaseVerifier | None) -> None:
        super().__init__(database)
        self._verifier = verifier

    def uid(self, id_token: str) -> str:
        """Whose ID token this is."""
        if self._verifier is None:
            raise Unavailable("firebase_not_configured", "no Firebase project is set up here")
        return self._verifier.verify(id_token)
