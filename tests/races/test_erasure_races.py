"""Members are erased while their phones report, tills sell to them and staff give them stars, through every server."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from threading import Event

import pytest
import redis

from backend.adapters.sql import Database
from backend.adapters.sql import tables as t
from backend.emulator.faults import Fault
from tests.processes import until
from tests.races.conftest import Size
from tests.races.running import PRICE_MINOR, START_S, STORES, Answer, Running, arrival, crowd, stamp

pytestmark = pytest.mark.timeout(1800)

SEND_MS = 150
"""Sends take so long that some are under way as their members are erased."""
AFTERWARDS = 3
"""So often everybody goes on after the erasure was acknowledged."""
BUN = {"product_id": "bun", "quantity": 1, "unit_price_minor": PRICE_MINOR}


@dataclass
class Leaver:
    """A member who will be erased: every other one holds a coupon by then, the others are just walking in."""

    number: int
    session: str
    names: tuple[str, ...]
    """Id, uid and registration."""
    code: str | None
    gone: Event = field(default_factory=Event)
    pushes: int = 0
    """How many there had been when the erasure was acknowledged."""


@pytest.fixture
def worker(lull: Running) -> Iterator[None]:
    """A worker that sends slowly."""
    lull.emulator.state.faults.add(Fault(delay_ms=SEND_MS, count=None))
    child = lull.children.start("worker", "worker")
    until(lambda: "worker started" in child.log.read_text(), START_S)
    yield
    lull.children.check()
    lull.children.running.remove(child)
    child.process.terminate()
    child.process.wait(timeout=30.0)
    lull.emulator.state.faults.clear()


def leaver(lull: Running, number: int) -> Leaver:
    session = lull.sign_up(number)
    code = lull.walk_in(session, number)["coupons"][0]["code"] if number % 2 else None
    known = lull.good("GET", "/v1/me/export", session)
    names = known["member"]["id"], known["member"]["uid"], known["device"]["registration"]["value"]
    return Leaver(number, session, names, code)


def pushes(lull: Running, each: Leaver) -> int:
    """How many sends to the member's phone were tried so far."""
    return sum(sent["registration"] == each.names[2] for sent in lull.emulator.state.log.after(0, 10**6))


def leave(lull: Running, each: Leaver) -> None:
    """Ask to be forgotten until that is acknowledged."""
    time.sleep(random.Random(each.number).uniform(0.0, 0.5))
    for at in count(each.number):
        answer = lull.call("DELETE", "/v1/me", each.session, at=at)
        if answer.status == 204:
            break
        assert answer.status == 503, answer
    each.pushes = pushes(lull, each)
    each.gone.set()


def phone(lull: Running, each: Leaver, at: int) -> Answer:
    return lull.call("POST", "/v1/me/fixes", each.session, {"fixes": arrival(each.number)}, at=at)


def till(lull: Running, each: Leaver, at: int) -> Answer:
    once = f"erasure sale {each.number} {at}"
    sale = {"store_id": f"s{each.number % STORES}", "items": [BUN], "total_minor": PRICE_MINOR, "currency": "EUR"}
    if at % 2 and each.code is not None:
        return lull.call("POST", "/v1/redemptions", lull.keys["till"], sale | {"code": each.code}, once, at)
    bought = sale | {"member_id": each.names[0], "at": stamp()}
    return lull.call("POST", "/v1/purchases", lull.keys["till"], bought, once, at)


def admin(lull: Running, each: Leaver, at: int) -> Answer:
    gift = {"delta": 1, "reason": f"for {each.names[0]}"}
    once = f"erasure gift {each.number} {at}"
    return lull.call("POST", f"/v1/members/{each.names[0]}/stars", lull.keys["admin"], gift, once, at)


ANSWERS: dict[Callable[[Running, Leaver, int], Answer], set[str]] = {
    phone: {"200", "member_gone"},
    till: {"201", "member_unknown", "coupon_unknown", "coupon_used", "coupon_revoked"},
    admin: {"201", "member_unknown"},
}
"""Who does something with a member who leaves, and what they may be answered."""


def go_on(lull: Running, each: Leaver, do: Callable[[Running, Leaver, int], Answer]) -> set[str]:
    """Do it again and again, until some times after the erasure; what was answered."""
    answers, left = set[str](), AFTERWARDS
    for at in count():
        left -= each.gone.is_set()
        answer = do(lull, each, at)
        answers.add(str(answer.status) if answer.status < 300 else answer.body["type"].removeprefix("/problems/"))
        if left <= 0:
            break
    return answers


def told_of(lull: Running, names: set[str]) -> dict[str, list[str]]:
    """Which of the names is in which table, or in Redis."""
    database = Database(lull.children.env["LULL_DATABASE_URL"])
    with database.read() as connection:
        stored = {name: str(connection.execute(table.select()).all()) for name, table in t.metadata.tables.items()}
    database.close()
    if "LULL_REDIS_URL" in lull.children.env:
        with redis.Redis.from_url(lull.children.env["LULL_REDIS_URL"]) as client:
            stored["redis"] = str(list(client.scan_iter()))
    found = {where: [name for name in names if name in text] for where, text in stored.items()}
    return {where: some for where, some in found.items() if some}


@pytest.mark.usefixtures("worker")
def test_who_is_erased_amid_everything_is_named_nowhere_and_gets_no_push(lull: Running, size: Size) -> None:
    lull.open_campaign()
    leavers = crowd(size.erased, lambda number: leaver(lull, number))
    names = {name for each in leavers for name in each.names}
    assert {"members", "devices", "consents", "decisions", "coupons"} <= told_of(lull, names).keys()
    actors = [*ANSWERS, None]

    def act(number: int) -> set[str]:
        each, do = leavers[number // len(actors)], actors[number % len(actors)]
        if do is None:
            leave(lull, each)
            return set()
        answers = go_on(lull, each, do)
        assert answers <= ANSWERS[do], (do, answers)
        return answers

    answers = set[str]().union(*crowd(size.erased * len(actors), act))
    assert {"200", "201", "member_gone", "member_unknown"} <= answers
    time.sleep(1.0)  # a push that began too late has ended by then
    assert told_of(lull, names) == {}
    assert [pushes(lull, each) for each in leavers] == [each.pushes for each in leavers]
    assert sum(each.pushes for each in leavers) > 0
