"""Reports tell whole weeks, and no small group."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from backend.service.model import Chance
from backend.service.report import Counts, cells, last_mondays
from backend.service.retention import Retention


def crowd(store_id: str, tier: str, count: int) -> list[Chance]:
    return [Chance(f"{store_id} {tier} {n}", store_id, tier, "issued", frozenset({"issued"}), 5) for n in range(count)]


def test_whole_weeks_begin_on_mondays_and_are_kept_that_long() -> None:
    for day in range(14):
        now = datetime(2026, 6, 1, 23, 59, tzinfo=UTC) + timedelta(days=day)
        mondays = last_mondays(now)
        assert [each.isoweekday() for each in mondays] == [1, 1, 1]
        assert mondays[0] + timedelta(days=7) <= now
        assert now - mondays[-1] < Retention().decisions


def test_small_groups_and_what_would_tell_them_are_hidden() -> None:
    chances = crowd("a", "green", 30) + crowd("a", "gold", 3) + crowd("b", "green", 40) + crowd("b", "gold", 20)
    told = {(each.store_id, each.tier): each.counts for each in cells(chances)}
    assert {cell for cell, counts in told.items() if counts is None} == {
        ("a", "gold"), ("a", "green"), ("b", "gold"), ("b", "green"),
    }  # fmt: skip
    assert told[None, None] == Counts(93, 93, 93, 0, 0, 0, 0, 465)


def test_one_member_many_times_is_no_group() -> None:
    chances = crowd("a", "green", 1) * 50
    assert all(each.counts is None for each in cells(chances))


def test_each_stage_that_a_coupon_came_to_is_counted() -> None:
    events = ("", "delivered", "opened redeemed", "redeemed rolled_back")
    chances = [Chance(f"m{n}", "a", "green", "issued", frozenset(events[n % 4].split()), n % 4) for n in range(40)]
    told = {(each.store_id, each.tier): each.counts for each in cells(chances)}
    assert told[None, None] == Counts(
        members=40, offered=40, issued=40, delivered=10, opened=10, redeemed=20, rolled_back=10, spent_minor=60
    )
