"""Ending in time: when asked to, and with the process that started this one, also when that one was killed."""

from __future__ import annotations

import os
import signal
import threading
import time

LOOK_EVERY_S = 0.25
END_S = 10
"""How long granian waits for its process to finish what it serves."""
GRACE_S = 2.5
"""How long this process may take to end by itself before it is ended."""


def end_with_parent(parent: int) -> None:
    """From now on, end this process soon after its parent, the process with the id `parent`, is gone.

    The id comes from the parent itself: asked here, it would be another's when the parent has ended already. A process
    that ends in this way takes those that watch it along. A thread that looks works wherever processes have parents.
    """
    threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()


def endable_from_birth() -> None:
    """Let processes that granian forks from now on end when, and only when, it asks them to (SIGTERM), at any time.

    They come with the handlers of this process, which only note a signal for a loop that runs here: a child asked to
    end while it loads the application would serve on, and its parent wait for it. And ctrl-C comes to all processes of
    a terminal: a child that gets it and is then asked as well sometimes never ends.
    """
    os.register_at_fork(after_in_child=_own_signals)


def _own_signals() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)
