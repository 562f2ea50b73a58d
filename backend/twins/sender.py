"""A sender that keeps what it is given."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from backend.service.model import Accepted, Push, Refused, SendResult


class TwinSender:
    """The sender port. `sent` are the pushes it took; `refuse` says of each push whether, and how, it is refused;
    `unready` is why nothing can be sent at all."""

    def __init__(self, refuse: Callable[[Push], Refused | None] = lambda _: None) -> None:
        self.refuse = refuse
        self.unready: Refused | None = None
        self.sent: list[Push] = []
        self._lock = Lock()

    def prepare(self) -> Refused | None:
        """Nothing to get ready; `unready`."""
        return self.unready

    def send(self, push: Push) -> SendResult:
        """Try a push once."""
        refused = self.refuse(push)
        if refused is not None:
            return refused
        with self._lock:
            self.sent.append(push)
            return Accepted(f"projects/twin/messages/{len(self.sent)}")
