from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from simulator.city import City, Turns
from simulator.port import Backend, BackendError, FixReport, Observed, Till
from simulator.truth import check_issues
from tests.simulator.toy_city import PRODUCTS, SCENARIO, START, STORES, FakeBackend, toy_city


def run(backend: Backend, seed: int = 1, **changes: object) -> City:
    city = toy_city(backend, seed, **changes)
    city.env.run(until=city.end + 450.0)
    return city


def test_the_same_seed_gives_the_same_history() -> None:
    one, other = FakeBackend(), FakeBackend()
    assert run(one).tally == run(other).tally
    assert one.calls == other.calls
    assert len(one.calls) > 300


def test_another_seed_gives_another_history() -> None:
    one, other = FakeBackend(), FakeBackend()
    run(one, seed=1)
    run(other, seed=2)
    assert one.calls != other.calls


def test_coupons_bring_people_to_the_till_before_they_end() -> None:
    backend = FakeBackend()
    city = run(backend)
    tills = [call[1] for call in backend.named("redeem")]
    assert len(tills) == city.tally.redeemed > 3
    assert all(isinstance(till, Till) and (till.code is None) != (till.presentation is None) for till in tills)
    coupon_visits = [one for queue in city.queues.values() for one in queue.served if one.coupon]
    assert len(coupon_visits) >= len(tills)


def test_nobody_redeems_a_coupon_that_ended_on_the_way() -> None:
    backend = FakeBackend(coupon_life_s=20.0)
    city = run(backend)
    assert city.tally.coupons_received > 3
    assert not backend.named("redeem")


def test_a_push_makes_the_member_look_sooner() -> None:
    backend = FakeBackend()
    city = toy_city(backend)
    while not city.issues:
        city.env.run(until=city.env.now + 5.0)
    walker = next(walker for walker in city.walkers.values() if walker.coupons)
    coupon_id = next(iter(walker.coupons))
    city.delivered(walker.person.registration, coupon_id)
    city.delivered("a phone of someone else", coupon_id)
    city.env.run(until=city.env.now + SCENARIO.notice_after_s[1] + 1.0)
    events = [call[3] for call in backend.named("event") if call[2] == coupon_id]
    assert events == ["delivered", "opened"]


def test_phones_keep_to_the_gap_the_backend_asks_for_while_their_members_move() -> None:
    backend = FakeBackend()
    city = run(backend)
    reports: dict[object, list[FixReport]] = {}
    for _, member_id, fix in backend.named("fixes"):
        assert isinstance(fix, FixReport)
        reports.setdefault(member_id, []).append(fix)
    pairs = [pair for one in reports.values() for pair in pairwise(one)]
    moving = [new.recorded_at - old.recorded_at for old, new in pairs if min(old.speed_mps, new.speed_mps) > 0.6]
    gaps = [new.recorded_at - old.recorded_at for old, new in pairs]
    assert 50.0 < float(np.median(moving)) < 65.0
    assert min(gaps) >= SCENARIO.shortest_report_s
    assert max(gaps) <= SCENARIO.longest_report_s + 10.0
    assert city.tally.fixes_posted == len(backend.named("fixes"))


def test_phones_of_members_who_stand_still_report_rarely() -> None:
    backend = FakeBackend()
    run(backend, near_store_share=0.0)
    reports = [call[2] for call in backend.named("fixes")]
    standing = sum(fix.speed_mps < 0.5 for fix in reports)  # type: ignore[attr-defined]
    # Half of the time is spent standing, but the moving phones make most of the reports.
    assert standing < len(reports) / 2


def test_phones_and_tills_talk_only_during_the_minutes() -> None:
    backend = FakeBackend()
    city = run(backend)
    fixes = [call[2].recorded_at for call in backend.named("fixes")]  # type: ignore[attr-defined]
    assert city.start <= min(fixes) <= max(fixes) < city.end


def test_tills_report_each_arrival_once() -> None:
    backend = FakeBackend()
    city = run(backend)
    for one in STORES:
        seen = [o for call in backend.named("observe") if call[1] == one.id for o in call[2:]]
        arrivals = [o for o in seen if isinstance(o, Observed) and o.kind == "arrivals"]
        first, last = arrivals[0], arrivals[-1]
        assert first.window_s is not None
        counted = city.queues[one.id].arrivals_between(first.at - first.window_s, last.at)
        assert sum(o.value for o in arrivals) == counted
        assert arrivals[0].at < START


def test_no_till_counts_for_less_than_a_second() -> None:
    backend = FakeBackend()
    run(backend, phones=1, minutes=1.0, observe_every_s=(0.01, 0.5))
    windows = [o.window_s for call in backend.named("observe") for o in call[2:] if isinstance(o, Observed)]
    assert min(window for window in windows if window is not None) >= 1.0


def test_stores_are_as_busy_as_the_scenario_says() -> None:
    city = run(FakeBackend(), phones=1, minutes=480.0)
    loads = sorted(queue.utilisation_between(city.start, city.end) for queue in city.queues.values())
    # Seven hours of one store scatter by about 0.03 around its mean; the busiest is damped by the end of the day.
    assert loads[0] == pytest.approx(0.2, abs=0.1)
    assert loads[1] == pytest.approx(0.55, abs=0.15)
    assert loads[2] > 0.65


def test_a_closed_store_has_neither_customers_nor_observations() -> None:
    backend = FakeBackend()
    night = START + 9 * 3_600.0
    city = toy_city(backend, start=night)
    city.env.run(until=city.end)
    assert not backend.named("observe")
    assert all(queue.arrivals_between(night - 7_200.0, city.end) == 0 for queue in city.queues.values())


def test_a_backend_that_fails_stops_nobody() -> None:
    class Broken(FakeBackend):
        def post_fixes(self, member_id, fixes):  # type: ignore[no-untyped-def]
            super().post_fixes(member_id, fixes)
            raise BackendError("away")

    backend = Broken()
    city = run(backend)
    assert city.tally.fixes_posted == len(backend.named("fixes")) > SCENARIO.phones
    assert city.tally.fixes_accepted == 0


def test_the_checks_judge_coupons_by_the_truth() -> None:
    city = run(FakeBackend())
    checks = check_issues(city.issues, city.town, city.queues)
    assert checks.coupons == len(city.issues)
    assert checks.to_closed_stores == 0
    assert checks.outside_fence <= checks.coupons // 3
    found = checks.as_json()
    assert found["coupons_to_busy_stores_share"] == pytest.approx(checks.to_busy_stores / checks.coupons, abs=1e-4)


def test_turns_are_evenly_spaced_and_free_when_nobody_asks() -> None:
    turns = Turns(per_s=2.0)
    assert [turns.wait_s(10.0) for _ in range(3)] == [0.0, 0.5, 1.0]
    assert turns.wait_s(100.0) == 0.0


def test_products_have_prices_at_the_till() -> None:
    backend = FakeBackend()
    run(backend)
    tea = PRODUCTS[1]
    assert {call[1].unit_price_minor for call in backend.named("redeem")} == {tea.price_minor}  # type: ignore[attr-defined]
