"""Looking at real processes from tests."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path


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
    rows = _from_proc() if Path("/proc/self/stat").exists() else _from_ps()
    return {pid: parent for pid, parent, state in rows if not state.startswith("Z") and pid != os.getpid()}


def _from_proc() -> Iterator[tuple[int, int, str]]:
    """Linux, also where no `ps` is installed."""
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit():
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                yield int(entry.name), int(parent), state


def _from_ps() -> Iterator[tuple[int, int, str]]:
    command = ["ps", "-A", "-o", "pid=,ppid=,stat="]
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        pid, parent, state = line.split()
        yield int(pid), int(parent), state
