"""API keys: made, listed, rotated and revoked by an admin, and recognised when tills and staff call."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from backend.service.codes import secret_hash
from backend.service.errors import Forbidden, Invalid, Unauthenticated, Unavailable
from backend.service.model import Key
from backend.service.ports import Chain, Clock, Identity
from backend.service.remembered import Remembered
from backend.service.staff import COMMAND_LINE, Actor, KeyEntry, NewKey
from backend.service.staff_ports import USE_NOTED_EVERY

REMEMBER_S = 5.0
"""For so long another process may still take a key that was revoked, or a secret whose overlap is over."""
REMEMBERED = 100_000
LONGEST_OVERLAP = timedelta(days=30)
OPERATOR = Key(COMMAND_LINE, "admin", None)
"""Whoever runs commands here may do what an admin of the whole chain may."""


class ApiKeys:
    """An admin manages keys of the stores they are bound to; those of others do not exist for them."""

    def __init__(self, identity: Identity, chain: Chain, clock: Clock) -> None:
        self._identity = identity
        self._chain = chain
        self._clock = clock
        self._known: Remembered[str, Key] = Remembered(REMEMBERED)
        self._noted: Remembered[str, bool] = Remembered(REMEMBERED)

    def key(self, secret: str) -> Key:
        """The API key with this secret. Raises Unauthenticated."""
        digest = secret_hash(secret)
        return self._known.get(digest, self._clock.real()) or self._look(secret, digest)

    def _look(self, secret: str, digest: str) -> Key:
        real_now, forgotten = self._clock.real(), self._known.forgotten
        key = self._identity.key(secret, self._clock.now())
        if key is None:
            raise Unauthenticated("invalid_key", "the API key is not good or has ended: ask for a new one")
        self._known.put(digest, real_now + REMEMBER_S, key, forgotten)
        self._note_use(key, real_now)
        return key

    def _note_use(self, key: Key, real_now: float) -> None:
        if self._noted.get(key.id, real_now) is None:
            self._noted.put(key.id, real_now + USE_NOTED_EVERY.total_seconds(), True)
            with suppress(Unavailable):  # no request fails for want of this note
                self._identity.note_use(key.id, self._clock.now())

    def create(self, admin: Key, wanted: NewKey) -> tuple[KeyEntry, str]:
        """Make a key; its secret is told this once. Raises Forbidden beyond the admin's stores, and Invalid."""
        if not _within(admin, wanted.store_ids):
            raise Forbidden("stores_not_yours", "this key makes keys for its own stores only: name some of them")
        by = self._by(admin)
        if wanted.expires_at is not None and wanted.expires_at <= by.at:
            raise Invalid("in_the_past", "expires_at lies in the past: give a later time, or none")
        if wanted.store_ids is not None and not wanted.store_ids <= {store.id for store in self._chain.stores()}:
            raise Invalid("store_unknown", "store_ids: there is no such store: import it first")
        return self._identity.create_key(wanted, by)

    def of(self, admin: Key) -> tuple[KeyEntry, ...]:
        """All keys the admin may touch, by id; those that ended too."""
        return tuple(entry for entry in self._identity.api_keys() if _may_touch(admin, entry.key))

    def rotate(self, admin: Key, key_id: str, overlap: timedelta) -> tuple[KeyEntry, str]:
        """Give a key a new secret, told this once; the one it had stays good for `overlap`.

        Raises NotFound, Conflict when the key has ended, and Invalid for an overlap beyond LONGEST_OVERLAP.
        """
        if not timedelta() <= overlap <= LONGEST_OVERLAP:
            raise Invalid("overlap", f"an overlap lasts from nothing to {LONGEST_OVERLAP.days} days")
        done = self._identity.rotate_key(key_id, lambda key: _may_touch(admin, key), overlap, self._by(admin))
        self._known.clear()
        return done

    def revoke(self, admin: Key, key_id: str) -> KeyEntry:
        """End a key for good: here at once, in other processes after REMEMBER_S at most. Raises NotFound."""
        ended = self._identity.revoke_key(key_id, lambda key: _may_touch(admin, key), self._by(admin))
        self._known.clear()
        return ended

    def _by(self, admin: Key) -> Actor:
        return Actor(admin.id, self._clock.now())


def _may_touch(admin: Key, key: Key) -> bool:
    return _within(admin, key.store_ids)


def _within(admin: Key, store_ids: frozenset[str] | None) -> bool:
    """Whether these stores (None: all of the chain) are among the admin's."""
    return admin.store_ids is None or (store_ids is not None and store_ids <= admin.store_ids)
