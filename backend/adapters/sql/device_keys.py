"""Device keys in the database: only their hashes."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from backend.adapters.sql import tables as t
from backend.adapters.sql.database import Database
from backend.adapters.sql.loyalty import must_exist
from backend.adapters.sql.prepared import Prepared
from backend.service.codes import secret_hash
from backend.service.errors import Conflict, NotFound
from backend.service.model import DeviceKey

_DEVICE_KEY = sa.select(
    t.device_keys.c.id, t.device_keys.c.member_id, t.device_keys.c.label, t.device_keys.c.created_at
)
_BY_HASH = Prepared(
    _DEVICE_KEY.select_from(t.device_keys.join(t.members, t.members.c.id == t.device_keys.c.member_id)).where(
        t.device_keys.c.hash == sa.bindparam("hash")
    )
)
"""A key whose member is gone is good for nothing, even if it was left behind."""


class SqlDeviceKeys:
    """The part of the identity port about members' phones."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_device_key(self, member_id: str, label: str, now: datetime, most: int) -> tuple[DeviceKey, str]:
        """Make a device key, unless the member has `most`; its secret is told this once."""
        key = DeviceKey("dk_" + secrets.token_hex(8), member_id, label, now)
        secret = "ld_" + secrets.token_urlsafe(32)
        count = sa.select(sa.func.count()).select_from(t.device_keys).where(t.device_keys.c.member_id == member_id)
        with self._database.write() as connection:
            must_exist(connection, member_id)  # and locks the member, so that no two count at once
            if connection.execute(count).scalar_one() >= most:
                raise Conflict("too_many_device_keys", f"a member has at most {most} device keys: revoke one first")
            connection.execute(t.device_keys.insert().values(hash=secret_hash(secret), **asdict(key)))
        return key, secret

    def device_keys(self, member_id: str) -> tuple[DeviceKey, ...]:
        """The member's device keys, oldest first."""
        mine = _DEVICE_KEY.where(t.device_keys.c.member_id == member_id)
        query = mine.order_by(t.device_keys.c.created_at, t.device_keys.c.id)
        with self._database.read() as connection:
            return tuple(DeviceKey(*row) for row in connection.execute(query))

    def device_key(self, secret: str) -> DeviceKey | None:
        """The device key with this secret, if its member is still there."""
        with self._database.read() as connection:
            row = _BY_HASH.first(connection, {"hash": secret_hash(secret)})
        return None if row is None else DeviceKey(*row)

    def revoke_device_key(self, member_id: str, key_id: str) -> DeviceKey:
        """Take a member's device key back."""
        mine = (t.device_keys.c.id == key_id, t.device_keys.c.member_id == member_id)
        with self._database.write() as connection:
            row = connection.execute(_DEVICE_KEY.where(*mine)).one_or_none()
            if row is None or connection.execute(t.device_keys.delete().where(*mine)).rowcount == 0:
                raise NotFound("device_key_unknown", "the member has no such device key")
        return DeviceKey(*row)
