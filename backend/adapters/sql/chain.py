"""Stores, menus, offers, campaigns, pauses and policy in the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from backend.adapters.sql import rows
from backend.adapters.sql import tables as t
from backend.adapters.sql.database import Database, bump
from backend.adapters.sql.traffic import SqlTraffic
from backend.decision.snapshot import SNAPSHOT, Snapshot
from backend.service.errors import Conflict
from backend.service.model import Campaign, Offer
from backend.service.ports import ImportCount
from stores.model import Product, Store


class SqlChain(SqlTraffic):
    """The chain port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> int:
        """Grows with every change."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(t.versions.c.number)).scalar_one())

    def stores(self) -> tuple[Store, ...]:
        """All stores, by id."""
        with self._database.read() as connection:
            return tuple(rows.store(row) for row in connection.execute(t.stores.select().order_by(t.stores.c.id)))

    def put_stores(self, stores: Sequence[Store]) -> ImportCount:
        """Add or replace stores in one transaction."""
        wanted = {store.id: store for store in stores}
        with self._database.write() as connection:
            known = {row.id: rows.store(row) for row in connection.execute(t.stores.select())}
            added = [rows.store_row(store) for store in wanted.values() if store.id not in known]
            changed = [store for store in wanted.values() if store.id in known and known[store.id] != store]
            if added:
                connection.execute(t.stores.insert(), added)
            for store in changed:
                connection.execute(t.stores.update().where(t.stores.c.id == store.id).values(rows.store_row(store)))
            return _counted(connection, len(wanted), len(added), len(changed))

    def menu(self) -> Mapping[str, tuple[Product, ...]]:
        """Menus by store id."""
        menus: dict[str, list[Product]] = defaultdict(list)
        query = t.menu_items.select().order_by(t.menu_items.c.store_id, t.menu_items.c.product_id)
        with self._database.read() as connection:
            for row in connection.execute(query):
                menus[row.store_id].append(rows.menu_item(row))
        return {store_id: tuple(items) for store_id, items in menus.items()}

    def put_menu(self, menu: Mapping[str, Sequence[Product]]) -> ImportCount:
        """Add or replace items of menus in one transaction."""
        with self._database.write() as connection:
            query = t.menu_items.select()
            known = {(row.store_id, row.product_id): rows.menu_item(row) for row in connection.execute(query)}
            wanted = {(store_id, item.id): item for store_id, items in menu.items() for item in items}
            added = [key for key in wanted if key not in known]
            changed = [key for key in wanted if key in known and known[key] != wanted[key]]
            insert = self._database.insert(t.menu_items)
            values = {name: insert.excluded[name] for name in ("name", "price_minor", "currency")}
            upsert = insert.on_conflict_do_update(index_elements=["store_id", "product_id"], set_=values)
            if added or changed:
                columns = [rows.menu_row(key[0], wanted[key]) for key in (*added, *changed)]
                connection.execute(upsert, columns)
            return _counted(connection, len(wanted), len(added), len(changed))

    def offers(self) -> tuple[Offer, ...]:
        """All offers, by id."""
        with self._database.read() as connection:
            return tuple(rows.offer(row) for row in connection.execute(t.offers.select().order_by(t.offers.c.id)))

    def put_offer(self, offer: Offer) -> None:
        """Add or replace an offer."""
        with self._database.write() as connection:
            row = connection.execute(t.offers.select().where(t.offers.c.id == offer.id)).one_or_none()
            if row is None or rows.offer(row) != offer:
                self._put(connection, t.offers, {**asdict(offer), "tiers": list(offer.tiers)})

    def campaigns(self) -> tuple[Campaign, ...]:
        """All campaigns, by id."""
        with self._database.read() as connection:
            query = t.campaigns.select().order_by(t.campaigns.c.id)
            return tuple(rows.campaign(row) for row in connection.execute(query))

    def put_campaign(self, campaign: Campaign) -> None:
        """Add a campaign or replace all but its money on the move."""
        values = {**asdict(campaign), "offer_ids": list(campaign.offer_ids)}
        for booked in ("reserved_minor", "spent_minor"):
            del values[booked]
        with self._database.write() as connection:
            row = connection.execute(t.campaigns.select().where(t.campaigns.c.id == campaign.id)).one_or_none()
            if row is None or any(getattr(row, name) != value for name, value in values.items()):
                self._put(connection, t.campaigns, values)

    def _put(self, connection: sa.Connection, table: sa.Table, values: dict[str, Any]) -> None:
        insert = self._database.insert(table).values(values)
        connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values))
        bump(connection)

    def pause(self, scope: str, now: datetime) -> None:
        """Stop a scope; one that is paused stays as it is."""
        with self._database.write() as connection:
            insert = self._database.insert(t.pauses).values(scope=scope, since=now)
            if connection.execute(insert.on_conflict_do_nothing()).rowcount:
                bump(connection)

    def resume(self, scope: str) -> None:
        """Undo a pause."""
        with self._database.write() as connection:
            if connection.execute(t.pauses.delete().where(t.pauses.c.scope == scope)).rowcount:
                bump(connection)

    def paused(self) -> frozenset[str]:
        """The scopes that are paused."""
        with self._database.read() as connection:
            return frozenset(connection.execute(sa.select(t.pauses.c.scope)).scalars())

    def snapshot(self) -> Snapshot:
        """The newest policy."""
        with self._database.read() as connection:
            return _newest(connection)

    def publish(self, snapshot: Snapshot, now: datetime) -> None:
        """Publish a policy; two who publish the same version at once cannot both succeed."""
        with self._database.write() as connection:
            if snapshot.version != _newest(connection).version + 1:
                raise _outrun()
            body = SNAPSHOT.dump_json(snapshot).decode()
            values = {"version": snapshot.version, "hash": snapshot.hash, "body": body, "published_at": now}
            insert = self._database.insert(t.snapshots).values(values).on_conflict_do_nothing()
            if connection.execute(insert).rowcount != 1:
                raise _outrun()
            bump(connection)


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
