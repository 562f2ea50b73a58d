"""What a long match tells while it runs, and how ctrl-C ends it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from backend.matching.run import MatchReport

EVERY_S = 2.0
INTERRUPTED = 130


class Progress:
    """Tells on stderr every two seconds how far it is."""

    def __init__(self) -> None:
        self._began = self._told = monotonic()

    def __call__(self, report: MatchReport) -> None:
        """Take notice of what was done so far."""
        now = monotonic()
        if now - self._told >= EVERY_S:
            self._told = now
            rate = report.points / (now - self._began)
            print(  # noqa: T201 - what a command says
                f"{report.points:,} points, {report.hits:,} hits, {rate:,.0f} points a second", file=sys.stderr
            )


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
