"""A sender that keeps what it is given."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from backend.service.errors import Unavailable
from backend.service.push_model import Accepted, Push, Refused, SendResult


class TwinSender:
    """The sender port. `sent` are the pushes it took; `refuse` says of each push whether, and how, it is refused;
    `unready` is why nothing can be sent at all."""

    def __init__(self, refuse: Callable[[Push], Refused | None] = lambda _: None) -> None:
        self.refuse = refuse
        self.unready: str | None = None
        self.sent: list[Push] = []
        self._lock = Lock()

    def prepare(self) -> None:
        """Nothing to get ready. Raises Unavailable when `unready`."""
        if self.unready is not None:
            raise Unavailable(self.unready, "pushes cannot be sent now; they wait in the outbox")

    def send(self, push: Push) -> SendResult:
        """Try a push once."""
        refused = self.refuse(push)
        if refused is not None:
            return refused
        with self._lock:
            self.sent.append(push)
            return Accepted(f"projects/twin/messages/{len(self.sent)}")
