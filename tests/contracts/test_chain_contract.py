"""The chain: what it is, its version, its policy, and what was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from backend.decision.snapshot import Rules, Snapshot
from backend.service.chain_model import ImportCount, Observation, Traffic
from backend.service.errors import Conflict
from backend.service.ports import Ports
from stores.model import Area, Circle, Product, Store
from stores.sensitive import SensitivePlace
from tests.contracts.examples import (
    BY,
    CAPPUCCINO,
    KAMPPI,
    NOW,
    OFFER,
    PASILA,
    SPRING,
    at_once,
    budget,
    change_campaign,
    give,
    minutes,
    open_shop,
    redeem,
)

SQUARE = Area(((((24.0, 60.0), (24.1, 60.0), (24.1, 60.1), (24.0, 60.0)),),))
BARE = Store("bare", "Bare", PASILA.position, SQUARE)
CLINIC = SensitivePlace("clinic", "health", PASILA.position, Circle(150.0))
SCHOOL = SensitivePlace("school", "school", KAMPPI.position, SQUARE)


def test_stores_are_kept_as_they_are_and_listed_by_id(ports: Ports) -> None:
    assert ports.chain.put_stores([PASILA, KAMPPI, BARE], BY) == ImportCount(added=3)
    assert ports.chain.stores() == (BARE, KAMPPI, PASILA)


def test_an_import_of_stores_tells_what_it_changed(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI, PASILA], BY)
    changed = replace(KAMPPI, staff=3)
    assert ports.chain.put_stores([changed, PASILA, BARE], BY) == ImportCount(added=1, changed=1, unchanged=1)
    assert ports.chain.stores() == (BARE, changed, PASILA)


def test_sensitive_places_are_kept_as_they_are_and_listed_by_id(ports: Ports) -> None:
    ports.chain.put_sensitive_places([SCHOOL, CLINIC], BY)
    assert ports.chain.sensitive_places() == (CLINIC, SCHOOL)


def test_an_import_of_sensitive_places_tells_what_it_changed_and_is_noticed(ports: Ports) -> None:
    ports.chain.put_sensitive_places([CLINIC], BY)
    version, wider = ports.chain.version(), replace(CLINIC, fence=Circle(300.0))
    assert ports.chain.put_sensitive_places([CLINIC], BY) == ImportCount(unchanged=1)
    assert ports.chain.version() == version
    assert ports.chain.put_sensitive_places([wider, SCHOOL], BY) == ImportCount(added=1, changed=1)
    assert ports.chain.sensitive_places() == (wider, SCHOOL)
    assert ports.chain.version() > version


def test_sensitive_places_are_taken_out_by_category(ports: Ports) -> None:
    ports.chain.put_sensitive_places([CLINIC, SCHOOL], BY)
    version = ports.chain.version()
    assert [ports.chain.drop_sensitive_places("school", BY) for _ in range(2)] == [1, 0]
    assert ports.chain.sensitive_places() == (CLINIC,)
    assert ports.chain.version() == version + 1


def test_menus_are_kept_by_store_and_product(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI], BY)
    tea, dearer = Product("tea", "Tea", 250, "EUR"), replace(CAPPUCCINO, price_minor=450)
    assert ports.chain.put_menu({"": [CAPPUCCINO, tea], "kamppi": [dearer]}, BY) == ImportCount(added=3)
    menu = ports.chain.menu()
    assert {key: set(items) for key, items in menu.items() if items} == {"": {CAPPUCCINO, tea}, "kamppi": {dearer}}
    count = ports.chain.put_menu({"kamppi": [replace(dearer, price_minor=460)], "": [tea]}, BY)
    assert count == ImportCount(changed=1, unchanged=1)
    assert set(ports.chain.menu()[""]) == {CAPPUCCINO, tea}


def test_offers_are_added_replaced_and_listed_by_id(ports: Ports) -> None:
    other = replace(OFFER, id="a-tea", product_id="tea", discount_kind="amount", tiers=("reserve",))
    ports.chain.put_offer(OFFER, BY)
    ports.chain.put_offer(other, BY)
    assert ports.chain.offers() == (other, OFFER)
    ports.chain.put_offer(replace(OFFER, title="New"), BY)
    assert ports.chain.offers() == (other, replace(OFFER, title="New"))


def test_a_campaign_is_kept_as_it_is(ports: Ports) -> None:
    dated = replace(SPRING, id="a", holdout=0.1, starts_at=NOW, ends_at=NOW + timedelta(days=9), offer_ids=("b", "a"))
    ports.chain.add_campaign(SPRING, BY)
    ports.chain.add_campaign(dated, BY)
    assert ports.chain.campaigns() == (dated, SPRING)


def test_a_campaign_that_is_changed_keeps_its_id_and_what_is_reserved_and_spent(ports: Ports) -> None:
    open_shop(ports, members=("aino", "eero"))
    redeem(ports, give(ports, "aino"))
    give(ports, "eero")
    changes = {"budget_minor": 500, "status": "paused", "budget_count": 9, "day_budget_minor": 300}
    booked = {"reserved_minor": 7, "reserved_count": 7, "spent_minor": 7, "spent_count": 7}
    changed = change_campaign(ports, id="summer", **changes, **booked)
    assert ports.chain.campaigns() == (changed,)
    stands = {"reserved_minor": 100, "reserved_count": 1, "spent_minor": 100, "spent_count": 1}
    assert changed == replace(SPRING, **changes, **stands)  # type: ignore[arg-type]
    assert budget(ports) == (100, 100)
    assert ports.ledger.budgets_left("kamppi", NOW.date()) == {"spring": 100}


def test_pauses_are_kept_until_they_are_undone(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI], BY)
    ports.chain.pause("*", BY)
    ports.chain.pause("kamppi", BY)
    ports.chain.pause("kamppi", BY)
    assert ports.chain.paused() == {"*", "kamppi"}
    ports.chain.resume("*", BY)
    ports.chain.resume("*", BY)
    assert ports.chain.paused() == {"kamppi"}


CHANGES: dict[str, Callable[[Ports], object]] = {
    "store": lambda ports: ports.chain.put_stores([replace(KAMPPI, staff=5)], BY),
    "menu": lambda ports: ports.chain.put_menu({"": [replace(CAPPUCCINO, price_minor=1)]}, BY),
    "offer": lambda ports: ports.chain.put_offer(replace(OFFER, title="New"), BY),
    "campaign": lambda ports: change_campaign(ports, status="paused"),
    "pause": lambda ports: ports.chain.pause("kamppi", BY),
    "pause of all": lambda ports: ports.chain.pause("*", BY),
    "resume": lambda ports: ports.chain.resume("pasila", BY),
    "snapshot": lambda ports: ports.chain.publish(Snapshot(2), BY),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_the_version_grows_with_every_change(ports: Ports, change: str) -> None:
    open_shop(ports)
    ports.chain.pause("pasila", BY)
    before = ports.chain.version()
    CHANGES[change](ports)
    assert ports.chain.version() > before


def test_the_version_stays_when_nothing_changes(ports: Ports) -> None:
    open_shop(ports)
    before = ports.chain.version()
    assert ports.chain.put_stores([KAMPPI, PASILA], BY) == ImportCount(unchanged=2)
    assert ports.chain.put_menu({"": [CAPPUCCINO]}, BY) == ImportCount(unchanged=1)
    ports.chain.observe("kamppi", [Observation("staff", NOW, 3)])
    ports.chain.stores()
    assert ports.chain.version() == before


def test_the_default_policy_holds_until_another_is_published(ports: Ports) -> None:
    assert ports.chain.snapshot() == Snapshot()
    policy = Snapshot(2, Rules(overload_risk=0.01), ("dwell",))
    ports.chain.publish(policy, BY)
    assert ports.chain.snapshot() == policy
    assert ports.chain.snapshot().hash == policy.hash


@pytest.mark.parametrize("version", [0, 1, 3])
def test_only_the_next_policy_is_published(ports: Ports, version: int) -> None:
    with pytest.raises(Conflict) as raised:
        ports.chain.publish(Snapshot(version), BY)
    assert raised.value.reason == "snapshot_version"
    assert ports.chain.snapshot() == Snapshot()


def test_of_many_who_publish_the_same_version_one_succeeds(ports: Ports) -> None:
    results = at_once(6, lambda n: ports.chain.publish(Snapshot(2, Rules(cooldown_s=float(n))), BY))
    assert sorted(type(result).__name__ for result in results) == ["Conflict"] * 5 + ["NoneType"]


def traffic(ports: Ports, store_id: str = "kamppi", at: float = 0.0, hour: int = 41) -> Traffic:
    now = NOW + minutes(at)
    found = ports.chain.traffic(store_id, now - minutes(20), now, hour)
    assert found is not None
    return found


def came(at: float, value: float, window_s: float = 120.0) -> Observation:
    return Observation("arrivals", NOW + minutes(at), value, window_s)


def test_a_store_nobody_knows_has_no_traffic(ports: Ports) -> None:
    assert ports.chain.traffic("nowhere", NOW - minutes(20), NOW, 0) is None


def test_a_store_of_which_nothing_was_heard_has_only_its_staff(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI, BARE], BY)
    assert traffic(ports) == Traffic(0, 0.0, None, 2, None, frozenset(), 0, False)
    assert traffic(ports, "bare").staff is None


def test_arrivals_of_the_last_minutes_are_added_up(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI, PASILA], BY)
    ports.chain.observe("kamppi", [came(-21, 50), came(-20, 50), came(-18, 3), came(-2, 4), came(0, 1), came(1, 50)])
    ports.chain.observe("pasila", [came(-1, 50)])
    assert (traffic(ports).arrivals, traffic(ports).observed_s) == (8, 360.0)


def test_no_more_time_was_observed_than_has_passed(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI], BY)
    ports.chain.observe("kamppi", [came(-1, 1, 900.0), came(0, 9, 1200.0)])
    assert (traffic(ports).arrivals, traffic(ports).observed_s) == (10, 1200.0)


def test_the_same_observation_twice_counts_once_as_told_last(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI], BY)
    ports.chain.observe("kamppi", [came(-1, 9)])
    ports.chain.observe("kamppi", [came(-1, 5, 60.0), came(-2, 1, 60.0)])
    assert (traffic(ports).arrivals, traffic(ports).observed_s) == (6, 120.0)


def test_two_tellings_in_one_batch_count_once(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI], BY)
    ports.chain.observe("kamppi", [came(-1, 9), came(-1, 5, 60.0)])
    assert (traffic(ports).arrivals, traffic(ports).observed_s) == (5, 60.0)


def test_two_tills_that_report_in_the_same_second_both_count_over_the_time_they_share(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI], BY)
    for source in ("k_1", "k_2", "k_2/bar"):
        ports.chain.observe("kamppi", [replace(came(-minute, 2), source=source) for minute in (0, 2, 4)])
    assert (traffic(ports).arrivals, traffic(ports).observed_s) == (18, 360.0)
    ports.chain.observe("kamppi", [replace(came(0, 5), source="k_2")])
    assert (traffic(ports).arrivals, traffic(ports).observed_s) == (21, 360.0)


def test_of_several_tills_lines_add_up_and_the_newest_word_on_staff_and_goods_holds(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI], BY)
    told: list[tuple[Any, float, float, str]] = [
        ("queue_length", -9, 7, "a"), ("queue_length", -3, 2, "a"), ("queue_length", -8, 3, "b"),
        ("staff", -3, 4, "a"), ("staff", -2, 3, "b"), ("staff", -2, 5, "c"),
        ("sold_out", -2, 1, "a"), ("sold_out", -2, 0, "b"),
    ]  # fmt: skip
    for kind, at, value, source in told:
        product = "tea" if kind == "sold_out" else None
        ports.chain.observe("kamppi", [Observation(kind, NOW + minutes(at), value, None, product, source)])
    found = traffic(ports)
    assert (found.waiting, found.staff, found.sold_out) == (5, 3, {"tea"})
    assert traffic(ports, at=13).waiting == 2


def test_tills_that_report_the_same_moments_at_once_lose_nothing(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI], BY)
    moments = [-minute for minute in range(0, 20, 2)]

    def report(n: int) -> None:
        told = [replace(came(at, 1), source=f"k_{n % 4}") for at in moments]
        ports.chain.observe("kamppi", told if n < 4 else told[::-1])

    assert at_once(8, report) == [None] * 8
    assert (traffic(ports).arrivals, traffic(ports).observed_s) == (40, 1200.0)


def test_to_observe_nothing_is_no_harm(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI], BY)
    ports.chain.observe("kamppi", [])
    ports.chain.set_baselines({}, BY)
    assert (
        ports.chain.put_stores([], BY)
        == ports.chain.put_menu({}, BY)
        == ports.chain.put_menu({"": []}, BY)
        == ImportCount()
    )
    assert traffic(ports).observed_s == 0.0


def test_the_newest_queue_and_staff_hold_whatever_order_they_are_told_in(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI], BY)
    seen = [("queue_length", -1, 4), ("queue_length", -5, 9), ("staff", -3, 1), ("staff", -9, 5), ("headcount", -1, 30)]
    ports.chain.observe("kamppi", [Observation(kind, NOW + minutes(at), value) for kind, at, value in seen])  # type: ignore[arg-type]
    assert (traffic(ports).waiting, traffic(ports).staff) == (4, 1)
    assert (traffic(ports, at=30).waiting, traffic(ports, at=30).staff) == (None, 2)


def sold_out(product: str, hours_ago: float, value: float = 1.0) -> Observation:
    return Observation("sold_out", NOW - timedelta(hours=hours_ago), value, product_id=product)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([sold_out("tea", 1)], {"tea"}),
        ([sold_out("tea", 23)], {"tea"}),
        ([sold_out("tea", 25)], set()),
        ([sold_out("tea", 2), sold_out("tea", 1, 0)], set()),
        ([sold_out("tea", 1), sold_out("tea", 2, 0)], {"tea"}),
        ([sold_out("tea", 1), sold_out("bun", 1), sold_out("cake", 1, 0)], {"tea", "bun"}),
        ([sold_out("tea", -1)], set()),
    ],
)
def test_a_product_is_sold_out_for_a_day_unless_it_is_back(ports: Ports, told: Any, expected: set[str]) -> None:
    ports.chain.put_stores([KAMPPI], BY)
    ports.chain.observe("kamppi", told)
    assert traffic(ports).sold_out == expected


def test_the_baseline_is_that_of_the_hour_and_is_replaced_as_a_whole(ports: Ports) -> None:
    ports.chain.put_stores([KAMPPI, PASILA], BY)
    ports.chain.set_baselines({"kamppi": {41: 12.5, 42: 20.0}, "pasila": {41: 3.0}}, BY)
    assert [traffic(ports, hour=hour).baseline_per_hour for hour in (41, 42, 43)] == [12.5, 20.0, None]
    ports.chain.set_baselines({"kamppi": {43: 1.0}}, BY)
    assert [traffic(ports, hour=hour).baseline_per_hour for hour in (41, 43)] == [None, 1.0]
    assert traffic(ports, "pasila").baseline_per_hour is None


@pytest.mark.parametrize(("scope", "kamppi", "pasila"), [("*", True, True), ("kamppi", True, False)])
def test_traffic_tells_of_a_pause(ports: Ports, scope: str, kamppi: bool, pasila: bool) -> None:
    ports.chain.put_stores([KAMPPI, PASILA], BY)
    ports.chain.pause(scope, BY)
    assert (traffic(ports).paused, traffic(ports, "pasila").paused) == (kamppi, pasila)
