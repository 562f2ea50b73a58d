"""What a long command tells while it works, and how ctrl-C ends it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Protocol

EVERY_S = 2.0
INTERRUPTED = 130


class Report(Protocol):
    """What grows while a command works."""

    def told(self, seconds: float) -> str:
        """How far it is after so many seconds."""


class Progress:
    """Tells on stderr every two seconds how far it is."""

    def __init__(self) -> None:
        self._began = self._told = monotonic()

    def __call__(self, report: Report) -> None:
        """Take notice of what was done so far."""
        now = monotonic()
        if now - self._told >= EVERY_S:
            self._told = now
            print(report.told(now - self._began), file=sys.stderr)  # noqa: T201 - what a command says


@contextmanager
def interruptible() -> Iterator[None]:
    """Let ctrl-C raise within, so that what is unfinished is removed; then end the process with code 130."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        print("lull: interrupted; what was not finished is not kept", file=sys.stderr)  # noqa: T201
        sys.exit(INTERRUPTED)
    finally:
        signal.signal(signal.SIGINT, before)
