"""Many at once: what there is to give is given once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

from backend.service.loyalty_model import LoyaltyRules
from backend.service.model import BasketItem, Coupon, CouponState, Device, Member, Purchase, Redemption, Registration
from backend.service.ports import Ports
from backend.service.redemption import purchase_name
from backend.service.terms import Terms
from backend.service.till_model import Rollback, Ticket
from tests.backend.decision.builders import evidence
from tests.contracts.books import check_books
from tests.contracts.examples import (
    BUN,
    BY,
    NOW,
    SALE,
    TILL,
    answer,
    at_once,
    budget,
    change_campaign,
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

CROWD = tuple(f"m{n}" for n in range(20))


def kinds(results: Sequence[object]) -> Counter[str]:
    """How often each outcome or exception came."""
    return Counter(
        f"{type(each).__name__}: {each}"
        if isinstance(each, Exception) and not hasattr(each, "reason")
        else str(getattr(each, "reason", each))
        for each in results
    )


def test_twenty_who_want_five_budgets_get_five_coupons(ports: Ports) -> None:
    open_shop(ports, budget_minor=599, members=CROWD)
    stores = ("kamppi", "pasila")
    records = [answer(seen(name, stores[n % 2])) for n, name in enumerate(CROWD)]
    results = at_once(20, lambda n: put_down(ports, records[n]))
    assert kinds(results) == {"issued": 5, "lost": 15}
    assert budget(ports) == (500, 0)
    assert len(ports.ledger.newest_coupons(99)) == ports.ledger.totals(NOW).pushes_pending == 5


def test_twenty_who_come_to_a_store_with_room_for_six_get_six_coupons(ports: Ports) -> None:
    open_shop(ports, members=CROWD)
    records = [answer(seen(name)) for name in CROWD]
    forecast = records[0].decision.forecast
    assert forecast is not None
    assert forecast.room == 6
    results = at_once(20, lambda n: put_down(ports, records[n]))
    assert kinds(results) == {"issued": 6, "lost": 14}
    assert (outstanding(ports), budget(ports)) == (6, (600, 0))


def test_a_member_near_many_stores_at_once_gets_one_coupon(ports: Ports) -> None:
    open_shop(ports)
    records = [answer(seen(store_id=("kamppi", "pasila")[n % 2], at=n / 100), at=n / 100) for n in range(12)]
    results = at_once(12, lambda n: put_down(ports, records[n]))
    assert kinds(results) == {"issued": 1, "lost": 11}
    assert ports.ledger.given_since("aino", NOW) == 1


def test_one_opportunity_told_many_times_at_once_is_one(ports: Ports) -> None:
    open_shop(ports)
    record = answer(seen())
    results = at_once(10, lambda _: put_down(ports, record))
    assert kinds(results) == {"issued": 10}
    assert (budget(ports), outstanding(ports), len(ports.ledger.newest_coupons(9))) == ((100, 0), 1, 1)


def test_sixteen_tills_that_redeem_one_coupon_redeem_it_once(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    results = at_once(16, lambda n: redeem(ports, coupon, key=f"k{n}"))
    done = [each for each in results if isinstance(each, Redemption)]
    assert len(done) == 1
    assert kinds([each for each in results if each not in done]) == {"coupon_used": 15}
    assert (budget(ports), outstanding(ports), len(list(ports.ledger.purchases()))) == ((0, 100), 0, 1)


def test_tills_that_use_one_coupon_on_sales_of_their_own_are_told_that_it_was_used(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)
    results = at_once(8, lambda n: redeem(ports, coupon, key=f"k{n}", sale_id=f"s{n}"))
    assert sum(isinstance(each, Redemption) for each in results) == 1
    assert kinds([each for each in results if isinstance(each, Exception)]) == {"coupon_used": 7}


def test_one_key_for_two_coupons_at_once_redeems_one(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    coupons: list[Coupon] = [give(ports, "aino"), give(ports, "eero")]

    def use(n: int) -> Redemption:
        return ports.ledger.redeem(once("k", f"body {n}"), Ticket(coupons[n].id), SALE, TILL, NOW + minutes(1))

    results = at_once(2, use)
    refused = kinds([each for each in results if isinstance(each, Exception)])
    assert refused in ({"idempotency_key_reused": 1}, {"request_in_flight": 1})
    assert budget(ports) == (100, 100)


def test_many_rollbacks_at_once_give_the_money_back_once(ports: Ports) -> None:
    open_shop(ports)
    done = redeem(ports, give(ports))
    results = at_once(8, lambda n: roll_back(ports, done.id, key=f"b{n}"))
    assert sum(isinstance(each, Rollback) for each in results) == 1
    assert kinds([each for each in results if isinstance(each, Exception)]) == {"already_rolled_back": 7}
    assert budget(ports) == (0, 0)


def test_a_coupon_is_either_redeemed_or_expired(ports: Ports) -> None:
    open_shop(ports, members=CROWD[:6])
    coupons = [give(ports, name) for name in CROWD[:6]]

    def both(n: int) -> object:
        if n == 6:
            return ports.ledger.expire(NOW + minutes(31))
        return redeem(ports, coupons[n], key=f"k{n}", at=29)

    results = at_once(7, both)
    used = sum(isinstance(each, Redemption) for each in results)
    assert results[6] == 6 - used
    assert (budget(ports), outstanding(ports)) == ((0, 100 * used), 0)


def test_a_redemption_that_loses_to_a_revocation_says_so(ports: Ports) -> None:
    """Staff revoke the coupon as the till sees that it is live; where one writes at a time, the till wins."""
    open_shop(ports)
    coupon = give(ports, terms=Terms(only_present=True))
    with ThreadPoolExecutor(1) as staff:

        def is_inside(_member_id: str, _store_id: str) -> bool:
            wait([staff.submit(ports.ledger.revoke, coupon.id, "out of cups", BY, lambda _: True)], timeout=0.5)
            return True

        (result,) = at_once(
            1, lambda _: ports.ledger.redeem(once(), Ticket(coupon.id), SALE, replace(TILL, is_inside=is_inside), NOW)
        )
    end = ports.ledger.coupon(coupon.id)
    revoked = end is not None and end.state is CouponState.REVOKED
    assert getattr(result, "reason", "redeemed") == ("coupon_revoked" if revoked else "redeemed")


def test_coupons_end_in_some_stores_while_others_are_issued_there(ports: Ports) -> None:
    """Nobody waits for somebody who waits for them: all of it is done, in any order."""
    roomy = {"evidence": evidence(staff=30)}
    everybody = tuple(f"m{n}" for n in range(44))
    open_shop(ports, members=everybody)
    for n, name in enumerate(everybody[:30]):
        give(ports, name, ("kamppi", "pasila")[n % 2], store=roomy)
    records = [
        answer(seen(name, ("kamppi", "pasila")[n % 2], 31, store=roomy), 31) for n, name in enumerate(everybody[30:])
    ]

    def both(n: int) -> object:
        return ports.ledger.expire(NOW + minutes(31)) if n == 0 else put_down(ports, records[n - 1])

    results = at_once(15, both)
    assert kinds(results) == {"30": 1, "issued": 14}
    assert (budget(ports), outstanding(ports), outstanding(ports, "pasila")) == ((1400, 0), 7, 7)


def test_a_sale_booked_many_times_at_once_is_one(ports: Ports) -> None:
    open_shop(ports)
    results = at_once(8, lambda n: ports.ledger.buy(once(f"b{n}"), purchase("p"), NOW))
    assert kinds(results) == {"Bought(id='p')": 1, "purchase_exists": 7}
    assert len(list(ports.ledger.purchases())) == 1


def test_no_two_workers_take_the_same_push(ports: Ports) -> None:
    open_shop(ports, members=CROWD)
    for name in CROWD[:6]:
        give(ports, name)
    for name in CROWD[6:12]:
        give(ports, name, "pasila")
    results = at_once(6, lambda _: [row.coupon_id for row in ports.ledger.claim(3, 1e9, 60.0)])
    taken = [name for each in results if isinstance(each, list) for name in each]
    assert kinds([each for each in results if isinstance(each, Exception)]) == {}
    assert len(taken) == len(set(taken))
    taken += [row.coupon_id for row in ports.ledger.claim(99, 1e9, 60.0)]
    assert len(taken) == len(set(taken)) == 12


def test_coupons_and_changes_of_the_campaign_at_once_lose_nothing(ports: Ports) -> None:
    open_shop(ports, members=CROWD[:10])
    records = [answer(seen(name, ("kamppi", "pasila")[n % 2])) for n, name in enumerate(CROWD[:10])]

    def both(n: int) -> object:
        if n < 10:
            return put_down(ports, records[n])
        change_campaign(ports, name=f"Spring {n}")
        return "replaced"

    results = at_once(14, both)
    assert kinds(results) == {"issued": 10, "replaced": 4}
    assert budget(ports) == (1000, 0)


def test_a_registration_that_many_claim_at_once_goes_to_one(ports: Ports) -> None:
    phone = Device(Registration("fid", "the same"), "ios", "en", "Europe/Helsinki")
    names = [f"m{number}" for number in range(8)]
    open_shop(ports, members=tuple(names))
    for _ in range(4):
        results = at_once(8, lambda n: ports.members.set_device(names[n], phone))
        assert results == [None] * 8
        owners = [name for name in names if (known := ports.members.get(name)) is not None and known.device == phone]
        assert len(owners) == 1


def test_imports_of_the_same_members_in_any_order_wait_for_each_other_in_no_ring(ports: Ports) -> None:
    names = tuple(f"m{number}" for number in range(60))
    open_shop(ports, members=names)

    def both(n: int) -> object:
        order = random.Random(n).sample(names, len(names))
        if n == 0:
            return ports.members.set_loyalty_rules(LoyaltyRules(gold_at=200), NOW, BY).version
        if n % 2:
            return ports.members.set_tastes({name: {"tea": n / 10} for name in order}, BY)
        return ports.members.add([(Member(name, f"uid-{name}", "green", locale=f"e{n}"), ()) for name in order], BY)

    assert not [each for each in at_once(7, both) if isinstance(each, Exception)]


def test_who_leaves_while_they_are_imported_is_gone(ports: Ports) -> None:
    names = tuple(f"m{number}" for number in range(30))
    open_shop(ports, members=names)
    for name in names:

        def both(n: int, name: str = name) -> object:
            if n == 0:
                return ports.members.leave(name, NOW)
            return ports.members.add([(Member(name, f"uid-{name}", "green", locale="fi"), ())], BY)

        at_once(2, both)
        assert ports.members.get(name) is None
        assert ports.members.sign_in(f"uid-{name}", NOW).id != name


def test_coupons_that_join_one_sale_at_once_take_off_no_more_than_it_costs(ports: Ports) -> None:
    open_shop(ports)
    coupons = [give(ports, at=n, terms=Terms(stackable=True)) for n in range(4)]
    cheap = {"sale_id": "r1", "items": (BasketItem("cappuccino", 1, 250),), "total_minor": 250}
    results = at_once(4, lambda n: redeem(ports, coupons[n], key=f"k{n}", **cheap))
    assert kinds([each for each in results if isinstance(each, Exception)]) == {"nothing_to_take_off": 1}
    assert sorted(each.discount_minor for each in results if isinstance(each, Redemption)) == [50, 100, 100]
    assert [each.discount_minor for each in ports.ledger.purchases()] == [250]
    assert (budget(ports), outstanding(ports)) == ((100, 250), 1)


def test_returns_at_once_give_back_no_more_than_was_bought(ports: Ports) -> None:
    open_shop(ports)
    three = BasketItem("bun", 3, 350)
    done = redeem(ports, give(ports), items=(SALE.items[0], three), total_minor=1450)
    results = at_once(6, lambda n: roll_back(ports, done.id, BUN, key=f"b{n}"))
    assert [each.refund_minor for each in results if isinstance(each, Rollback)] == [350] * 3
    assert kinds([each for each in results if isinstance(each, Exception)]) == {"not_bought": 3}


def test_a_sale_and_its_coupon_booked_at_once_wait_for_each_other_in_no_ring(ports: Ports) -> None:
    open_shop(ports, members=CROWD[:5])
    coupons = [give(ports, name) for name in CROWD[:5]]

    def book(number: int) -> object:
        sale, coupon = replace(SALE, sale_id=f"s{number // 2}"), coupons[number // 2]
        if number % 2:
            return redeem(ports, coupon, f"coupon {number}", sale_id=sale.sale_id)
        bought = Purchase(purchase_name(sale, ""), sale, NOW + minutes(5), coupon.member_id)
        return ports.ledger.buy(once(f"sale {number}"), bought, NOW + minutes(5))

    results = at_once(10, book)
    assert {getattr(each, "reason", None) for each in results} <= {None, "purchase_exists"}
    check_books(ports)
