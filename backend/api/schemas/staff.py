"""API keys and the audit log, as admins send and get them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from backend.api.schemas.base import Body, ImportedId, Moment, Page
from backend.service.api_keys import LONGEST_OVERLAP
from backend.service.model import Role
from backend.service.staff import AuditEntry, KeyEntry, NewKey

Label = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class KeyBody(Body):
    """What an API key is to be: without `store_ids` good for the whole chain, without `expires_at` until revoked."""

    role: Role
    store_ids: Annotated[list[ImportedId], Field(min_length=1, max_length=10_000)] | None = None
    expires_at: Moment | None = None
    label: Label = ""

    def to_new_key(self) -> NewKey:
        """As the use cases want it."""
        stores = None if self.store_ids is None else frozenset(self.store_ids)
        return NewKey(self.role, stores, self.expires_at, self.label)


class RotationBody(Body):
    """For how many seconds the present secret stays good beside the new one; 0 ends it at once."""

    overlap_s: int = Field(default=86_400, ge=0, le=int(LONGEST_OVERLAP.total_seconds()))

    def to_overlap(self) -> timedelta:
        """As the use cases want it."""
        return timedelta(seconds=self.overlap_s)


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """An API key without its secret. `last_used_at` is right to about a minute.

    `previous_until` is how long the secret before the last rotation is good; null when there was none.
    """

    id: str
    role: Role
    store_ids: tuple[str, ...] | None
    label: str
    created_at: datetime | None
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    previous_until: datetime | None

    @staticmethod
    def of(entry: KeyEntry) -> KeyAnswer:
        """From the use cases."""
        return KeyAnswer(**_shown(entry))


@dataclass(frozen=True, slots=True)
class NewKeyAnswer(KeyAnswer):
    """An API key with a new secret, `key`, told this once."""

    key: str

    @staticmethod
    def told(entry: KeyEntry, secret: str) -> NewKeyAnswer:
        """From the use cases."""
        return NewKeyAnswer(**_shown(entry), key=secret)


def _shown(entry: KeyEntry) -> dict[str, Any]:
    stores = None if entry.store_ids is None else tuple(sorted(entry.store_ids))
    return {each.name: getattr(entry, each.name) for each in fields(KeyAnswer)} | {"store_ids": stores}


class AuditPage(Page):
    """Which part of the audit log."""

    cursor: Annotated[str, StringConstraints(pattern=r"^([1-9][0-9]{0,17})?$")] = Field(
        default_factory=str, description="`next_cursor` of the page before"
    )


@dataclass(frozen=True, slots=True)
class AuditAnswer:
    """One change by staff. `by` is the id of an API key, or "command line"; `before` is null for what is new."""

    id: int
    at: datetime
    by: str
    what: str
    object_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @staticmethod
    def of(entry: AuditEntry) -> AuditAnswer:
        """From the use cases."""
        return AuditAnswer(entry.id, entry.at, entry.by, entry.what, entry.object_id, entry.before, entry.after)
