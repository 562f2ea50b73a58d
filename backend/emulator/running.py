"""The emulator in a thread of this process, for tests and benchmarks that want real HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from werkzeug.serving import WSGIRequestHandler, make_server

from backend.emulator.app import Emulator, create_emulator
from backend.emulator.keys import DEFAULT_PROJECT, Keys, generate_keys, service_account, write_credentials


@dataclass(frozen=True, slots=True)
class RunningEmulator:
    """Where it listens (`http://127.0.0.1:PORT`), its service account's file, its keys and its state."""

    address: str
    credentials: Path
    keys: Keys
    state: Emulator


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Says nothing: the send log tells what happened."""


@contextmanager
def running_emulator(
    credentials: Path,
    *,
    keys: Keys | None = None,
    clock: Callable[[], float] = time.time,
    project_id: str = DEFAULT_PROJECT,
    log_capacity: int = 1_000_000,
) -> Iterator[RunningEmulator]:
    """Serves on a free loopback port until the block ends. `keys` saves generating fresh ones (some 0.2 s)."""
    keys = keys or generate_keys(datetime.now(UTC))
    # The port is known only once bound, and the application wants its own address: it is set before serving.
    server = make_server("127.0.0.1", 0, lambda environ, start: [], threaded=True, request_handler=_Quiet)
    address = f"http://127.0.0.1:{server.server_port}"
    app = create_emulator(
        keys, token_uri=f"{address}/token", clock=clock, project_id=project_id, log_capacity=log_capacity
    )
    server.app = app
    write_credentials(credentials, service_account(keys, project_id, address))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield RunningEmulator(address, credentials, keys, app.extensions["emulator"])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
