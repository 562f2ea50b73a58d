"""Identity in memory: ID tokens are plain words, keys are kept by their hash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from secrets import token_hex, token_urlsafe

from backend.service.codes import secret_hash
from backend.service.errors import Conflict, InvalidIdToken, NotFound
from backend.service.model import DeviceKey, Key
from backend.service.staff import Actor, AuditEntry, KeyEntry, NewKey
from backend.service.staff_ports import USE_NOTED_EVERY
from backend.twins.world import World
from backend.twins.wrong_codes import TwinWrongCodes


class TwinIdentity(TwinWrongCodes):
    """The identity port; it believes the ID token "uid:<uid>"."""

    def __init__(self, world: World, make_secret: Callable[[], str] = lambda: "lk_" + token_urlsafe()) -> None:
        super().__init__(world)
        self._make_secret = make_secret

    def uid(self, id_token: str) -> str:
        """What stands after "uid:". Raises InvalidIdToken for any other token."""
        kind, _, uid = id_token.partition(":")
        if kind != "uid" or not uid:
            raise InvalidIdToken('the ID token is not good here; the twin takes "uid:<uid>"')
        return uid

    def key(self, secret: str, now: datetime) -> Key | None:
        """The API key with this secret; None when there is none, it has ended or was revoked."""
        with self._world.lock:
            key_id, good_until = self._world.secrets.get(secret_hash(secret), ("", None))
            entry = self._world.keys.get(key_id)
            if entry is None or entry.has_ended(now) or (good_until is not None and now >= good_until):
                return None
            return entry.key

    def create_key(self, wanted: NewKey, by: Actor) -> tuple[KeyEntry, str]:
        """Make an API key; its secret is told this once."""
        with self._world.lock:
            key_id = f"k_{len(self._world.keys) + 1}"
            entry = KeyEntry(key_id, wanted.role, wanted.store_ids, wanted.label, by.at, wanted.expires_at)
            self._change_key(None, entry, by)
            return entry, self._tell_secret(key_id)

    def api_keys(self) -> tuple[KeyEntry, ...]:
        """All API keys there ever were, by id."""
        with self._world.lock:
            return tuple(self._world.keys[key_id] for key_id in sorted(self._world.keys))

    def rotate_key(
        self, key_id: str, allowed: Callable[[Key], bool], overlap: timedelta, by: Actor
    ) -> tuple[KeyEntry, str]:
        """Give a key a new secret; the one it had stays good for a while. Raises NotFound and Conflict."""
        with self._world.lock:
            old = self._own_key(key_id, allowed)
            if old.has_ended(by.at):
                raise Conflict("key_ended", "this API key has ended or was revoked: make a new one")
            until, secrets = by.at + overlap, self._world.secrets
            for hashed in [hashed for hashed, (owner, _) in secrets.items() if owner == key_id]:
                if secrets[hashed][1] is None:
                    secrets[hashed] = (key_id, until)
                else:
                    del secrets[hashed]
            new = replace(old, previous_until=until)
            self._change_key(old, new, by)
            return new, self._tell_secret(key_id)

    def revoke_key(self, key_id: str, allowed: Callable[[Key], bool], by: Actor) -> KeyEntry:
        """End a key for good; one that was revoked stays so. Raises NotFound."""
        with self._world.lock:
            old = self._own_key(key_id, allowed)
            if old.revoked_at is not None:
                return old
            new = replace(old, revoked_at=by.at)
            self._change_key(old, new, by)
            return new

    def note_use(self, key_id: str, now: datetime) -> None:
        """Note that a key was used, unless that was noted a moment ago."""
        with self._world.lock:
            entry = self._world.keys.get(key_id)
            if entry and (entry.last_used_at is None or entry.last_used_at <= now - USE_NOTED_EVERY):
                self._world.keys[key_id] = replace(entry, last_used_at=now)

    def audit(self, before: int | None, limit: int) -> tuple[AuditEntry, ...]:
        """The audit log, newest first."""
        with self._world.lock:
            older = [entry for entry in self._world.audit if before is None or entry.id < before]
            return tuple(reversed(older[-limit:]))

    def _own_key(self, key_id: str, allowed: Callable[[Key], bool]) -> KeyEntry:
        entry = self._world.keys.get(key_id)
        if entry is None or not allowed(entry.key):
            raise NotFound("key_unknown", "there is no such API key")
        return entry

    def _change_key(self, old: KeyEntry | None, new: KeyEntry, by: Actor) -> None:
        self._world.keys[new.id] = new
        self._world.note(by, "key", new.id, old, new)

    def _tell_secret(self, key_id: str) -> str:
        secret = self._make_secret()
        self._world.secrets[secret_hash(secret)] = (key_id, None)
        return secret

    def create_device_key(self, member_id: str, label: str, now: datetime, most: int) -> tuple[DeviceKey, str]:
        """Make a device key; its secret is told this once. Raises NotFound, and Conflict when the member has `most`."""
        with self._world.lock:
            self._world.must_exist(member_id)
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
