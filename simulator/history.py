"""The chain's past as files for `lull members import` and `lull purchases import`: who they are, what they bought."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from io import StringIO
from math import ceil

import numpy as np

from simulator.people import Person
from simulator.phones import rfc3339
from simulator.places import Place, Town
from simulator.scenario import Scenario
from stores.model import Product
from stores.money import exponent

MEMBER_COLUMNS = (
    "member_id",
    "uid",
    "tier",
    "time_zone",
    "locale",
    "weekly_maximum",
    "location_offers",
    "personalisation",
    "measurement",
    "text_version",
)
PURCHASE_COLUMNS = ("store_id", "member_id", "at", "product_id", "quantity", "unit_price", "currency", "ticket")
TEXT_VERSION = "2026-01"
PURCHASES_PER_MEMBER = 8.0
"""Mean number of past purchases that carry a member's name."""
DAY_S = 86_400.0
HOUR_S = 3_600.0


def members_csv(people: Iterable[Person]) -> bytes:
    """The members; all of them agreed to location offers, most to the other purposes."""
    rows = (
        (
            one.member_id,
            one.uid,
            one.tier,
            one.time_zone,
            one.locale,
            one.weekly_maximum,
            "true",
            str(one.personalisation).lower(),
            str(one.measurement).lower(),
            TEXT_VERSION,
        )
        for one in people
    )
    return _table(MEMBER_COLUMNS, rows)


def purchases_csv(
    scenario: Scenario, town: Town, people: Sequence[Person], start: float, rng: np.random.Generator
) -> bytes:
    """Purchases of the weeks before `start` (seconds since 1970), in the hours of the week that the run covers.

    Their number in each hour is Poisson around the store's background rate, so the baseline fitted from them is that
    of the city's own customers. Some carry a member, whose tastes decide what was bought.
    """
    tickets = [
        (place, at)
        for place in town.places
        for at in _visits(place, start, scenario.minutes, scenario.history_days, rng)
    ]
    tickets.sort(key=lambda ticket: ticket[1])
    buyers = _buyers(len(tickets), people, rng)
    popularity = [float(share) for share in rng.dirichlet(np.full(len(town.products), 3.0))]
    rows = []
    for number, (place, at) in enumerate(tickets):
        person = buyers.get(number)
        weights = popularity if person is None else _weights(person, town.products)
        product = town.products[int(rng.choice(len(weights), p=weights))]
        rows.append(
            (
                place.store.id,
                "" if person is None else person.member_id,
                rfc3339(at),
                product.id,
                1 if rng.random() < 0.9 else 2,
                price_text(product),
                product.currency,
                f"t-{number:07d}",
            )
        )
    return _table(PURCHASE_COLUMNS, rows)


def price_text(product: Product) -> str:
    """The price in the currency's major unit, such as 3.40."""
    return str(Decimal(product.price_minor).scaleb(-exponent(product.currency)))


def _visits(place: Place, start: float, minutes: float, days: int, rng: np.random.Generator) -> Iterator[float]:
    """Moments of purchases in one store: on the run's weekday, in the full hours that the run touches."""
    first_hour = start - start % HOUR_S
    hours = max(1, ceil((start + minutes * 60.0 - first_hour) / HOUR_S))
    for week in range(1, days // 7 + 1):
        for hour in range(hours):
            begins = first_hour + hour * HOUR_S - week * 7 * DAY_S
            for at in begins + HOUR_S * np.sort(rng.random(rng.poisson(HOUR_S * place.rate_per_s(begins)))):
                yield float(at)


def _buyers(tickets: int, people: Sequence[Person], rng: np.random.Generator) -> dict[int, Person]:
    """Which purchase carries which member's name."""
    named = [person for person in people for _ in range(int(rng.poisson(PURCHASES_PER_MEMBER)))]
    chosen = rng.permutation(tickets)[: len(named)]
    return {int(number): person for number, person in zip(chosen, named, strict=False)}


def _weights(person: Person, products: Sequence[Product]) -> list[float]:
    weights = [person.likes(product.id) ** 2 + 1e-6 for product in products]
    return [weight / sum(weights) for weight in weights]


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()
