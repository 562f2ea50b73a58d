"""A store's traffic, from what several sources said of it: windows that overlap, words that differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, fsum

from backend.service.chain_model import Observation, Traffic

SOLD_OUT_FOR = timedelta(hours=24)
"""A product that was told to be sold out is taken to be so for this long, unless it is told to be back."""

_DIGITS = 6
"""Times are kept in microseconds; what is smaller is left over from reckoning with floats."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the books say of a store: staff and baseline (None is unknown), coupons outstanding, and a pause."""

    staff: int | None
    baseline_per_hour: float | None
    outstanding: int
    paused: bool


def traffic_of(seen: Iterable[Observation], standing: Standing, since: datetime, now: datetime) -> Traffic:
    """The traffic in (`since`, `now`], whatever the order of `seen`. In doubt the store is the busier one.

    `seen` are the observations dated within that span, and the sold-out items of the last `SOLD_OUT_FOR`. Arrivals are
    added up over all sources; the time observed is that of the union of their windows. A window that began before the
    span counts by its share, one longer than the span not at all. `waiting` adds up the newest word of each source,
    `staff` is the newest word of any.
    """
    by_kind: defaultdict[str, list[Observation]] = defaultdict(list)
    for each in seen:
        by_kind[each.kind].append(each)
    arrivals, observed_s = _arrivals(by_kind["arrivals"], since, (now - since).total_seconds())
    staff = min(by_kind["staff"], key=lambda each: (now - each.at, each.value), default=None)
    return Traffic(
        arrivals=arrivals,
        observed_s=observed_s,
        waiting=_waiting(by_kind["queue_length"]),
        staff=standing.staff if staff is None else round(staff.value),
        baseline_per_hour=standing.baseline_per_hour,
        sold_out=_sold_out(by_kind["sold_out"]),
        outstanding=standing.outstanding,
        paused=standing.paused,
    )


def _arrivals(seen: Iterable[Observation], since: datetime, span_s: float) -> tuple[int, float]:
    counts, windows = [], []
    for each in seen:
        window_s = each.window_s or 0.0
        if window_s > span_s:
            continue  # a day's customers say nothing of these minutes
        last = (each.at - since).total_seconds()
        counts.append(each.value * (last / window_s if last < window_s else 1.0))
        windows.append((max(0.0, last - window_s), last))
    return ceil(round(fsum(counts), _DIGITS)), _length(windows)


def _length(windows: list[tuple[float, float]]) -> float:
    """Seconds covered by at least one of the windows."""
    length = covered = 0.0
    for first, last in sorted(windows):
        if last > covered:
            length += last - max(first, covered)
            covered = last
    return round(length, _DIGITS)


def _waiting(seen: Iterable[Observation]) -> int | None:
    """The lines of all sources; that two of them may look at the same line is not known, so both count."""
    newest: dict[str, tuple[datetime, float]] = {}
    for each in seen:
        word = (each.at, each.value)
        if newest.get(each.source, word) <= word:
            newest[each.source] = word
    return round(sum(value for _, value in newest.values())) if newest else None


def _sold_out(seen: Iterable[Observation]) -> frozenset[str]:
    newest: dict[str | None, tuple[datetime, float]] = {}
    for each in seen:
        word = (each.at, each.value)
        if newest.get(each.product_id, word) <= word:
            newest[each.product_id] = word
    return frozenset(product for product, (_, value) in newest.items() if product and value >= 1)
