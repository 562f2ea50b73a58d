"""A member who leaves: nothing starts for them any more, and nothing of them stays but accounting."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.decision.facts import Facts
from backend.service.errors import Conflict, NotFound
from backend.service.life import CouponEvent
from backend.service.loyalty_model import TierGrant
from backend.service.member_books import BooksOfMember, Return
from backend.service.model import CouponState, Member, Preferences
from backend.service.ports import Ports
from backend.service.push_model import Accepted, Retry
from backend.service.retention import Retention
from backend.service.tidying import tidy
from tests.contracts.books import written
from tests.contracts.examples import (
    BUN,
    BY,
    CONSENT,
    NOW,
    PHONE,
    answer,
    at_once,
    budget,
    ghost,
    give,
    minutes,
    once,
    open_shop,
    outstanding,
    purchase,
    put_down,
    redeem,
    roll_back,
    seen,
)

REAL = 1_800_000_000.0
WORDS = "Aino lost her card"


def erase(ports: Ports, member_id: str = "aino") -> None:
    """Both steps, with nothing under way."""
    ports.members.leave(member_id, NOW)
    ports.ledger.erase(member_id, NOW)


def test_who_leaves_is_nobody_from_that_moment(ports: Ports) -> None:
    open_shop(ports)
    ports.members.set_device("aino", PHONE)
    assert ports.members.leave("aino", NOW)
    assert not ports.members.leave("aino", NOW)
    assert (ports.members.get("aino"), ports.members.leaving()) == (None, ("aino",))
    for change in (
        lambda: ports.members.set_device("aino", PHONE),
        lambda: ports.members.record_consent("aino", CONSENT),
        lambda: ports.members.change_preferences("aino", lambda old: old),
        lambda: ports.identity.create_device_key("aino", "phone", NOW, 10),
    ):
        with pytest.raises(NotFound):
            change()


def test_what_was_being_decided_for_who_leaves_gives_nothing_and_goes_with_them(ports: Ports) -> None:
    open_shop(ports)
    late, held_out = answer(seen()), ghost(at=1.0)
    ports.members.leave("aino", NOW)
    assert [put_down(ports, each) for each in (late, held_out)] == ["lost", "ghost"]
    assert (budget(ports), outstanding(ports)) == ((0, 0), 0)
    ports.ledger.erase("aino", NOW)
    assert [ports.ledger.decision(each.decision.opportunity_id) for each in (late, held_out)] == [None, None]


def test_nobody_leaves_who_is_not_there(ports: Ports) -> None:
    assert not ports.members.leave("nobody", NOW)
    ports.ledger.erase("nobody", NOW)
    assert ports.members.leaving() == ()


def test_erasing_somebody_who_does_not_leave_changes_nothing(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    ports.ledger.erase("aino", NOW)
    assert ports.members.get("aino") is not None
    assert ports.ledger.coupon(coupon.id) == coupon


def test_who_comes_back_is_somebody_new(ports: Ports) -> None:
    first = ports.members.sign_in("uid", NOW)
    ports.members.record_consent(first.id, CONSENT)
    ports.members.leave(first.id, NOW)
    second = ports.members.sign_in("uid", NOW)
    assert second == Member(second.id, "uid", "green")
    assert second.id != first.id
    ports.ledger.erase(first.id, NOW)
    assert ports.members.get(second.id) == second
    assert ports.members.leaving() == ()


def test_an_import_waits_until_an_erasure_is_done(ports: Ports) -> None:
    open_shop(ports)
    ports.members.leave("aino", NOW)
    again = [(Member("aino", "uid-aino", "gold"), ())]
    with pytest.raises(Conflict):
        ports.members.add(again, BY)
    ports.ledger.erase("aino", NOW)
    assert ports.members.add(again, BY) == 1


def test_a_live_coupon_is_revoked_and_what_it_took_is_free(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    coupon, other = give(ports), give(ports, "eero")
    erase(ports)
    assert ports.ledger.coupon(coupon.id) == replace(coupon, member_id=None, state=CouponState.REVOKED)
    assert ports.ledger.timeline(coupon.id)[-1] == CouponEvent(CouponState.REVOKED, NOW, "erasure")
    assert ports.ledger.coupon(other.id) == other
    assert (budget(ports), outstanding(ports)) == ((100, 0), 1)
    with pytest.raises(Conflict):
        redeem(ports, coupon)


def test_the_books_tell_all_that_names_a_member(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    coupon = give(ports)
    give(ports, "eero")
    done = redeem(ports, coupon)
    ports.ledger.buy(once("b"), purchase("p", "aino", at=9), NOW)
    ports.ledger.buy(once("c"), purchase("q", "eero"), NOW)
    back = roll_back(ports, done.id, BUN)
    books = ports.ledger.of_member("aino")
    assert [each.decision.opportunity_id for each in books.decisions] == [each.id for each in books.coupons]
    assert [each.id for each in books.coupons] == [coupon.id]
    assert books.redemptions == (done,)
    assert books.returns == (Return(back, "changed mind"),)
    assert [each.id for each in books.purchases] == [done.id, "p"]
    assert ports.ledger.of_member("nobody") == BooksOfMember()


def test_sales_and_money_stay_without_a_person(ports: Ports) -> None:
    open_shop(ports)
    done = redeem(ports, give(ports))
    ports.ledger.buy(once("b"), purchase("p", "aino"), NOW)
    erase(ports)
    assert budget(ports) == (0, 100)
    assert {each.id: each.member_id for each in ports.ledger.purchases()} == {done.id: None, "p": None}
    undone = roll_back(ports, done.id)
    assert (undone.rolled_back, budget(ports)) == (True, (0, 0))


def test_all_else_of_the_member_goes(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    ports.members.set_device("aino", PHONE)
    _, secret = ports.identity.create_device_key("aino", "phone", NOW, 10)
    coupon = give(ports)
    put_down(ports, ghost("aino", at=1))
    kept = ghost("eero")
    put_down(ports, kept)
    erase(ports)
    assert ports.ledger.coupons("aino", 9) == ()
    assert ports.ledger.decision(coupon.id) is None
    assert [each.facts.member.id for each in ports.ledger.decisions(None, 9)] == ["eero"]
    assert (ports.members.consents("aino"), ports.identity.device_keys("aino")) == ((), ())
    assert ports.identity.device_key(secret) is None
    assert ports.ledger.given_since("aino", NOW - minutes(60)) == 0
    assert ports.ledger.claim(9, REAL, 60.0) == ()
    assert ports.ledger.totals(NOW).pushes_pending == 0
    ports.members.set_device("eero", PHONE)


@pytest.mark.parametrize("about", [seen(), seen(paused=True), ghost().facts])
def test_a_decision_that_was_under_way_is_not_written_down(ports: Ports, about: Facts) -> None:
    open_shop(ports)
    record = answer(about)
    erase(ports)
    with pytest.raises(NotFound):
        put_down(ports, record)
    assert (ports.ledger.decisions(None, 9), ports.ledger.newest_coupons(9)) == ((), ())


def test_no_coupon_is_issued_to_who_leaves(ports: Ports) -> None:
    open_shop(ports)
    record = answer(seen())
    ports.members.leave("aino", NOW)
    at_once(1, lambda _: put_down(ports, record))
    ports.ledger.erase("aino", NOW)
    assert (budget(ports), outstanding(ports), ports.ledger.newest_coupons(9)) == ((0, 0), 0, ())
    assert ports.ledger.decisions(None, 9) == ()


def test_a_sale_that_was_under_way_is_not_theirs(ports: Ports) -> None:
    open_shop(ports)
    erase(ports)
    with pytest.raises(NotFound):
        ports.ledger.buy(once("b"), purchase("p", "aino"), NOW)
    assert ports.ledger.add_purchases([purchase("i", "aino")], BY) == 1
    assert [each.member_id for each in ports.ledger.purchases()] == [None]


def test_no_sale_is_booked_for_who_leaves(ports: Ports) -> None:
    open_shop(ports)
    ports.members.leave("aino", NOW)
    with pytest.raises(NotFound):
        ports.ledger.buy(once("b"), purchase("p", "aino"), NOW)


def test_a_push_to_who_leaves_is_nobodys(ports: Ports) -> None:
    open_shop(ports)
    ports.members.set_device("aino", PHONE)
    give(ports)
    ports.members.leave("aino", NOW)
    (row,) = ports.ledger.claim(9, REAL, 60.0)
    queued = ports.ledger.queued(row)
    assert queued is not None
    assert queued.member is None


def test_a_push_is_under_way_from_its_claim_until_it_is_settled_or_given_up(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    give(ports)
    assert not ports.ledger.sending("aino", REAL)
    (row,) = ports.ledger.claim(9, REAL, 60.0)
    assert ports.ledger.sending("aino", REAL + 59)
    assert not ports.ledger.sending("eero", REAL + 59)
    assert not ports.ledger.sending("aino", REAL + 61)
    ports.ledger.settle(row, Retry(REAL + 30))
    assert not ports.ledger.sending("aino", REAL + 1)
    (row,) = ports.ledger.claim(9, REAL + 31, 60.0)
    assert ports.ledger.sending("aino", REAL + 32)
    ports.ledger.settle(row, Accepted("name"))
    assert not ports.ledger.sending("aino", REAL + 32)


def test_what_is_settled_after_an_erasure_leaves_no_trace(ports: Ports) -> None:
    open_shop(ports)
    give(ports)
    (row,) = ports.ledger.claim(9, REAL, 60.0)
    erase(ports)
    ports.ledger.settle(row, Accepted("name"))
    assert ports.ledger.queued(row) is None
    assert ports.ledger.totals(NOW).pushes_accepted == 0


def test_what_became_of_a_push_goes_with_its_member(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    for coupon in (give(ports), give(ports, "eero")):
        ports.ledger.expire(coupon.expires_at)
    assert ports.ledger.totals(NOW).pushes_dropped == {"coupon_expired": 2}
    erase(ports)
    assert ports.ledger.totals(NOW).pushes_dropped == {"coupon_expired": 1}


def test_no_answer_that_is_kept_names_the_member(ports: Ports) -> None:
    """Not for the 24 hours either in which a repeated request gets it again."""
    open_shop(ports)
    ports.ledger.adjust_stars(once("k"), "aino", 5, f"{WORDS} again", BY)
    erase(ports)
    text = written(ports)
    assert [name for name in ("'aino'", '"aino"', WORDS) if name in text] == []


def test_what_staff_said_of_a_members_coupons_and_sales_is_cleared(ports: Ports) -> None:
    """It may name the member. That they did it, who of them and when, stays."""
    open_shop(ports, members=("aino", "eero"))
    used, others = give(ports), give(ports, "eero")
    ports.ledger.roll_back(once("back"), redeem(ports, used).id, (), WORDS, lambda _: True, NOW)
    taken = give(ports, at=60)
    for each in (taken, others):
        ports.ledger.revoke(each.id, WORDS, BY, lambda _: True)
    ports.members.grant_tier("aino", TierGrant("gold", None, BY.id, WORDS, NOW))
    erase(ports)
    assert ports.ledger.timeline(taken.id)[-1] == CouponEvent(CouponState.REVOKED, BY.at, f"staff:{BY.id}")
    assert ports.ledger.timeline(others.id)[-1].reason == WORDS
    erase(ports, "eero")
    assert WORDS not in written(ports)


def test_a_coupon_parted_long_ago_is_theirs_while_its_sale_is(ports: Ports) -> None:
    """It is told with the sale, and what a till said of it goes with the member."""
    open_shop(ports)
    coupon = give(ports)
    done = redeem(ports, coupon)
    tidy(ports.ledger, coupon.expires_at + Retention().coupon_link + minutes(1))
    ports.ledger.roll_back(once("back"), done.id, (BUN,), WORDS, lambda _: True, NOW)
    books = ports.ledger.of_member("aino")
    assert ([each.id for each in books.coupons], [each.id for each in books.redemptions]) == ([coupon.id], [done.id])
    assert [each.reason for each in books.returns] == [WORDS]
    erase(ports)
    assert WORDS not in written(ports)


def test_nobody_keeps_another_from_leaving_by_a_name(ports: Ports) -> None:
    open_shop(ports)
    for name in ("aino", "leaving aino"):
        ports.members.sign_in(f"leaving {name}", NOW)
    assert ports.members.leave("aino", NOW)


def test_a_coupon_of_who_leaves_is_revoked_for_the_till_and_no_wrong_code(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    ports.members.leave("aino", NOW)
    with pytest.raises(Conflict) as raised:
        redeem(ports, coupon)
    assert raised.value.reason == "coupon_revoked"


def test_erasures_amid_everything_else_leave_nobody_behind(ports: Ports) -> None:
    """Whatever order it happens in: no coupon is live for nobody, and no row names who is gone."""
    names = tuple(f"m{n}" for n in range(8))
    open_shop(ports, members=names)
    coupons = [give(ports, name, ("kamppi", "pasila")[n % 2]) for n, name in enumerate(names[:4])]
    records = [answer(seen(name, "pasila")) for name in names[4:]]

    def act(n: int) -> object:
        name, kind = names[n % 8], n // 8
        if kind == 0:
            return erase(ports, name)
        if kind == 1:
            return ports.ledger.buy(once(f"b{n}"), purchase(f"p{n}", name), NOW)
        if n % 8 >= 4:
            return put_down(ports, records[n % 8 - 4])
        return redeem(ports, coupons[n % 8], f"k{n}", store_id=coupons[n % 8].store_id)

    failed = [each for each in at_once(24, act) if isinstance(each, Exception)]
    assert all(isinstance(each, NotFound | Conflict) for each in failed), failed
    assert ports.members.leaving() == ()
    assert [each.member_id for each in ports.ledger.newest_coupons(99)].count(None) >= 4
    assert all(each.member_id is None for each in ports.ledger.newest_coupons(99))
    assert all(each.member_id is None for each in ports.ledger.purchases())
    assert ports.ledger.decisions(None, 99) == ()
    used = sum(each.state is CouponState.REDEEMED for each in ports.ledger.newest_coupons(99))
    assert (budget(ports), outstanding(ports), outstanding(ports, "pasila")) == ((0, 100 * used), 0, 0)


def test_preferences_of_who_leaves_go_with_the_mark(ports: Ports) -> None:
    open_shop(ports)
    ports.members.change_preferences("aino", lambda _: Preferences(muted_products=("bun",)))
    erase(ports)
    ports.members.add([(Member("aino", "uid-aino", "green"), ())], BY)
    member = ports.members.get("aino")
    assert member is not None
    assert member.preferences == Preferences()
