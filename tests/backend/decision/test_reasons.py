"""One example for each reason, and which of two reasons is told."""

from __future__ import annotations

from datetime import time, timedelta
from itertools import pairwise
from typing import Any

import pytest

from backend.decision.facts import Facts, QuietHours
from backend.decision.result import Reason
from backend.decision.snapshot import Snapshot
from tests.backend.decision.builders import NOW, decided, evidence, facts, minutes, offer, rules

EXAMPLES: dict[Reason, dict[str, Any]] = {
    Reason.OFFERED: {},
    Reason.HELD_OUT: {"offers": (offer(holdout=1.0),)},
    Reason.CLOCK_DOUBTFUL: {"clock_trusted": False},
    Reason.PAUSED: {"paused": True},
    Reason.TRIGGER_OFF: {"presence": {"trigger": "dwell"}},
    Reason.OUTSIDE_FENCE: {"presence": {"inside": False}},
    Reason.NO_CONSENT: {"member": {"location_offers": False}},
    Reason.UNREACHABLE_DEVICE: {"member": {"reachable": False}},
    Reason.QUIET_HOURS: {"member": {"quiet_hours": QuietHours(time(16), time(18))}},
    Reason.WEEKLY_MAXIMUM: {"member": {"given_this_week": 3}},
    Reason.COOLDOWN: {"member": {"last_given_at": NOW - timedelta(hours=3)}},
    Reason.HOURS_UNKNOWN: {"store": {"open": None, "closes_at": None}},
    Reason.CLOSED: {"store": {"open": False, "closes_at": None}},
    Reason.TRAFFIC_UNKNOWN: {"store": {"evidence": None}},
    Reason.NOT_QUIET: {"store": {"evidence": evidence(arrivals=40)}},
    Reason.NO_CAPACITY: {"store": {"outstanding": 10}},
    Reason.NO_OFFER: {"offers": ()},
    Reason.TIER: {"offers": (offer(tiers=("reserve",)),)},
    Reason.MUTED: {"member": {"muted": ("cappuccino",)}},
    Reason.NOT_ON_MENU: {"offers": (offer(price_minor=None),)},
    Reason.BUDGET_SPENT: {"offers": (offer(budget_left_minor=99),)},
    Reason.TOO_FAR: {"presence": {"distance_m": 5000}},
}
ENTER_ONLY = Snapshot(triggers=("enter",))

PRECEDENCE = (
    Reason.CLOCK_DOUBTFUL,
    Reason.PAUSED,
    Reason.TRIGGER_OFF,
    Reason.OUTSIDE_FENCE,
    Reason.NO_CONSENT,
    Reason.UNREACHABLE_DEVICE,
    Reason.QUIET_HOURS,
    Reason.WEEKLY_MAXIMUM,
    Reason.COOLDOWN,
    Reason.HOURS_UNKNOWN,
    Reason.CLOSED,
    Reason.TRAFFIC_UNKNOWN,
    Reason.NOT_QUIET,
    Reason.NO_CAPACITY,
    Reason.NO_OFFER,
)


def merged(*examples: dict[str, Any]) -> Facts:
    both: dict[str, Any] = {}
    for example in examples:
        for name, value in example.items():
            both[name] = {**value, **both.get(name, {})} if isinstance(value, dict) else both.get(name, value)
    return facts(**both)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_an_example(reason: Reason) -> None:
    assert decided(facts(**EXAMPLES[reason]), snapshot=ENTER_ONLY).reason is reason


@pytest.mark.parametrize(("first", "second"), list(pairwise(PRECEDENCE)))
def test_of_two_shut_gates_the_earlier_gives_the_reason(first: Reason, second: Reason) -> None:
    assert decided(merged(EXAMPLES[first], EXAMPLES[second]), snapshot=ENTER_ONLY).reason is first


def test_a_refusal_is_certain_and_gives_nothing() -> None:
    answer = decided(facts(paused=True))
    assert (answer.propensity, answer.given, answer.issues) == (1.0, None, False)


def test_a_pause_of_the_store_alone_shuts_it() -> None:
    assert decided(facts(store={"paused": True})).reason is Reason.PAUSED


@pytest.mark.parametrize(
    ("local", "asleep"), [(time(21, 59), False), (time(22), True), (time(3), True), (time(7), False)]
)
def test_quiet_hours_run_past_midnight_in_the_members_own_time(local: time, asleep: bool) -> None:
    now = NOW.replace(hour=(local.hour - 3) % 24, minute=local.minute)
    about = facts(member={"time_zone": "Europe/Helsinki"}, store={"closes_at": None})
    assert (decided(about, now=now).reason is Reason.QUIET_HOURS) is asleep


@pytest.mark.parametrize("zone", [None, "Mars/Olympus", ""])
def test_who_wants_quiet_hours_but_lives_nobody_knows_where_is_left_alone(zone: str | None) -> None:
    assert decided(facts(member={"time_zone": zone})).reason is Reason.QUIET_HOURS


def test_who_wants_no_quiet_hours_needs_no_zone() -> None:
    assert decided(facts(member={"time_zone": None, "quiet_hours": None})).reason is Reason.OFFERED


def test_the_stricter_of_member_and_policy_bounds_the_week() -> None:
    assert decided(facts(member={"weekly_maximum": 1, "given_this_week": 1})).reason is Reason.WEEKLY_MAXIMUM
    assert decided(facts(member={"weekly_maximum": 9, "given_this_week": 3})).reason is Reason.WEEKLY_MAXIMUM


def test_the_cooldown_ends_after_four_hours() -> None:
    ago = timedelta(hours=4)
    assert decided(facts(member={"last_given_at": NOW - ago})).reason is Reason.OFFERED
    assert decided(facts(member={"last_given_at": NOW - ago + minutes(1)})).reason is Reason.COOLDOWN


@pytest.mark.parametrize("changes", [{"observed_s": 299.0}, {"staff": 0}, {"service_s": 0.0}])
def test_a_store_whose_traffic_cannot_be_told_gives_nothing(changes: dict[str, Any]) -> None:
    assert decided(facts(store={"evidence": evidence(**changes)})).reason is Reason.TRAFFIC_UNKNOWN


def test_every_outstanding_coupon_takes_one_place() -> None:
    outlook = decided(facts()).forecast
    assert outlook is not None
    assert decided(facts(store={"outstanding": outlook.room - 1})).reason is Reason.OFFERED
    assert decided(facts(store={"outstanding": outlook.room})).reason is Reason.NO_CAPACITY


def test_the_forecast_is_told_once_traffic_was_looked_at() -> None:
    assert decided(facts(store={"open": False})).forecast is None
    assert decided(facts(store={"outstanding": 10})).forecast is not None


@pytest.mark.parametrize("changes", [{"discount_value": 0}, {"price_minor": 3}, {"price_minor": 0}])
def test_an_offer_that_takes_nothing_off_is_none(changes: dict[str, Any]) -> None:
    assert decided(facts(offers=(offer(**changes),))).reason is Reason.NOT_ON_MENU


def test_where_no_offer_may_be_given_the_one_that_came_furthest_gives_the_reason() -> None:
    shut = (offer(id="a", tiers=()), offer(id="b", budget_left_minor=0), offer(id="c", price_minor=None))
    assert decided(facts(offers=shut)).reason is Reason.BUDGET_SPENT


def test_stricter_rules_shut_more() -> None:
    assert decided(facts(), snapshot=rules(weekly_maximum=0)).reason is Reason.WEEKLY_MAXIMUM
    assert decided(facts(), snapshot=rules(quiet_confidence=1.1)).reason is Reason.NOT_QUIET
