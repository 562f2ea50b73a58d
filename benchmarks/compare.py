"""Serves, sends, compares: every case against the empty route, in turns, in one run."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import TextIO

import numpy as np
import urllib3
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from backend.emulator.running import RunningEmulator
from benchmarks.cases import CASES, COUPON, EMPTY_ROUTE, Case, Requests
from benchmarks.load import Clients, Result, open_clients
from benchmarks.stages import print_stages
from benchmarks.world import World, open_world
from simulator.processes import free_ports

FASTEST = {"empty route": 14_000, "100 fixes outside all fences": 1_000}
"""Requests prepared for each second of a slice; a slice that runs out of them ends early."""
FAST = 6_000
BUSY = 0.8
"""Clients that use more of a core than this may be what is slow."""
STAGE_MEMBERS = 400


@dataclass(slots=True)
class Measured:
    """All slices of one case, and the server's CPU seconds in them where the system tells."""

    slices: list[Result] = field(default_factory=list)
    server_s: float = 0.0

    @property
    def answers(self) -> int:
        """How many right answers came."""
        return sum(len(each.took_ns) for each in self.slices)

    @property
    def rate(self) -> float:
        """Right answers a second."""
        return self.answers / sum(each.seconds for each in self.slices)

    def rates(self) -> list[float]:
        """The same for each slice."""
        return [len(each.took_ns) / each.seconds for each in self.slices]

    def milliseconds(self, percent: float) -> float:
        """A percentile of the time to the answer."""
        return float(np.percentile(np.concatenate([each.took_ns for each in self.slices]), percent)) / 1e6

    @property
    def client_share(self) -> float:
        """The share of a core that the clients used."""
        return sum(each.cpu_s for each in self.slices) / sum(each.seconds for each in self.slices)


def main() -> None:
    """Measure, and print two tables."""
    options = _options()
    out = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    slices = options.rounds
    entering = int(options.seconds * options.coupons_per_s) + STAGE_MEMBERS
    with tempfile.TemporaryDirectory(prefix="lull-benchmark-") as name:
        out.print(f"Making {entering} members ...")
        with open_world(Path(name), options.database, entering) as (world, emulator):
            if not options.stages_only:
                with _server(world, Path(name), options.threads) as (port, pid):
                    _sign_one_in(port, emulator)
                    with open_clients(port, options.clients) as clients:
                        found = _measure(world, clients, options.seconds, slices, pid)
                _print(out, found, options)
            print_stages(out, world, world.entering[:STAGE_MEMBERS])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the API over HTTP against an empty route of the same server.")
    parser.add_argument("--seconds", type=float, default=5.0, help="seconds for each case (default 5)")
    parser.add_argument("--clients", type=int, default=8, help="requests under way at once (default 8)")
    parser.add_argument("--threads", type=int, default=8, help="the server's threads, as of lull serve (default 8)")
    parser.add_argument("--rounds", type=int, default=5, help="turns in which the seconds are spent (default 5)")
    parser.add_argument("--database", help="URL of an empty database (default: a SQLite file in a temporary folder)")
    parser.add_argument("--coupons-per-s", type=float, default=800.0, help="members made for each second (default 800)")
    parser.add_argument("--stages-only", action="store_true", help="only the table of stages, without a server")
    return parser.parse_args()


@contextmanager
def _server(world: World, folder: Path, threads: int) -> Iterator[tuple[int, int]]:
    """Start the server; its port and process id. Raises RuntimeError with its last words when it does not start."""
    (port,) = free_ports(1)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LULL_", "FIREBASE_"))}
    command = [sys.executable, "-m", "benchmarks.app", "--port", str(port), "--threads", str(threads)]
    root = str(Path(__file__).resolve().parents[1])
    with (folder / "server.log").open("w+") as log:
        environment |= world.environment() | {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            _wait(process, port, log)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(20.0)


def _wait(process: subprocess.Popen[bytes], port: int, log: TextIO) -> None:
    for _ in range(300):
        try:
            if urllib3.request("GET", f"http://127.0.0.1:{port}/readyz", retries=False).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            pass
        if process.poll() is not None:
            break
        sleep(0.1)
    log.seek(0)
    raise RuntimeError(f"the server did not start: {log.read()[-2000:]}")


def _sign_one_in(port: int, emulator: RunningEmulator) -> None:
    """One member the way all phones go: an ID token from the issuer, traded for a session."""
    issued = urllib3.request("POST", f"{emulator.address}/id-tokens", json={"uid": "one"}).json()
    answer = urllib3.request("POST", f"http://127.0.0.1:{port}/v1/sessions", json={"id_token": issued["id_token"]})
    if answer.status != 201:
        raise RuntimeError(f"no session for an ID token of the emulator: {answer.status}")


def _measure(world: World, clients: Clients, seconds: float, rounds: int, pid: int) -> dict[str, Measured]:
    found = {case.name: Measured() for case in CASES}
    requests = Requests(world, world.entering[STAGE_MEMBERS:])
    for case in CASES:  # once unmeasured: caches fill, threads start
        clients.run(requests.take(case, 40 if case is COUPON else 400), case.expect, 1.0)
    for _ in range(rounds):
        for case in CASES:
            length = seconds / rounds
            result, used = _slice(clients, requests, case, length, (len(world.entering), rounds), pid)
            if result.wrong:
                raise RuntimeError(f"{case.name}: {len(result.wrong)} wrong answers, such as {result.wrong[0]!r}")
            found[case.name].slices.append(result)
            found[case.name].server_s += used
    return found


def _slice(
    clients: Clients, requests: Requests, case: Case, seconds: float, entering: tuple[int, int], pid: int
) -> tuple[Result, float]:
    members, rounds = entering
    share = (members - STAGE_MEMBERS - 40) // rounds
    count = share if case is COUPON else int(FASTEST.get(case.name, FAST) * seconds)
    prepared = requests.take(case, count)
    before = _cpu_s(pid)
    result = clients.run(prepared, case.expect, seconds)
    return result, _cpu_s(pid) - before


def _cpu_s(pid: int) -> float:
    """CPU seconds of a process and its children so far; 0 where the system does not tell."""
    total = 0.0
    for each in (pid, *_children(pid)):
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _print(out: Console, found: dict[str, Measured], options: argparse.Namespace) -> None:
    kind = options.database.partition(":")[0] if options.database else "sqlite"
    heading = f"Over HTTP: {options.clients} clients, {options.threads} threads, {kind}, {options.seconds:g} s a case"
    table = Table(title=heading, title_justify="left", box=SIMPLE)
    table.add_column("case", no_wrap=True)
    for name in ("requests/s", "p50 ms", "p99 ms", "ratio", "by round", "server us", "client"):
        table.add_column(name, justify="right")
    base = found[EMPTY_ROUTE.name]
    for name, measured in found.items():
        ratios = [mine / theirs for mine, theirs in zip(measured.rates(), base.rates(), strict=True)]
        table.add_row(
            name,
            f"{measured.rate:,.0f}",
            f"{measured.milliseconds(50):.2f}",
            f"{measured.milliseconds(99):.2f}",
            f"{measured.rate / base.rate:.3f}",
            f"{min(ratios):.3f}-{max(ratios):.3f}",
            f"{measured.server_s / measured.answers * 1e6:.0f}" if measured.server_s else "-",
            f"{measured.client_share:.0%}",
        )
    out.print(table)
    out.print(_note(found.items()))


def _note(found: Iterable[tuple[str, Measured]]) -> str:
    slow = [name for name, measured in found if measured.client_share > BUSY]
    if slow:
        return f"The clients used more than {BUSY:.0%} of a core and may be the bottleneck: {', '.join(slow)}"
    return "The clients were not the bottleneck: they stayed under 80 % of a core."
