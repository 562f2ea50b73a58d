"""Stars and tiers: examples, and laws that hold for all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backend.service.loyalty import (
    UNPUBLISHED,
    carried_on,
    course,
    due_at,
    in_force,
    kept_stars,
    standing,
    stars_for,
    stars_in_period,
    tier_at,
    tier_for,
)
from backend.service.loyalty_model import TIERS, LoyaltyRules, RulesVersion, StarEntry, TierGrant, TierStep
from backend.service.model import BasketItem, Sale

NOW = datetime(2026, 6, 2, 14, 0, tzinfo=UTC)
RULES = LoyaltyRules(gold_at=100, reserve_at=300, qualifying_days=100, grace_days=10)
SALE = Sale("kamppi", (BasketItem("cappuccino", 1, 400), BasketItem("bun", 2, 300)), 1_000, "EUR")


def days(number: float) -> timedelta:
    return timedelta(days=number)


def entry(delta: int, day: float = 0.0, purchase_id: str = "p") -> StarEntry:
    """Stars earned so many days after NOW."""
    return StarEntry(f"s_{purchase_id}", "aino", purchase_id, delta, 100, NOW + days(day), NOW + days(day), "purchase")


def gift(tier: Any, until: float | None = None) -> TierGrant:
    return TierGrant(tier, None if until is None else NOW + days(until), "import", "import", NOW)


def test_a_star_for_each_unit_of_money_paid() -> None:
    assert stars_for(SALE, 1_000, "green", LoyaltyRules()) == 10
    assert stars_for(SALE, 999, "green", LoyaltyRules()) == 9


def test_a_currency_of_smaller_units_has_a_rate_of_its_own() -> None:
    rules = LoyaltyRules(minor_per_star_in={"SEK": 1_000})
    assert stars_for(replace(SALE, currency="SEK", total_minor=10_000), 10_000, "green", rules) == 10


def test_a_tier_multiplies_what_is_earned() -> None:
    rules = LoyaltyRules(tier_percent={"gold": 150})
    assert [stars_for(SALE, 1_000, tier, rules) for tier in TIERS] == [10, 15, 10]


def test_a_product_multiplies_its_share_of_the_basket() -> None:
    assert stars_for(SALE, 1_000, "green", LoyaltyRules(product_percent={"bun": 200})) == 16
    assert stars_for(SALE, 1_000, "green", LoyaltyRules(product_percent={"bun": 0})) == 4


def test_a_basket_that_costs_nothing_earns_nothing() -> None:
    nothing = Sale("kamppi", (BasketItem("water", 1, 0),), 0, "EUR")
    assert stars_for(nothing, 0, "reserve", LoyaltyRules()) == 0


def test_who_has_enough_stars_has_the_tier_at_once() -> None:
    assert tier_for([entry(99)], NOW, RULES) == "green"
    assert tier_for([entry(99), entry(1)], NOW, RULES) == "gold"
    assert tier_for([entry(300)], NOW, RULES) == "reserve"


def test_a_tier_is_kept_through_the_grace_and_lost_to_the_second() -> None:
    end, moment = NOW + days(110), timedelta(microseconds=1)
    assert [tier_for([entry(100)], at, RULES) for at in (NOW - moment, NOW, end - moment, end)] == [
        "green",
        "gold",
        "gold",
        "green",
    ]


def test_a_tier_earned_anew_within_the_grace_is_never_lost() -> None:
    entries = [entry(100), entry(100, 105)]
    assert course(entries, None, NOW, RULES) == (TierStep(NOW, "gold"), TierStep(NOW + days(215), "green"))


def test_who_falls_from_the_highest_tier_falls_to_what_is_left() -> None:
    entries = [entry(250), entry(100, 50)]
    assert course(entries, None, NOW + days(50), RULES) == (
        TierStep(NOW + days(50), "reserve"),
        TierStep(NOW + days(110), "gold"),
        TierStep(NOW + days(160), "green"),
    )


def test_a_granted_tier_is_a_floor_until_it_ends() -> None:
    assert course([], gift("gold", 30), NOW, RULES) == (TierStep(NOW, "gold"), TierStep(NOW + days(30), "green"))
    assert course([], gift("gold"), NOW, RULES) == (TierStep(NOW, "gold"),)
    assert course([entry(300)], gift("gold", 200), NOW, RULES) == (
        TierStep(NOW, "reserve"),
        TierStep(NOW + days(110), "gold"),
        TierStep(NOW + days(200), "green"),
    )


def test_a_grant_takes_nothing_away() -> None:
    assert course([entry(100)], gift("green"), NOW, RULES)[0].tier == "gold"


def test_a_tier_that_stays_keeps_its_beginning() -> None:
    before = (TierStep(NOW, "gold"), TierStep(NOW + days(110), "green"))
    later = (TierStep(NOW + days(5), "gold"), TierStep(NOW + days(115), "green"))
    assert carried_on(before, "gold", later) == (TierStep(NOW, "gold"), TierStep(NOW + days(115), "green"))


def test_the_first_tier_has_no_known_beginning_and_a_new_one_begins_now() -> None:
    assert carried_on((), "green", (TierStep(NOW, "green"),)) == ()
    assert carried_on((), "green", (TierStep(NOW, "gold"),)) == (TierStep(NOW, "gold"),)


def test_a_tier_is_looked_at_again_when_it_changes_or_new_rules_begin() -> None:
    steps = (TierStep(NOW, "gold"), TierStep(NOW + days(30), "green"))
    assert due_at(steps, (), NOW) == NOW + days(30)
    assert due_at(steps, (RulesVersion(1, NOW + days(3), RULES),), NOW) == NOW + days(3)
    assert due_at(steps, (RulesVersion(1, NOW, RULES),), NOW + days(30)) is None


def test_the_rules_that_began_last_are_in_force() -> None:
    versions = [RulesVersion(1, NOW, RULES), RulesVersion(2, NOW + days(9), RULES), RulesVersion(3, NOW, RULES)]
    assert [in_force(versions, NOW + days(day)).version for day in (-1, 0, 8, 9)] == [0, 3, 3, 2]
    assert in_force((), NOW) == UNPUBLISHED


def test_a_standing_tells_what_the_next_tier_wants() -> None:
    steps = (TierStep(NOW, "gold"), TierStep(NOW + days(110), "green"))
    found = standing(steps, "gold", [entry(120)], NOW + days(1), RULES)
    assert (found.since, found.until, found.stars) == (NOW, NOW + days(110), 120)
    assert (found.next_tier, found.stars_to_next) == ("reserve", 180)


def test_at_the_highest_tier_nothing_is_missing() -> None:
    found = standing((), "reserve", [], NOW, RULES)
    assert (found.next_tier, found.stars_to_next, found.since, found.until) == (None, None, None, None)


AMOUNT = st.integers(0, 10**12)
MOMENT = st.integers(-400, 200).map(float)
ENTRIES = st.lists(st.builds(entry, st.integers(1, 400), MOMENT), max_size=12)
ANY_RULES = st.builds(
    LoyaltyRules,
    minor_per_star=st.integers(1, 1_000),
    tier_percent=st.fixed_dictionaries({}, optional={tier: st.integers(0, 1_000) for tier in TIERS}),
    product_percent=st.fixed_dictionaries({}, optional={"bun": st.integers(0, 1_000)}),
    gold_at=st.integers(1, 300),
    reserve_at=st.integers(300, 900),
    qualifying_days=st.integers(1, 400),
    grace_days=st.integers(0, 100),
)
GRANTS = st.none() | st.builds(gift, st.sampled_from(TIERS), st.none() | st.integers(1, 300).map(float))


@given(AMOUNT, AMOUNT, st.sampled_from(TIERS), ANY_RULES)
def test_who_pays_more_never_earns_less(one: int, other: int, tier: Any, rules: LoyaltyRules) -> None:
    less, more = sorted((one, other))
    assert stars_for(SALE, less, tier, rules) <= stars_for(SALE, more, tier, rules)


@given(st.integers(0, 10**9), st.integers(1, 10**6), st.lists(st.integers(0, 10**6), max_size=6))
def test_what_is_kept_goes_with_what_is_left(earned: int, paid: int, left: list[int]) -> None:
    """Never more than was earned, all of it while all is paid, nothing once nothing is, and never more for less."""
    kept = [kept_stars(earned, paid, min(amount, paid)) for amount in sorted(left)]
    assert kept == sorted(kept)
    assert all(0 <= stars <= earned for stars in kept)
    assert (kept_stars(earned, paid, paid), kept_stars(earned, paid, 0)) == (earned, 0)


@given(ENTRIES, ANY_RULES, MOMENT, st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter(
    entries: list[StarEntry], rules: LoyaltyRules, at: float, random: Any
) -> None:
    mixed = random.sample(entries, len(entries))
    assert course(entries, None, NOW + days(at), rules) == course(mixed, None, NOW + days(at), rules)


@given(ENTRIES, st.builds(entry, st.integers(1, 400), MOMENT), ANY_RULES, MOMENT)
def test_more_stars_never_make_a_lower_tier(
    entries: list[StarEntry], more: StarEntry, rules: LoyaltyRules, at: float
) -> None:
    now = NOW + days(at)
    ranks = [TIERS.index(tier_for(found, now, rules)) for found in (entries, [*entries, more])]
    assert ranks[0] <= ranks[1]


@given(ENTRIES, ANY_RULES, MOMENT)
def test_rolling_everything_back_leaves_nothing(entries: list[StarEntry], rules: LoyaltyRules, at: float) -> None:
    """Stars taken back count from when they were earned: not even a tier in its grace is left."""
    now = NOW + days(at)
    undone = [replace(each, id=each.id + ".1", delta=-each.delta, at=now) for each in entries]
    assert stars_in_period([*entries, *undone], now, rules) == 0
    assert course([*entries, *undone], None, now, rules) == (TierStep(now, "green"),)


@given(ENTRIES, GRANTS, ANY_RULES, st.integers(0, 200).map(float), st.integers(0, 600).map(float))
def test_a_course_tells_every_later_tier(
    entries: list[StarEntry], grant: TierGrant | None, rules: LoyaltyRules, at: float, later: float
) -> None:
    now, then = NOW + days(at), NOW + days(at + later)
    step = tier_at(course(entries, grant, now, rules), then)
    assert step is not None
    assert step.tier == course(entries, grant, then, rules)[0].tier


@given(ENTRIES, ANY_RULES, MOMENT)
def test_nobody_has_less_than_the_stars_in_the_period_make(
    entries: list[StarEntry], rules: LoyaltyRules, at: float
) -> None:
    now = NOW + days(at)
    stars = stars_in_period(entries, now, rules)
    earned = max(tier for tier in range(len(TIERS)) if stars >= rules.threshold(TIERS[tier]))
    assert TIERS.index(tier_for(entries, now, rules)) >= earned
