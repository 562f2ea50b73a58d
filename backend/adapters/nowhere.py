"""The sender of processes that send nothing: the web process leaves pushes to the worker."""

from __future__ import annotations

from collections.abc import Sequence

from backend.service.errors import Unavailable
from backend.service.model import Push, SendResult


class NoSender:
    """Refuses every push; only the worker sends."""

    def send(self, pushes: Sequence[Push]) -> list[SendResult]:
        """Raises Unavailable."""
        raise Unavailable("no_sender", "this process does not send pushes; lull worker does")
