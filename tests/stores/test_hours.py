"""Open or not, and until when: plain days, past midnight, daylight saving, and doubt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.hours import OpeningHours, for_store
from stores.model import Circle, Position, Store

HELSINKI = ZoneInfo("Europe/Helsinki")


def local(day: int, hour: int, minute: int = 0, month: int = 6) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=HELSINKI)


def hours(expression: str) -> OpeningHours:
    return OpeningHours.parse(expression, "Europe/Helsinki")


def test_open_from_the_first_minute_until_before_the_last() -> None:
    week = hours("Mo-Fr 08:00-18:00")
    assert [week.is_open(local(1, *t)) for t in ((7, 59), (8, 0), (17, 59), (18, 0))] == [False, True, True, False]
    assert not week.is_open(local(6, 12))  # a Saturday


def test_the_moment_may_come_in_any_zone_and_the_answer_is_utc() -> None:
    closes = hours("Mo-Fr 08:00-18:00").closes_at(datetime(2026, 6, 1, 12, tzinfo=UTC))
    assert closes == datetime(2026, 6, 1, 15, tzinfo=UTC)
    assert closes is not None
    assert closes.tzinfo is UTC


def test_past_midnight_belongs_to_the_evening_before() -> None:
    bar = hours("Fr 20:00-03:00")
    assert bar.is_open(local(6, 2, 30))
    assert not bar.is_open(local(5, 2, 30))
    assert bar.closes_at(local(5, 23)) == local(6, 3)


def test_adjoining_intervals_are_one_opening() -> None:
    assert hours("Mo 08:00-24:00; Tu 00:00-12:00").closes_at(local(1, 9)) == local(2, 12)


def test_a_closed_store_and_one_that_never_closes_have_no_closing_time() -> None:
    assert hours("Mo-Fr 08:00-18:00").closes_at(local(6, 12)) is None
    assert hours("24/7").is_open(local(6, 12))
    assert hours("24/7").closes_at(local(6, 12)) is None


def test_spring_forward_takes_an_hour_from_the_night() -> None:
    night = hours("Mo-Su 22:00-05:00")
    closes = night.closes_at(local(28, 23, month=3))
    assert closes == local(29, 5, month=3)
    assert closes is not None
    assert closes - local(28, 23, month=3).astimezone(UTC) == timedelta(hours=5)


def test_in_the_repeated_hour_the_earlier_closing_time_counts() -> None:
    # On 25 October 2026 the hour from 3 to 4 comes twice: first at 00:00 UTC, then at 01:00 UTC.
    closes = hours("Mo-Su 20:00-03:30").closes_at(datetime(2026, 10, 25, 0, 15, tzinfo=UTC))
    assert closes == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@given(st.integers(0, 365 * 86_400).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)))
def test_a_closing_time_lies_ahead_and_finds_the_store_closed(at: datetime) -> None:
    week = hours("Mo-Th 07:30-21:15; Fr,Sa 09:00-03:30; Su 12:00-16:00")
    closes = week.closes_at(at)
    assert (closes is not None) == week.is_open(at)
    if closes is not None:
        assert at < closes <= at + timedelta(hours=20)
        assert not week.is_open(closes)


@pytest.mark.parametrize("doubtful", ['"by appointment"', "Mo-Su 08:00-18:00 unknown", 'Mo-Su "call us"'])
def test_doubt_counts_as_closed(doubtful: str) -> None:
    assert not hours(doubtful).is_open(local(1, 12))


def test_an_opening_ends_where_doubt_begins() -> None:
    assert hours('Mo 08:00-12:00, Mo 12:00-18:00 "if sunny"').closes_at(local(1, 9)) == local(1, 12)


def test_without_a_position_holiday_rules_are_ignored() -> None:
    assert hours("Mo-Fr 08:00-18:00; PH off").is_open(local(25, 12, month=12))


def test_a_store_s_position_gives_its_country_s_holidays() -> None:
    store = Store("s1", "One", Position(60.17, 24.94), Circle(150), "Mo-Fr 08:00-18:00; PH off", "Europe/Helsinki")
    open_hours = for_store(store)
    assert open_hours is not None
    assert not open_hours.is_open(local(25, 12, month=12))
    assert open_hours.is_open(local(28, 12, month=12))


def test_unknown_hours_or_zone_give_no_opening_hours() -> None:
    assert for_store(Store("s1", "One", Position(60, 24), Circle(150), "24/7", None)) is None
    assert for_store(Store("s1", "One", Position(60, 24), Circle(150), None, "Europe/Helsinki")) is None


@pytest.mark.parametrize(
    ("nonsense", "place"), [("garbage", "character 1"), ("Mo-Fr 25:00-26:00", "character 7"), ("", "cannot")]
)
def test_an_expression_that_cannot_be_read_is_refused_without_repeating_it(nonsense: str, place: str) -> None:
    with pytest.raises(ValueError, match=place) as caught:
        hours(nonsense)
    assert "garbage" not in str(caught.value)


@pytest.mark.parametrize("name", ["Europe/Nowhere", "", "../etc/passwd", "GMT+1:00", "Europe"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="time zone is unknown"):
        OpeningHours.parse("24/7", name)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        hours("24/7").is_open(local(1, 12).replace(tzinfo=None))


@pytest.mark.parametrize("always", ["Mo-Fr 00:00-24:00; Sa,Su 00:00-24:00", "00:00-12:00,12:00-24:00", "24/7"])
def test_hours_without_an_end_have_none_and_nobody_looks_for_it(always: str) -> None:
    assert hours(always).is_open(local(1, 9))
    assert hours(always).closes_at(local(1, 9)) is None


@pytest.mark.parametrize(
    "never", ["Feb 30", "Nov 31 00:00-24:00", "Apr 29-31 08:00-12:00; Mo 08:00-12:00", "jun 31 off"]
)
def test_a_day_that_no_year_has_is_refused(never: str) -> None:
    with pytest.raises(ValueError, match="no year has"):
        hours(never)


@pytest.mark.parametrize(
    "day", ["Feb 29", "Oct 31 08:00-12:00", "May 30-31 off; 08:00-12:00", "Feb 28-Mar 31 08:00-12:00"]
)
def test_a_day_that_some_year_has_is_taken(day: str) -> None:
    hours(day)


@pytest.mark.parametrize("name", ["right/UTC", "Factory", "localtime", "posixrules"])
def test_hours_in_a_zone_that_is_none_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        OpeningHours.parse("Mo-Fr 08:00-18:00", name)


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_an_opening_that_begins_in_the_hour_that_is_left_out_is_open_after_it() -> None:
    # On 29 March 2026 the clocks in Helsinki go from 03:00 to 04:00, at 01:00 UTC.
    early = hours("Su 03:30-10:00")
    assert [early.is_open(utc(3, 29, *t)) for t in ((0, 59), (1, 30), (6, 59), (7, 0))] == [False, True, True, False]


def test_the_repeated_hour_is_open_both_times() -> None:
    # On 25 October 2026 the hour from 03:00 to 04:00 comes at 00:00 UTC and again at 01:00 UTC.
    late = hours("Sa 18:00-05:00")
    assert [late.is_open(utc(10, 25, *t)) for t in ((0, 30), (1, 30), (2, 59), (3, 0))] == [True, True, True, False]


@pytest.mark.parametrize(("month", "day", "length_h"), [(3, 28, 9), (10, 24, 11), (6, 6, 10)])
def test_an_evening_past_midnight_ends_by_the_clock_whatever_the_clock_does(
    month: int, day: int, length_h: int
) -> None:
    opens = local(day, 18, month=month).astimezone(UTC)
    assert hours("Fr-Sa 18:00-04:00").closes_at(opens) == opens + timedelta(hours=length_h)


def test_holidays_are_those_of_the_store_s_own_country() -> None:
    def store(lat: float, lng: float, where: str) -> OpeningHours:
        made = for_store(Store("s", "S", Position(lat, lng), Circle(150), "Mo-Fr 08:00-18:00; PH off", where))
        assert made is not None
        return made

    # 14 July is a holiday in France and none in Finland; 6 December 2027, a Monday, is one in Finland only.
    independence = datetime(2027, 12, 6, 10, tzinfo=UTC)
    paris, helsinki = store(48.85, 2.35, "Europe/Paris"), store(60.17, 24.94, "Europe/Helsinki")
    assert [paris.is_open(utc(7, 14, 10)), helsinki.is_open(utc(7, 14, 10))] == [False, True]
    assert [paris.is_open(independence), helsinki.is_open(independence)] == [True, False]


def test_a_single_day_goes_before_the_week() -> None:
    week = hours("Mo-Fr 07:00-19:00; PH off; Dec 24 08:00-12:00")
    assert [week.is_open(local(24, hour, month=12)) for hour in (7, 8, 11, 12)] == [False, True, True, False]
