"""Many clients of real servers at once: what there is to give is given once, and what was acknowledged stays."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from threading import Event

import pytest
import urllib3

from tests.contracts.books import check_books
from tests.races.conftest import Size
from tests.races.running import OFF_MINOR, Answer, Held, Running, crowd, fix

# The full size takes minutes.
pytestmark = pytest.mark.timeout(1800)

KEYS = 100
TRIES = 100


def settled(lull: Running, coupon: Held, once: str, at: int = 0) -> Answer:
    """The answer of a redemption, asked for again as long as another request with its key is being answered."""
    for _ in range(TRIES):
        answer = lull.redeem(coupon, once, at)
        if not answer.in_flight:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"still in flight after {TRIES} tries: {answer}")


def test_each_coupon_is_redeemed_once_however_many_try(lull: Running, size: Size) -> None:
    """Every client tries every coupon once, in an order of its own, at all servers in turn."""
    campaign_id, held = lull.give(size.coupons)

    def client(number: int) -> list[tuple[str, int, str]]:
        order = random.Random(number).sample(held, len(held))
        answers = [(each, lull.redeem(each, f"{campaign_id}-{number}-{each.id}", at)) for at, each in enumerate(order)]
        return [(each.id, answer.status, answer.body.get("type", "")) for each, answer in answers]

    answers = [each for tried in crowd(size.clients, client) for each in tried]
    assert Counter(coupon_id for coupon_id, status, _ in answers if status == 201) == dict.fromkeys(
        (each.id for each in held), 1
    )
    assert {(status, kind) for _, status, kind in answers} == {(201, ""), (409, "/problems/coupon_used")}
    assert lull.money(campaign_id) == (0, size.coupons * OFF_MINOR)
    assert {lull.state(each) for each in held} == {"redeemed"}


@pytest.mark.parametrize(
    ("limit", "of_each"), [("budget_minor", OFF_MINOR), ("budget_count", 1), ("day_budget_count", 1)]
)
def test_a_budget_is_given_once_however_many_come_for_it(lull: Running, size: Size, limit: str, of_each: int) -> None:
    campaign_id = lull.open_campaign(**{limit: size.budget * of_each})
    sessions = [lull.sign_up(number) for number in range(size.members)]
    reports = crowd(size.members, lambda number: lull.walk_in(sessions[number], number))
    decisions = Counter((each["decisions"][0]["reason"], each["decisions"][0]["outcome"]) for each in reports)
    assert sum(len(each["coupons"]) for each in reports) == size.budget, decisions
    assert decisions["offered", "issued"] == size.budget
    assert sum(decisions.values()) == size.members
    assert {outcome for _, outcome in decisions} <= {"issued", "lost", "none"}
    assert lull.money(campaign_id) == (size.budget * OFF_MINOR, 0)


def test_many_requests_with_one_idempotency_key_have_one_effect_and_one_answer(lull: Running) -> None:
    campaign_id, (coupon,) = lull.give(1)
    first = crowd(KEYS, lambda number: lull.redeem(coupon, campaign_id, number))
    done = [(each.status, each.body) for each in first if not each.in_flight]
    assert done, "not one of them was answered"
    again = [settled(lull, coupon, campaign_id, number) for number, each in enumerate(first) if each.in_flight]
    assert all(each == (201, done[0][1]) for each in done)
    assert all((each.status, each.body) == done[0] for each in again)
    assert lull.money(campaign_id) == (0, OFF_MINOR)


def lasting(ask: Callable[[], Answer]) -> Answer:
    """The answer that a till gets in the end: asked for again, with its key, while there is no server or it is busy."""
    for _ in range(TRIES):
        try:
            answer = ask()
        except urllib3.exceptions.HTTPError:
            time.sleep(0.2)
            continue
        if "Retry-After" not in answer.headers:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"no answer after {TRIES} tries")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_what_an_ended_server_acknowledged_is_in_the_books(lull: Running, size: Size, how: signal.Signals) -> None:
    """It ends amid redemptions and returns. What it did not answer is done when tills ask again, nothing twice."""
    campaign_id, held = lull.give(size.coupons)
    enough = Event()

    def client(number: int) -> None:
        for nth, each in enumerate(held[number::8]):
            done = lasting(partial(lull.redeem, each, each.id, number + nth))
            assert done.status == 201, done
            again = lasting(partial(lull.redeem, each, each.id, number))
            assert (again.status, again.body) == (done.status, done.body)
            if nth % 2:
                back = lasting(partial(lull.roll_back, done.body["id"], f"back {each.id}", number + nth))
                assert back.status == 201, back
            if nth > 2:
                enough.set()

    def ender() -> None:
        assert enough.wait(30.0)
        code = lull.end(0, how)
        assert how is signal.SIGKILL or code == 0
        lull.start(0)

    crowd(9, lambda number: ender() if number == 8 else client(number))
    kept = sum(lull.state(each) == "redeemed" for each in held)
    assert 0 < kept < len(held)
    assert lull.money(campaign_id) == (0, kept * OFF_MINOR)
    with lull.books() as ports:
        check_books(ports)


def test_a_phone_may_report_to_another_server_each_time(lull: Running) -> None:
    """One fix enters no fence; the second, at another server where there are two, does."""
    lull.open_campaign()
    session = lull.sign_up(0)
    first = lull.good("POST", "/v1/me/fixes", session, {"fixes": [fix(0, -20.0)]}, at=0)
    second = lull.good("POST", "/v1/me/fixes", session, {"fixes": [fix(0, 0.0)]}, at=1)
    assert (first["accepted"], first["coupons"]) == (1, [])
    assert [each["state"] for each in second["coupons"]] == ["issued"]
