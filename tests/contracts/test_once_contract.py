"""The same request with the same Idempotency-Key: done once, and answered alike for 24 hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.service.errors import Conflict, Invalid, LullError, NotFound
from backend.service.model import Redemption
from backend.service.ports import Ports
from backend.service.till_model import Once
from tests.contracts.examples import NOW, at_once, budget, give, minutes, once, open_shop, purchase, redeem, roll_back

DAY = timedelta(hours=24)
LATE = Conflict("coupon_expired", "this coupon has ended")


def refused(ports: Ports, request: Once, refusal: LullError = LATE, now: datetime = NOW) -> LullError:
    """What the refusal of a request raises."""
    with pytest.raises(LullError) as raised:
        ports.ledger.refuse(request, refusal, {}, now)
    return raised.value


def told(error: LullError) -> tuple[type[LullError], int, str, str]:
    """All of it that is answered."""
    return type(error), error.status, error.reason, error.detail


def test_an_answer_stays_what_it_was_whatever_happened_since(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    first = redeem(ports, coupon)
    roll_back(ports, first.id)
    assert redeem(ports, coupon, at=60) == first
    assert budget(ports) == (0, 0)


@pytest.mark.parametrize("refusal", [LATE, NotFound("coupon_unknown", "no such"), Invalid("too_old", "at is too old")])
def test_a_refusal_is_an_answer_that_stays(ports: Ports, refusal: LullError) -> None:
    assert told(refused(ports, once(), refusal)) == told(refusal)
    assert told(refused(ports, once(), NotFound("other", "other"), NOW + minutes(5))) == told(refusal)


def test_a_request_that_was_refused_is_not_done_later_under_its_key(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    refused(ports, once())
    with pytest.raises(Conflict) as raised:
        redeem(ports, coupon, key="k1")
    assert told(raised.value) == told(LATE)
    assert redeem(ports, coupon, key="k2").coupon_id == coupon.id


def test_what_was_done_meanwhile_is_not_refused(ports: Ports) -> None:
    open_shop(ports)
    done = redeem(ports, give(ports), key="k1")
    assert ports.ledger.refuse(once("k1"), LATE, {}, NOW) == done


def test_a_key_is_good_for_one_request_also_when_it_is_refused(ports: Ports) -> None:
    refused(ports, once("k1", "d"))
    assert refused(ports, once("k1", "other")).reason == "idempotency_key_reused"
    assert refused(ports, once("k1", "other", credential="other till"), LATE).reason == "coupon_expired"


def test_a_key_used_for_a_redemption_is_not_good_for_a_purchase(ports: Ports) -> None:
    open_shop(ports)
    redeem(ports, give(ports), key="k1")
    with pytest.raises(Invalid) as raised:
        ports.ledger.buy(once("k1", "other"), purchase("p1"), NOW)
    assert raised.value.reason == "idempotency_key_reused"
    assert len(list(ports.ledger.purchases())) == 1


def test_after_24_hours_a_key_is_free_again(ports: Ports) -> None:
    open_shop(ports)
    ports.ledger.buy(once("k1", "one"), purchase("p1"), NOW)
    last = NOW + DAY - timedelta(microseconds=1)
    with pytest.raises(Invalid):
        ports.ledger.buy(once("k1", "two"), purchase("p2"), last)
    ports.ledger.buy(once("k1", "two"), purchase("p2"), NOW + DAY)
    with pytest.raises(Invalid):
        ports.ledger.buy(once("k1", "three"), purchase("p3"), NOW + DAY + DAY / 2)
    assert {each.id for each in ports.ledger.purchases()} == {"p1", "p2"}


def test_a_very_late_repetition_does_nothing_anew(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    redeem(ports, coupon, key="k1")
    with pytest.raises(Conflict) as raised:
        redeem(ports, coupon, key="k1", at=24 * 60 + 6)
    assert raised.value.reason == "coupon_used"
    assert budget(ports) == (0, 100)


def test_old_answers_are_dropped_and_younger_ones_stay(ports: Ports) -> None:
    open_shop(ports)
    ports.ledger.buy(once("k1"), purchase("p1"), NOW)
    ports.ledger.buy(once("k2"), purchase("p2"), NOW + minutes(1))
    assert [ports.ledger.forget_answers(NOW + minutes(1)) for _ in range(2)] == [1, 0]
    assert ports.ledger.buy(once("k2"), purchase("p2"), NOW + minutes(2)).id == "p2"


def test_of_one_request_sent_many_times_at_once_all_answers_agree(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    results = at_once(12, lambda _: redeem(ports, coupon, key="k"))
    done = [each for each in results if isinstance(each, Redemption)]
    waiting = [getattr(each, "reason", each) for each in results if each not in done]
    assert len(set(done)) == 1
    assert set(waiting) <= {"request_in_flight"}
    assert redeem(ports, coupon, key="k") == done[0]
    assert budget(ports) == (0, 100)


@pytest.mark.parametrize("change", [{"credential": "c"}, {"key": "l"}, {"digest": "e"}])
def test_the_same_request_makes_the_same_id_and_another_another(change: dict[str, Any]) -> None:
    request = Once("till", "k", "d")
    assert request.name("p_") == replace(request).name("p_") != replace(request, **change).name("p_")
