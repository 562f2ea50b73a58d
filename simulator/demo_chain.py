"""The chain the demo plays: the bundled one, or stores from a file near a point."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from tzfpy import get_tz

from simulator.history import price_text
from simulator.places import HOURS_PER_WEEK
from stores.geometry import distance_m
from stores.importing import UnreadableFile, read_menu, read_stores
from stores.model import Area, Position, Product, Store

NEAR_M = 5_000.0
MOST_STORES = 60
FEWEST_STORES = 20
MADE_UP_HOURS = "Mo-Su 07:00-20:00"
MADE_UP_PROFILE = "downtown"


class WrongInput(Exception):
    """What the user gave cannot be used; the message says why in a sentence. Exit code 2."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Everything the demo loads into the backend. `notes` says what was made up; `store_file` is GeoJSON."""

    stores: tuple[Store, ...]
    products: tuple[Product, ...]
    store_file: bytes
    menu: bytes
    offers: tuple[dict[str, Any], ...]
    campaigns: tuple[dict[str, Any], ...]
    visits_per_hour: Mapping[str, Sequence[float]]
    notes: tuple[str, ...] = ()
    map: bytes | None = None
    """GeoJSON that the console draws behind the stores, if there is one for this chain."""


def bundled() -> Chain:
    """The chain that comes with the package, in `simulator/chain`."""
    stores = _stores(_read("stores.geojson"), "geojson", "the bundled chain")
    menu = _read("menu.csv")
    profiles = _profiles()
    kinds = {
        feature["properties"]["id"]: feature["properties"]
        for feature in json.loads(_read("stores.geojson"))["features"]
    }
    visits = {
        store.id: [share * kinds[store.id]["visits_per_week"] for share in profiles[kinds[store.id]["rhythm"]]]
        for store in stores
    }
    return Chain(
        stores, _products(menu), _read("stores.geojson"), menu, *_marketing(), visits, map=_read("city.geojson")
    )


def from_file(path: Path, near: Position, rng: np.random.Generator) -> Chain:
    """Up to `MOST_STORES` stores of a file within `NEAR_M` of a point, nearest first.

    Hours, zone, staff and service time that the file lacks are made up for this copy, and the menu is the bundled one.
    Raises WrongInput when the file cannot be read or has fewer than `FEWEST_STORES` stores there.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WrongInput(f"{path} cannot be read: {error.strerror}.") from None
    kind = "geojson" if path.suffix.lower() in (".geojson", ".json") else "csv"
    everything = _stores(data, kind, str(path))
    close = sorted((distance_m(store.position, near), store.id, store) for store in everything)
    found = [store for away, _, store in close if away <= NEAR_M][:MOST_STORES]
    if len(found) < FEWEST_STORES:
        raise WrongInput(
            f"{path} has {len(found)} stores within {NEAR_M / 1000:.0f} km of that point, and the demo needs at least "
            f"{FEWEST_STORES}: choose another point with --near."
        )
    stores, notes = _filled_in(found, rng)
    profile = _profiles()[MADE_UP_PROFILE]
    offers, campaigns = _marketing()
    # The bundled menu also has rows for single stores of the bundled chain; those stores are not here.
    products = _products(_read("menu.csv"))
    visits = {store.id: profile for store in stores}
    return Chain(stores, products, stores_geojson(stores), menu_csv(products), offers, campaigns, visits, notes)


def menu_csv(products: Sequence[Product]) -> bytes:
    """A menu that every store sells, as `lull menu import` reads it."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("store_id", "product_id", "name", "price", "currency"))
    writer.writerows(("", one.id, one.name, price_text(one), one.currency) for one in products)
    return text.getvalue().encode()


def stores_geojson(stores: Sequence[Store]) -> bytes:
    """Stores as `lull stores import` reads them (RFC 7946, longitude first)."""
    return json.dumps({"type": "FeatureCollection", "features": [_feature(store) for store in stores]}).encode()


def _feature(store: Store) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "id": store.id,
        "name": store.name,
        "opening_hours": store.hours,
        "time_zone": store.time_zone,
        "staff": store.staff,
        "service_s": store.service_s,
        "target_utilisation": store.target_utilisation,
    }
    if isinstance(store.fence, Area):
        geometry: dict[str, Any] = {"type": "MultiPolygon", "coordinates": store.fence.polygons}
    else:
        properties["radius_m"] = store.fence.radius_m
        geometry = {"type": "Point", "coordinates": [store.position.lng, store.position.lat]}
    return {"type": "Feature", "id": store.id, "properties": properties, "geometry": geometry}


def _filled_in(found: Sequence[Store], rng: np.random.Generator) -> tuple[tuple[Store, ...], tuple[str, ...]]:
    """Stores that can take part, with sentences on what was made up and for how many."""
    counts = {"opening hours": 0, "time zone": 0, "staff": 0, "service time": 0}
    stores = []
    # The same members visit however few stores there are: the fewer, the larger each is.
    size = max(1.0, MOST_STORES / len(found))
    for store in found:
        counts["opening hours"] += store.hours is None
        counts["time zone"] += store.time_zone is None
        counts["staff"] += store.staff is None
        counts["service time"] += store.service_s is None
        # Drawn whether used or not, so that one store's data never shifts another's.
        staff, service_s = round(size * int(rng.integers(3, 7))), float(rng.integers(60, 91))
        stores.append(
            replace(
                store,
                hours=store.hours or MADE_UP_HOURS,
                time_zone=store.time_zone or get_tz(store.position.lng, store.position.lat) or "UTC",
                staff=store.staff or staff,
                service_s=store.service_s or service_s,
            )
        )
    notes = [f"Made up for this run: {what} of {count} stores." for what, count in counts.items() if count]
    return tuple(stores), (*notes, "Made up for this run: menu, offers, campaigns, members and purchases.")


def _stores(data: bytes, kind: str, name: str) -> tuple[Store, ...]:
    try:
        return read_stores(data, kind).stores
    except (UnreadableFile, ValueError) as error:
        raise WrongInput(f"{name}: {error}.") from None


def _products(menu: bytes) -> tuple[Product, ...]:
    """What every store sells."""
    return tuple(row.product for row in read_menu(menu).items if row.store_id is None)


def _profiles() -> dict[str, list[float]]:
    profiles: dict[str, list[float]] = {}
    for row in csv.DictReader(StringIO(_read("rhythm.csv").decode())):
        profiles.setdefault(row["profile"], [0.0] * HOURS_PER_WEEK)[int(row["hour_of_week"])] = float(row["share"])
    return profiles


def _marketing() -> tuple[tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]]:
    return tuple(json.loads(_read("offers.json"))), tuple(json.loads(_read("campaigns.json")))


def _read(name: str) -> bytes:
    return resources.files("simulator").joinpath("chain", name).read_bytes()
