"""Erasure waits for sends that are under way, and for nothing else."""

from __future__ import annotations

import pytest

from backend.service.consent import ConsentCache
from backend.service.erasure import SEND_PATIENCE_S, Erasure, finish_erasures
from backend.service.errors import Unavailable
from backend.service.ports import Ports
from backend.service.push_model import Accepted
from backend.twins import twin_ports
from tests.backend.api.world import FakeClock
from tests.contracts.examples import give, open_shop


class Pauses:
    """Waits in no time; `then` happens at the given pause."""

    def __init__(self) -> None:
        self.waited_s = 0.0
        self.then = {0.0: lambda: None}

    def __call__(self, seconds: float) -> None:
        self.waited_s = round(self.waited_s + seconds, 3)
        self.then.get(self.waited_s, lambda: None)()


@pytest.fixture
def ports() -> Ports:
    made = twin_ports()
    open_shop(made)
    return made


def erasure(ports: Ports, clock: FakeClock, pauses: Pauses) -> Erasure:
    return Erasure(ports, ConsentCache(ports.members, clock), clock, pauses)


def test_nobody_waits_when_nothing_is_under_way(ports: Ports) -> None:
    pauses = Pauses()
    give(ports)
    erasure(ports, FakeClock(), pauses).erase("aino")
    assert (pauses.waited_s, ports.members.leaving(), ports.members.get("aino")) == (0.0, (), None)


def test_an_answer_waits_until_a_send_is_settled(ports: Ports) -> None:
    clock, pauses = FakeClock(), Pauses()
    give(ports)
    (row,) = ports.ledger.claim(9, clock.real(), 60.0)
    pauses.then[0.3] = lambda: ports.ledger.settle(row, Accepted("name"))
    erasure(ports, clock, pauses).erase("aino")
    assert (pauses.waited_s, ports.members.leaving()) == (0.3, ())


def test_a_send_that_does_not_end_makes_the_client_ask_again(ports: Ports) -> None:
    clock, pauses = FakeClock(), Pauses()
    coupon = give(ports)
    ports.ledger.claim(9, clock.real(), 60.0)
    forget = erasure(ports, clock, pauses)
    with pytest.raises(Unavailable) as raised:
        forget.erase("aino")
    assert raised.value.reason == "send_under_way"
    assert pauses.waited_s == pytest.approx(SEND_PATIENCE_S)
    assert (ports.members.get("aino"), ports.members.leaving()) == (None, ("aino",))
    assert finish_erasures(ports, clock.now(), clock.real()) == 0
    clock.real_moved = 61.0
    forget.erase("aino")
    assert ports.members.leaving() == ()
    kept = ports.ledger.coupon(coupon.id)
    assert kept is not None
    assert kept.member_id is None


def test_a_worker_finishes_what_nobody_asks_for_again(ports: Ports) -> None:
    clock = FakeClock()
    give(ports)
    ports.ledger.claim(9, clock.real(), 60.0)
    ports.members.leave("aino", clock.now())
    assert finish_erasures(ports, clock.now(), clock.real()) == 0
    clock.real_moved = 61.0
    assert finish_erasures(ports, clock.now(), clock.real()) == 1
    assert finish_erasures(ports, clock.now(), clock.real()) == 0


def test_erasing_twice_is_no_error(ports: Ports) -> None:
    forget = erasure(ports, FakeClock(), Pauses())
    forget.erase("aino")
    forget.erase("aino")
    assert ports.members.leaving() == ()
