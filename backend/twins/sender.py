"""A sender that keeps what it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

from backend.service.model import Accepted, Push, Refused, SendResult


class TwinSender:
    """The sender port. `sent` are the pushes it took; `refuse` says of each push whether, and how, it is refused."""

    def __init__(self, refuse: Callable[[Push], Refused | None] = lambda _: None) -> None:
        self.refuse = refuse
        self.sent: list[Push] = []
        self._lock = Lock()

    def send(self, pushes: Sequence[Push]) -> list[SendResult]:
        """Try each push once; the results in the same order."""
        with self._lock:
            return [self._one(push) for push in pushes]

    def _one(self, push: Push) -> SendResult:
        refused = self.refuse(push)
        if refused is not None:
            return refused
        self.sent.append(push)
        return Accepted(f"projects/twin/messages/{len(self.sent)}")
