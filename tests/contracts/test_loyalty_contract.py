"""Stars, tiers and what members state."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from backend.service.errors import NotFound
from backend.service.loyalty_model import Birthday, LoyaltyRules, Profile, TierGrant, TierStep
from backend.service.model import Member
from backend.service.ports import Ports
from tests.contracts.examples import BY, NOW

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
    ports.members.add([(Member(name, f"uid-{name}", "green"), ()) for name in ("aino", "eero")])
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
    assert ports.members.add([(aino, ())]) == 1
    assert (known(ports).tier, known(ports).tier_grant, known(ports).profile) == ("gold", grant("gold"), PROFILE)
    assert ports.members.add([(aino, ())]) == 0
    assert ports.members.add([(replace(aino, tier_grant=grant("reserve")), ())]) == 1
    assert (known(ports).tier, known(ports).profile) == ("reserve", PROFILE)


def test_an_import_without_a_grant_makes_nobody_more_than_green(ports: Ports) -> None:
    ports.members.add([(Member("aino", "uid-aino", "reserve"), ())])
    assert known(ports).tier == "green"


def test_the_audit_log_tells_what_was_granted_but_not_to_whom(members: Ports) -> None:
    members.members.grant_tier("aino", grant("gold", by="k_1"))
    members.members.grant_tier("aino", TierGrant("reserve", None, "k_2", "Aino wrote to us", NOW))
    newest, first = members.identity.audit(None, 10)
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
