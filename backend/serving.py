"""Serving an application with granian, in one process that answers and one that looks after it."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Flask
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from backend.lifetime import end_with_parent

END_S = 10
"""How long granian waits for its process to finish what it serves."""


def serve_app(
    make: Callable[[], Flask], held: socket.socket, *, threads: int, log_level: LogLevels = LogLevels.info
) -> None:
    """Serve until asked to end. `make` builds the application in the process that serves; `held` is its port,
    which the caller closes.

    One process only: what an application knows of phones or pushes lives in its memory.
    """
    host, port = held.getsockname()[:2]
    server = Server(
        "lull",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=threads,
        workers_kill_timeout=END_S,
        log_level=log_level,
        log_access=False,
    )
    _end_on_hangup(server)
    # Where processes are forked the child's own signals must be right from its first moment, before it loads anything.
    os.register_at_fork(after_in_child=_own_signals)
    try:
        server.serve(target_loader=partial(_load, make, os.getpid()), wrap_loader=False)
    except SystemExit:
        # A signal to the whole group may end the child before granian hears of it, which then takes it for a crash.
        if not server.interrupt_signal:
            raise


def _end_on_hangup(server: Any) -> None:
    """When the terminal closes, end, unless nohup says not to; granian would start anew, with presence forgotten."""
    kept = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    server.signal_handler_reload = (lambda *_: None) if kept else server.signal_handler_interrupt


def _load(make: Callable[[], Flask], parent: int) -> Flask:
    _own_signals()
    end_with_parent(parent)
    return make()


def _own_signals() -> None:
    """Let the process that serves end when, and only when, granian asks it to (SIGTERM), at any time.

    It comes with the handlers of its parent, which only note a signal for a loop that runs there: asked to end while it
    loads the application it would serve on, and its parent wait for it. And ctrl-C comes to all processes of a
    terminal: a child that gets it and is then asked as well sometimes never ends.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
