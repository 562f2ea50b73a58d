"""The members of the city: who they are, what they like, how fast they walk. All drawn from one seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

TIERS = (("green", 0.70), ("gold", 0.24), ("reserve", 0.06))
"""Tiers of the loyalty programme with the share of members in each."""


@dataclass(frozen=True, slots=True)
class Person:
    """One member. `tastes` gives each product a liking from 0 to 1; `walking_mps` is metres per second on foot."""

    index: int
    member_id: str
    uid: str
    registration: str
    platform: str
    tier: str
    time_zone: str
    locale: str
    weekly_maximum: int
    personalisation: bool
    measurement: bool
    walking_mps: float
    drives: bool
    tastes: Mapping[str, float]

    def likes(self, product_id: str) -> float:
        """Liking of a product, 0 to 1; 0.5 for one the person has never heard of."""
        return self.tastes.get(product_id, 0.5)


@dataclass(frozen=True, slots=True)
class Streams:
    """A person's own random streams, so that what one does never shifts what another draws."""

    movement: np.random.Generator
    phone: np.random.Generator
    response: np.random.Generator


def make_people(
    count: int, products: Sequence[str], time_zone: str, driver_share: float, seeds: np.random.SeedSequence
) -> list[tuple[Person, Streams]]:
    """`count` members, each drawn from a child of `seeds` of their own; the first n stay the same when count grows."""
    people = []
    for index, child in enumerate(seeds.spawn(count)):
        traits, *others = (np.random.default_rng(seed) for seed in child.spawn(4))
        people.append((_make_person(index, products, time_zone, driver_share, traits), Streams(*others)))
    return people


def _make_person(
    index: int, products: Sequence[str], time_zone: str, driver_share: float, rng: np.random.Generator
) -> Person:
    tier = TIERS[int(rng.choice(len(TIERS), p=[share for _, share in TIERS]))][0]
    likings = rng.beta(1.6, 1.2, len(products))
    return Person(
        index=index,
        member_id=f"member-{index:05d}",
        uid=f"uid-{index:05d}",
        registration=f"demo-{index:05d}-{rng.bytes(12).hex()}",
        platform="ios" if rng.random() < 0.45 else "android",
        tier=tier,
        time_zone=time_zone,
        locale="en",
        weekly_maximum=int(rng.integers(2, 6)),
        personalisation=bool(rng.random() < 0.9),
        measurement=bool(rng.random() < 0.95),
        # Walking speed of adults in the street: mean 1.34 m/s, sd 0.26 (Weidmann 1993), kept to a human range.
        walking_mps=float(np.clip(rng.normal(1.34, 0.26), 0.7, 2.1)),
        drives=bool(rng.random() < driver_share),
        tastes=dict(zip(products, (float(value) for value in likings), strict=True)),
    )
