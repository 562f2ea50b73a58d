"""What is served while measuring: the bundled chain on a quiet afternoon, with members who may get a coupon."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time

from backend.adapters.sql import upgrade
from backend.emulator.running import RunningEmulator, running_emulator
from backend.service.chain_model import Campaign, Observation, Offer
from backend.service.imports import import_menu
from backend.service.model import PURPOSES, Consent, Device, Member, Registration
from backend.service.ports import Ports
from backend.service.services import services
from backend.service.staff import COMMAND_LINE, Actor
from backend.settings import Settings
from backend.twins import Unlimited
from backend.wiring import open_ports
from simulator.demo_chain import Chain, bundled
from stores.hours import for_store
from stores.importing import read_menu
from stores.index import StoreIndex
from stores.model import Circle, Position, Store

START = datetime(2026, 6, 2, 11, 0, tzinfo=UTC)
"""Tuesday 14:00 in Helsinki: stores are open and quiet."""
STAFF = 50_000
"""So many that no store runs out of room, however many coupons are issued."""
BUDGET_MINOR = 10**11
AWAY_M = 3_000.0
CLIENTS_MEMBERS = 400
"""Members who report from outside all fences, in turn."""
EVERY = timedelta(minutes=2)
LONGEST = timedelta(hours=1)
"""The tills' observations reach so far ahead of the start; what lies ahead is not read yet."""


@dataclass(frozen=True, slots=True)
class World:
    """All that requests need. `entering` have not been seen yet; each can get one coupon."""

    settings: Settings
    outside: Position
    inside: tuple[Position, ...]
    reporting: tuple[str, ...]
    entering: tuple[str, ...]

    def environment(self) -> dict[str, str]:
        """The settings as the server's process reads them."""
        given = self.settings.model_dump(exclude_none=True)
        return {f"LULL_{name.upper()}": str(value) for name, value in given.items()}

    def domain_now(self) -> datetime:
        """The time of the server's clock."""
        real, domain, rate = self.settings.need_clock() or (0.0, 0.0, 1.0)
        return datetime.fromtimestamp(domain + (time() - real) * rate, UTC)


class _Trusting:
    """Takes a uid for an ID token, so that thousands sign in at once; one member signs in over HTTP as phones do."""

    def uid(self, id_token: str) -> str:
        return id_token


@contextmanager
def open_world(folder: Path, database_url: str | None, entering: int) -> Iterator[tuple[World, RunningEmulator]]:
    """A filled database and a running emulator. Raises ValueError when the database given has members already."""
    with running_emulator(folder / "credentials.json") as emulator:
        settings = Settings(
            database_url=database_url or f"sqlite:///{folder / 'lull.db'}",
            secret=secrets.token_urlsafe(32),
            credentials=folder / "credentials.json",
            emulator_url=emulator.address,
            clock=f"{time()},{START.timestamp()},1",
            limits="off",
        )
        upgrade(settings.database_url)
        with open_ports(settings) as (ports, clock):
            if ports.chain.stores():
                raise ValueError("the database has stores already: give an empty one, it will be filled")
            by = Actor(COMMAND_LINE, clock.now())
            stores = _fill_chain(ports, bundled(), by)
            ids = [f"m{number:06d}" for number in range(CLIENTS_MEMBERS + entering)]
            _fill_members(ports, ids, by)
            trusting = replace(ports, identity=_Trusting())  # type: ignore[arg-type]
            sessions = services(trusting, clock, settings.need_secret(), Unlimited()).sessions
            tokens = [sessions.open(each).token for each in ids]
        index = StoreIndex(stores)
        inside = tuple(_inside(index))
        reporting, fresh = tuple(tokens[:CLIENTS_MEMBERS]), tuple(tokens[CLIENTS_MEMBERS:])
        yield World(settings, _outside(index), inside, reporting, fresh), emulator


def _fill_chain(ports: Ports, chain: Chain, by: Actor) -> Sequence[Store]:
    stores = [replace(store, staff=STAFF) for store in chain.stores]
    ports.chain.put_stores(stores, by)
    import_menu(ports, read_menu(chain.menu).items, by)
    for each in chain.offers:
        kept = {name: each[name] for name in ("id", "name", "product_id", "title", "body")}
        discount = each["discount"]
        offer = Offer(**kept, **{f"discount_{key}": discount[key] for key in discount}, tiers=tuple(each["tiers"]))
        ports.chain.put_offer(offer, by)
    for each in chain.campaigns:
        kept = {name: each[name] for name in ("id", "name", "currency")}
        offers = tuple(each["offer_ids"])
        # Nobody is held out: every member who enters a fence is to get a coupon.
        campaign = Campaign(**kept, status="active", offer_ids=offers, budget_minor=BUDGET_MINOR)
        ports.chain.add_campaign(campaign, by)
    hours = {store.id: dict.fromkeys(range(168), 20.0) for store in stores}
    ports.chain.set_baselines(hours, by)
    for store in stores:
        ports.chain.observe(store.id, _observations())
    return stores


def _observations() -> Sequence[Observation]:
    """What a till reports every two minutes, from 20 minutes before the start."""
    first, last = START - timedelta(minutes=20), START + LONGEST
    moments = [first + number * EVERY for number in range((last - first) // EVERY)]
    arrivals = [Observation("arrivals", at, 1.0, EVERY.total_seconds()) for at in moments]
    return [*arrivals, *(Observation("queue_length", at, 0.0) for at in moments)]


def _fill_members(ports: Ports, ids: Sequence[str], by: Actor) -> None:
    consents = tuple(Consent(purpose, True, "2026-01", "app", START) for purpose in PURPOSES)
    members = [Member(each, each, "gold", time_zone="Europe/Helsinki") for each in ids]
    ports.members.add(((member, consents) for member in members), by)
    for each in ids:
        device = Device(Registration("fid", f"fid-{each}"), "ios", "en", "Europe/Helsinki")
        ports.members.set_device(each, device)
    ports.members.set_tastes({each: {"cappuccino": 0.5, "cinnamon_bun": 0.3, "tea": 0.2} for each in ids}, by)


def _inside(index: StoreIndex) -> Iterator[Position]:
    """Where a member is deep inside the fence of one open store, and of no other."""
    for store in index.stores():
        hours = for_store(store)
        closes_at = hours.closes_at(START) if hours and hours.is_open(START) else None
        alone = isinstance(store.fence, Circle) and len(index.hits(store.position)) == 1
        if alone and closes_at is not None and closes_at - START > timedelta(hours=2):
            yield store.position


def _outside(index: StoreIndex) -> Position:
    """A place to the north of all stores, 3 km from the nearest fence."""
    highest = max((store.position for store in index.stores()), key=lambda position: position.lat)
    lat = highest.lat
    while index.nearest(Position(lat, highest.lng), 1, 20_000.0)[0].outside_m < AWAY_M:
        lat += 0.0005
    return Position(lat, highest.lng)
