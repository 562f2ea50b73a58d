"""Guesses codes of coupons at real servers, and times their refusals: `python benchmarks/codes.py --guesses 2000`."""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from threading import local
from time import perf_counter, sleep, time

if __name__ == "__main__":
    # A script's own folder is looked in first, and there `http` would hide the standard library's.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import http.client

import numpy as np
import urllib3

from backend.adapters.sql import Database, SqlKeys, SqlLedger, upgrade
from backend.emulator.running import running_emulator
from backend.service.codes import ALPHABET, CHECK, LENGTH, from_base32
from backend.service.coupon_codes import CouponCodes
from backend.service.keyring import keyring
from backend.service.staff import COMMAND_LINE, Actor, NewKey
from backend.settings import Settings
from benchmarks import ledger_work as work
from benchmarks.ledger_work import LATER, NOW, SCENARIOS
from simulator.processes import free_ports

EXAMPLE = "python benchmarks/codes.py --database postgresql://user@127.0.0.1:5432/empty"
MOST = 20
"""Wrong codes that lock a terminal."""
TRIES = 95
"""Of one key before the next is taken: a hundred would lock it."""
SAMPLES, WARM = 2_000, 50
STORE, ELSEWHERE = "s0", "s1"


@dataclass(slots=True)
class Till:
    """Posts codes to a server, each from a terminal and by a key that are not locked; connections stay open."""

    ports: Sequence[int]
    keys: list[str]
    numbers: Iterator[int] = field(default_factory=count)
    kept: local = field(default_factory=local)

    def try_code(self, code: str, store: str, terminal: str | None = None, key: str | None = None, at: int = 0) -> int:
        """The status of the answer."""
        number = next(self.numbers)  # which threads may call at once
        item = {"product_id": "coffee", "quantity": 1, "unit_price_minor": 400}
        sale = {"store_id": store, "items": [item], "total_minor": 400, "currency": "EUR"}
        named = terminal or f"t{number % TRIES // (MOST - 1)}"
        body = json.dumps({**sale, "code": code, "terminal": named})
        headers = {
            "Authorization": f"Bearer {key or self.keys[number // TRIES]}",
            "Idempotency-Key": secrets.token_hex(8),
            "Content-Type": "application/json",
        }
        connection = self._connection(at)
        connection.request("POST", "/v1/redemptions", body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def _connection(self, at: int) -> http.client.HTTPConnection:
        known: dict[int, http.client.HTTPConnection] = self.kept.__dict__.setdefault("known", {})
        if at not in known:
            known[at] = http.client.HTTPConnection("127.0.0.1", self.ports[at], timeout=60)
        return known[at]


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes of coupons of one store."""

    live: Sequence[str]
    used: Sequence[str]


def main() -> None:
    """Guess, time and lock; prints what came of it, and raises when a code was guessed or a terminal stayed open."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="lull-benchmark-") as name, ExitStack() as stack:
        settings = stack.enter_context(_settings(Path(name), options.database))
        upgrade(settings.database_url)
        database = Database(settings.database_url)
        stack.callback(database.close)
        codes = _coupons(database, settings, options.samples)
        servers = 1 if settings.database_url.startswith("sqlite") else 2
        ports = [stack.enter_context(_server(settings, Path(name), number)) for number in range(servers)]
        print(f"{servers} server{'s' if servers > 1 else ''}, {settings.database_url.partition(':')[0]}, limits off")
        timed = options.samples + WARM
        elsewhere, here = _keys(database, ELSEWHERE, 3 * timed), _keys(database, STORE, 2 * timed)
        _time(Till(ports, elsewhere), ELSEWHERE, codes, "another store's till", (404, 404, 404))
        _time(Till(ports, here), STORE, codes, "the store's own till", (404, 409))
        _guess(Till(ports, _keys(database, STORE, options.guesses)), options.guesses, options.clients)
        _lock(Till(ports, []), _keys(database, STORE, 1)[0], codes.live[-1])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Guess coupon codes at real servers with limits off, time refusals, and lock a terminal.",
        epilog=f"Example: {EXAMPLE}",
    )
    parser.add_argument("--guesses", type=int, default=100_000, help="random codes (default 100000)")
    parser.add_argument("--samples", type=int, default=SAMPLES, help=f"tries of each kind ({SAMPLES})")
    parser.add_argument("--clients", type=int, default=8, help="connections that guess at once (default 8)")
    parser.add_argument(
        "--database", help="URL of an empty PostgreSQL database (default: SQLite in a temporary folder)"
    )
    return parser.parse_args()


@contextmanager
def _settings(folder: Path, database: str | None) -> Iterator[Settings]:
    with running_emulator(folder / "credentials.json") as emulator:
        yield Settings(
            database_url=database or f"sqlite:///{folder / 'lull.db'}",
            secret=secrets.token_urlsafe(32),
            credentials=folder / "credentials.json",
            emulator_url=emulator.address,
            clock=f"{time()},{LATER.timestamp()},0.01",
            limits="off",
        )


def _coupons(database: Database, settings: Settings, samples: int) -> Codes:
    """As many live coupons of the store as used ones, together as many as there are samples."""
    codes = CouponCodes(*(keyring(settings.need_secret(), None, each) for each in ("coupon codes", "hashes of codes")))
    members = [f"m{number}" for number in range(samples)]
    work.fill(database, members)
    ledger, found = SqlLedger(database), list[str]()
    for each in work.works(SCENARIOS[0], members):
        at_store = replace(each.coupon, store_id=STORE, code_key=codes.key_name)
        sale = replace(each.sale, store_id=STORE)
        mine = replace(each, coupon=at_store, code=codes.new_hash(at_store.id), sale=sale)
        work.issue(ledger, mine)
        if len(found) % 2:
            work.redeem(ledger, mine)
        found.append(codes.code(at_store))
    return Codes(found[::2], found[1::2])


def _keys(database: Database, store: str, tries: int) -> list[str]:
    """Keys of a store's tills for so many wrong codes."""
    keys, by = SqlKeys(database), Actor(COMMAND_LINE, NOW)
    return [keys.create_key(NewKey("till", frozenset({store})), by)[1] for _ in range(tries // TRIES + 1)]


@contextmanager
def _server(settings: Settings, folder: Path, number: int) -> Iterator[int]:
    """A port that `lull serve` answers on. Raises RuntimeError with its last words when it does not start."""
    (port,) = free_ports(1)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LULL_", "FIREBASE_"))}
    given = {f"LULL_{name.upper()}": str(value) for name, value in settings.model_dump(exclude_defaults=True).items()}
    with (folder / f"server{number}.log").open("w+") as log:
        command = [sys.executable, "-m", "backend", "serve", "--port", str(port)]
        process = subprocess.Popen(command, env=kept | given, stdout=log, stderr=log)
        try:
            for _ in range(300):
                if process.poll() is not None or _ready(port):
                    break
                sleep(0.1)
            if not _ready(port):
                log.seek(0)
                raise RuntimeError(f"the server did not start: {log.read()[-2000:]}")
            yield port
        finally:
            process.terminate()
            process.wait(20.0)


def _ready(port: int) -> bool:
    try:
        return urllib3.request("GET", f"http://127.0.0.1:{port}/readyz", retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def _time(till: Till, store: str, codes: Codes, name: str, statuses: Sequence[int]) -> None:
    """Time codes that nobody has, used ones and, where all are refused alike, live ones; in turns, in random order."""
    kinds = ("unknown", "used", "live")[: len(statuses)]
    draw, taken = random.Random(1), {kind: list[float]() for kind in kinds}
    rounds = len(codes.used) + len(codes.live)
    for number in range(-WARM, rounds):  # the first warm up
        for kind in draw.sample(kinds, len(kinds)):
            known = {"used": codes.used, "live": codes.live}.get(kind)
            code = known[number % len(known)] if known else _random_code(draw)
            began = perf_counter()
            status = till.try_code(code, store)
            took = (perf_counter() - began) * 1e3
            if status != statuses[kinds.index(kind)]:
                raise RuntimeError(f"a {kind} code was answered with {status}")
            if number >= 0:
                taken[kind].append(took)
    print(f"{name}, {rounds} tries of each:")
    for kind in kinds:
        samples = np.asarray(taken[kind])
        low, high = _interval(np.asarray(taken["unknown"]), samples)
        status, middle = statuses[kinds.index(kind)], float(np.median(samples))
        less = f"{middle - float(np.median(taken['unknown'])):+.3f} ms to unknown, 95 % [{low:+.3f}, {high:+.3f}]"
        print(f"  {kind:8} {status}, median {middle:.3f} ms, {less}")


def _interval(base: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """95 % bootstrap interval of the difference of medians, of rounds as they came."""
    draw = np.random.default_rng(1)
    picked = draw.integers(0, len(base), (1_000, len(base)))
    found = np.median(other[picked], axis=1) - np.median(base[picked], axis=1)
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def _random_code(draw: random.Random) -> str:
    digits = "".join(draw.choices(ALPHABET, k=LENGTH))
    return digits + CHECK[from_base32(digits) % 37]


def _guess(till: Till, guesses: int, clients: int) -> None:
    """Random codes with a right check character, from terminals and keys that change before they lock."""
    draw = random.Random(secrets.randbits(64))

    def guess(number: int) -> int:
        return till.try_code(_random_code(draw), STORE, at=number % len(till.ports))

    began = perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        statuses = list(pool.map(guess, range(guesses)))
    wrong = sorted({status for status in statuses if status != 404})
    if wrong:
        raise RuntimeError(f"guessed codes were answered with {wrong}, which must be 404")
    print(f"{guesses:,} guessed codes: none hit, {guesses / (perf_counter() - began):,.0f}/s")


def _lock(till: Till, key: str, right: str) -> None:
    """Wrong codes to the servers by turns; then each server refuses the terminal, also a right code."""
    draw, servers = random.Random(2), len(till.ports)
    statuses = [till.try_code(_random_code(draw), STORE, "one", key, number % servers) for number in range(MOST)]
    last = (_random_code(draw), right)
    after = [till.try_code(code, STORE, "one", key, at) for at in range(servers) for code in last]
    if statuses != [404] * MOST or set(after) != {429}:
        raise RuntimeError(f"the terminal was answered {statuses}, and then {after}")
    print(f"{MOST} wrong codes by turns, then {after}: the terminal is locked on every server")


if __name__ == "__main__":
    main()
