"""Stores, menus, offers, campaigns, pauses and policy in the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import sqlalchemy as sa

from backend.adapters.sql import budgets, rows
from backend.adapters.sql import tables as t
from backend.adapters.sql.audit import note
from backend.adapters.sql.database import Database, bump
from backend.adapters.sql.traffic import SqlTraffic
from backend.decision.snapshot import SNAPSHOT, Snapshot
from backend.service.budgets import COUNTERS, Booked
from backend.service.chain_model import Campaign, ImportCount, Offer
from backend.service.errors import Conflict, NotFound
from backend.service.staff import Actor, menu_item_id
from stores.model import Product, Store
from stores.sensitive import Category, SensitivePlace

_VERSION = sa.select(t.versions.c.number)

K = TypeVar("K")
V = TypeVar("V")


class SqlChain(SqlTraffic):
    """The chain port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> int:
        """Grows with every change."""
        with self._database.read() as connection:
            return int(connection.execute(_VERSION).scalar_one())

    def check(self) -> None:
        """Read, and write where the last write failed."""
        self.version()
        if self._database.write_failed:
            with self._database.write() as connection:
                bump(connection)  # SQLite writes nothing for a value that stays the same

    @contextmanager
    def _change(self) -> Iterator[sa.Connection]:
        """A transaction in which nobody else changes the catalogue: on PostgreSQL all who do lock its version first."""
        with self._database.write() as connection:
            connection.execute(_VERSION.with_for_update())
            yield connection

    def stores(self) -> tuple[Store, ...]:
        """All stores, by id."""
        with self._database.read() as connection:
            return tuple(rows.store(row) for row in connection.execute(t.stores.select().order_by(t.stores.c.id)))

    def put_stores(self, stores: Sequence[Store], by: Actor) -> ImportCount:
        """Add or replace stores in one transaction."""
        # By id, the order in which coupons that end lock stores too.
        wanted = {store.id: store for store in sorted(stores, key=lambda store: store.id)}
        with self._change() as connection:
            known = {row.id: rows.store(row) for row in connection.execute(t.stores.select())}
            changes = _changes(known, wanted)
            added = [rows.store_row(store) for _, old, store in changes if old is None]
            if added:
                connection.execute(t.stores.insert(), added)
            for _, old, store in changes:
                if old is not None:
                    _update(connection, t.stores, rows.store_row(store))
            note(connection, by, "store", changes)
            return _counted(connection, len(wanted), len(added), len(changes) - len(added))

    def change_store(self, store_id: str, change: Callable[[Store], Store], by: Actor) -> Store:
        """Replace a store by what `change` makes of it."""
        with self._change() as connection:
            row = _row(connection, t.stores, store_id)
            if row is None:
                raise NotFound("store_unknown", "there is no such store")
            old = rows.store(row)
            changed = replace(change(old), id=store_id)
            if changed != old:
                _update(connection, t.stores, rows.store_row(changed))
                note(connection, by, "store", [(store_id, old, changed)])
                bump(connection)
            return changed

    def sensitive_places(self) -> tuple[SensitivePlace, ...]:
        """All sensitive places, by id."""
        query = t.sensitive_places.select().order_by(t.sensitive_places.c.id)
        with self._database.read() as connection:
            return tuple(rows.sensitive_place(row) for row in connection.execute(query))

    def put_sensitive_places(self, places: Sequence[SensitivePlace], by: Actor) -> ImportCount:
        """Add or replace sensitive places in one transaction."""
        wanted = {place.id: place for place in places}
        with self._change() as connection:
            found = connection.execute(t.sensitive_places.select())
            known = {row.id: rows.sensitive_place(row) for row in found}
            changes = _changes(known, wanted)
            added = [rows.sensitive_row(place) for _, old, place in changes if old is None]
            if added:
                connection.execute(t.sensitive_places.insert(), added)
            for _, old, place in changes:
                if old is not None:
                    _update(connection, t.sensitive_places, rows.sensitive_row(place))
            note(connection, by, "sensitive place", changes)
            return _counted(connection, len(wanted), len(added), len(changes) - len(added))

    def drop_sensitive_places(self, category: Category, by: Actor) -> int:
        """Take out all sensitive places of a category."""
        with self._change() as connection:
            gone = t.sensitive_places.delete().where(t.sensitive_places.c.category == category)
            places = [rows.sensitive_place(row) for row in connection.execute(gone.returning(t.sensitive_places))]
            if places:
                note(connection, by, "sensitive place", [(place.id, place, None) for place in places])
                bump(connection)
            return len(places)

    def menu(self) -> Mapping[str, tuple[Product, ...]]:
        """Menus by store id."""
        menus: dict[str, list[Product]] = defaultdict(list)
        query = t.menu_items.select().order_by(t.menu_items.c.store_id, t.menu_items.c.product_id)
        with self._database.read() as connection:
            for row in connection.execute(query):
                menus[row.store_id].append(rows.menu_item(row))
        return {store_id: tuple(items) for store_id, items in menus.items()}

    def put_menu(self, menu: Mapping[str, Sequence[Product]], by: Actor) -> ImportCount:
        """Add or replace items of menus in one transaction."""
        with self._change() as connection:
            query = t.menu_items.select()
            known = {(row.store_id, row.product_id): rows.menu_item(row) for row in connection.execute(query)}
            wanted = {(store_id, item.id): item for store_id, items in menu.items() for item in items}
            changes = _changes(known, wanted)
            insert = self._database.insert(t.menu_items)
            values = {name: insert.excluded[name] for name in ("name", "price_minor", "currency")}
            upsert = insert.on_conflict_do_update(index_elements=["store_id", "product_id"], set_=values)
            if changes:
                connection.execute(upsert, [rows.menu_row(key[0], item) for key, _, item in changes])
            note(connection, by, "menu item", [(menu_item_id(*key), old, item) for key, old, item in changes])
            added = sum(old is None for _, old, _ in changes)
            return _counted(connection, len(wanted), added, len(changes) - added)

    def offers(self) -> tuple[Offer, ...]:
        """All offers, by id."""
        with self._database.read() as connection:
            return tuple(rows.offer(row) for row in connection.execute(t.offers.select().order_by(t.offers.c.id)))

    def put_offer(self, offer: Offer, by: Actor) -> bool:
        """Add or replace an offer; whether it is new."""
        with self._change() as connection:
            row = _row(connection, t.offers, offer.id)
            old = None if row is None else rows.offer(row)
            if old is None:
                connection.execute(t.offers.insert(), rows.offer_row(offer))
            elif old != offer:
                _update(connection, t.offers, rows.offer_row(offer))
            else:
                return False
            note(connection, by, "offer", [(offer.id, old, offer)])
            bump(connection)
            return old is None

    def campaigns(self) -> tuple[Campaign, ...]:
        """All campaigns, by id."""
        with self._database.read() as connection:
            query = t.campaigns.select().order_by(t.campaigns.c.id)
            return tuple(rows.campaign(row) for row in connection.execute(query))

    def add_campaign(self, campaign: Campaign, by: Actor) -> None:
        """Add a campaign."""
        with self._change() as connection:
            insert = self._database.insert(t.campaigns).values(rows.campaign_row(campaign))
            if connection.execute(insert.on_conflict_do_nothing()).rowcount != 1:
                raise Conflict("campaign_exists", "there is a campaign with this id already")
            note(connection, by, "campaign", [(campaign.id, None, replace(campaign, reserved_minor=0, spent_minor=0))])
            bump(connection)

    def change_campaign(self, campaign_id: str, change: Callable[[Campaign], Campaign], by: Actor) -> Campaign:
        """Replace a campaign by what `change` makes of it, but for its money on the move."""
        with self._change() as connection:
            # The ledger books on this row without asking for the version: it waits for the row.
            row = _row(connection, t.campaigns, campaign_id, lock=True)
            if row is None:
                raise NotFound("campaign_unknown", "there is no such campaign")
            old = rows.campaign(row)
            booked = {name: getattr(old, name) for name in ("id", *COUNTERS)}
            changed = replace(change(old), **booked)
            if changed != old:
                _update(connection, t.campaigns, rows.campaign_row(changed))
                note(connection, by, "campaign", [(campaign_id, old, changed)])
                bump(connection)
            return changed

    def booked(self, campaign_id: str) -> Mapping[str, Booked]:
        """What is reserved and spent of a campaign, by scope."""
        with self._database.read() as connection:
            return budgets.booked(connection, campaign_id)

    def pause(self, scope: str, by: Actor) -> None:
        """Stop a scope; one that is paused stays as it is."""
        with self._database.write() as connection:
            insert = self._database.insert(t.pauses).values(scope=scope, since=by.at)
            if connection.execute(insert.on_conflict_do_nothing()).rowcount:
                note(connection, by, "pause", [(scope, None, {"since": by.at})])
                bump(connection)

    def resume(self, scope: str, by: Actor) -> None:
        """Undo a pause."""
        with self._database.write() as connection:
            ended = t.pauses.delete().where(t.pauses.c.scope == scope).returning(t.pauses.c.since)
            since = connection.execute(ended).scalar_one_or_none()
            if since is not None:
                note(connection, by, "pause", [(scope, {"since": since}, None)])
                bump(connection)

    def paused(self) -> frozenset[str]:
        """The scopes that are paused."""
        with self._database.read() as connection:
            return frozenset(connection.execute(sa.select(t.pauses.c.scope)).scalars())

    def snapshot(self) -> Snapshot:
        """The newest policy."""
        with self._database.read() as connection:
            return _newest(connection)

    def publish(self, snapshot: Snapshot, by: Actor) -> None:
        """Publish a policy; two who publish the same version at once cannot both succeed."""
        with self._database.write() as connection:
            old = _newest(connection)
            if snapshot.version != old.version + 1:
                raise _outrun()
            body = SNAPSHOT.dump_json(snapshot).decode()
            values = {"version": snapshot.version, "hash": snapshot.hash, "body": body, "published_at": by.at}
            insert = self._database.insert(t.snapshots).values(values).on_conflict_do_nothing()
            if connection.execute(insert).rowcount != 1:
                raise _outrun()
            note(connection, by, "snapshot", [(str(snapshot.version), {"hash": old.hash}, {"hash": snapshot.hash})])
            bump(connection)


def _changes(known: Mapping[K, V], wanted: Mapping[K, V]) -> list[tuple[K, V | None, V]]:
    """What differs: each key, what stands there (None: nothing) and what is wanted there."""
    return [(key, known.get(key), value) for key, value in wanted.items() if known.get(key) != value]


def _row(connection: sa.Connection, table: sa.Table, key: str, lock: bool = False) -> rows.Row | None:
    query = table.select().where(table.c.id == key)
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def _update(connection: sa.Connection, table: sa.Table, values: dict[str, Any]) -> None:
    connection.execute(table.update().where(table.c.id == values["id"]).values(values))


def _newest(connection: sa.Connection) -> Snapshot:
    query = sa.select(t.snapshots.c.body).order_by(t.snapshots.c.version.desc()).limit(1)
    body = connection.execute(query).scalar()
    return SNAPSHOT.validate_json(body) if body else Snapshot()


def _outrun() -> Conflict:
    return Conflict("snapshot_version", "another policy was published meanwhile: fit again from that one")


def _counted(connection: sa.Connection, total: int, added: int, changed: int) -> ImportCount:
    if added or changed:
        bump(connection)
    return ImportCount(added, changed, total - added - changed)
