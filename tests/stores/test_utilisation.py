"""The traffic estimate against scipy's distributions, and the laws it keeps."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import gamma, nbinom

from stores.utilisation import (
    ArrivalRate,
    Evidence,
    arrival_rate,
    probability_quiet,
    spare_capacity,
    utilisation,
)

HOUR_S = 3600.0
WINDOW_S, RISK, PRIOR_HOURS, MINIMUM_S = 900.0, 0.05, 0.25, 300.0
QUIET = Evidence(arrivals=2, observed_s=1200.0, baseline_per_hour=6.0, waiting=0, staff=2, service_s=120.0)

RATES = st.builds(ArrivalRate, shape=st.floats(0.5, 400.0), hours=st.floats(0.05, 4.0))
EVIDENCE = st.builds(
    Evidence,
    arrivals=st.integers(0, 100),
    observed_s=st.floats(300.0, 3600.0),
    baseline_per_hour=st.none() | st.floats(0.0, 150.0),
    waiting=st.integers(0, 20),
    staff=st.integers(1, 8),
    service_s=st.floats(10.0, 600.0),
)


def known(evidence: Evidence) -> ArrivalRate:
    rate = arrival_rate(evidence, PRIOR_HOURS, MINIMUM_S)
    assert rate is not None
    return rate


def room(evidence: Evidence, target: float = 0.7, risk: float = RISK) -> int:
    return spare_capacity(known(evidence), evidence, target, WINDOW_S, risk)


def arrivals(rate: ArrivalRate, window_s: float = WINDOW_S) -> nbinom:
    """Poisson counts with a gamma rate: negative binomial with n = shape, p = hours / (hours + window)."""
    return nbinom(rate.shape, rate.hours / (rate.hours + window_s / HOUR_S))


def test_baseline_and_observations_make_the_posterior() -> None:
    """6 an hour for a quarter of an hour are 1.5 arrivals; 2 more came in a third of an hour."""
    assert (known(QUIET).shape, known(QUIET).hours) == pytest.approx((3.5, 7 / 12))
    assert known(QUIET).per_hour == pytest.approx(6.0)


def test_without_a_baseline_only_the_observations_speak() -> None:
    rate = known(replace(QUIET, baseline_per_hour=None))
    assert (rate.shape, rate.hours) == pytest.approx((2.5, 1 / 3))


def test_an_hour_in_which_nobody_ever_came_still_counts_as_half_an_arrival() -> None:
    assert known(replace(QUIET, baseline_per_hour=0.0, arrivals=0)).shape == 0.5


@pytest.mark.parametrize("baseline", [None, 0.0, 30.0])
def test_a_store_whose_tills_have_fallen_silent_is_not_known(baseline: float | None) -> None:
    silent = replace(QUIET, arrivals=0, observed_s=299.9, baseline_per_hour=baseline)
    assert arrival_rate(silent, PRIOR_HOURS, MINIMUM_S) is None
    assert arrival_rate(replace(silent, observed_s=0.0), PRIOR_HOURS, MINIMUM_S) is None


@pytest.mark.parametrize(("shape", "hours", "limit"), [(0.5, 0.1, 3.0), (3.5, 7 / 12, 10.0), (120.0, 2.0, 55.0)])
def test_the_rate_is_below_a_limit_as_the_gamma_distribution_says(shape: float, hours: float, limit: float) -> None:
    expected = gamma(shape, scale=1 / hours).cdf(limit)
    assert ArrivalRate(shape, hours).probability_below(limit) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("window_s", [60.0, 900.0, 7200.0])
@pytest.mark.parametrize(("shape", "hours"), [(0.5, 0.1), (3.5, 7 / 12), (120.0, 2.0)])
def test_arrivals_are_forecast_as_the_negative_binomial_distribution_says(
    shape: float, hours: float, window_s: float
) -> None:
    rate = ArrivalRate(shape, hours)
    for count in (0, 1, 5, 40, 300):
        assert rate.arrivals_at_most(count, window_s) == pytest.approx(arrivals(rate, window_s).cdf(count), rel=1e-10)
    for chance in (0.05, 0.5, 0.95, 0.999):
        assert rate.arrivals_quantile(chance, window_s) == arrivals(rate, window_s).ppf(chance)


def test_fewer_than_no_arrivals_never_come() -> None:
    assert ArrivalRate(3.5, 1.0).arrivals_at_most(-1, WINDOW_S) == 0.0


@given(RATES, st.floats(0.01, 0.999), st.floats(30.0, 7200.0))
def test_the_quantile_is_the_smallest_count_that_is_enough(rate: ArrivalRate, chance: float, window_s: float) -> None:
    count = rate.arrivals_quantile(chance, window_s)
    assert rate.arrivals_at_most(count, window_s) >= chance
    assert rate.arrivals_at_most(count - 1, window_s) < chance


def test_utilisation_is_the_offered_load_per_server() -> None:
    """6 customers an hour of two minutes each keep one of two people busy for 12 minutes: a tenth."""
    assert utilisation(known(QUIET), QUIET) == pytest.approx(0.1)
    assert utilisation(ArrivalRate(1000.0, 1.0), QUIET) == 1.0


def test_quiet_is_a_rate_below_what_fills_the_target() -> None:
    """Two people of two minutes serve 60 an hour, so a target of 0.7 is met below 42."""
    expected = gamma(3.5, scale=12 / 7).cdf(42.0)
    assert probability_quiet(known(QUIET), QUIET, 0.7) == pytest.approx(expected, rel=1e-12)


def test_room_is_capacity_less_who_waits_less_who_is_sure_enough_to_come() -> None:
    """0.7 x 2 people x 900 s / 120 s are 10 visits; 95 % of the time at most 4 arrive."""
    assert arrivals(known(QUIET)).ppf(0.95) == 4
    assert room(QUIET) == 6
    assert room(replace(QUIET, waiting=2)) == 4
    assert room(replace(QUIET, waiting=20)) == 0


def test_a_capacity_of_a_whole_number_of_visits_is_not_rounded_away() -> None:
    """0.7 x 3 x 600 / 60 is 21, which floating point makes 20.999...: no visit is lost to it."""
    assert 0.7 * 3 * 600.0 / 60.0 < 21
    nobody = ArrivalRate(0.5, 1e6)
    assert spare_capacity(nobody, replace(QUIET, staff=3, service_s=60.0), 0.7, 600.0, RISK) == 21


@settings(max_examples=300)
@given(EVIDENCE, st.floats(0.05, 1.0), st.floats(0.001, 0.5))
def test_the_risk_of_overload_stays_within_its_bound(evidence: Evidence, target: float, risk: float) -> None:
    """Where there is any room: P(waiting + arrivals + room > capacity) <= risk, by the exact distribution."""
    evidence = replace(evidence, service_s=evidence.service_s / 10)
    places = room(evidence, target, risk)
    assume(places > 0)
    capacity = target * evidence.staff * WINDOW_S / evidence.service_s + 1e-9
    assert arrivals(known(evidence)).sf(capacity - evidence.waiting - places) <= risk + 1e-9


@settings(max_examples=300)
@given(EVIDENCE, st.floats(0.05, 1.0))
def test_one_place_more_would_be_one_too_many(evidence: Evidence, target: float) -> None:
    capacity = int(target * evidence.staff * WINDOW_S / evidence.service_s + 1e-9)
    left = capacity - evidence.waiting - room(evidence, target) - 1
    assert arrivals(known(evidence)).sf(left) > RISK - 1e-9


@given(EVIDENCE, st.integers(1, 50))
def test_more_arrivals_leave_less_room(evidence: Evidence, more: int) -> None:
    busier = replace(evidence, arrivals=evidence.arrivals + more)
    assert room(busier) <= room(evidence)
    assert probability_quiet(known(busier), busier, 0.7) <= probability_quiet(known(evidence), evidence, 0.7)
    assert utilisation(known(busier), busier) >= utilisation(known(evidence), evidence)


@given(EVIDENCE, st.integers(1, 20))
def test_who_waits_takes_a_place(evidence: Evidence, more: int) -> None:
    assert room(replace(evidence, waiting=evidence.waiting + more)) == max(0, room(evidence) - more)


@given(EVIDENCE, st.floats(0.05, 1.0), st.floats(0.05, 1.0))
def test_a_higher_target_leaves_more_room(evidence: Evidence, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert room(evidence, low) <= room(evidence, high)
    assert probability_quiet(known(evidence), evidence, low) <= probability_quiet(known(evidence), evidence, high)


@given(EVIDENCE, st.floats(0.001, 0.5), st.floats(0.001, 0.5))
def test_more_risk_leaves_more_room(evidence: Evidence, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert room(evidence, risk=low) <= room(evidence, risk=high)
