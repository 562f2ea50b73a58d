"""API keys in the database, and the audit log. Of secrets only hashes."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from backend.adapters.sql import audit
from backend.adapters.sql.device_keys import SqlDeviceKeys
from backend.adapters.sql.tables_staff import api_keys
from backend.adapters.sql.wrong_codes import SqlWrongCodes
from backend.service.codes import secret_hash
from backend.service.errors import Conflict, NotFound
from backend.service.model import Key
from backend.service.staff import Actor, AuditEntry, KeyEntry, NewKey
from backend.service.staff_ports import USE_NOTED_EVERY

_c = api_keys.c


class SqlKeys(SqlDeviceKeys, SqlWrongCodes):
    """Makes and recognises keys. A secret has 256 random bits, so a plain hash cannot be guessed back."""

    def key(self, secret: str, now: datetime) -> Key | None:
        """The key with this secret, unless it has ended."""
        hashed = secret_hash(secret)
        replaced = sa.and_(_c.previous_hash == hashed, _c.previous_until > now)
        query = api_keys.select().where(sa.or_(_c.hash == hashed, replaced))
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        entry = None if row is None else _entry(row)
        return None if entry is None or entry.has_ended(now) else entry.key

    def create_key(self, wanted: NewKey, by: Actor) -> tuple[KeyEntry, str]:
        """Make a key; its secret is told this once."""
        entry = KeyEntry(
            "k_" + secrets.token_hex(8), wanted.role, wanted.store_ids, wanted.label, by.at, wanted.expires_at
        )
        secret = _new_secret()
        stores = None if entry.store_ids is None else sorted(entry.store_ids)
        values = {each.name: getattr(entry, each.name) for each in fields(entry)} | {"store_ids": stores}
        with self._database.write() as connection:
            connection.execute(api_keys.insert().values(hash=secret_hash(secret), **values))
            audit.note(connection, by, "key", [(entry.id, None, entry)])
        return entry, secret

    def api_keys(self) -> tuple[KeyEntry, ...]:
        """All keys there ever were, by id."""
        with self._database.read() as connection:
            return tuple(_entry(row) for row in connection.execute(api_keys.select().order_by(_c.id)))

    def rotate_key(
        self, key_id: str, allowed: Callable[[Key], bool], overlap: timedelta, by: Actor
    ) -> tuple[KeyEntry, str]:
        """Give a key a new secret; the one it had stays good for a while."""
        secret, until = _new_secret(), by.at + overlap
        with self._database.write() as connection:
            old = _locked(connection, key_id, allowed)
            if old.has_ended(by.at):
                raise Conflict("key_ended", "this API key has ended or was revoked: make a new one")
            values: dict[str, Any] = {"hash": secret_hash(secret), "previous_hash": _c.hash, "previous_until": until}
            connection.execute(api_keys.update().where(_c.id == key_id).values(values))
            new = replace(old, previous_until=until)
            audit.note(connection, by, "key", [(key_id, old, new)])
        return new, secret

    def revoke_key(self, key_id: str, allowed: Callable[[Key], bool], by: Actor) -> KeyEntry:
        """End a key; one that was revoked stays so."""
        with self._database.write() as connection:
            old = _locked(connection, key_id, allowed)
            if old.revoked_at is not None:
                return old
            connection.execute(api_keys.update().where(_c.id == key_id).values(revoked_at=by.at))
            new = replace(old, revoked_at=by.at)
            audit.note(connection, by, "key", [(key_id, old, new)])
        return new

    def note_use(self, key_id: str, now: datetime) -> None:
        """Note that a key was used, unless that was noted a moment ago."""
        stale = sa.or_(_c.last_used_at.is_(None), _c.last_used_at <= now - USE_NOTED_EVERY)
        with self._database.write() as connection:
            connection.execute(api_keys.update().where(_c.id == key_id, stale).values(last_used_at=now))

    def audit(self, before: int | None, limit: int) -> tuple[AuditEntry, ...]:
        """The audit log, newest first."""
        with self._database.read() as connection:
            return audit.newest(connection, before, limit)


def _locked(connection: sa.Connection, key_id: str, allowed: Callable[[Key], bool]) -> KeyEntry:
    row = connection.execute(api_keys.select().where(_c.id == key_id).with_for_update()).one_or_none()
    entry = None if row is None else _entry(row)
    if entry is None or not allowed(entry.key):
        raise NotFound("key_unknown", "there is no such API key")
    return entry


def _entry(row: sa.Row[Any]) -> KeyEntry:
    values = {each.name: getattr(row, each.name) for each in fields(KeyEntry)}
    return KeyEntry(**{**values, "store_ids": None if row.store_ids is None else frozenset(row.store_ids)})


def _new_secret() -> str:
    return "lk_" + secrets.token_urlsafe(32)
