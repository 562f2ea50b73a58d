"""API keys in the database: only their hashes."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from backend.adapters.sql import tables as t
from backend.adapters.sql.database import Database
from backend.service.model import Key, Role


class SqlKeys:
    """Makes and recognises API keys. A secret has 256 random bits, so a plain hash cannot be guessed back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def key(self, secret: str, now: datetime) -> Key | None:
        """The key with this secret, unless it has ended."""
        query = t.api_keys.select().where(t.api_keys.c.hash == _hash(secret))
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None or (row.expires_at is not None and now >= row.expires_at):
            return None
        return Key(row.id, row.role, None if row.store_ids is None else frozenset(row.store_ids))

    def create_key(self, role: Role, store_ids: frozenset[str] | None, expires_at: datetime | None) -> tuple[Key, str]:
        """Make a key; its secret is told this once."""
        key = Key("k_" + secrets.token_hex(8), role, store_ids)
        secret = "lk_" + secrets.token_urlsafe(32)
        values = {
            "id": key.id,
            "hash": _hash(secret),
            "role": role,
            "store_ids": None if store_ids is None else sorted(store_ids),
            "expires_at": expires_at,
        }
        with self._database.write() as connection:
            connection.execute(t.api_keys.insert().values(values))
        return key, secret


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
