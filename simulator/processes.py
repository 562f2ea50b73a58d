"""The demo's child processes: started in groups of their own, and ended with all they started.

A demo that is killed cannot end them: they are started through `simulator.launcher`, and end by themselves then.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

TAIL_LINES = 15


class DemoError(Exception):
    """The demo cannot go on; the message says why in a sentence."""


@dataclass(slots=True)
class Child:
    """One running process of the demo and the file its output goes to."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self) -> str:
        """The last lines it wrote."""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:])


@dataclass(slots=True)
class Children:
    """All child processes of a run; use as a context manager, at its end all of them end.

    `command` comes before the arguments of each child; `end_wait_s` is how long, in real seconds, a child may take to
    end by itself before it is killed.
    """

    folder: Path
    env: Mapping[str, str]
    command: Sequence[str] = field(
        default_factory=lambda: (sys.executable, "-m", "simulator.launcher", str(os.getpid()))
    )
    end_wait_s: float = 5.0
    running: list[Child] = field(default_factory=list)

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self, name: str, *arguments: str) -> Child:
        """Start `lull ARGUMENTS` in the background; its output goes to a file in the folder."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter with our own arguments
                [*self.command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(self.env),
                start_new_session=True,
            )
        child = Child(name, process, log)
        self.running.append(child)
        return child

    def run(self, name: str, *arguments: str) -> str:
        """Run `lull ARGUMENTS` to its end and return what it printed. Raises DemoError when it fails."""
        child = self.start(name, *arguments)
        code = child.process.wait()
        self.running.remove(child)
        if code != 0:
            raise DemoError(f"`lull {' '.join(arguments[:2])}` ended with code {code}:\n{child.tail()}")
        return child.log.read_text("utf-8", "replace")

    def check(self) -> None:
        """Raise DemoError when a child has ended by itself."""
        for child in self.running:
            code = child.process.poll()
            if code is not None:
                raise DemoError(f"The {child.name} ended by itself with code {code}:\n{child.tail()}")

    def wait_healthy(self, child: Child, port: int, path: str = "/healthz", within_s: float = 30.0) -> None:
        """Wait until `child` answers 200 on its port. Raises DemoError when it ends or stays silent."""
        deadline = time.monotonic() + within_s
        with urllib3.HTTPConnectionPool("127.0.0.1", port, retries=False, timeout=urllib3.Timeout(1.0)) as pool:
            while time.monotonic() < deadline:
                self.check()
                try:
                    if pool.urlopen("GET", path).status == 200:
                        return
                except urllib3.exceptions.HTTPError:
                    pass
                time.sleep(0.05)
        raise DemoError(f"The {child.name} did not answer within {within_s:.0f} s:\n{child.tail()}")

    def end(self) -> None:
        """Ask all children and their groups to end, wait, and kill what is left after `end_wait_s`."""
        children, self.running = self.running, []
        for child in children:
            _signal_group(child.process, signal.SIGTERM)
        deadline = time.monotonic() + self.end_wait_s
        for child in children:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
            # Also when the child itself has ended: what it started may be left in its group.
            _signal_group(child.process, signal.SIGKILL)
            child.process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return


def free_ports(count: int) -> Sequence[int]:
    """Ports of the loopback address that nobody listens on right now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
