"""Baselines and tastes, counted from purchases."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from backend.learning.fit import Fitted, Sold, fit

UTC_ZONE = ZoneInfo("UTC")


def sold(at: str, store: str = "kamppi", member: str | None = None, **products: int) -> Sold:
    """A purchase at an ISO time in UTC."""
    return Sold(store, datetime.fromisoformat(at).replace(tzinfo=UTC), member, tuple(products.items()))


def test_nothing_sold_is_nothing_known() -> None:
    assert fit([], lambda _: UTC_ZONE) == Fitted({}, {})


def test_a_baseline_is_per_day_that_sold_anything_at_that_hour() -> None:
    two_mondays = [sold("2026-06-01T09:10"), sold("2026-06-01T09:50"), sold("2026-06-08T09:00")]
    assert fit(two_mondays, lambda _: UTC_ZONE).baselines == {"kamppi": {9: 1.5}}


def test_hours_are_local() -> None:
    late = [sold("2026-06-01T22:30")]
    assert fit(late, lambda _: ZoneInfo("Europe/Helsinki")).baselines == {"kamppi": {25: 1.0}}


def test_tastes_are_shares_of_pieces() -> None:
    bought = [sold("2026-06-01T09:00", member="aino", tea=1), sold("2026-06-02T09:00", member="aino", tea=1, bun=2)]
    assert fit(bought, lambda _: UTC_ZONE).tastes == {"aino": {"bun": 0.5, "tea": 0.5}}
