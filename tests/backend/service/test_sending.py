"""How the outbox is emptied: each push is asked about, sent and settled on its own, so many at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Event, Lock
from typing import Any, cast

import pytest

from backend.service.errors import Unavailable
from backend.service.model import Device, Registration
from backend.service.ports import Ledger, Ports
from backend.service.push_model import Accepted, Push, SendResult
from backend.service.pushing import LEASE_S, Outbox
from backend.twins import TwinSender, twin_ports
from tests.contracts.examples import BY, CONSENT, NOW, SPRING, give, open_shop

NAMES = tuple(f"m{n}" for n in range(12))


class Inline(Executor):
    """Runs what it is given at once, in the caller's thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


@dataclass
class ScriptedSender:
    """Does what `during` says with each push, then accepts it; `sent` are ids in the order they came in."""

    during: Callable[[Push], object] = lambda _: None
    sent: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        return None

    def send(self, push: Push) -> SendResult:
        self.sent.append(push.id)
        self.during(push)
        return Accepted(f"name of {push.id}")


class Clock:
    """Moved by hand; in doubt when told so."""

    def __init__(self) -> None:
        self.moved = 0.0
        self.sure = True

    def now(self) -> Any:
        return NOW + timedelta(seconds=self.moved)

    def real(self) -> float:
        return 1_800_000_000.0 + self.moved

    def trusted(self) -> bool:
        return self.sure


class Shop:
    """Twelve members, each with a coupon whose push waits."""

    def __init__(self, count: int = 2) -> None:
        self.ports: Ports = twin_ports()
        self.clock = Clock()
        open_shop(self.ports, members=NAMES[:count])
        for n, name in enumerate(NAMES[:count]):
            device = Device(Registration("fid", f"phone of {name}"), "ios", "en", "Europe/Helsinki")
            self.ports.members.set_device(name, device)
            give(self.ports, name, ("kamppi", "pasila")[n % 2])

    def outbox(
        self,
        sender: Any,
        pool: Executor | None = None,
        at_once: int = 64,
        pause: Callable[[float], None] = lambda _: None,
    ) -> Outbox:
        ports = replace(self.ports, sender=sender)
        return Outbox(ports, self.clock, lambda: 0.0, pool or Inline(), at_once=at_once, pause=pause)

    def pushes(self) -> tuple[int, int, dict[str, int]]:
        """Pending, accepted, and dropped by reason."""
        books = self.ports.ledger.totals(self.clock.now())
        return books.pushes_pending, books.pushes_accepted, dict(books.pushes_dropped)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as made:
        yield made


def withdraw(shop: Shop) -> None:
    for name in NAMES[:2]:
        shop.ports.members.record_consent(name, replace(CONSENT, granted=False, at=NOW))


def pause(shop: Shop) -> None:
    shop.ports.chain.pause("*", BY)


def forget_phones(shop: Shop) -> None:
    for name in NAMES[:2]:
        shop.ports.members.drop_device(f"phone of {name}")


def let_time_pass(shop: Shop) -> None:
    shop.clock.moved = 1800.0


def pause_campaign(shop: Shop) -> None:
    shop.ports.chain.change_campaign(SPRING.id, lambda old: replace(old, status="paused"), BY)


def end_campaign(shop: Shop) -> None:
    shop.ports.chain.change_campaign(SPRING.id, lambda old: replace(old, ends_at=NOW), BY)


MEANWHILE = [
    (pause_campaign, "campaign_paused"),
    (end_campaign, "campaign_ended"),
    (withdraw, "no_consent"),
    (pause, "paused"),
    (forget_phones, "unreachable_device"),
    (let_time_pass, "coupon_expired"),
]


@pytest.mark.parametrize(("change", "reason"), MEANWHILE)
def test_what_changes_after_the_claim_still_stops_a_push(change: Callable[[Shop], None], reason: str) -> None:
    shop = Shop()
    sender = ScriptedSender(lambda _: change(shop))
    assert shop.outbox(sender).send_due() == 2
    assert (len(sender.sent), shop.pushes()) == (1, (0, 1, {reason: 1}))


def test_a_clock_in_doubt_after_the_claim_leaves_the_push_for_later() -> None:
    shop = Shop()
    sender = ScriptedSender(lambda _: setattr(shop.clock, "sure", False))
    box = shop.outbox(sender)
    assert (box.send_due(), box.send_due()) == (2, 0)
    assert (len(sender.sent), shop.pushes()) == (1, (1, 1, {}))
    shop.clock.sure, shop.clock.moved = True, 11.0
    assert (box.send_due(), shop.pushes()) == (1, (0, 2, {}))


def test_a_push_that_somebody_else_claimed_meanwhile_is_theirs() -> None:
    shop = Shop()
    others = shop.outbox(sender := ScriptedSender())

    def lose(_: Push) -> None:
        shop.clock.moved += LEASE_S + 1
        others.send_due()

    mine = ScriptedSender(lose)
    shop.outbox(mine).send_due()
    assert (len(mine.sent), len(sender.sent)) == (1, 2)


def test_each_push_is_settled_as_soon_as_it_is_answered(pool: ThreadPoolExecutor) -> None:
    shop, answer = Shop(12), Event()
    slow: list[str] = []

    def hold_the_first(push: Push) -> None:
        if not slow:
            slow.append(push.id)
            answer.wait(30)

    box = shop.outbox(ScriptedSender(hold_the_first), pool, at_once=4)
    started = 0
    while started < 12:
        started += box.send_due()
        box.wait_for_room(30)
    until(lambda: shop.pushes() == (1, 11, {}))
    answer.set()
    until(lambda: shop.pushes() == (0, 12, {}))


def test_no_more_pushes_are_under_way_than_there_is_room_for(pool: ThreadPoolExecutor) -> None:
    shop, lock, under_way, most = Shop(12), Lock(), [0], [0]

    def count(_: Push) -> None:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.01)
        with lock:
            under_way[0] -= 1

    box = shop.outbox(ScriptedSender(count), pool, at_once=3)
    taken = []
    while sum(taken) < 12:
        taken.append(box.send_due())
        box.wait_for_room(30)
    assert (most, max(taken)) == ([3], 3)


def test_room_is_waited_for_no_longer_than_asked(pool: ThreadPoolExecutor) -> None:
    shop, answer = Shop(2), Event()
    box = shop.outbox(ScriptedSender(lambda _: answer.wait(30)), pool, at_once=1)
    assert (box.send_due(), box.send_due()) == (1, 0)
    box.wait_for_room(0.01)
    assert box.send_due() == 0
    answer.set()
    box.wait_for_room(30)
    assert box.send_due() == 1


def test_a_push_that_fails_in_an_unforeseen_way_stops_no_other() -> None:
    shop = Shop(2)
    sender = ScriptedSender()

    def stumble(_: Push) -> None:
        if len(sender.sent) == 1:
            raise RuntimeError("a bug")

    sender.during = stumble
    box = shop.outbox(sender)
    assert (box.send_due(), shop.pushes()) == (2, (1, 1, {}))
    shop.clock.moved = LEASE_S + 1
    assert (box.send_due(), shop.pushes()) == (1, (0, 2, {}))


def test_while_the_sender_cannot_send_nothing_is_claimed() -> None:
    shop = Shop(1)
    sender = TwinSender()
    sender.unready = "no_access_token"
    with pytest.raises(Unavailable, match="wait in the outbox"):
        shop.outbox(sender).send_due()
    (row,) = shop.ports.ledger.claim(9, shop.clock.real(), 1.0)
    assert row.attempts == 1


class Away:
    """The ledger, but what is asked of it fails as long as the database is `away`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.away = False

    def __getattr__(self, name: str) -> Any:
        if self.away:
            raise Unavailable("database_unavailable", "the database cannot be reached now: try again soon")
        return getattr(self._ledger, name)


def with_database_that_leaves() -> tuple[Shop, Away, ScriptedSender]:
    """A shop whose database goes away while the first push is under way."""
    shop = Shop(2)
    ledger = Away(shop.ports.ledger)
    shop.ports = replace(shop.ports, ledger=cast(Ledger, ledger))
    return shop, ledger, ScriptedSender(lambda _: setattr(ledger, "away", True))


def test_an_answer_waits_for_a_database_that_is_away() -> None:
    shop, ledger, sender = with_database_that_leaves()
    waits: list[float] = []

    def come_back_after_three(wait_s: float) -> None:
        waits.append(wait_s)
        ledger.away = len(waits) % 3 != 0

    assert shop.outbox(sender, pause=come_back_after_three).send_due() == 2
    assert (len(sender.sent), shop.pushes()) == (2, (0, 2, {}))
    assert waits == [0.5, 1.0, 2.0] * 2


def test_an_answer_that_could_not_be_settled_is_remembered_beyond_the_lease() -> None:
    shop, ledger, sender = with_database_that_leaves()
    waits: list[float] = []
    box = shop.outbox(sender, pause=waits.append)
    assert box.send_due() == 2
    assert sum(waits) < 2 * 30
    ledger.away, shop.clock.moved = False, LEASE_S + 1
    sender.during = lambda _: None
    assert box.send_due() == 2
    assert (sorted(sender.sent), shop.pushes()) == (sorted(set(sender.sent)), (0, 2, {}))


def until(holds: Callable[[], bool], within_s: float = 30.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.005)
