"""A thousand decisions pass through the decision itself and every ledger, and come out as they went in."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import get_args

import pytest

from backend.decision.decide import decide
from backend.decision.result import Decision, Reason
from backend.service.chain_model import Campaign
from backend.service.loyalty_model import Tier
from backend.service.model import Consent, Member, Outcome, Record
from backend.service.ports import Ports
from tests.contracts.examples import BY, KAMPPI, NOW, coupon_of, put_down
from tests.golden import make
from tests.golden.cases import PATH, Case, read

OUTCOMES: dict[Reason, Outcome] = {Reason.OFFERED: "issued", Reason.HELD_OUT: "ghost"}


@pytest.fixture(scope="module")
def cases() -> tuple[Case, ...]:
    return read()


def same(one: Decision, other: Decision) -> bool:
    """Equal, but for the last digits of the two probabilities, which scipy's versions do not share."""
    if one.forecast is None or other.forecast is None:
        return one == other
    close = pytest.approx((one.forecast.utilisation, one.forecast.probability_quiet), rel=1e-9)
    return (
        replace(one, forecast=None) == replace(other, forecast=None)
        and one.forecast.room == other.forecast.room
        and (other.forecast.utilisation, other.forecast.probability_quiet) == close
    )


def test_the_file_is_a_thousand_decisions_with_every_reason(cases: tuple[Case, ...]) -> None:
    assert len(cases) == len({case.facts.opportunity_id for case in cases}) == 1_000
    assert set(Counter(case.decision.reason for case in cases)) == set(Reason)
    assert PATH.stat().st_size < 1_500_000


def test_the_file_is_what_its_maker_makes(cases: tuple[Case, ...]) -> None:
    for kept, made in zip(cases, make.make(), strict=True):
        assert replace(made, decision=kept.decision) == kept
        assert same(made.decision, kept.decision)


def test_every_decision_is_taken_again_from_json(cases: tuple[Case, ...]) -> None:
    for case in cases:
        assert same(decide(case.facts, case.snapshot, case.now, case.draw), case.decision)


def open_all(ports: Ports, cases: tuple[Case, ...]) -> None:
    """Everything there is to give each of them what was decided."""
    ports.chain.put_stores([replace(KAMPPI, id=case.facts.store.id) for case in cases], BY)
    for campaign in ("autumn", "spring"):
        ports.chain.add_campaign(Campaign(campaign, campaign, "active", (), 10**9, "EUR"), BY)
    consent = Consent("location_offers", True, "2026-01", "app", NOW)
    ids = {case.facts.member.id: tier_of(case) for case in cases}
    ports.members.add([(Member(name, f"uid-{name}", tier), (consent,)) for name, tier in ids.items()], BY)


def tier_of(case: Case) -> Tier:
    return next(tier for tier in get_args(Tier) if tier == case.facts.member.tier)


def test_every_decision_passes_through_the_books_unchanged(ports: Ports, cases: tuple[Case, ...]) -> None:
    open_all(ports, cases)
    for case in cases:
        record = Record(case.facts, case.decision, case.draw)
        put_down(ports, record)
        known = ports.ledger.decision(case.facts.opportunity_id)
        assert known is not None
        assert replace(known, outcome="none") == record
        assert same(decide(known.facts, case.snapshot, known.decision.at, known.draw), case.decision)


def test_a_coupon_in_the_books_is_the_one_decided_on(ports: Ports, cases: tuple[Case, ...]) -> None:
    """Of those to whom nothing was ever given, since the books of this test begin with them."""
    fresh = [case for case in cases if case.facts.member.last_given_at is None and case.facts.store.outstanding == 0]
    open_all(ports, tuple(fresh))
    for case in fresh:
        record = Record(case.facts, case.decision, case.draw)
        assert put_down(ports, record) == OUTCOMES.get(case.decision.reason, "none")
        coupon = ports.ledger.coupon(case.facts.opportunity_id)
        assert coupon == (coupon_of(case.facts, case.decision) if case.decision.issues else None)
    counted = Counter(case.decision.reason.value for case in fresh)
    assert dict(ports.ledger.totals(NOW).decisions) == dict(counted)
    assert sum(ports.ledger.totals(NOW).coupons.values()) == counted["offered"]
