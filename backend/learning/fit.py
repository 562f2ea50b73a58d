"""Baselines of stores and tastes of members, counted from purchases."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from stores.hours import hour_of_week


@dataclass(frozen=True, slots=True)
class Sold:
    """What learning needs of a purchase: where, when, by whom, and how many of which product."""

    store_id: str
    at: datetime
    member_id: str | None
    products: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Usual arrivals per hour by store and hour of the week (0 is Monday 00:00, local), and tastes by member."""

    baselines: dict[str, dict[int, float]]
    tastes: dict[str, dict[str, float]]


def fit(purchases: Iterable[Sold], zone_of: Callable[[str], ZoneInfo]) -> Fitted:
    """Count purchases.

    A baseline is the number of purchases in that hour of the week over the number of days the store sold anything at
    that hour. A taste is a product's share of what the member bought.
    """
    arrivals: dict[str, Counter[int]] = defaultdict(Counter)
    days: dict[tuple[str, int], set[date]] = defaultdict(set)
    bought: dict[str, Counter[str]] = defaultdict(Counter)
    for purchase in purchases:
        where = zone_of(purchase.store_id)
        hour = hour_of_week(purchase.at, where)
        arrivals[purchase.store_id][hour] += 1
        days[purchase.store_id, hour].add(purchase.at.astimezone(where).date())
        if purchase.member_id is not None:
            bought[purchase.member_id].update(dict(purchase.products))
    baselines = {
        store: {hour: count / len(days[store, hour]) for hour, count in sorted(hours.items())}
        for store, hours in sorted(arrivals.items())
    }
    return Fitted(baselines, {member: _shares(products) for member, products in sorted(bought.items())})


def _shares(products: Counter[str]) -> dict[str, float]:
    total = products.total()
    return {product: count / total for product, count in sorted(products.items())} if total else {}
