"""Budgets of a campaign, its stores and its days, in money and count: taken with the coupon, settled where taken."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest

from backend.service.budgets import Booked, day_scope, store_scope
from backend.service.model import BasketItem, Coupon
from backend.service.ports import Ports
from tests.backend.decision.builders import evidence
from tests.contracts.books import check_books
from tests.contracts.examples import (
    BY,
    NOW,
    SPRING,
    answer,
    at_once,
    budget,
    change_campaign,
    coupon_of,
    give,
    minutes,
    open_shop,
    put_down,
    redeem,
    roll_back,
    seen,
)

TODAY, TOMORROW = NOW.date(), date(2026, 6, 3)
LIMITS = (
    {"budget_minor": 199},
    {"budget_count": 1},
    {"store_budget_minor": 199},
    {"store_budget_count": 1},
    {"day_budget_minor": 199},
    {"day_budget_count": 1},
)
ROOMY = {"evidence": evidence(staff=2_000)}


def named(limit: dict[str, int]) -> str:
    return next(iter(limit))


def booked(ports: Ports, scope: str) -> Booked:
    return ports.chain.booked("spring").get(scope, Booked())


def left(ports: Ports, store_id: str = "kamppi", day: date = TODAY) -> int:
    return ports.ledger.budgets_left(store_id, day)["spring"]


def put_down_on(ports: Ports, member_id: str, day: date, store_id: str = "kamppi") -> str:
    """Record an offer whose coupon is booked on a day of the store's own."""
    record = answer(seen(member_id, store_id))
    coupon = replace(coupon_of(record.facts, record.decision), budget_day=day)
    return ports.ledger.record(record, coupon, f"hash of {coupon.id}").outcome


def test_a_coupon_is_booked_on_its_campaign_its_store_and_its_day(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero", "sisu"))
    give(ports, "aino")
    give(ports, "eero", "pasila")
    redeem(ports, give(ports, "sisu"), items=(BasketItem("cappuccino", 1, 60),), total_minor=60)
    assert ports.chain.booked("spring") == {
        store_scope("kamppi"): Booked(100, 1, 60, 1),
        store_scope("pasila"): Booked(100, 1, 0, 0),
        day_scope(TODAY): Booked(200, 2, 60, 1),
    }
    (spring,) = ports.chain.campaigns()
    assert (spring.reserved_count, spring.spent_count, budget(ports)) == (2, 1, (200, 60))
    check_books(ports)


def test_nothing_is_booked_on_a_campaign_that_never_was(ports: Ports) -> None:
    assert ports.chain.booked("none") == {}


def test_a_roll_back_gives_money_and_count_back(ports: Ports) -> None:
    open_shop(ports)
    change_campaign(ports, budget_count=1, day_budget_count=1, store_budget_count=1)
    done = redeem(ports, give(ports))
    assert left(ports) == 0
    roll_back(ports, done.id)
    assert set(ports.chain.booked("spring").values()) == {Booked()}
    assert left(ports) == 10_000
    check_books(ports)


@pytest.mark.parametrize("limit", LIMITS, ids=named)
def test_a_limit_that_is_used_up_lets_no_further_coupon_through(ports: Ports, limit: dict[str, int]) -> None:
    open_shop(ports, members=("aino", "eero", "sisu"))
    change_campaign(ports, **limit)
    first = give(ports, "aino")
    assert put_down(ports, answer(seen("eero"))) == "lost"
    assert left(ports) < 100
    check_books(ports)
    ports.ledger.expire(first.expires_at)
    assert left(ports) >= 100
    assert put_down(ports, answer(seen("sisu", at=31), at=31)) == "issued"
    check_books(ports)


@pytest.mark.parametrize("limit", LIMITS, ids=named)
def test_what_was_redeemed_stays_used_up(ports: Ports, limit: dict[str, int]) -> None:
    open_shop(ports, members=("aino", "eero"))
    change_campaign(ports, **limit)
    redeem(ports, give(ports, "aino"))
    assert left(ports) < 100
    assert put_down(ports, answer(seen("eero"))) == "lost"


@pytest.mark.parametrize(("limit", "elsewhere"), [*zip(LIMITS, (0, 0, 1, 1, 0, 0), strict=True)])
def test_each_store_has_its_own_share(ports: Ports, limit: dict[str, int], elsewhere: int) -> None:
    open_shop(ports, members=("aino", "eero"))
    change_campaign(ports, **limit)
    give(ports, "aino")
    assert (left(ports, "pasila") >= 100) == bool(elsewhere)
    assert put_down(ports, answer(seen("eero", "pasila"))) == ("issued" if elsewhere else "lost")
    check_books(ports)


@pytest.mark.parametrize(("limit", "again"), [*zip(LIMITS, (0, 0, 0, 0, 1, 1), strict=True)])
def test_each_day_has_its_own_share(ports: Ports, limit: dict[str, int], again: int) -> None:
    open_shop(ports, members=("aino", "eero", "sisu"))
    change_campaign(ports, **limit)
    assert put_down_on(ports, "aino", TODAY) == "issued"
    assert (left(ports, day=TOMORROW) >= 100) == bool(again)
    assert put_down_on(ports, "eero", TOMORROW) == ("issued" if again else "lost")
    assert put_down_on(ports, "sisu", TOMORROW, "pasila") == ("issued" if "store" in named(limit) else "lost")
    check_books(ports)


@pytest.mark.parametrize("limit", LIMITS, ids=named)
def test_a_limit_that_nothing_fits_in_lets_nothing_through(ports: Ports, limit: dict[str, int]) -> None:
    open_shop(ports)
    change_campaign(ports, **{named(limit): 0 if "count" in named(limit) else 99})
    assert put_down(ports, answer(seen())) == "lost"
    assert ports.chain.booked("spring") == {}


@pytest.mark.parametrize("limit", LIMITS, ids=named)
def test_a_limit_that_comes_later_counts_what_was_given_before(ports: Ports, limit: dict[str, int]) -> None:
    open_shop(ports, members=("aino", "eero"))
    give(ports, "aino")
    change_campaign(ports, **limit)
    assert left(ports) < 100
    assert put_down(ports, answer(seen("eero"))) == "lost"


def test_the_smallest_of_what_is_left_counts(ports: Ports) -> None:
    open_shop(ports)
    change_campaign(ports, budget_count=3, store_budget_minor=700, day_budget_minor=600)
    assert (left(ports), left(ports, "pasila")) == (600, 600)
    give(ports)
    assert (left(ports), left(ports, "pasila"), left(ports, day=TOMORROW)) == (500, 500, 600)


def test_a_lost_race_for_a_day_books_nothing_on_campaign_and_store(ports: Ports) -> None:
    open_shop(ports)
    change_campaign(ports, day_budget_minor=99)
    before = ports.chain.campaigns()
    assert put_down(ports, answer(seen())) == "lost"
    assert (ports.chain.campaigns(), ports.chain.booked("spring")) == (before, {})


def test_two_campaigns_share_no_budget(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    ports.chain.add_campaign(replace(SPRING, id="summer"), BY)
    change_campaign(ports, budget_count=1, store_budget_count=1, day_budget_count=1)
    give(ports, "aino")
    offer = replace(seen().offers[0], campaign_id="summer")
    assert put_down(ports, answer(seen("eero", offers=(offer,)))) == "issued"
    check_books(ports)


@pytest.mark.parametrize("limit", LIMITS, ids=named)
def test_sixty_members_who_race_for_fifteen_coupons_get_fifteen(ports: Ports, limit: dict[str, int]) -> None:
    crowd = tuple(f"m{n}" for n in range(60))
    open_shop(ports, budget_minor=10**6, members=crowd)
    change_campaign(ports, **{named(limit): 15 if "count" in named(limit) else 1_599})
    records = [answer(seen(name, store=ROOMY)) for name in crowd]
    outcomes = at_once(60, lambda n: put_down(ports, records[n]))
    assert Counter(outcomes) == {"issued": 15, "lost": 45}
    assert budget(ports) == (1_500, 0)
    check_books(ports)


def test_coupons_that_end_in_many_ways_at_once_are_settled_on_every_scope(ports: Ports) -> None:
    crowd = tuple(f"m{n}" for n in range(24))
    open_shop(ports, members=crowd)
    coupons: list[Coupon] = [
        give(ports, name, ("kamppi", "pasila")[n % 2], store=ROOMY) for n, name in enumerate(crowd)
    ]

    def end(n: int) -> object:
        if n == 24:
            return ports.ledger.expire(NOW + minutes(31))
        done = redeem(ports, coupons[n], key=f"k{n}", store_id=coupons[n].store_id)
        return roll_back(ports, done.id, key=f"b{n}") if n % 3 == 0 else done

    at_once(25, end)
    check_books(ports)
    assert budget(ports)[0] == 0
