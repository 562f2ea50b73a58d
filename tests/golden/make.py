"""Writes the golden decisions anew: `python -m tests.golden.make`.

Only for when a decision is meant to change. Read the difference first: what it prints are the decisions by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any

from backend.decision.assignment import draw, opportunity_id
from backend.decision.decide import decide
from backend.decision.facts import Facts, MemberFacts, OfferFacts, PresenceFacts, QuietHours, StoreFacts
from backend.decision.result import Reason
from backend.decision.snapshot import Rules, Snapshot
from stores.utilisation import Evidence
from tests.golden.cases import Case, write

COUNT = 1_000
SEED = 20260602
KEY = b"golden"
LEAST = 10
"""Every reason occurs at least so often."""

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
PRODUCTS = {"cappuccino": "Cappuccino", "tea": "Tee, grün", "bun": "Korvapuusti", "cake": "Cake “of the day”"}
ZONES = ("Europe/Helsinki", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Chatham")
SNAPSHOTS = (
    Snapshot(),
    Snapshot(2, Rules(), ("enter",)),
    Snapshot(
        3, Rules(overload_risk=0.01, quiet_confidence=0.95, coupon_life_s=2700.0, cooldown_s=7200.0), ("dwell", "enter")
    ),
)


def one_offer(rng: Random, number: int) -> OfferFacts:
    """Some offer that may well be given."""
    product = rng.choice(list(PRODUCTS))
    percent = rng.random() < 0.6
    return OfferFacts(
        id=f"{product}-{number}",
        campaign_id=rng.choice(["autumn", "spring"]),
        product_id=product,
        product_name=PRODUCTS[product],
        price_minor=rng.choice([250, 399, 400, 1290]),
        currency="EUR",
        discount_kind="percent" if percent else "amount",
        discount_value=rng.choice([10, 25, 33, 100]) if percent else rng.choice([50, 100, 2000]),
        tiers=rng.choice([("green", "gold", "reserve"), ("green", "gold"), ("gold", "reserve", "green")]),
        title="{product} at {store}",
        body=rng.choice(
            ["{discount} off until {until}", "{price} instead, until {until}", "{store}: {unknown} {product}"]
        ),
        budget_left_minor=rng.choice([1_290, 10_000, 500_000]),
        ends_at=None,
        holdout=rng.choice([0.0, 0.0, 0.1, 0.5]),
    )


def one_opportunity(rng: Random, number: int, now: datetime) -> Facts:
    """Some opportunity with most gates open."""
    products = rng.sample(list(PRODUCTS), rng.randint(0, 3))
    member = MemberFacts(
        id=f"member-{number}",
        tier=rng.choice(["green", "gold"]),
        location_offers=True,
        reachable=True,
        time_zone=rng.choice(ZONES),
        quiet_hours=None,
        weekly_maximum=rng.choice([2, 3, 7]),
        muted=(),
        tastes={product: round(rng.random(), 6) for product in products},
        given_this_week=rng.choice([0, 0, 1]),
        last_given_at=rng.choice([None, now - timedelta(hours=rng.uniform(4.1, 200))]),
    )
    store = StoreFacts(
        id=f"store-{number}",
        name=rng.choice(["Kamppi", "Pasila", "Café Öster"]),
        paused=False,
        open=True,
        closes_at=rng.choice([None, now + timedelta(hours=rng.randint(1, 9))]),
        target_utilisation=rng.choice([0.6, 0.7, 0.85]),
        evidence=Evidence(
            arrivals=rng.randint(0, 5),
            observed_s=rng.choice([600.0, 1080.0, 1200.0]),
            baseline_per_hour=rng.choice([None, round(rng.uniform(0.0, 12.0), 3)]),
            waiting=rng.choice([0, 0, 1]),
            staff=rng.randint(2, 4),
            service_s=rng.choice([45.0, 62.5, 90.0]),
        ),
        outstanding=rng.choice([0, 0, 1, 2]),
    )
    return Facts(
        opportunity_id=opportunity_id(b"", member.id, store.id, now),
        clock_trusted=True,
        paused=False,
        presence=PresenceFacts(rng.choice(["enter", "enter", "dwell"]), True, 100 * rng.randint(0, 6)),
        member=member,
        store=store,
        offers=tuple(one_offer(rng, n) for n in range(rng.randint(1, 4))),
    )


Change = Callable[[Random, Facts, datetime], Facts]


def member(**values: Any) -> Change:
    """Changes what is known of the member; a value may be a function of the random numbers and the moment."""
    return lambda rng, facts, now: replace(facts, member=replace(facts.member, **_drawn(values, rng, now)))


def store(**values: Any) -> Change:
    """Changes what is known of the store."""
    return lambda rng, facts, now: replace(facts, store=replace(facts.store, **_drawn(values, rng, now)))


def presence(**values: Any) -> Change:
    """Changes the signal."""
    return lambda rng, facts, now: replace(facts, presence=replace(facts.presence, **_drawn(values, rng, now)))


def evidence(**values: Any) -> Change:
    """Changes what was observed, where something was."""
    return lambda rng, facts, now: (
        facts
        if facts.store.evidence is None
        else replace(
            facts, store=replace(facts.store, evidence=replace(facts.store.evidence, **_drawn(values, rng, now)))
        )
    )


def offers(**values: Any) -> Change:
    """Changes every offer."""
    return lambda rng, facts, now: replace(
        facts, offers=tuple(replace(offer, **_drawn(values, rng, now)) for offer in facts.offers)
    )


def some_offers(**values: Any) -> Change:
    """Changes the first offer only, so that others stay in the running."""
    return lambda rng, facts, now: replace(
        facts, offers=tuple(replace(o, **_drawn(values, rng, now)) if n == 0 else o for n, o in enumerate(facts.offers))
    )


def whole(**values: Any) -> Change:
    """Changes the opportunity itself."""
    return lambda rng, facts, now: replace(facts, **_drawn(values, rng, now))


def _drawn(values: dict[str, Any], rng: Random, now: datetime) -> dict[str, Any]:
    return {name: value(rng, now) if callable(value) else value for name, value in values.items()}


CHANGES: tuple[Change, ...] = (
    whole(clock_trusted=False),
    whole(paused=True),
    store(paused=True),
    presence(trigger="dwell"),
    presence(inside=False),
    presence(distance_m=lambda rng, _: 100 * rng.randint(8, 40)),
    member(location_offers=False),
    member(reachable=False),
    member(quiet_hours=QuietHours(time(22), time(7))),
    member(quiet_hours=QuietHours(time(6), time(23, 30))),
    member(quiet_hours=QuietHours(time(22), time(7)), time_zone=None),
    member(time_zone=None),
    member(given_this_week=lambda rng, _: rng.randint(1, 7)),
    member(last_given_at=lambda rng, now: now - timedelta(hours=rng.uniform(0.0, 4.2))),
    member(muted=tuple(PRODUCTS)),
    member(muted=("tea",)),
    member(tier="reserve"),
    store(open=None, closes_at=None),
    store(open=False, closes_at=None),
    store(closes_at=lambda rng, now: now + timedelta(minutes=rng.uniform(0.0, 40.0))),
    store(evidence=None),
    store(outstanding=lambda rng, _: rng.randint(4, 40)),
    evidence(observed_s=lambda rng, _: rng.choice([0.0, 120.0, 299.9, 300.0])),
    evidence(arrivals=lambda rng, _: rng.randint(10, 30)),
    evidence(arrivals=lambda rng, _: rng.randint(60, 200)),
    evidence(waiting=lambda rng, _: rng.randint(2, 30)),
    evidence(staff=lambda rng, _: rng.choice([0, 1])),
    whole(offers=()),
    offers(tiers=("platinum",)),
    some_offers(tiers=()),
    offers(price_minor=None),
    some_offers(price_minor=None),
    offers(budget_left_minor=lambda rng, _: rng.randint(0, 60)),
    some_offers(budget_left_minor=0),
    offers(ends_at=lambda rng, now: now + timedelta(minutes=rng.uniform(0.0, 40.0))),
    offers(holdout=1.0),
    offers(holdout=lambda rng, _: round(rng.random(), 3)),
)


def one_case(rng: Random, number: int) -> Case:
    """An opportunity with no, one or a few changes, under one of the policies."""
    now = MONDAY + timedelta(microseconds=rng.randrange(7 * 24 * 3600 * 10**6))
    facts = one_opportunity(rng, number, now)
    for change in rng.sample(CHANGES, rng.choice([0, 0, 1, 1, 1, 1, 2, 3])):
        facts = change(rng, facts, now)
    snapshot = rng.choice(SNAPSHOTS)
    chance = draw(KEY, facts.opportunity_id)
    return Case(facts, snapshot, now, chance, decide(facts, snapshot, now, chance))


def make() -> tuple[Case, ...]:
    """The thousand. Raises ValueError when a reason is too rare: add a change that leads to it."""
    rng = Random(SEED)
    cases = tuple(one_case(rng, number) for number in range(COUNT))
    counted = Counter(case.decision.reason for case in cases)
    rare = sorted(reason for reason in Reason if counted[reason] < LEAST)
    if rare:
        raise ValueError(f"too few golden decisions with the reasons {', '.join(rare)}: add changes that lead to them")
    return cases


if __name__ == "__main__":
    made = make()
    write(made)
    for reason, count in Counter(case.decision.reason.value for case in made).most_common():
        print(f"{count:5} {reason}")  # noqa: T201
