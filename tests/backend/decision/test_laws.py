"""What holds for all facts, and that facts, snapshots and decisions survive JSON."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from backend.decision.decide import decide
from backend.decision.facts import FACTS, Facts, OfferFacts
from backend.decision.result import Decision, Reason
from backend.decision.snapshot import SNAPSHOT, Rules, Snapshot
from tests.backend.decision.builders import NOW, evidence, facts, minutes, offer
from tests.backend.decision.test_reasons import EXAMPLES

DECISION = TypeAdapter(Decision)

MOMENTS = st.integers(-600, 600).map(lambda n: NOW + minutes(n))
CHANCES = st.floats(0.0, 1.0, exclude_max=True)


@st.composite
def offers(draw: st.DrawFn) -> OfferFacts:
    return offer(
        id=draw(st.sampled_from("abc")),
        product_id=draw(st.sampled_from(["cappuccino", "espresso", "tea"])),
        price_minor=draw(st.none() | st.integers(0, 900)),
        discount_kind=draw(st.sampled_from(["percent", "amount"])),
        discount_value=draw(st.integers(0, 120)),
        tiers=draw(st.sampled_from([(), ("green",), ("gold",), ("green", "gold", "reserve")])),
        budget_left_minor=draw(st.integers(0, 500)),
        ends_at=draw(st.none() | MOMENTS),
        holdout=draw(st.floats(0.0, 1.0)),
    )


@st.composite
def opportunities(draw: st.DrawFn) -> Facts:
    """Mostly good opportunities: each gate is shut now and then."""
    rarely = st.integers(0, 9).map(lambda n: n == 0)
    return facts(
        clock_trusted=not draw(rarely),
        paused=draw(rarely),
        presence={"inside": not draw(rarely), "distance_m": draw(st.integers(0, 30)) * 100},
        member={
            "tier": draw(st.sampled_from(["green", "gold", "reserve"])),
            "location_offers": not draw(rarely),
            "reachable": not draw(rarely),
            "given_this_week": draw(st.integers(0, 3)),
            "last_given_at": draw(st.none() | MOMENTS),
            "muted": draw(st.sampled_from([(), ("tea",)])),
            "tastes": draw(st.dictionaries(st.sampled_from(["tea", "espresso"]), CHANCES)),
        },
        store={
            "paused": draw(rarely),
            "open": draw(st.sampled_from([True, True, True, False, None])),
            "closes_at": draw(st.none() | MOMENTS),
            "evidence": evidence(arrivals=draw(st.integers(0, 20)), waiting=draw(st.integers(0, 5))),
            "outstanding": draw(st.integers(0, 6)),
        },
        offers=tuple(draw(st.lists(offers(), max_size=4))),
    )


@settings(max_examples=400)
@given(opportunities(), CHANCES)
def test_an_offer_means_that_every_gate_is_open(about: Facts, chance: float) -> None:
    answer, rules = decide(about, Snapshot(), NOW, chance), Rules()
    if answer.given is None or answer.forecast is None:
        assert not answer.issues
        assert answer.propensity == 1.0
        return
    member, store, forecast, given_ = about.member, about.store, answer.forecast, answer.given
    assert about.clock_trusted
    assert not about.paused
    assert not store.paused
    assert about.presence.inside
    assert member.location_offers
    assert member.reachable
    assert member.given_this_week < member.weekly_maximum
    assert member.last_given_at is None or NOW - member.last_given_at >= timedelta(seconds=rules.cooldown_s)
    assert store.open is True
    assert store.outstanding < forecast.room
    assert forecast.probability_quiet >= rules.quiet_confidence
    assert given_.product_id not in member.muted
    chosen = [each for each in about.offers if each.id == given_.offer_id and member.tier in each.tiers]
    assert any(each.budget_left_minor >= given_.discount_minor >= 1 for each in chosen)
    assert any((each.price_minor or 0) >= given_.discount_minor for each in chosen)


@settings(max_examples=300)
@given(opportunities(), CHANCES)
def test_a_coupon_ends_in_time_and_can_be_reached(about: Facts, chance: float) -> None:
    answer, rules = decide(about, Snapshot(), NOW, chance), Rules()
    if answer.given is not None:
        end = answer.given.expires_at
        walk_s = about.presence.distance_m * rules.detour / rules.walking_mps
        assert NOW + timedelta(seconds=walk_s + rules.minimum_slack_s) <= end
        assert end <= NOW + timedelta(seconds=rules.coupon_life_s)
        assert about.store.closes_at is None or end <= about.store.closes_at - timedelta(seconds=rules.closing_margin_s)


SHUT = [reason for reason in Reason if reason not in (Reason.OFFERED, Reason.HELD_OUT, Reason.TRIGGER_OFF)]


@given(st.lists(st.sampled_from(SHUT), min_size=1, max_size=4, unique=True), CHANCES)
def test_whatever_else_is_open_one_shut_gate_is_enough(shut: list[Reason], chance: float) -> None:
    about = facts()
    for reason in shut:
        about = apply(about, reason)
    assert decide(about, Snapshot(), NOW, chance).given is None


def apply(about: Facts, reason: Reason) -> Facts:
    """These facts, changed as the example of the reason changes the good ones."""
    for name, value in EXAMPLES[reason].items():
        about = replace(about, **{name: replace(getattr(about, name), **value) if isinstance(value, dict) else value})
    return about


@given(opportunities(), CHANCES)
def test_the_same_facts_give_the_same_decision(about: Facts, chance: float) -> None:
    again = FACTS.validate_json(FACTS.dump_json(about))
    assert again == about
    assert decide(again, Snapshot(), NOW, chance) == decide(about, Snapshot(), NOW, chance)


@given(opportunities(), CHANCES)
def test_a_decision_survives_json(about: Facts, chance: float) -> None:
    answer = decide(about, Snapshot(), NOW, chance)
    assert DECISION.validate_json(DECISION.dump_json(answer)) == answer


def test_a_snapshot_survives_json_and_its_hash_names_it() -> None:
    policy = Snapshot(2, Rules(overload_risk=0.01), ("dwell",))
    digest = policy.hash
    again = SNAPSHOT.validate_json(SNAPSHOT.dump_json(policy))
    assert again == policy
    assert again.hash == digest
    assert Snapshot(2, Rules(overload_risk=0.02), ("dwell",)).hash != digest
    assert Snapshot(3, Rules(overload_risk=0.01), ("dwell",)).hash != digest


def test_a_decision_tells_which_policy_it_was_taken_under() -> None:
    policy = Snapshot(7)
    assert decide(facts(), policy, NOW, 0.5).snapshot_hash == policy.hash
