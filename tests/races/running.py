"""Real servers over one database, and a crowd of phones and tills that talk to them over HTTP."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar

import urllib3

from backend.adapters.sql import upgrade
from backend.emulator.running import RunningEmulator, running_emulator
from backend.service.model import Role
from backend.service.ports import Ports
from backend.service.staff import COMMAND_LINE, Actor, NewKey
from backend.settings import Settings
from backend.wiring import open_ports
from simulator.processes import Child, Children, free_ports
from stores.model import Product

T = TypeVar("T")
STORES = 8
FAR = 0.05
"""Degrees between stores: some kilometres."""
PRICE_MINOR, OFF_MINOR = 400, 100
START_S = 60.0
ROLES: tuple[Role, ...] = ("till", "marketer", "admin")


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def in_flight(self) -> bool:
        """Whether another request with the same Idempotency-Key is being answered: to be tried again."""
        return self.status == 409 and "Retry-After" in self.headers


@dataclass(frozen=True)
class Held:
    """A coupon as its member's phone shows it, and the phone's session."""

    id: str
    code: str
    store_id: str
    session: str


@dataclass
class Running:
    """Servers, by number, and what it takes to talk to them."""

    children: Children
    emulator: RunningEmulator
    ports: tuple[int, ...]
    database_url: str
    servers: dict[int, Child] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    names: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self._pools = [
            urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=128, retries=False, timeout=30.0)
            for port in self.ports
        ]
        self._issuer = urllib3.connection_from_url(self.emulator.address, maxsize=128, retries=False, timeout=30.0)

    def start(self, number: int) -> None:
        """Start a server and wait until it answers."""
        child = self.children.start(f"server{number}", "serve", "--port", str(self.ports[number]))
        self.children.wait_healthy(child, self.ports[number], "/readyz", START_S)
        self.servers[number] = child

    def end(self, number: int, how: signal.Signals) -> int:
        """Tell a server and all its processes to end, amid whatever it does; its exit code."""
        child = self.servers.pop(number)
        with suppress(ProcessLookupError):
            os.killpg(child.process.pid, how)
        code = child.process.wait()
        self.children.running.remove(child)
        return code

    @contextmanager
    def books(self) -> Iterator[Ports]:
        """What stands in the database itself."""
        with open_ports(Settings(database_url=self.database_url)) as (ports, _):
            yield ports

    def close(self) -> None:
        """End the connections."""
        for pool in (*self._pools, self._issuer):
            pool.close()

    def call(
        self, method: str, path: str, credential: str | None, body: Any = None, once: str | None = None, at: int = 0
    ) -> Answer:
        """One request to the server with the number `at`, counted round. Raises urllib3's errors."""
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        if once is not None:
            headers["Idempotency-Key"] = once
        response = self._pools[at % len(self._pools)].request(method, path, headers=headers, json=body)
        return Answer(response.status, response.json() if response.data else None, response.headers)

    def good(self, method: str, path: str, credential: str | None, body: Any = None, at: int = 0) -> Any:
        """The body of an answer that must be a good one."""
        answer = self.call(method, path, credential, body, at=at)
        assert answer.status < 300, answer
        return answer.body

    def open_chain(self) -> None:
        """Stores that are open, quiet and have room for hundreds, and one offer."""
        offer = {
            "id": "bun-100", "name": "A bun", "product_id": "bun", "discount": {"kind": "amount", "value": OFF_MINOR},
            "tiers": ["green"], "title": "{product} at {store}", "body": "until {until}",
        }  # fmt: skip
        self.good("POST", "/v1/offers", self.keys["marketer"], offer)
        for number in range(STORES):
            self._open_store(number)

    def _open_store(self, number: int) -> None:
        lat, lng = place(number)
        store = {
            "id": f"s{number}", "name": f"Store {number}", "lat": lat, "lng": lng, "radius_m": 200.0, "hours": "24/7",
            "time_zone": "Europe/Helsinki", "staff": 200, "service_s": 60.0, "target_utilisation": 0.8,
        }  # fmt: skip
        self.good("POST", "/v1/stores", self.keys["marketer"], store)
        quiet = [
            {"kind": "arrivals", "at": stamp(), "value": 1, "window_s": 1200},
            {"kind": "queue_length", "at": stamp(), "value": 0},
        ]
        self.good("POST", f"/v1/stores/s{number}/observations", self.keys["till"], {"observations": quiet})

    def open_campaign(self, **limits: int) -> str:
        """The id of a campaign with these limits, and else money for all; it is the only one that runs."""
        for each in self.good("GET", "/v1/campaigns?limit=100", self.keys["marketer"])["items"]:
            if each["status"] == "active":
                self.good("PATCH", f"/v1/campaigns/{each['id']}", self.keys["marketer"], {"status": "ended"})
        campaign = {
            "id": f"c{next(self.names)}", "name": "Race", "status": "active", "offer_ids": ["bun-100"],
            "budget_minor": 10_000_000, "currency": "EUR",
        }  # fmt: skip
        self.good("POST", "/v1/campaigns", self.keys["marketer"], campaign | limits)
        # Servers look for changes at most once a second; after two in silence all who come wait for that look.
        time.sleep(2.5)
        return str(campaign["id"])

    def money(self, campaign_id: str) -> tuple[int, int]:
        """What a campaign has reserved and spent."""
        found = self.good("GET", f"/v1/campaigns/{campaign_id}", self.keys["marketer"])
        return found["reserved_minor"], found["spent_minor"]

    def sign_up(self, number: int) -> str:
        """The session of a new member who agrees to offers at any hour and has a phone."""
        uid = f"uid-{next(self.names)}-{number}"
        issued = self._issuer.request("POST", f"{self.emulator.address}/id-tokens", json={"uid": uid}).json()
        session: str = self.good("POST", "/v1/sessions", None, {"id_token": issued["id_token"]}, number)["token"]
        device = {
            "registration": {"kind": "fid", "value": f"fid-{uid}"}, "platform": "ios", "locale": "en",
            "time_zone": "Europe/Helsinki",
        }  # fmt: skip
        self.good("PUT", "/v1/me/device", session, device, number)
        self.good("PATCH", "/v1/me/preferences", session, {"quiet_hours": None}, number)
        agreed = {"granted": True, "text_version": "1"}
        self.good("PUT", "/v1/me/consents/location_offers", session, agreed, number)
        return session

    def walk_in(self, session: str, number: int) -> dict[str, Any]:
        """The answer to a report of two fixes amid a store."""
        reported: dict[str, Any] = self.good("POST", "/v1/me/fixes", session, {"fixes": arrival(number)}, number)
        return reported

    def give(self, coupons: int) -> tuple[str, list[Held]]:
        """A campaign, and so many coupons of it, each given to a member who walked into a store."""
        campaign_id = self.open_campaign(budget_minor=coupons * OFF_MINOR)

        def one(number: int) -> Held:
            session = self.sign_up(number)
            reported = self.walk_in(session, number)
            assert len(reported["coupons"]) == 1, reported
            given = reported["coupons"][0]
            return Held(given["id"], given["code"], given["store_id"], session)

        with ThreadPoolExecutor(8) as pool:
            held = list(pool.map(one, range(coupons)))
        assert self.money(campaign_id) == (coupons * OFF_MINOR, 0)
        return campaign_id, held

    def redeem(self, coupon: Held, once: str, at: int = 0) -> Answer:
        """Show a coupon's code at a till of its store."""
        body = {
            "code": coupon.code, "store_id": coupon.store_id, "total_minor": PRICE_MINOR, "currency": "EUR",
            "items": [{"product_id": "bun", "quantity": 1, "unit_price_minor": PRICE_MINOR}],
        }  # fmt: skip
        return self.call("POST", "/v1/redemptions", self.keys["till"], body, once, at)

    def roll_back(self, redemption_id: str, once: str, at: int = 0) -> Answer:
        """Undo a redemption at the till."""
        path = f"/v1/redemptions/{redemption_id}/rollback"
        return self.call("POST", path, self.keys["till"], {"reason": "cold"}, once, at)

    def state(self, coupon: Held, at: int = 0) -> str:
        """The coupon's state, as its member sees it."""
        return str(self.good("GET", f"/v1/me/coupons/{coupon.id}", coupon.session, at=at)["state"])


def place(number: int) -> tuple[float, float]:
    """Where a store is."""
    return 60.0 + FAR * (number % STORES), 24.0


def stamp(seconds: float = 0.0) -> str:
    """The time, so many seconds from now, as JSON has it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def fix(number: int, seconds: float) -> dict[str, Any]:
    """A good fix amid a store."""
    lat, lng = place(number)
    return {"lat": lat, "lng": lng, "accuracy_m": 5.0, "recorded_at": stamp(seconds), "speed_mps": 0.0}


def arrival(number: int) -> list[dict[str, Any]]:
    """Two fixes amid a store, far enough apart in time that whoever sends them has come in."""
    return [fix(number, -20.0), fix(number, 0.0)]


def crowd(size: int, do: Callable[[int], T]) -> list[T]:
    """What came of `size` threads that all began at the same moment; raises what one of them raised."""
    start = Barrier(size)

    def one(number: int) -> T:
        start.wait(timeout=60.0)
        return do(number)

    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(one, range(size)))


def prepared(database_url: str) -> dict[str, str]:
    """API keys by role, of a fresh database with a menu."""
    upgrade(database_url)
    with open_ports(Settings(database_url=database_url)) as (ports, clock):
        by = Actor(COMMAND_LINE, clock.now())
        ports.chain.put_menu({"": [Product("bun", "Bun", PRICE_MINOR, "EUR")]}, by)
        return {role: ports.identity.create_key(NewKey(role), by)[1] for role in ROLES}


@contextmanager
def running(folder: Path, database_url: str, redis_url: str | None, servers: int) -> Iterator[Running]:
    """So many servers over a fresh database, without limits, and ended with all they started."""
    with running_emulator(folder / "credentials.json") as emulator:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("LULL_", "FIREBASE_"))}
        env |= {
            "LULL_DATABASE_URL": database_url,
            "LULL_SECRET": "a secret for races, long enough for all",
            "LULL_EMULATOR_URL": emulator.address,
            "LULL_CREDENTIALS": str(emulator.credentials),
            "LULL_LIMITS": "off",
        }
        if redis_url is not None:
            env["LULL_REDIS_URL"] = redis_url
        with Children(folder, env) as children:
            made = Running(children, emulator, tuple(free_ports(servers)), database_url)
            made.keys |= prepared(database_url)
            for number in range(servers):
                made.start(number)
            try:
                made.open_chain()
                yield made
            finally:
                made.close()
