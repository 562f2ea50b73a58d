"""`lull demo`: the real backend, worker and emulator as processes, and a simulated city that talks to them."""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from backend.service.ports import Ports
from backend.settings import Settings
from backend.twins.clock import FastClock
from backend.wiring import open_ports
from simulator import demo_setup
from simulator.cast import Cast, Options, lay_out
from simulator.city import City, environment
from simulator.demo_chain import WrongInput
from simulator.http import Http, Meter
from simulator.pacing import Lag, PoolCourier, advance, run_paced
from simulator.phones import HttpBackend, follow_pushes
from simulator.port import BackendError
from simulator.processes import Children, DemoError, free_ports
from simulator.progress import Progress
from simulator.scenario import Scenario
from simulator.summary import as_table, read_books, summarise
from simulator.truth import WINDOW_S

CONNECTIONS = 8
"""Threads, and connections at most, with which all phones and tills together talk to the backend."""
LEAD_S = 12.0
"""Real seconds between the backend's start and the city's, for start-up and signing in."""
UNSEEN_UNTIL_S = 90.0
"""Simulated seconds before the minutes up to which the city runs unseen while the backend is set up."""
DRAIN_S = 30.0
"""Real seconds to wait for the outbox to drain at the end."""
CHECK_EVERY_S = 1.0
INTERRUPTED = 130


ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a polite end, and the terminal being closed."""


@dataclass(frozen=True, slots=True)
class Session:
    """Everything that runs during the minutes; `page` is the console's address with its key."""

    children: Children
    city: City
    courier: PoolCourier
    backend: HttpBackend
    clock: FastClock
    api: Http
    emulator: Http
    meter: Meter
    keys: demo_setup.Keys
    page: str


def run_demo(options: Options, out: Console, err: Console) -> int:
    """Run the demo and return the exit code; results go to `out`, progress and notes to `err`.

    Ends on SIGINT and SIGTERM at any time, with all processes ended and the temporary folder gone. Raises WrongInput.
    """
    if options.summary is not None:
        if not options.summary.absolute().parent.is_dir():
            raise WrongInput(f"{options.summary} cannot be written: its folder does not exist.")
        if options.summary.is_dir():
            raise WrongInput(f"{options.summary} cannot be written: it is a folder, give the name of a file.")
    stack = ExitStack()
    with _interruptible():
        try:
            return _demo(options, stack, out, err)
        except KeyboardInterrupt:
            err.print("Stopped before the end; nothing is left running.")
            return INTERRUPTED
        except (DemoError, BackendError) as error:
            err.print(str(error), markup=False, highlight=False)
            return 1
        finally:
            # A second ctrl-C must not leave processes behind.
            for number in ENDINGS:
                signal.signal(number, signal.SIG_IGN)
            stack.close()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Each of the signals that end a demo raises KeyboardInterrupt, even when the parent had them ignored."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in ENDINGS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _demo(options: Options, stack: ExitStack, out: Console, err: Console) -> int:
    cast = lay_out(options)
    for note in cast.chain.notes:
        err.print(note, highlight=False)
    pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="phones")
    stack.callback(pool.shutdown, cancel_futures=True)
    session = _start(options.scenario, cast, pool, stack, partial(err.print, highlight=False))
    (err if options.as_json else out).print(f"Open {session.page}", highlight=False, soft_wrap=True)
    _begin(session, cast, pool, err)
    lag = _play(session, stack, err)
    found = _finish(session, lag, err)
    if options.summary is not None:
        options.summary.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if options.as_json:
        out.print_json(data=found)
    else:
        out.print(as_table(found))
    if not options.exit_when_done and sys.stdout.isatty():
        _stay(session, out)
    return 0


def _start(
    scenario: Scenario, cast: Cast, pool: ThreadPoolExecutor, stack: ExitStack, say: Callable[[str], None]
) -> Session:
    """Set everything up: database, emulator, server and worker; and let the city warm up meanwhile."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lull-demo-", ignore_cleanup_errors=True)))
    api_port, emulator_port = free_ports(2)
    env = _environment(folder, emulator_port)
    if cast.chain.map is not None:
        env["LULL_MAP"] = str(folder / "map.geojson")
        (folder / "map.geojson").write_bytes(cast.chain.map)
    children = stack.enter_context(Children(folder, env))
    emulator = children.start(
        "emulator", "fcm-emulator", "--port", str(emulator_port), "--credentials", env["LULL_CREDENTIALS"]
    )
    say("Setting the database up")
    children.run("database", "database", "upgrade")
    people = [person for person, _ in cast.people]
    rng = np.random.default_rng(cast.history_seed)
    with _database(env) as ports:
        keys = demo_setup.prepare(ports, cast.chain, scenario, cast.town, people, cast.start, rng, say)
    children.wait_healthy(emulator, emulator_port)
    say("Starting the backend")
    clock = FastClock(time.time() + LEAD_S, cast.start, scenario.rate)
    env["LULL_CLOCK"] = clock.setting()
    server = children.start("server", "serve", "--port", str(api_port))
    children.start("worker", "worker")
    meter = Meter()
    api, issuer = Http(api_port, meter, CONNECTIONS), Http(emulator_port, meter, CONNECTIONS + 1)
    # Connections left open would keep a server that is asked to end waiting.
    stack.callback(api.close)
    stack.callback(issuer.close)
    backend = HttpBackend(api, issuer, {person.member_id: person for person in people}, keys.till)
    simulation = environment(scenario, cast.start)
    courier = PoolCourier(simulation, pool)
    city = City(simulation, courier, backend, scenario, cast.town, cast.people, cast.start, cast.stores_seed)
    city.env.run(until=cast.start - min(UNSEEN_UNTIL_S, scenario.warm_up_min * 30.0))
    children.wait_healthy(server, api_port, "/readyz")
    page = f"http://127.0.0.1:{api_port}/console#key={keys.marketer}"
    return Session(children, city, courier, backend, clock, api, issuer, meter, keys, page)


def _environment(folder: Path, emulator_port: int) -> dict[str, str]:
    """The children's environment: ours without settings of Lull or Firebase, and the demo's own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LULL_", "FIREBASE_", "GOOGLE_APPLICATION"))
    }
    return kept | {
        "LULL_DATABASE_URL": f"sqlite:///{folder / 'lull.db'}",
        "LULL_SECRET": secrets.token_urlsafe(32),
        "LULL_EMULATOR_URL": f"http://127.0.0.1:{emulator_port}",
        "LULL_CREDENTIALS": str(folder / "credentials.json"),
        "LULL_LIMITS": "off",  # simulated phones are many, quick, and all at one address
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def _database(env: Mapping[str, str]) -> Iterator[Ports]:
    with open_ports(Settings(database_url=env["LULL_DATABASE_URL"])) as (ports, _):
        yield ports


def _begin(session: Session, cast: Cast, pool: ThreadPoolExecutor, err: Console) -> None:
    """Start the campaigns, sign all members in; begin later when that took too long."""
    demo_setup.start_campaigns(session.api, cast.chain, session.keys.marketer)
    count = len(cast.people)
    with err.status(f"Signing {count} members in") as status:
        session.backend.sign_in_all(pool, lambda done: status.update(f"Signing members in: {done} of {count}"))
    now = session.clock.epoch()
    soonest = now + session.clock.rate * 0.5
    if soonest > session.city.start:
        session.city.begin_at(soonest)
        # What goes by before the minutes is no lag of theirs.
        advance(session.city.env, max(now, session.city.env.now))


def _play(session: Session, stack: ExitStack, err: Console) -> Lag:
    """The minutes themselves."""
    city, courier = session.city, session.courier
    stop = threading.Event()
    stack.callback(stop.set)

    def delivered(registration: str, coupon_id: str) -> None:
        courier.hand_in(partial(city.delivered, registration, coupon_id))

    # The emulator answers a long poll from another pool, so phones never wait for it.
    follower = Http(session.emulator.port, Meter(), 1)
    stack.callback(follower.close)
    thread = threading.Thread(target=follow_pushes, args=(follower, delivered, stop.is_set), daemon=True)
    thread.start()
    next_check = 0.0
    with Progress(err, city) as progress:

        def tick(lag_s: float) -> None:
            nonlocal next_check
            progress.tick(lag_s)
            if time.monotonic() >= next_check:
                next_check = time.monotonic() + CHECK_EVERY_S
                session.children.check()

        return run_paced(city.env, courier, session.clock, city.end, tick)


def _finish(session: Session, lag: Lag, err: Console) -> dict[str, Any]:
    """Let answers under way arrive and the outbox drain; then count."""
    city, courier = session.city, session.courier
    deadline = time.monotonic() + DRAIN_S
    while courier.waiting and time.monotonic() < deadline:
        courier.deliver(0.1)
        city.env.run(until=city.env.now + 0.01)
    # The queues go on for a while: the truth about the last coupons needs it.
    city.env.run(until=max(city.env.now, city.end) + WINDOW_S / 2.0)
    books = None
    with err.status("Waiting for the last pushes"), _database(session.children.env) as ports:
        while time.monotonic() < deadline:
            session.children.check()
            books = read_books(ports, session.clock.now(), session.emulator)
            if books is not None and books.drained:
                break
            time.sleep(0.3)
    if books is None:
        raise DemoError(f"The backend did not answer at the end:\n{session.children.running[1].tail()}")
    if not books.drained:
        err.print(f"The outbox had not drained after {DRAIN_S:.0f} s.")
    return summarise(city, books, session.meter, lag)


def _stay(session: Session, out: Console) -> None:
    """Keep the page up until ctrl-C."""
    out.print("The phones have stopped, so stores turn to unknown. ", end="")
    out.print(f"The page stays up at {session.page} until ctrl-C.", highlight=False, soft_wrap=True)
    try:
        while True:
            time.sleep(CHECK_EVERY_S)
            session.children.check()
    except KeyboardInterrupt:
        return
