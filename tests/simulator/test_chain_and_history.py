from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.service.importing import read_members, read_purchases
from simulator.cast import Options, lay_out
from simulator.demo_chain import MADE_UP_HOURS, bundled, from_file, menu_csv, stores_geojson
from simulator.history import members_csv, purchases_csv
from simulator.people import make_people
from simulator.scenario import Scenario
from stores.importing import read_menu, read_stores
from stores.model import Position
from tests.simulator.toy_city import SCENARIO, START, town


def test_the_bundled_chain_makes_a_town_with_quiet_and_busy_stores() -> None:
    cast = lay_out(Options(Scenario()))
    loads = [
        place.rate_per_s(cast.start) * place.service_s / place.staff
        for place in cast.town.places
        if place.is_open(cast.start)
    ]
    assert len(loads) >= 20
    assert min(loads) == pytest.approx(0.2, abs=0.05)
    assert max(loads) == pytest.approx(0.95, abs=0.05)
    assert {offer["product_id"] for offer in cast.chain.offers} <= {product.id for product in cast.chain.products}


def test_the_same_seed_draws_the_same_people_and_loads() -> None:
    one, other, third = (lay_out(Options(Scenario(seed=seed, phones=20))) for seed in (1, 1, 2))
    assert [person for person, _ in one.people] == [person for person, _ in other.people]
    assert one.town.places == other.town.places
    assert one.town.places != third.town.places


def test_stores_and_menu_survive_being_written_and_read() -> None:
    chain = bundled()
    again = read_stores(stores_geojson(chain.stores), "geojson")
    assert not again.problems
    assert [(one.id, one.hours, one.staff, one.service_s) for one in again.stores] == [
        (one.id, one.hours, one.staff, one.service_s) for one in chain.stores
    ]
    assert tuple(row.product for row in read_menu(menu_csv(chain.products)).items) == chain.products


def test_what_a_file_of_stores_lacks_is_made_up_and_said(tmp_path: Path) -> None:
    file = tmp_path / "stores.csv"
    rows = [f"s{number},Store {number},{60.17 + number / 1000},24.94" for number in range(25)]
    file.write_text("\n".join(["id,name,lat,lng", *rows, "far,Far away,61.0,24.94"]))
    chain = from_file(file, Position(60.17, 24.94), np.random.default_rng(1))
    assert len(chain.stores) == 25
    assert {store.time_zone for store in chain.stores} == {"Europe/Helsinki"}
    assert {store.hours for store in chain.stores} == {MADE_UP_HOURS}
    assert "Made up for this run: opening hours of 25 stores." in chain.notes
    assert min(store.staff or 0 for store in chain.stores) >= 7  # few stores are larger ones: the members are as many


def test_the_backend_reads_the_members_without_a_complaint() -> None:
    people = [person for person, _ in make_people(40, ["tea"], "Europe/Helsinki", 0.0, np.random.SeedSequence(1))]
    read = read_members(members_csv(people))
    assert not read.problems
    assert [row.member_id for row in read.members] == [person.member_id for person in people]
    assert all(row.consents["location_offers"] for row in read.members)


def test_purchases_follow_the_background_rate_in_the_hours_of_the_run() -> None:
    place_town = town()
    people = [person for person, _ in make_people(40, ["tea"], "Europe/Helsinki", 0.0, np.random.SeedSequence(1))]
    data = purchases_csv(SCENARIO, place_town, people, START, np.random.default_rng(3))
    read = read_purchases(data)
    assert not read.problems
    ages = [START - row.at.timestamp() for row in read.purchases]
    assert max(ages) <= 28 * 86_400.0
    assert {int(age // 3_600) % 168 for age in ages} == {167}
    for place in place_town.places:
        count = sum(row.store_id == place.store.id for row in read.purchases)
        mean = 4 * 3_600.0 * place.rate_per_s(START)
        assert count == pytest.approx(mean, abs=4 * mean**0.5)
    assert sum(row.member_id is not None for row in read.purchases) > 100
