"""Ending with the process that started this one, also when that one was killed."""

from __future__ import annotations

import os
import signal
import threading
import time

LOOK_EVERY_S = 0.25
GRACE_S = 2.5
"""How long this process may take to end by itself before it is ended."""


def end_with_parent(parent: int) -> None:
    """From now on, end this process soon after its parent, the process with the id `parent`, is gone.

    The id comes from the parent itself: asked here, it would be another's when the parent has ended already. A process
    that ends in this way takes those that watch it along. A thread that looks works wherever processes have parents.
    """
    threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)
