"""The traffic of a store with several tills: by example and by law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from math import inf
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.service.chain_model import Observation, Traffic
from backend.service.traffic import Standing, traffic_of
from tests.backend.decision.builders import NOW

STANDING = Standing(staff=2, baseline_per_hour=None, outstanding=0, paused=False)
SPAN_S = 1200
SINCE = NOW - timedelta(seconds=SPAN_S)


def traffic(*seen: Observation) -> Traffic:
    return traffic_of(seen, STANDING, SINCE, NOW)


def told(
    kind: Literal["arrivals", "queue_length", "staff", "sold_out"],
    ago_s: float,
    value: float,
    source: str = "a",
    window_s: float | None = None,
    product_id: str | None = None,
) -> Observation:
    return Observation(kind, NOW - timedelta(seconds=ago_s), value, window_s, product_id, source)


def came(ago_s: float, value: float, window_s: float, source: str = "a") -> Observation:
    return told("arrivals", ago_s, value, source, window_s)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([came(0, 5, 60), came(60, 7, 60)], (12, 120.0)),
        ([came(0, 5, 60, "a"), came(0, 7, 60, "b")], (12, 60.0)),
        ([came(0, 5, 60, "a"), came(30, 7, 60, "b")], (12, 90.0)),
        ([came(0, 5, 60), came(0, 7, 120)], (12, 120.0)),
        ([came(0, 5, 60), came(300, 7, 60)], (12, 120.0)),
        ([came(1140, 8, 120)], (4, 60.0)),
        ([came(1140, 7, 120)], (4, 60.0)),
        ([came(0, 9, 3600)], (0, 0.0)),
        ([came(0, 9, 3600), came(0, 2, 600)], (2, 600.0)),
        ([told("arrivals", 5, 3)], (3, 0.0)),
        ([came(60 * n + 0.123457, 1, 60) for n in range(5)], (5, 300.0)),
        ([], (0, 0.0)),
    ],
    ids=[
        "one after the other",
        "two tills at once",
        "two tills overlapping",
        "one within another",
        "apart",
        "half before",
        "half before, rounded to the busier",
        "longer than the span",
        "longer than the span, beside one that is not",
        "without a window",
        "five minutes are five minutes",
        "nothing",
    ],
)
def test_arrivals_add_up_over_the_union_of_windows(seen: Sequence[Observation], expected: tuple[int, float]) -> None:
    found = traffic(*seen)
    assert (found.arrivals, found.observed_s) == expected


def test_the_lines_of_all_tills_count_each_by_its_newest_word() -> None:
    lines = [("a", 600, 9), ("a", 60, 2), ("b", 300, 3), ("b", 900, 0)]
    assert traffic(*(told("queue_length", ago, value, source) for source, ago, value in lines)).waiting == 5
    assert traffic(told("staff", 5, 1)).waiting is None


@pytest.mark.parametrize(
    ("words", "staff"),
    [([], 2), ([("a", 60, 4)], 4), ([("a", 60, 4), ("b", 30, 5)], 5), ([("a", 60, 4), ("b", 60, 3)], 3)],
)
def test_staff_is_the_newest_word_of_any_and_the_smaller_of_two(
    words: list[tuple[str, float, float]], staff: int
) -> None:
    assert traffic(*(told("staff", ago, value, source) for source, ago, value in words)).staff == staff


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([("a", 60, 1), ("b", 30, 0)], set()),
        ([("a", 30, 1), ("b", 60, 0)], {"tea"}),
        ([("a", 60, 1), ("b", 60, 0)], {"tea"}),
    ],
)
def test_a_product_is_sold_out_by_the_newest_word_and_in_doubt(
    words: list[tuple[str, float, float]], expected: set[str]
) -> None:
    seen = [told("sold_out", ago, value, source, product_id="tea") for source, ago, value in words]
    assert traffic(*seen).sold_out == expected


SOURCES = st.sampled_from("abc")
AGO = st.integers(0, SPAN_S * 10 - 1).map(lambda tenths: tenths / 10)
WINDOWS = st.integers(1, 20_000).map(lambda tenths: tenths / 10)
VALUES = st.integers(0, 20)
ARRIVALS = st.builds(came, AGO, VALUES, WINDOWS, SOURCES)
ANYTHING = (
    ARRIVALS
    | st.builds(told, st.sampled_from(["queue_length", "staff"]), AGO, VALUES, SOURCES)
    | st.builds(
        lambda ago, value, source, product: told("sold_out", ago, value, source, product_id=product),
        AGO,
        st.integers(0, 1),
        SOURCES,
        st.sampled_from(["tea", "bun"]),
    )
)
REPORTS = st.lists(ANYTHING, max_size=30, unique_by=lambda each: (each.kind, each.at, each.product_id, each.source))


def per_second(found: Traffic) -> float:
    return found.arrivals / found.observed_s if found.observed_s else inf if found.arrivals else 0.0


def is_no_quieter(after: Traffic, before: Traffic) -> bool:
    """As busy or busier, and as short of staff and goods."""
    lines = (after.waiting or 0) >= (before.waiting or 0) and (after.waiting is None) == (before.waiting is None)
    kept = after.staff == before.staff and after.sold_out >= before.sold_out
    return per_second(after) >= per_second(before) and after.observed_s <= before.observed_s and lines and kept


@given(data=st.data(), seen=REPORTS)
def test_the_order_of_reports_does_not_matter(data: st.DataObject, seen: list[Observation]) -> None:
    assert traffic(*data.draw(st.permutations(seen))) == traffic(*seen)


@given(seen=REPORTS)
def test_no_more_is_observed_than_time_has_passed(seen: list[Observation]) -> None:
    found = traffic(*seen)
    assert 0.0 <= found.observed_s <= SPAN_S
    assert found.observed_s <= sum(each.window_s or 0.0 for each in seen) + 1e-6


@given(seen=REPORTS, moved=st.sets(st.integers(0, 29)))
def test_one_till_split_in_two_never_looks_quieter(seen: list[Observation], moved: set[int]) -> None:
    split = [replace(each, source=each.source + "2") if n in moved else each for n, each in enumerate(seen)]
    assert is_no_quieter(traffic(*split), traffic(*seen))


@given(seen=st.lists(ARRIVALS, min_size=1, max_size=10), values=st.lists(VALUES, min_size=10, max_size=10))
def test_a_till_with_the_same_windows_makes_no_store_quieter(seen: list[Observation], values: list[int]) -> None:
    other = [replace(each, value=value, source="other") for each, value in zip(seen, values, strict=False)]
    assert is_no_quieter(traffic(*seen, *other), traffic(*seen))


@given(seen=REPORTS, value=VALUES, data=st.data())
def test_a_window_within_one_told_already_makes_no_store_quieter(
    seen: list[Observation], value: int, data: st.DataObject
) -> None:
    first = came(0, 1, SPAN_S)
    ago = data.draw(AGO)
    again = came(ago, value, data.draw(st.floats(0.1, SPAN_S - ago + 0.1)))
    assert is_no_quieter(traffic(first, *seen, again), traffic(first, *seen))


@pytest.mark.parametrize("window_s", [1e-300, 1e-15, 1e-9])
def test_the_smallest_window_hides_nobody(window_s: float) -> None:
    assert traffic(came(0, 10_000, window_s)).arrivals == 10_000
