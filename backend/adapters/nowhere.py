"""The sender of processes that send nothing: the web process leaves pushes to the worker."""

from __future__ import annotations

from typing import NoReturn

from backend.service.errors import Unavailable
from backend.service.push_model import Push


class NoSender:
    """Refuses every push; only the worker sends."""

    def prepare(self) -> NoReturn:
        """Raises Unavailable."""
        raise Unavailable("no_sender", "this process does not send pushes; lull worker does")

    def send(self, push: Push) -> NoReturn:
        """Raises Unavailable."""
        self.prepare()
