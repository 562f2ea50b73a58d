"""The values about staff: who changes what, the log of it, and API keys as those who manage them see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from backend.service.model import Key, Role

COMMAND_LINE = "command line"
"""Who changes something by a command: whoever reaches the database and needs no key."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something, by the id of their API key or as COMMAND_LINE, and when (domain clock)."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change by staff. `before` is None for what is new, `after` for what is gone; `what` is the kind of thing."""

    id: int
    at: datetime
    by: str
    what: str
    object_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def described(value: Any) -> dict[str, Any] | None:
    """A thing of the chain as the audit log keeps it, plain JSON (None for None); never with a secret or a member."""
    if value is None:
        return None
    kind: Any = type(value)
    told: dict[str, Any] = _adapter(kind).dump_python(value, mode="json")
    return told


def menu_item_id(store_id: str, product_id: str) -> str:
    """How the audit log names an item of a menu: "*" stands for the menu of all stores."""
    return f"{store_id or '*'}/{product_id}"


WRONG_CODES_WITHIN = timedelta(hours=1)
"""Wrong codes further apart than this from the first are counted anew."""
LOCKED_FOR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Tally:
    """Wrong codes of one terminal, or of all terminals of one key, since the first of them."""

    count: int
    since: datetime
    locked_until: datetime | None = None

    def locks(self, now: datetime) -> bool:
        """Whether no code is taken now."""
        return self.locked_until is not None and now < self.locked_until

    def one_more(self, most: int, now: datetime) -> Tally:
        """With another wrong code; the one that makes `most` locks. After a lock, or a while, counting starts anew."""
        served = self.locked_until is not None and not self.locks(now)
        if served or self.since <= now - WRONG_CODES_WITHIN:
            return Tally(0, now).one_more(most, now)
        count = self.count + 1
        return Tally(count, self.since, now + LOCKED_FOR if count >= most else None)


@dataclass(frozen=True, slots=True)
class NewKey:
    """What an API key is to be; without `store_ids` good for all of the chain, without `expires_at` until revoked."""

    role: Role
    store_ids: frozenset[str] | None = None
    expires_at: datetime | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """An API key without its secret. `last_used_at` is right to about a minute.

    `previous_until` is how long the secret before the last rotation is good; None when there is none.
    """

    id: str
    role: Role
    store_ids: frozenset[str] | None
    label: str
    created_at: datetime | None
    expires_at: datetime | None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    previous_until: datetime | None = None

    @property
    def key(self) -> Key:
        """As it authenticates."""
        return Key(self.id, self.role, self.store_ids)

    def has_ended(self, now: datetime) -> bool:
        """Whether nobody gets in with it any more."""
        return self.revoked_at is not None or (self.expires_at is not None and now >= self.expires_at)
