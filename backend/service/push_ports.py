"""What the use cases ask of the world about pushes: a part of the ledger port, and the sender port."""

from __future__ import annotations

from typing import Protocol

from backend.service.push_model import Accepted, Claimed, Push, Queued, Retry, SendResult


class Outbox(Protocol):
    """Pushes on their way."""

    def claim(self, limit: int, real_now: float, lease_s: float) -> tuple[Claimed, ...]:
        """Take due rows of the outbox for `lease_s` seconds, oldest first; nobody else gets them in that time."""

    def queued(self, claimed: Claimed) -> Queued | None:
        """What stands now about a push, all of one moment; None when the row ended or was claimed anew meanwhile."""

    def settle(self, claimed: Claimed, result: Accepted | Retry | str) -> None:
        """End a claim: the push was accepted, is to be tried again, or was dropped for the reason given.

        Once somebody else has claimed the row, only that it was accepted still counts.
        """

    def sending(self, member_id: str, real_now: float) -> bool:
        """Whether a push to the member may be under way: it was claimed, and neither settled nor given up since."""


class Sender(Protocol):
    """Takes pushes to phones. Safe to use from several threads."""

    def prepare(self) -> None:
        """Get ready to send, which may take its time so that no send does. Raises Unavailable."""

    def send(self, push: Push) -> SendResult:
        """Try a push once, after `prepare`; a lasting or passing failure is a result, not an exception."""
