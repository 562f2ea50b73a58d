"""Stars, tiers and what members state."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from backend.service.errors import Conflict, NotFound
from backend.service.loyalty_model import Adjustment, Birthday, LoyaltyRules, Profile, StarEntry, TierGrant, TierStep
from backend.service.model import Member, Purchase
from backend.service.ports import Ports
from backend.service.redemption import purchase_name
from tests.contracts.books import check_books
from tests.contracts.examples import BY, NOW, SALE, at_once, give, minutes, once, open_shop, purchase, redeem, roll_back

PROFILE = Profile(
    name="Aino",
    birthday=Birthday(2, 29),
    gender="woman",
    favourite_products=("bun",),
    dietary_wishes=("vegan",),
    languages=("fi", "sv"),
)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def grant(tier: str, until: datetime | None = None, at: datetime = NOW, by: str = "import") -> TierGrant:
    return TierGrant(tier, until, by, by, at)  # type: ignore[arg-type]


def known(ports: Ports, member_id: str = "aino") -> Member:
    found = ports.members.get(member_id)
    assert found is not None
    return found


@pytest.fixture
def members(ports: Ports) -> Ports:
    """Aino and Eero."""
    ports.members.add([(Member(name, f"uid-{name}", "green"), ()) for name in ("aino", "eero")], BY)
    return ports


def test_what_a_member_states_is_kept_and_can_be_cleared(members: Ports) -> None:
    assert known(members).profile == Profile()
    assert members.members.change_profile("aino", lambda _: PROFILE) == PROFILE
    assert (known(members).profile, known(members, "eero").profile) == (PROFILE, Profile())
    assert members.members.change_profile("aino", lambda old: replace(old, name=None)).name is None
    assert known(members).profile == replace(PROFILE, name=None)


def test_a_profile_and_a_grant_are_somebodys(members: Ports) -> None:
    with pytest.raises(NotFound):
        members.members.change_profile("nobody", lambda old: old)
    with pytest.raises(NotFound):
        members.members.grant_tier("nobody", grant("gold"))


def test_a_granted_tier_begins_at_once_and_ends_to_the_second(members: Ports) -> None:
    members.members.grant_tier("aino", grant("gold", NOW + days(3), by="k_1"))
    found = known(members)
    assert (found.tier, found.tier_grant) == ("gold", grant("gold", NOW + days(3), by="k_1"))
    assert found.tier_steps == (TierStep(NOW, "gold"), TierStep(NOW + days(3), "green"))
    moment = timedelta(microseconds=1)
    assert [found.tier_at(NOW + days(3) - moment), found.tier_at(NOW + days(3))] == ["gold", "green"]
    assert known(members, "eero").tier == "green"


def test_the_last_grant_holds(members: Ports) -> None:
    members.members.grant_tier("aino", grant("reserve"))
    members.members.grant_tier("aino", grant("gold", at=NOW + days(1)))
    assert known(members).tier == "gold"
    assert known(members).tier_steps == (TierStep(NOW + days(1), "gold"),)


def test_a_job_writes_down_the_tiers_that_ended(members: Ports) -> None:
    """It changes nothing that a reader did not see before, and running it again does nothing."""
    members.members.grant_tier("aino", grant("gold", NOW + days(3)))
    members.members.grant_tier("eero", grant("gold", NOW + days(4)))
    assert members.members.settle_tiers(NOW + days(2)) == 0
    assert members.members.settle_tiers(NOW + days(3)) == 1
    assert [known(members, name).tier for name in ("aino", "eero")] == ["green", "gold"]
    assert known(members).tier_at(NOW + days(3)) == "green"
    assert members.members.settle_tiers(NOW + days(3)) == 0


def test_rules_are_numbered_and_kept(ports: Ports) -> None:
    rules = LoyaltyRules(minor_per_star_in={"SEK": 1_000}, tier_percent={"gold": 150}, product_percent={"bun": 200})
    assert ports.members.loyalty_rules() == ()
    first = ports.members.set_loyalty_rules(rules, NOW, BY)
    second = ports.members.set_loyalty_rules(LoyaltyRules(), NOW + days(1), BY)
    assert (first.version, first.rules, second.version) == (1, rules, 2)
    assert ports.members.loyalty_rules() == (first, second)


def test_new_rules_make_every_tier_due_when_they_begin(members: Ports) -> None:
    members.members.set_loyalty_rules(LoyaltyRules(), NOW + days(1), BY)
    assert members.members.settle_tiers(NOW) == 0
    assert members.members.settle_tiers(NOW + days(1)) == 2
    assert members.members.settle_tiers(NOW + days(1)) == 0


def test_a_grant_before_new_rules_leaves_the_member_due_for_them(members: Ports) -> None:
    members.members.set_loyalty_rules(LoyaltyRules(), NOW + days(2), BY)
    members.members.grant_tier("aino", grant("gold", NOW + days(3)))
    assert members.members.settle_tiers(NOW + days(2)) == 2


def test_an_import_grants_a_tier_and_states_a_profile(ports: Ports) -> None:
    aino = Member("aino", "uid-aino", "green", tier_grant=grant("gold"), profile=PROFILE)
    assert ports.members.add([(aino, ())], BY) == 1
    assert (known(ports).tier, known(ports).tier_grant, known(ports).profile) == ("gold", grant("gold"), PROFILE)
    assert ports.members.add([(aino, ())], BY) == 0
    assert ports.members.add([(replace(aino, tier_grant=grant("reserve")), ())], BY) == 1
    assert (known(ports).tier, known(ports).profile) == ("reserve", PROFILE)


def test_an_import_without_a_grant_makes_nobody_more_than_green(ports: Ports) -> None:
    ports.members.add([(Member("aino", "uid-aino", "reserve"), ())], BY)
    assert known(ports).tier == "green"


def test_the_audit_log_tells_what_was_granted_but_not_to_whom(members: Ports) -> None:
    members.members.grant_tier("aino", grant("gold", by="k_1"))
    members.members.grant_tier("aino", TierGrant("reserve", None, "k_2", "Aino wrote to us", NOW))
    newest, first = members.identity.audit(None, 2)
    assert (first.by, first.what, first.before, first.after) == ("k_1", "tier", None, {"tier": "gold", "until": None})
    assert (newest.by, newest.at, newest.before) == ("k_2", NOW, first.after)
    assert newest.after == {"tier": "reserve", "until": None}
    assert "aino" not in repr((newest, first)).casefold()


def test_the_audit_log_tells_the_rules_before_and_after(ports: Ports) -> None:
    ports.members.set_loyalty_rules(LoyaltyRules(gold_at=100), NOW, BY)
    ports.members.set_loyalty_rules(LoyaltyRules(gold_at=200), NOW, BY)
    newest, first = ports.identity.audit(None, 10)
    assert (first.by, first.what, first.object_id, first.before) == (BY.id, "loyalty rules", "1", None)
    assert newest.before == first.after
    assert newest.after is not None
    assert newest.after["rules"]["gold_at"] == 200


def stars(ports: Ports, member_id: str = "aino") -> int:
    """All of the member's stars."""
    return sum(entry.delta for entry in ports.members.stars(member_id))


def test_a_purchase_earns_stars_in_the_transaction_that_books_it(members: Ports) -> None:
    sold = purchase("p1", "aino", at=-5)
    members.ledger.buy(once("b"), sold, NOW)
    assert members.members.stars("aino") == (
        StarEntry("s_p1", "aino", "p1", 7, 750, NOW - minutes(5), NOW, "purchase"),
    )
    members.ledger.buy(once("b"), sold, NOW)
    assert (stars(members), stars(members, "eero")) == (7, 0)


def test_nobody_known_earns_nothing(members: Ports) -> None:
    members.ledger.buy(once("a"), purchase("p1"), NOW)
    with pytest.raises(NotFound):
        members.ledger.buy(once("b"), purchase("p2", "somebody who left"), NOW)
    assert [members.members.stars(who) for who in ("aino", "eero", "somebody who left")] == [(), (), ()]


def test_a_refused_purchase_earns_nothing(members: Ports) -> None:
    members.ledger.buy(once("a"), purchase("p1", "aino"), NOW)
    with pytest.raises(Conflict):
        members.ledger.buy(once("b"), purchase("p1", "aino"), NOW)
    assert stars(members) == 7


def test_enough_stars_make_a_tier_at_once(members: Ports) -> None:
    members.members.set_loyalty_rules(LoyaltyRules(gold_at=14, reserve_at=21, grace_days=10), NOW - days(1), BY)
    for number, tier in enumerate(("green", "gold", "reserve")):
        members.ledger.buy(once(f"b{number}"), purchase(f"p{number}", "aino", at=number), NOW + minutes(number))
        assert known(members).tier == tier
    end = NOW + days(375)
    assert known(members).tier_steps == (
        TierStep(NOW + minutes(2), "reserve"),
        TierStep(end, "gold"),
        TierStep(end + minutes(1), "green"),
    )


def test_the_tier_held_and_the_rules_then_in_force_decide_what_is_earned(members: Ports) -> None:
    members.members.set_loyalty_rules(LoyaltyRules(minor_per_star=10, tier_percent={"gold": 200}), NOW, BY)
    members.ledger.buy(once("a"), purchase("before", "aino", at=-1), NOW + minutes(1))
    members.ledger.buy(once("b"), purchase("after", "aino", at=1), NOW + minutes(1))
    members.members.grant_tier("aino", grant("gold", at=NOW + minutes(2)))
    members.ledger.buy(once("c"), purchase("as gold", "aino", at=3), NOW + minutes(3))
    assert [entry.delta for entry in members.members.stars("aino")] == [75, 7, 150]


def test_a_redemption_earns_what_was_paid_after_the_discount(ports: Ports) -> None:
    open_shop(ports)
    done = redeem(ports, give(ports))
    (entry,) = ports.members.stars("aino")
    assert (entry.delta, entry.paid_minor, done.to_pay_minor) == (6, 650, 650)


def test_a_sale_of_nobody_earns_when_a_members_coupon_joins_it(ports: Ports) -> None:
    open_shop(ports)
    sale = replace(SALE, sale_id="r1")
    ports.ledger.buy(once("b1"), Purchase(purchase_name(sale, ""), sale, NOW), NOW)
    done = redeem(ports, give(ports), sale_id="r1")
    (entry,) = ports.members.stars("aino")
    assert (entry.delta, entry.paid_minor, done.to_pay_minor) == (6, 650, 650)
    roll_back(ports, done.id)
    assert stars(ports) == 0


def test_a_receipt_rung_up_again_for_no_stars_gives_those_of_the_first_time_to_nobody(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    roll_back(ports, redeem(ports, give(ports), sale_id="r1").id)
    ports.members.set_loyalty_rules(LoyaltyRules(minor_per_star=100_000), NOW + minutes(5), BY)
    again = redeem(ports, give(ports, "eero", at=7), key="k2", at=8, sale_id="r1")
    roll_back(ports, again.id, SALE.items[1], key="back2", at=9)
    assert (stars(ports, "aino"), stars(ports, "eero")) == (0, 0)


def test_rolling_a_sale_back_takes_its_stars_and_the_tier_they_made(ports: Ports) -> None:
    """Stars taken back count from the sale, so not even the grace is left of a tier they made."""
    open_shop(ports)
    ports.members.set_loyalty_rules(LoyaltyRules(gold_at=6, reserve_at=60), NOW - days(1), BY)
    done = redeem(ports, give(ports))
    assert known(ports).tier == "gold"
    ports.ledger.roll_back(once("back"), done.id, (), "wrong basket", lambda _: True, NOW + days(1))
    assert [entry.delta for entry in ports.members.stars("aino")] == [6, -6]
    assert (known(ports).tier, known(ports).tier_at(NOW + days(1))) == ("green", "green")


def test_a_receipt_that_was_taken_back_can_be_rung_up_again_also_by_another_member(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    first, second = give(ports), give(ports, "eero")
    done = redeem(ports, first, sale_id="17")
    roll_back(ports, done.id)
    again = redeem(ports, second, key="again", sale_id="17")
    assert (stars(ports), stars(ports, "eero")) == (0, 6)
    check_books(ports)
    roll_back(ports, again.id, key="back again")
    assert (stars(ports), stars(ports, "eero")) == (0, 0)
    check_books(ports)


def test_returning_a_part_takes_stars_in_proportion_and_the_rest_takes_all(ports: Ports) -> None:
    open_shop(ports)
    ports.members.set_loyalty_rules(LoyaltyRules(minor_per_star=10), NOW - days(1), BY)
    done = redeem(ports, give(ports))
    for number, item in enumerate(SALE.items):
        key = once(f"back{number}")
        ports.ledger.roll_back(key, done.id, (item,), "cold", lambda _: True, NOW + minutes(10 + number))
        left = sum(each.paid_minor for each in ports.ledger.purchases())
        assert stars(ports) == 65 * left // 650
    assert stars(ports) == 0


def test_imported_purchases_earn_only_if_the_rules_say_so(members: Ports) -> None:
    past = [purchase("p1", "aino", at=-60), purchase("p2", "eero", at=-60), purchase("p3", at=-60)]
    members.ledger.add_purchases(past, BY)
    assert stars(members) == 0
    members.members.set_loyalty_rules(LoyaltyRules(imports_earn=True), NOW, BY)
    more = [*past, purchase("p4", "aino", at=-50), purchase("p4", "aino", at=-50)]
    assert members.ledger.add_purchases(more, BY) == 1
    assert [entry.earned_at for entry in members.members.stars("aino")] == [NOW - minutes(50)]
    assert (stars(members), stars(members, "eero")) == (7, 0)


def test_an_adjustment_that_is_told_again_a_day_later_is_not_booked_twice(members: Ports) -> None:
    members.ledger.adjust_stars(once("k"), "aino", 5, "lost card", BY)
    with pytest.raises(Conflict) as raised:
        members.ledger.adjust_stars(once("k"), "aino", 5, "lost card", replace(BY, at=NOW + timedelta(hours=25)))
    assert raised.value.reason == "adjustment_exists"
    assert sum(entry.delta for entry in members.members.stars("aino")) == 5


def test_an_adjustment_is_booked_once_and_settles_the_tier(members: Ports) -> None:
    booked = [members.ledger.adjust_stars(once("k"), "aino", 300, "lost card", BY) for _ in range(2)]
    assert booked[0] == booked[1]
    (entry,) = members.members.stars("aino")
    assert (booked[0], known(members).tier) == (Adjustment(entry.id, 300, entry.at), "gold")
    assert (entry.delta, entry.cause) == (300, "lost card")
    assert [entry.after for entry in members.identity.audit(None, 10) if entry.what == "stars"] == [{"delta": 300}]


def test_no_more_stars_are_taken_away_than_count(members: Ports) -> None:
    members.ledger.adjust_stars(once("k"), "aino", 5, "lost card", BY)
    with pytest.raises(Conflict) as raised:
        members.ledger.adjust_stars(once("l"), "aino", -6, "wrong", BY)
    assert raised.value.reason == "stars_missing"
    members.ledger.adjust_stars(once("m"), "aino", -5, "wrong", BY)
    assert stars(members) == 0
    with pytest.raises(NotFound):
        members.ledger.adjust_stars(once("n"), "nobody", 1, "wrong", BY)


def test_stars_taken_away_by_a_later_clock_are_gone_too(members: Ports) -> None:
    """Two who take them away at once have their times before one has to wait for the other."""
    members.ledger.adjust_stars(once("k"), "aino", 10, "lost card", BY)
    members.ledger.adjust_stars(once("l"), "aino", -8, "wrong", replace(BY, at=BY.at + timedelta(seconds=1)))
    with pytest.raises(Conflict) as raised:
        members.ledger.adjust_stars(once("m"), "aino", -8, "wrong", BY)
    assert raised.value.reason == "stars_missing"


def test_of_many_purchases_at_once_none_is_overlooked(members: Ports) -> None:
    """The last one to be booked sees the stars of all: together they are just enough."""
    members.members.set_loyalty_rules(LoyaltyRules(gold_at=56), NOW - days(1), BY)
    results = at_once(8, lambda n: members.ledger.buy(once(f"b{n}"), purchase(f"p{n}", "aino"), NOW))
    assert not [each for each in results if isinstance(each, Exception)]
    assert (stars(members), known(members).tier) == (56, "gold")


def test_purchases_and_coupons_of_one_member_at_once_wait_for_each_other_in_no_ring(ports: Ports) -> None:
    open_shop(ports)
    coupon = give(ports)

    def one(number: int) -> object:
        if number == 0:
            return redeem(ports, coupon)
        if number % 2:
            return ports.ledger.buy(once(f"b{number}"), purchase(f"p{number}", "aino"), NOW)
        return ports.ledger.adjust_stars(once(f"a{number}"), "aino", 1, "gift", BY)

    results = at_once(9, one)
    assert not [each for each in results if isinstance(each, Exception)]
    assert stars(ports) == 6 + 4 * 7 + 4
