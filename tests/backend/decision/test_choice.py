"""Which offer is given, what it takes off, until when, and in which words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backend.decision.choice import discount, expiry
from backend.decision.messages import check, fill
from backend.decision.result import Given, Reason
from backend.decision.snapshot import Rules
from tests.backend.decision.builders import NOW, decided, facts, minutes, offer, rules


def chosen(**changes: Any) -> Given:
    given = decided(facts(**changes)).given
    assert given is not None
    return given


@pytest.mark.parametrize(
    ("changes", "minor"),
    [
        ({"discount_kind": "percent", "discount_value": 25, "price_minor": 399}, 99),
        ({"discount_kind": "percent", "discount_value": 150}, 400),
        ({"discount_kind": "amount", "discount_value": 150}, 150),
        ({"discount_kind": "amount", "discount_value": 900}, 400),
        ({"price_minor": None}, 0),
    ],
)
def test_a_discount_rounds_down_and_never_exceeds_the_price(changes: dict[str, Any], minor: int) -> None:
    assert discount(offer(**changes)) == minor


def test_a_favourite_comes_before_what_purchases_say() -> None:
    both = (offer(id="a", product_id="cappuccino"), offer(id="b", product_id="espresso"))
    member = {"tastes": {"cappuccino": 0.9}, "favourites": ("espresso",)}
    assert chosen(offers=both, member=member).product_id == "espresso"


def test_of_several_favourites_the_one_bought_more_often_is_given() -> None:
    both = (offer(id="a", product_id="cappuccino"), offer(id="b", product_id="espresso"))
    member = {"tastes": {"espresso": 0.1}, "favourites": ("cappuccino", "espresso")}
    assert chosen(offers=both, member=member).product_id == "espresso"


def test_the_product_the_member_likes_best_is_given() -> None:
    both = (offer(id="a", product_id="cappuccino"), offer(id="b", product_id="espresso"))
    assert chosen(offers=both, member={"tastes": {"espresso": 0.6, "cappuccino": 0.4}}).product_id == "espresso"


def test_among_equals_the_larger_discount_is_given_then_the_first_by_name() -> None:
    small, large, same = offer(id="a", discount_value=10), offer(id="c"), offer(id="b")
    assert chosen(offers=(small, large)).offer_id == "c"
    assert chosen(offers=(large, small, same)).offer_id == "b"


def test_an_offer_that_is_shut_does_not_stand_in_the_way_of_another() -> None:
    assert chosen(offers=(offer(id="a", budget_left_minor=0), offer(id="b"))).offer_id == "b"


def test_a_coupon_lives_half_an_hour() -> None:
    assert chosen().expires_at == NOW + minutes(30)


def test_a_coupon_ends_five_minutes_before_closing() -> None:
    assert chosen(store={"closes_at": NOW + minutes(20)}).expires_at == NOW + minutes(15)


def test_a_coupon_ends_with_its_campaign() -> None:
    assert chosen(offers=(offer(ends_at=NOW + minutes(17)),)).expires_at == NOW + minutes(17)


def test_a_coupon_ends_on_a_whole_second() -> None:
    given = decided(facts(), now=NOW + timedelta(microseconds=999_999)).given
    assert given is not None
    assert given.expires_at == NOW + minutes(30)


def test_the_store_must_be_reachable_on_foot_with_time_to_spare() -> None:
    """1,000 m are 1,300 m on foot, 19 min 42 s; with five minutes to spare 24 min 42 s."""
    near = facts(presence={"distance_m": 1000}, store={"closes_at": NOW + minutes(30)})
    assert expiry(near, offer(), Rules(), NOW) == NOW + minutes(25)
    sooner = facts(presence={"distance_m": 1000}, store={"closes_at": NOW + minutes(29)})
    assert expiry(sooner, offer(), Rules(), NOW) is None
    assert decided(sooner).reason is Reason.TOO_FAR


def test_a_coupon_that_ends_when_the_member_arrives_just_in_time_is_given() -> None:
    exact = rules(walking_mps=1.0, detour=1.0, minimum_slack_s=60.0, coupon_life_s=260.0)
    assert decided(facts(), snapshot=exact).reason is Reason.OFFERED
    assert decided(facts(presence={"distance_m": 300}), snapshot=exact).reason is Reason.TOO_FAR


def test_the_message_names_product_store_price_and_end_in_the_members_time() -> None:
    given = chosen()
    assert given.title == "Cappuccino at Kamppi"
    assert given.body == "1.00 EUR off, 3.00 EUR until 17:30"


def test_without_a_zone_the_end_is_told_as_it_stands() -> None:
    given = chosen(member={"time_zone": None, "quiet_hours": None}, offers=(offer(body="{until}"),))
    assert given.body == "14:30"


def test_an_unknown_zone_without_quiet_hours_does_no_harm() -> None:
    about = facts(member={"time_zone": "Mars/Olympus", "quiet_hours": None})
    assert decided(about).reason is Reason.OFFERED


@pytest.mark.parametrize("hostile", ["{store.__class__}", "{0}", "{store!r}", "{}", "{{store"])
def test_a_template_reaches_nothing_but_its_fields(hostile: str) -> None:
    assert "Kamppi" not in fill(hostile, {"store": "Kamppi"})


def test_what_is_filled_in_is_not_read_as_a_template() -> None:
    assert fill("{store} {product}", {"store": "{product}", "product": "Tea"}) == "{product} Tea"


def test_an_unknown_field_is_refused_without_repeating_it() -> None:
    check("{store}, {product}, {price}, {discount}, {until}")
    with pytest.raises(ValueError, match=r"there are .*\{price\}") as told:
        check("only {prize}")
    assert "prize" not in str(told.value)
