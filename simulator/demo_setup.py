"""Fills a fresh database for the demo through the imports that everyone else uses, and starts the campaigns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from backend.service.importing import read_members, read_purchases
from backend.service.imports import import_members, import_menu, import_purchases
from backend.service.learn import learn
from backend.service.ports import Ports
from backend.service.staff import COMMAND_LINE, Actor, NewKey
from simulator.demo_chain import Chain
from simulator.history import members_csv, purchases_csv
from simulator.http import Http
from simulator.people import Person
from simulator.places import Town
from simulator.processes import DemoError
from simulator.scenario import Scenario
from stores.importing import RowProblem, read_menu, read_stores


@dataclass(frozen=True, slots=True)
class Keys:
    """The API keys the demo made for itself."""

    till: str
    marketer: str


def prepare(
    ports: Ports,
    chain: Chain,
    scenario: Scenario,
    town: Town,
    people: Sequence[Person],
    start: float,
    rng: np.random.Generator,
    say: Callable[[str], None],
) -> Keys:
    """Import stores, menu, members and purchases, learn from them, and make keys.

    The files are the ones that `lull stores import` and its sisters read. Raises DemoError when a row is refused.
    """
    say(f"Importing {len(chain.stores)} stores and their menu")
    stores = read_stores(chain.store_file, "geojson")
    _all_good("stores", stores.problems)
    by = Actor(COMMAND_LINE, datetime.fromtimestamp(start, UTC))
    ports.chain.put_stores(stores.stores, by)
    menu = read_menu(chain.menu)
    _all_good("menu", (*menu.problems, *import_menu(ports, menu.items, by).problems))
    say(f"Importing {len(people)} members and the purchases of {scenario.history_days} days")
    members = read_members(members_csv(people))
    joined = import_members(ports, members.members, by)
    _all_good("members", (*members.problems, *joined.problems))
    sales = read_purchases(purchases_csv(scenario, town, people, start, rng))
    _all_good("purchases", (*sales.problems, *import_purchases(ports, sales.purchases, by).problems))
    say("Learning from the purchases")
    learn(ports, by)
    return Keys(
        till=ports.identity.create_key(NewKey("till"), by)[1],
        marketer=ports.identity.create_key(NewKey("marketer"), by)[1],
    )


def start_campaigns(api: Http, chain: Chain, marketer_key: str) -> None:
    """Post the chain's offers and campaigns as they stand in their files. Raises BackendError."""
    for offer in chain.offers:
        api.call("POST", "/v1/offers", offer, what="post offer", bearer=marketer_key)
    for campaign in chain.campaigns:
        api.call("POST", "/v1/campaigns", campaign, what="post campaign", bearer=marketer_key)


def _all_good(name: str, problems: Sequence[RowProblem]) -> None:
    if problems:
        first = problems[0]
        raise DemoError(f"The demo's {name} cannot be imported: row {first.row}: {first.field} {first.reason}.")
