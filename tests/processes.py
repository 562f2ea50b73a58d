"""Looking at real processes from tests."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable


def until(holds: Callable[[], bool], within_s: float) -> None:
    """Wait until something holds; fails when it does not in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"it did not happen within {within_s:.0f} s"
        time.sleep(0.05)


def descendants(pid: int) -> set[int]:
    """The processes that `pid` started, those that they started, and so on."""
    parents = _running()
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def alive(pids: set[int]) -> set[int]:
    """Those that still run."""
    return pids & _running().keys()


def _running() -> dict[int, int]:
    """Parents by process. A process that has ended counts no more, whether or not anybody asked for its exit code."""
    command = ["ps", "-A", "-o", "pid=,ppid=,stat="]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [line.split() for line in lines]
    return {
        int(pid): int(parent) for pid, parent, state in rows if not state.startswith("Z") and int(pid) != os.getpid()
    }
