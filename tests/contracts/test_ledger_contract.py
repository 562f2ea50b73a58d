"""Decisions, coupons, budgets and capacity in the books."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from backend.decision.facts import Facts
from backend.decision.result import Reason
from backend.service.errors import NotFound
from backend.service.model import Consent, CouponState, Member
from backend.service.ports import Ports
from backend.service.push_model import Accepted
from tests.contracts.examples import (
    BY,
    CONSENT,
    NOW,
    SPRING,
    answer,
    budget,
    change_campaign,
    ghost,
    give,
    minutes,
    move,
    open_shop,
    outstanding,
    put_down,
    redeem,
    seen,
)


def test_a_decision_to_offer_issues_a_coupon_with_all_that_belongs_to_it(ports: Ports) -> None:
    open_shop(ports)
    record = answer(seen())
    assert put_down(ports, record) == "issued"
    name = record.decision.opportunity_id
    coupon, member = ports.ledger.coupon(name), ports.members.get("aino")
    assert coupon is not None
    assert (coupon.state, coupon.expires_at) == (CouponState.ISSUED, NOW + minutes(30))
    assert ports.ledger.decision(name) == replace(record, outcome="issued")
    assert (budget(ports), outstanding(ports), outstanding(ports, "pasila")) == ((100, 0), 1, 0)
    assert ports.ledger.budgets_left("kamppi", NOW.date()) == {"spring": 9_900}
    assert member is not None
    assert member.last_given_at == NOW
    assert [row.coupon_id for row in ports.ledger.claim(10, 0.0, 60.0)] == [coupon.id]
    assert ports.ledger.coupons("aino", 10) == ports.ledger.newest_coupons(10) == (coupon,)


def test_a_ghost_counts_for_the_member_and_reserves_nothing(ports: Ports) -> None:
    open_shop(ports)
    record = ghost()
    assert put_down(ports, record) == "ghost"
    member = ports.members.get("aino")
    assert ports.ledger.decision(record.decision.opportunity_id) == replace(record, outcome="ghost")
    assert (budget(ports), outstanding(ports), ports.ledger.coupons("aino", 10)) == ((0, 0), 0, ())
    assert member is not None
    assert member.last_given_at == NOW
    assert ports.ledger.claim(10, 0.0, 60.0) == ()


def test_a_refusal_is_written_down_and_nothing_else(ports: Ports) -> None:
    open_shop(ports)
    record = replace(answer(seen(paused=True)), weight=2.5)
    assert put_down(ports, record) == "none"
    member = ports.members.get("aino")
    assert ports.ledger.decision(record.decision.opportunity_id) == record
    assert (budget(ports), outstanding(ports), ports.ledger.given_since("aino", NOW)) == ((0, 0), 0, 0)
    assert member is not None
    assert member.last_given_at is None


def withdrawn(ports: Ports) -> None:
    ports.members.record_consent("aino", Consent("location_offers", False, "2026-01", "app", NOW))


def given_meanwhile(ports: Ports) -> None:
    give(ports, store_id="pasila", at=-1)


def held_out(ports: Ports) -> None:
    put_down(ports, ghost(at=-1))


def fill_store(ports: Ports) -> None:
    crowd = [f"m{n}" for n in range(6)]
    ports.members.add([(Member(name, f"uid-{name}", "green"), (CONSENT,)) for name in crowd], BY)
    for name in crowd:
        give(ports, name, at=-1)


def set_campaign(**changes: object) -> Callable[[Ports], object]:
    return lambda ports: change_campaign(ports, **changes)


MEANWHILE: dict[str, Callable[[Ports], object]] = {
    "consent was withdrawn": withdrawn,
    "the member was given another": given_meanwhile,
    "the member was held out": held_out,
    "everything was paused": lambda ports: ports.chain.pause("*", BY),
    "the store was paused": lambda ports: ports.chain.pause("kamppi", BY),
    "the store filled up": fill_store,
    "the campaign was paused": set_campaign(status="paused"),
    "the campaign ended": set_campaign(status="ended"),
    "the budget was cut": set_campaign(budget_minor=99),
}


@pytest.mark.parametrize("what", list(MEANWHILE))
def test_a_race_that_was_lost_leaves_only_the_decision(ports: Ports, what: str) -> None:
    open_shop(ports)
    record = answer(seen())
    MEANWHILE[what](ports)
    before = (budget(ports), outstanding(ports), ports.members.get("aino"), ports.ledger.newest_coupons(99))
    assert put_down(ports, record) == "lost"
    assert ports.ledger.decision(record.decision.opportunity_id) == replace(record, outcome="lost")
    assert (budget(ports), outstanding(ports), ports.members.get("aino"), ports.ledger.newest_coupons(99)) == before
    assert ports.ledger.coupon(record.decision.opportunity_id) is None
    assert ports.ledger.totals(NOW).lost == 1


@pytest.mark.parametrize("about", [seen("nobody"), seen("nobody", paused=True), ghost("nobody").facts])
def test_nothing_is_written_down_of_who_is_no_member(ports: Ports, about: Facts) -> None:
    open_shop(ports)
    with pytest.raises(NotFound):
        put_down(ports, answer(about))
    assert (ports.ledger.decisions(None, 10), ports.ledger.newest_coupons(10)) == ((), ())


def test_what_is_no_campaign_gives_nothing(ports: Ports) -> None:
    open_shop(ports)
    ports.chain.add_campaign(replace(SPRING, id="other"), BY)
    elsewhere = replace(seen().offers[0], campaign_id="gone")
    assert put_down(ports, answer(seen(offers=(elsewhere,)))) == "lost"


def test_a_pause_of_another_store_stops_nothing(ports: Ports) -> None:
    open_shop(ports)
    ports.chain.pause("pasila", BY)
    assert put_down(ports, answer(seen())) == "issued"


def test_the_last_of_the_budget_can_be_given(ports: Ports) -> None:
    open_shop(ports, budget_minor=100)
    assert put_down(ports, answer(seen())) == "issued"
    assert ports.ledger.budgets_left("kamppi", NOW.date()) == {"spring": 0}


def test_an_opportunity_is_answered_once(ports: Ports) -> None:
    open_shop(ports)
    record = answer(seen())
    assert [put_down(ports, record) for _ in range(3)] == ["issued"] * 3
    ports.chain.pause("*", BY)
    assert put_down(ports, record) == "issued"
    assert (budget(ports), outstanding(ports), len(ports.ledger.coupons("aino", 10))) == ((100, 0), 1, 1)
    assert ports.ledger.given_since("aino", NOW) == 1


def test_an_answer_that_was_lost_stays_lost(ports: Ports) -> None:
    open_shop(ports)
    ports.chain.pause("*", BY)
    record = answer(seen())
    put_down(ports, record)
    ports.chain.resume("*", BY)
    assert put_down(ports, record) == "lost"
    assert ports.ledger.newest_coupons(1) == ()


def test_coupons_and_ghosts_count_and_what_was_lost_does_not(ports: Ports) -> None:
    open_shop(ports)
    give(ports, at=0)
    put_down(ports, ghost(at=1))
    put_down(ports, answer(seen(at=2), at=2))  # lost: the member was given something since 14:00
    put_down(ports, answer(seen(at=3, paused=True), at=3))
    assert [ports.ledger.given_since("aino", NOW + minutes(at)) for at in (-1, 0, 0.5, 1, 1.5)] == [2, 2, 1, 1, 0]
    assert ports.ledger.given_since("eero", NOW) == 0


def test_decisions_are_paged_newest_first(ports: Ports) -> None:
    open_shop(ports)
    records = [replace(answer(seen(at=at, paused=True), at=at), weight=1.0 + at) for at in range(5)]
    for record in records:
        put_down(ports, record)
    newest = list(reversed(records))
    first = ports.ledger.decisions(None, 2)
    second = ports.ledger.decisions(first[-1].decision.opportunity_id, 2)
    third = ports.ledger.decisions(second[-1].decision.opportunity_id, 2)
    assert [*first, *second, *third] == newest
    assert ports.ledger.decisions(third[-1].decision.opportunity_id, 2) == ()


def test_coupons_are_listed_newest_first(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    one, two, three = give(ports, "aino", at=0), give(ports, "eero", at=1), give(ports, "aino", at=2)
    assert ports.ledger.coupons("aino", 10) == (three, one)
    assert ports.ledger.coupons("aino", 1) == (three,)
    assert ports.ledger.newest_coupons(2) == (three, two)


def test_a_coupon_moves_only_forward(ports: Ports) -> None:
    open_shop(ports)
    name = give(ports).id
    moves = [CouponState.DELIVERED, CouponState.OPENED, CouponState.DELIVERED, CouponState.OPENED]
    stands = [move(ports, name, to) for to in moves]
    assert [coupon.state.value if coupon else None for coupon in stands] == ["delivered", "opened", "opened", "opened"]
    assert ports.ledger.coupon(name) == stands[-1]
    assert move(ports, "unknown", CouponState.OPENED) is None


def test_a_coupon_may_be_opened_without_a_word_of_its_delivery(ports: Ports) -> None:
    open_shop(ports)
    opened = move(ports, give(ports).id, CouponState.OPENED)
    assert opened is not None
    assert opened.state is CouponState.OPENED


def test_a_coupon_that_is_done_with_stays_as_it_is(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    redeem(ports, coupon)
    stands = move(ports, coupon.id, CouponState.OPENED)
    assert stands is not None
    assert stands.state is CouponState.REDEEMED


def test_coupons_past_their_end_give_back_what_they_reserved(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero", "sisu"))
    early, late, used = give(ports, "aino", at=0), give(ports, "eero", at=10), give(ports, "sisu", at=0)
    move(ports, early.id, CouponState.OPENED)
    redeem(ports, used)
    assert ports.ledger.expire(NOW + minutes(29)) == 0
    assert ports.ledger.expire(NOW + minutes(30)) == 1
    assert ports.ledger.expire(NOW + minutes(30)) == 0
    stands = [ports.ledger.coupon(coupon.id) for coupon in (early, late, used)]
    assert [coupon.state.value if coupon else None for coupon in stands] == ["expired", "issued", "redeemed"]
    assert (budget(ports), outstanding(ports)) == ((100, 100), 1)


@pytest.mark.timeout(20)
def test_expiry_goes_on_batch_by_batch_and_comes_to_an_end(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.adapters.sql.ledger.EXPIRE_BATCH", 2)
    open_shop(ports, members=("aino", "eero", "sisu"))
    for name in ("aino", "eero", "sisu"):
        give(ports, name)
    assert [ports.ledger.expire(NOW + minutes(31)) for _ in range(2)] == [3, 0]
    assert (budget(ports), outstanding(ports)) == ((0, 0), 0)


def test_a_push_that_still_waits_when_its_coupon_ends_is_dropped(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    give(ports, "aino")
    give(ports, "eero")
    (row,) = ports.ledger.claim(1, 0.0, 60.0)
    ports.ledger.settle(row, Accepted("name"))
    ports.ledger.expire(NOW + minutes(31))
    totals = ports.ledger.totals(NOW)
    assert (totals.pushes_pending, totals.pushes_accepted, totals.pushes_dropped) == (0, 1, {"coupon_expired": 1})
    assert ports.ledger.claim(10, 1e9, 60.0) == ()


def test_totals_count_the_books(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero", "sisu"))
    redeem(ports, give(ports, "aino"))
    give(ports, "eero")
    put_down(ports, ghost("sisu"))
    put_down(ports, answer(seen("eero", at=2), at=2))
    put_down(ports, answer(seen("sisu", at=1, paused=True), at=1))
    totals = ports.ledger.totals(NOW)
    assert dict(totals.decisions) == {"offered": 3, "held_out": 1, "paused": 1}
    assert dict(totals.coupons) == {"redeemed": 1, "issued": 1}
    assert (totals.lost, totals.pushes_pending, totals.pushes_accepted) == (1, 2, 0)
    assert (totals.spent_minor, totals.reserved_minor, totals.currency) == (100, 100, "EUR")


def test_empty_books_have_totals(ports: Ports) -> None:
    totals = ports.ledger.totals(NOW)
    assert (dict(totals.decisions), totals.lost, dict(totals.coupons)) == ({}, 0, {})
    assert (totals.pushes_pending, dict(totals.pushes_dropped), totals.spent_minor) == (0, {}, 0)


def test_nothing_is_known_of_what_never_was(ports: Ports) -> None:
    assert ports.ledger.coupon("unknown") is None
    assert ports.ledger.decision("unknown") is None
    assert ports.ledger.decisions(None, 10) == ()
    assert ports.ledger.coupons("unknown", 10) == ()
    assert ports.ledger.budgets_left("kamppi", NOW.date()) == {}


def test_what_is_read_back_is_equal_to_the_last_microsecond(ports: Ports) -> None:
    open_shop(ports)
    at = 1.23456789
    about = seen(at=at, member={"tastes": {"tea": 0.1 + 0.2}, "muted": ("bun",)})
    record = answer(about, at=at, draw=0.12345678901234567)
    assert put_down(ports, record) == "issued"
    known = ports.ledger.decision(record.decision.opportunity_id)
    assert known == replace(record, outcome="issued")
    assert known is not None
    assert known.decision.reason is Reason.OFFERED
