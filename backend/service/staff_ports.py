"""What the use cases ask of staff's credentials: the part of the identity port about API keys and the audit log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from backend.service.model import Key
from backend.service.staff import Actor, AuditEntry, KeyEntry, NewKey, Tally

USE_NOTED_EVERY = timedelta(minutes=1)
"""The last use of a key is written down no more often than this."""


class Staff(Protocol):
    """API keys, and what was done with them. Every change of a key is in the audit log."""

    def key(self, secret: str, now: datetime) -> Key | None:
        """The API key with this secret; None when there is none, it has ended or was revoked."""

    def create_key(self, wanted: NewKey, by: Actor) -> tuple[KeyEntry, str]:
        """Make an API key; its secret is told this once."""

    def api_keys(self) -> tuple[KeyEntry, ...]:
        """All API keys there ever were, by id."""

    def rotate_key(
        self, key_id: str, allowed: Callable[[Key], bool], overlap: timedelta, by: Actor
    ) -> tuple[KeyEntry, str]:
        """Give a key that is `allowed` a new secret, told this once; the one it had stays good for `overlap`.

        A secret from a rotation before that ends now. Raises NotFound, and Conflict when the key has ended.
        """

    def revoke_key(self, key_id: str, allowed: Callable[[Key], bool], by: Actor) -> KeyEntry:
        """End a key that is `allowed`, for good; one that was revoked stays so. Raises NotFound."""

    def note_use(self, key_id: str, now: datetime) -> None:
        """Note that a key was used, unless that was noted within USE_NOTED_EVERY."""

    def wrong_codes(self, terminal: str, key: str) -> Mapping[str, Tally]:
        """What is counted of a terminal and of its key, by these names; nothing of one that tried none.

        `Ledger.refuse` counts, with the refusal.
        """

    def clear_wrong_codes(self, terminal: str, key: str) -> None:
        """Forget what is counted of a terminal, and take as many from its key."""

    def forget_wrong_codes(self, before: datetime) -> int:
        """Delete what was counted since a moment before this one and locks nobody then. How many names."""

    def audit(self, before: int | None, limit: int) -> tuple[AuditEntry, ...]:
        """The audit log, newest first, from before the entry with the id `before`."""
