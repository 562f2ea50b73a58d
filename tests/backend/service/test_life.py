"""The table of allowed moves, and what of a phone's clock is believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from backend.service.errors import Conflict
from backend.service.life import MOVES, CouponEvent, as_of, check_live, expired, issued, plausible, sources, timeline_of
from backend.service.model import LIVE_STATES, CouponState
from tests.backend.service.test_pushing import COUPON

END = COUPON.expires_at
MOMENT = timedelta(microseconds=1)


def test_every_state_has_its_moves() -> None:
    assert set(MOVES) == set(CouponState)


def test_live_coupons_are_those_that_can_still_be_redeemed() -> None:
    assert set(LIVE_STATES) == set(sources(CouponState.REDEEMED))
    assert sources(CouponState.EXPIRED) == sources(CouponState.REVOKED) == sources(CouponState.REDEEMED)


def test_no_chain_of_moves_leads_back() -> None:
    def reached(state: CouponState) -> set[CouponState]:
        return {state, *(further for each in MOVES[state] for further in reached(each))}

    assert all(state not in reached(following) for state in CouponState for following in MOVES[state])


def test_only_a_redemption_is_rolled_back() -> None:
    assert sources(CouponState.ROLLED_BACK) == (CouponState.REDEEMED,)


@pytest.mark.parametrize("state", LIVE_STATES)
def test_a_live_coupon_is_good_to_the_last_moment(state: CouponState) -> None:
    coupon = replace(COUPON, state=state)
    check_live(coupon, END - MOMENT)
    assert as_of(coupon, END - MOMENT) == coupon
    assert as_of(coupon, END).state is CouponState.EXPIRED
    with pytest.raises(Conflict) as raised:
        check_live(coupon, END)
    assert raised.value.reason == "coupon_expired"


def test_a_coupon_that_was_used_does_not_expire() -> None:
    used = replace(COUPON, state=CouponState.REDEEMED)
    assert as_of(used, END + timedelta(days=1)) == used


def test_a_timeline_tells_of_the_end_before_the_books_notice() -> None:
    known = (issued(COUPON),)
    assert timeline_of(known, COUPON, END - MOMENT) == known
    assert timeline_of(known, COUPON, END) == (*known, expired(COUPON))
    assert timeline_of((*known, expired(COUPON)), COUPON, END) == (*known, expired(COUPON))


def test_a_timeline_of_a_coupon_that_was_used_does_not_tell_of_its_end() -> None:
    known = (issued(COUPON), CouponEvent(CouponState.REDEEMED, END - MOMENT, "till"))
    assert timeline_of(known, COUPON, END) == known


def test_a_phone_is_believed_about_times_that_can_be_give_or_take_a_minute() -> None:
    now, minute = COUPON.issued_at + timedelta(minutes=5), timedelta(minutes=1)
    for reported_at in (COUPON.issued_at - minute, COUPON.issued_at, now, now + minute):
        assert plausible(reported_at, COUPON, now) == reported_at
    for reported_at in (COUPON.issued_at - minute - MOMENT, now + minute + MOMENT):
        assert plausible(reported_at, COUPON, now) is None
