"""How busy a store is and how many visits it can still take, from what was observed and what is usual.

Customers arrive at an unknown rate. A gamma prior from the hour-of-week baseline and the Poisson counts observed lately
give a gamma posterior for that rate, and a negative binomial forecast of the arrivals to come (Gelman et al., Bayesian
Data Analysis, 3rd ed., 2.6). Real counts vary more than Poisson ones; the wide prior and the uncertain rate allow for
that.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, sqrt

from scipy.special import betainc, gammainc

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one store's traffic now.

    `arrivals` customers came in the `observed_s` seconds that observations cover; usually `baseline_per_hour` come in
    this hour of the week (None: not known). `waiting` are in line and not yet served, `staff` serve at once, each
    customer keeping one of them `service_s` seconds on average.
    """

    arrivals: int
    observed_s: float
    baseline_per_hour: float | None
    waiting: int
    staff: int
    service_s: float


@dataclass(frozen=True, slots=True)
class ArrivalRate:
    """Gamma posterior of the arrival rate: `shape`, and `hours` as its rate parameter, so the mean is shape / hours."""

    shape: float
    hours: float

    @property
    def per_hour(self) -> float:
        """Mean arrivals per hour."""
        return self.shape / self.hours

    def probability_below(self, per_hour: float) -> float:
        """P(rate < `per_hour`)."""
        return float(gammainc(self.shape, self.hours * per_hour))

    def arrivals_at_most(self, count: int, window_s: float) -> float:
        """P(at most `count` arrivals in the next `window_s` seconds): a negative binomial distribution."""
        if count < 0:
            return 0.0
        share = self.hours / (self.hours + window_s / HOUR_S)
        return float(betainc(self.shape, count + 1.0, share))

    def arrivals_quantile(self, probability: float, window_s: float) -> int:
        """The smallest count that arrivals in `window_s` seconds stay within with at least `probability`."""
        mean = self.per_hour * window_s / HOUR_S
        spread = sqrt(mean * (1.0 + window_s / HOUR_S / self.hours)) + 1.0
        low, high = -1, int(mean + 4.0 * spread)
        while self.arrivals_at_most(high, window_s) < probability:
            low, high = high, 2 * high + 1
        while high - low > 1:
            middle = (low + high) // 2
            if self.arrivals_at_most(middle, window_s) < probability:
                low = middle
            else:
                high = middle
        return high


def arrival_rate(evidence: Evidence, prior_hours: float, minimum_observed_s: float) -> ArrivalRate | None:
    """The arrival rate as far as it is known; None when too little was observed.

    The baseline counts like `prior_hours` hours of observation. Without a baseline only the observations speak
    (Jeffreys prior, shape 1/2). Fewer than `minimum_observed_s` observed seconds are too little in either case: a
    store whose tills have fallen silent is not a quiet one.
    """
    if evidence.observed_s <= 0.0 or evidence.observed_s < minimum_observed_s:
        return None
    hours = evidence.observed_s / HOUR_S
    if evidence.baseline_per_hour is None:
        return ArrivalRate(shape=0.5 + evidence.arrivals, hours=hours)
    prior = max(0.5, evidence.baseline_per_hour * prior_hours)
    return ArrivalRate(shape=prior + evidence.arrivals, hours=prior_hours + hours)


def utilisation(rate: ArrivalRate, evidence: Evidence) -> float:
    """Expected share of service capacity in use, 0 to 1 (offered load per server, capped)."""
    return min(1.0, rate.per_hour / HOUR_S * evidence.service_s / evidence.staff)


def probability_quiet(rate: ArrivalRate, evidence: Evidence, target: float) -> float:
    """P(utilisation < `target`)."""
    return rate.probability_below(target * evidence.staff / evidence.service_s * HOUR_S)


def spare_capacity(rate: ArrivalRate, evidence: Evidence, target: float, window_s: float, risk: float) -> int:
    """Visits that may be on their way so that P(load over `window_s` seconds > `target`) stays at or under `risk`.

    Load is the work of those who wait, of the arrivals forecast and of the visits on their way, as a share of what
    the staff can serve in the window. Every coupon outstanding counts as one visit within the window.
    """
    capacity = floor(target * evidence.staff * window_s / evidence.service_s + 1e-9)
    return max(0, capacity - evidence.waiting - rate.arrivals_quantile(1.0 - risk, window_s))
