"""A member with an unmistakable name and place, against real processes: where neither may be found, and when."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3

from backend.adapters.sql import Database, SqlChain, SqlKeys, upgrade
from backend.adapters.sql import tables as t
from backend.emulator.faults import Fault
from backend.emulator.running import RunningEmulator, running_emulator
from backend.service.chain_model import Campaign, Observation, Offer
from backend.service.staff import Actor, NewKey
from simulator.processes import Children, free_ports
from stores.model import Circle, Position, Product, Store
from tests.servers import postgresql_database

NAME = "Zyxwvuta Qqkanarienvogel"
LAT, LNG = 60.1695231847, 24.9335417629
PLACES = ("60.16952", "24.93354", "601695231", "249335417", "601695", "249335")
"""The coordinates as decimals, and as whole numbers of ten-millionths and of millionths of a degree would begin."""
STORE = Store("kamppi", "Kamppi", Position(60.1696, 24.9336), Circle(300.0), "24/7", "Europe/Helsinki", 3, 60.0, 0.9)
OFFER = Offer("tea", "Tea", "tea", "percent", 25, ("green", "gold", "reserve"), "{product}", "until {until}")
SPRING = Campaign("spring", "Spring", "active", ("tea",), 100_000, "EUR")


@dataclass
class Running:
    """A server and a worker on one database, their output, and how to look into all that is stored."""

    base: str
    logs: tuple[Path, ...]
    till: str
    emulator: RunningEmulator
    stored: Callable[[], bytes]
    database: Database

    def ask(self, method: str, path: str, credential: str | None, body: Any = None, **headers: str) -> Any:
        """One request; its answer."""
        if credential:
            headers["Authorization"] = f"Bearer {credential}"
        return urllib3.request(method, self.base + path, json=body, headers=headers, timeout=60.0, retries=False)

    def told(self) -> str:
        """All that was logged or counted."""
        metrics = self.ask("GET", "/metrics", None).data.decode()
        return metrics + "".join(log.read_text() for log in self.logs)


def open_chain(database: Database) -> str:
    """A quiet store that is always open, an offer, and a till's key."""
    chain, now = SqlChain(database), datetime.now(UTC)
    by = Actor("test", now)
    chain.put_stores([STORE], by)
    chain.put_menu({"": [Product("tea", "Tea", 400, "EUR")]}, by)
    chain.put_offer(OFFER, by)
    chain.add_campaign(SPRING, by)
    quiet = Observation("arrivals", now, 1.0, window_s=1200.0, source="till")
    chain.observe("kamppi", [quiet, Observation("queue_length", now, 0.0, source="till")])
    return SqlKeys(database).create_key(NewKey("till"), by)[1]


def dumped(url: str) -> bytes:
    """A dump of the database, as plain SQL."""
    program = shutil.which("pg_dump")
    assert program, "pg_dump is needed to look into a PostgreSQL database"
    plain = url.replace("postgresql+psycopg", "postgresql")
    return subprocess.run([program, plain], capture_output=True, check=True).stdout


@pytest.fixture(params=["sqlite", "postgresql"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    """Real processes over each database."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path / 'lull.db'}"
            stored = lambda: b"".join(each.read_bytes() for each in tmp_path.glob("lull.db*"))  # noqa: E731
        else:
            url = stack.enter_context(postgresql_database())
            stored = lambda: dumped(url)  # noqa: E731
        upgrade(url)
        database = Database(url)
        stack.callback(database.close)
        emulator = stack.enter_context(running_emulator(tmp_path / "credentials.json"))
        env = {key: value for key, value in os.environ.items() if not key.startswith(("LULL_", "FIREBASE_"))}
        env |= {"LULL_DATABASE_URL": url, "LULL_CREDENTIALS": str(emulator.credentials), "LULL_SECRET": "s" * 40}
        env |= {"LULL_EMULATOR_URL": emulator.address}
        (port,) = free_ports(1)
        till = open_chain(database)
        children = stack.enter_context(Children(tmp_path, env))
        server = children.start("serve", "serve", "--port", str(port))
        worker = children.start("worker", "worker")
        children.wait_healthy(server, port, "/readyz", within_s=60.0)
        yield Running(f"http://127.0.0.1:{port}", (server.log, worker.log), till, emulator, stored, database)


def signed_in(running: Running, uid: str = "canary") -> str:
    """A session of a member with the canary's name, who agreed, and whose phone takes pushes at any hour."""
    issued = urllib3.request("POST", f"{running.emulator.address}/id-tokens", json={"uid": uid}).json()
    token = issued["id_token"]
    session: str = running.ask("POST", "/v1/sessions", None, {"id_token": token}).json()["token"]
    registration = {"kind": "fid", "value": f"fid-{uid}"}
    device = {"registration": registration, "platform": "ios", "locale": "en", "time_zone": "Europe/Helsinki"}
    assert running.ask("PUT", "/v1/me/device", session, device).status == 200
    for purpose in ("location_offers", "personalisation", "measurement"):
        agreed = {"granted": True, "text_version": "1"}
        assert running.ask("PUT", f"/v1/me/consents/{purpose}", session, agreed).status == 200
    assert running.ask("PATCH", "/v1/me/preferences", session, {"quiet_hours": None}).status == 200
    assert running.ask("POST", "/v1/me/device-keys", session, {"label": NAME}).status == 201
    assert running.ask("PATCH", "/v1/me/profile", session, {"name": NAME}).status == 200
    return session


def coupon(running: Running, session: str) -> dict[str, Any]:
    """What the member is given who comes in."""
    now = datetime.now(UTC)
    fixes = [
        {"lat": LAT, "lng": LNG, "accuracy_m": 8.0, "recorded_at": (now - timedelta(seconds=s)).isoformat()}
        for s in (30, 15, 0)
    ]
    answer = running.ask("POST", "/v1/me/fixes", session, {"fixes": fixes})
    assert answer.status == 200, answer.data
    found: dict[str, Any] = answer.json()["coupons"][0]
    return found


def rows_of(running: Running, member_id: str) -> dict[str, int]:
    """How many rows of each table name the member, in whatever column."""
    found = {}
    with running.database.read() as connection:
        for table in t.metadata.tables.values():
            rows = connection.execute(table.select()).all()
            found[table.name] = sum(member_id in str(tuple(row)) for row in rows)
    return {name: count for name, count in found.items() if count}


def test_a_member_is_in_no_log_and_their_place_nowhere_and_after_an_erasure_nothing_is_left(running: Running) -> None:
    session = signed_in(running)
    given = coupon(running, session)
    items = [{"product_id": "tea", "quantity": 1, "unit_price_minor": 400}]
    sale = {"code": given["code"], "store_id": "kamppi", "items": items, "total_minor": 400, "currency": "EUR"}
    assert running.ask("POST", "/v1/redemptions", running.till, sale, **{"Idempotency-Key": "k1"}).status == 201
    bad = {"fixes": [{"lat": LAT, "lng": LNG, "accuracy_m": NAME, "recorded_at": NAME}]}
    assert running.ask("POST", "/v1/me/fixes", session, bad).status == 422
    known = running.ask("GET", "/v1/me/export", session)
    assert known.status == 200
    assert NAME in known.data.decode()
    member_id = known.json()["member"]["id"]
    stored, told = running.stored(), running.told()
    assert NAME.encode() in stored  # or the search below would find nothing in vain
    assert not [place for place in PLACES if place.encode() in stored or place in told]
    assert NAME not in told
    assert rows_of(running, member_id)

    assert running.ask("DELETE", "/v1/me", session).status == 204
    stored, told = running.stored(), running.told()
    assert NAME.encode() not in stored
    assert b"fid-canary" not in stored
    assert member_id.encode() not in stored
    assert NAME not in told
    assert rows_of(running, member_id) == {}
    assert running.ask("GET", "/v1/me/coupons", session).status == 401


def test_no_send_starts_after_an_erasure_was_acknowledged(running: Running) -> None:
    """The first send is slow, and under way as the member asks; the answer waits for it, and there is no other."""
    running.emulator.state.faults.add(Fault(delay_ms=3_000, count=None))
    session = signed_in(running)
    coupon(running, session)
    time.sleep(0.7)
    assert running.ask("DELETE", "/v1/me", session).status == 204
    sent = running.emulator.state.log.after(0, 100)
    time.sleep(4.0)
    assert running.emulator.state.log.after(0, 100) == sent
    assert len(sent) <= 1
