"""Changes rest on what stands when they are made: nobody undoes what somebody else did meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any, NoReturn

import pytest

from backend.service.catalogue import Catalogue
from backend.service.chain_model import Campaign, ImportCount
from backend.service.consent import ConsentCache
from backend.service.errors import Conflict, NotFound
from backend.service.marketing import Marketing
from backend.service.membership import Membership
from backend.service.model import Outcome, Preferences
from backend.service.ports import Ports
from tests.backend.api.world import FakeClock
from tests.contracts.examples import (
    BY,
    KAMPPI,
    OFFER,
    SPRING,
    answer,
    at_once,
    budget,
    change_campaign,
    give,
    open_shop,
    outstanding,
    put_down,
    seen,
)

TIMES = 50


def marketing(ports: Ports) -> Marketing:
    return Marketing(ports.chain, Catalogue(ports.chain, FakeClock()))


def membership(ports: Ports) -> Membership:
    clock = FakeClock()
    return Membership(ports.members, ports.presence, ConsentCache(ports.members, clock), clock)


def change_store(ports: Ports) -> Callable[..., object]:
    return lambda **changes: marketing(ports).change_store("kamppi", lambda old: replace(old, **changes), BY)


PATCHES: dict[str, tuple[Callable[[Ports], Callable[..., object]], Callable[[Ports], Any], str, str]] = {
    "campaign": (
        lambda ports: lambda **changes: marketing(ports).change_campaign("spring", changes, BY),
        lambda ports: ports.chain.campaigns()[0],
        "name",
        "budget_minor",
    ),
    "store": (change_store, lambda ports: ports.chain.stores()[0], "name", "staff"),
    "preferences": (
        lambda ports: lambda **changes: membership(ports).change_preferences("aino", changes),
        lambda ports: ports.members.get("aino").preferences,  # type: ignore[union-attr]
        "muted_products",
        "weekly_maximum",
    ),
}


@pytest.mark.parametrize("what", list(PATCHES))
def test_two_who_change_different_fields_lose_nothing(ports: Ports, what: str) -> None:
    """Each of them is the only one who changes a field, and so must always find what they wrote there last."""
    open_shop(ports)
    make, read, *fields = PATCHES[what]
    values: list[Callable[[int], object]] = [lambda n: f"name {n}", lambda n: 1000 + n]
    if what == "preferences":
        values[0] = lambda n: (f"product {n}",)

    def one(who: int) -> int:
        change, name, lost = make(ports), fields[who], 0
        for number in range(TIMES):
            change(**{name: values[who](number)})
            lost += getattr(read(ports), name) != values[who](number)
        return lost

    assert at_once(2, one) == [0, 0]
    assert [getattr(read(ports), name) for name in fields] == [value(TIMES - 1) for value in values]


def test_changes_that_build_on_each_other_all_count(ports: Ports) -> None:
    open_shop(ports)

    def one(who: int) -> None:
        for _ in range(10):
            ports.chain.change_store("kamppi", lambda old: replace(old, staff=(old.staff or 0) + 1), BY)
            ports.chain.change_campaign("spring", lambda old: replace(old, budget_minor=old.budget_minor + 1), BY)
            ports.members.change_preferences(
                "aino", lambda old: replace(old, muted_products=(*old.muted_products, f"{who}"))
            )

    assert at_once(8, one) == [None] * 8
    member = ports.members.get("aino")
    assert member is not None
    assert len(member.preferences.muted_products) == 80
    assert (ports.chain.campaigns()[0].budget_minor, ports.chain.stores()[0].staff) == (10_080, 82)


def test_a_rename_does_not_undo_the_end_of_a_campaign(ports: Ports) -> None:
    open_shop(ports)

    def one(who: int) -> None:
        for number in range(TIMES if who else 1):
            marketing(ports).change_campaign("spring", {"name": f"{number}"} if who else {"status": "ended"}, BY)

    assert at_once(4, one) == [None] * 4
    assert ports.chain.campaigns()[0].status == "ended"


def test_of_many_who_add_the_same_campaign_one_succeeds(ports: Ports) -> None:
    open_shop(ports)
    added = [replace(SPRING, id="summer", name=f"Summer {n}") for n in range(8)]
    results = at_once(8, lambda n: marketing(ports).add_campaign(added[n], BY))
    made = [each for each in results if isinstance(each, Campaign)]
    assert [each.reason for each in results if isinstance(each, Conflict)] == ["campaign_exists"] * 7
    assert [each for each in ports.chain.campaigns() if each.id == "summer"] == made


def test_a_campaign_is_added_with_its_whole_budget(ports: Ports) -> None:
    ports.chain.add_campaign(replace(SPRING, reserved_minor=5, spent_minor=6), BY)
    assert ports.chain.campaigns() == (SPRING,)


def test_of_many_who_put_the_same_offer_one_is_told_that_it_is_new(ports: Ports) -> None:
    results = at_once(8, lambda n: ports.chain.put_offer(replace(OFFER, name=f"{n}"), BY))
    assert sorted(results) == [False] * 7 + [True]  # type: ignore[type-var]


def test_of_many_who_put_the_same_store_one_is_told_that_it_is_new(ports: Ports) -> None:
    results = at_once(8, lambda n: ports.chain.put_stores([replace(KAMPPI, name=f"{n}")], BY))
    assert sorted(map(str, results)) == sorted(map(str, [ImportCount(changed=1)] * 7 + [ImportCount(added=1)]))


def refused(_: object) -> NoReturn:
    raise Conflict("no", "not this")


@pytest.mark.parametrize("what", ["campaign", "store", "preferences"])
def test_a_change_that_is_refused_changes_nothing(ports: Ports, what: str) -> None:
    open_shop(ports)
    before = ports.chain.version(), ports.chain.campaigns(), ports.chain.stores(), ports.members.get("aino")
    changes: dict[str, Callable[[], object]] = {
        "campaign": lambda: ports.chain.change_campaign("spring", refused, BY),
        "store": lambda: ports.chain.change_store("kamppi", refused, BY),
        "preferences": lambda: ports.members.change_preferences("aino", refused),
    }
    with pytest.raises(Conflict, match="not this"):
        changes[what]()
    assert before == (
        ports.chain.version(), ports.chain.campaigns(), ports.chain.stores(), ports.members.get("aino")
    )  # fmt: skip


def test_what_is_not_there_cannot_be_changed(ports: Ports) -> None:
    with pytest.raises(NotFound) as campaign:
        ports.chain.change_campaign("none", refused, BY)
    with pytest.raises(NotFound) as store:
        ports.chain.change_store("none", refused, BY)
    with pytest.raises(NotFound) as member:
        ports.members.change_preferences("none", lambda _: Preferences())
    reasons = [raised.value.reason for raised in (campaign, store, member)]
    assert reasons == ["campaign_unknown", "store_unknown", "member_unknown"]


def test_a_store_keeps_its_id_and_its_coupons_when_it_is_changed(ports: Ports) -> None:
    open_shop(ports)
    give(ports)
    changed = ports.chain.change_store("kamppi", lambda old: replace(old, id="other", staff=None), BY)
    assert changed == replace(KAMPPI, staff=None) == ports.chain.stores()[0]
    assert outstanding(ports) == 1


def test_no_coupon_is_issued_while_the_budget_is_changed(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    give(ports, "aino")
    record = answer(seen("eero"))
    issued: list[Future[Outcome]] = []

    with ThreadPoolExecutor(1) as pool:

        def lower(old: Campaign) -> Campaign:
            issued.append(pool.submit(put_down, ports, record))
            assert not wait(issued, timeout=0.3).done
            return replace(old, budget_minor=old.reserved_minor + old.spent_minor)

        assert ports.chain.change_campaign("spring", lower, BY).budget_minor == 100
        assert issued[0].result(timeout=30) == "lost"
    assert budget(ports) == (100, 0)


def test_a_budget_never_gets_smaller_than_what_is_reserved_and_spent(ports: Ports) -> None:
    everybody = tuple(f"m{n}" for n in range(12))
    open_shop(ports, budget_minor=1200, members=everybody)
    records = [answer(seen(name, ("kamppi", "pasila")[n % 2])) for n, name in enumerate(everybody)]

    def one(n: int) -> object:
        if n % 2:
            return put_down(ports, records[n // 2])
        return marketing(ports).change_campaign("spring", {"budget_minor": 1200 - 50 * n}, BY).budget_minor

    results = at_once(24, one)
    assert {each.reason for each in results if isinstance(each, Conflict)} <= {"budget_too_small"}
    assert not [each for each in results if isinstance(each, Exception) and not isinstance(each, Conflict)]
    campaign = ports.chain.campaigns()[0]
    assert campaign.reserved_minor == 100 * results.count("issued")
    assert campaign.reserved_minor + campaign.spent_minor <= campaign.budget_minor
    with pytest.raises(Conflict):
        marketing(ports).change_campaign("spring", {"budget_minor": campaign.reserved_minor - 1}, BY)
    change_campaign(ports, budget_minor=campaign.reserved_minor)
