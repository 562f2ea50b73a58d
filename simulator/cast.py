"""What the user asked the demo for, and who takes part: chain, town and people, all drawn from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simulator.demo_chain import Chain, bundled, from_file
from simulator.people import Person, Streams, make_people
from simulator.places import Town, make_town
from simulator.scenario import Scenario
from stores.model import Position


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    scenario: Scenario
    stores: Path | None = None
    near: Position | None = None
    summary: Path | None = None
    exit_when_done: bool = False
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class Cast:
    """Who and what takes part, drawn from the seed; `start` in seconds since 1970 on the domain clock."""

    chain: Chain
    town: Town
    people: list[tuple[Person, Streams]]
    start: float
    history_seed: np.random.SeedSequence
    stores_seed: np.random.SeedSequence


def lay_out(options: Options) -> Cast:
    """Draw chain, town and people from the scenario's seed. Raises WrongInput."""
    scenario = options.scenario
    seeds = np.random.SeedSequence(scenario.seed).spawn(4)
    rng = np.random.default_rng(seeds[0])
    chain = (
        bundled() if options.stores is None or options.near is None else from_file(options.stores, options.near, rng)
    )
    zones = [store.time_zone or "UTC" for store in chain.stores]
    start = scenario.start_epoch_s(max(sorted(set(zones)), key=zones.count))
    town = make_town(chain.stores, chain.products, chain.visits_per_hour, start, scenario.utilisation_range, rng)
    products = [product.id for product in chain.products]
    people = make_people(scenario.phones, products, town.time_zone, scenario.driver_share, seeds[1])
    return Cast(chain, town, people, start, history_seed=seeds[2], stores_seed=seeds[3])
