"""The chain in memory: stores, menus, offers, campaigns, pauses, the policy, and observations."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from backend.decision.snapshot import Snapshot
from backend.service.budgets import COUNTERS, Booked
from backend.service.chain_model import Campaign, ImportCount, Observation, Offer, Traffic
from backend.service.errors import Conflict, NotFound
from backend.service.staff import Actor, menu_item_id
from backend.service.traffic import SOLD_OUT_FOR, Standing, traffic_of
from backend.twins.world import World
from stores.model import Product, Store
from stores.sensitive import Category, SensitivePlace

T = TypeVar("T")

_LAST = "\U0010ffff"
_LATELY = ("arrivals", "queue_length", "staff")


class TwinChain:
    """The chain port."""

    def __init__(self, world: World) -> None:
        self._world = world

    def version(self) -> int:
        """A number that grows with every change of a store, menu, offer, campaign, pause or snapshot."""
        with self._world.lock:
            return self._world.version

    def check(self) -> None:
        """Memory can be read and written."""

    def stores(self) -> tuple[Store, ...]:
        """All stores, by id."""
        with self._world.lock:
            return tuple(self._world.stores[key] for key in sorted(self._world.stores))

    def put_stores(self, stores: Sequence[Store], by: Actor) -> ImportCount:
        """Add or replace stores, all or none."""
        with self._world.lock:
            return self._counted(self._put("store", self._world.stores, store.id, store, by) for store in stores)

    def sensitive_places(self) -> tuple[SensitivePlace, ...]:
        """All sensitive places, by id."""
        with self._world.lock:
            return tuple(self._world.sensitive[key] for key in sorted(self._world.sensitive))

    def put_sensitive_places(self, places: Sequence[SensitivePlace], by: Actor) -> ImportCount:
        """Add or replace sensitive places, all or none."""
        with self._world.lock:
            put = (self._put("sensitive place", self._world.sensitive, place.id, place, by) for place in places)
            return self._counted(put)

    def drop_sensitive_places(self, category: Category, by: Actor) -> int:
        """Take out all sensitive places of a category. How many these were."""
        with self._world.lock:
            gone = [key for key, place in self._world.sensitive.items() if place.category == category]
            for key in gone:
                self._world.note(by, "sensitive place", key, self._world.sensitive.pop(key), None)
            self._world.version += bool(gone)
            return len(gone)

    def menu(self) -> Mapping[str, tuple[Product, ...]]:
        """Menus by store id, items by product id; what stands under the empty id is sold in every store."""
        with self._world.lock:
            return {
                store_id: tuple(items[key] for key in sorted(items)) for store_id, items in self._world.menu.items()
            }

    def put_menu(self, menu: Mapping[str, Sequence[Product]], by: Actor) -> ImportCount:
        """Add or replace items of menus, all or none."""
        with self._world.lock:
            return self._counted(
                self._put("menu item", self._world.menu[store_id], item.id, item, by, menu_item_id(store_id, item.id))
                for store_id, items in menu.items()
                for item in items
            )

    def offers(self) -> tuple[Offer, ...]:
        """All offers, by id."""
        with self._world.lock:
            return tuple(self._world.offers[key] for key in sorted(self._world.offers))

    def change_store(self, store_id: str, change: Callable[[Store], Store], by: Actor) -> Store:
        """Replace a store by what `change` makes of it. Raises NotFound."""
        with self._world.lock:
            if store_id not in self._world.stores:
                raise NotFound("store_unknown", "there is no such store")
            changed = replace(change(self._world.stores[store_id]), id=store_id)
            self._counted(iter([self._put("store", self._world.stores, store_id, changed, by)]))
            return changed

    def put_offer(self, offer: Offer, by: Actor) -> bool:
        """Add or replace an offer; whether it is new."""
        with self._world.lock:
            put = self._put("offer", self._world.offers, offer.id, offer, by)
            return bool(self._counted(iter([put])).added)

    def campaigns(self) -> tuple[Campaign, ...]:
        """All campaigns with their budgets as they stand, by id."""
        with self._world.lock:
            return tuple(self._world.campaigns[key] for key in sorted(self._world.campaigns))

    def add_campaign(self, campaign: Campaign, by: Actor) -> None:
        """Add a campaign, with nothing reserved or spent. Raises Conflict when its id is taken."""
        with self._world.lock:
            if campaign.id in self._world.campaigns:
                raise Conflict("campaign_exists", "there is a campaign with this id already")
            added = replace(campaign, reserved_minor=0, reserved_count=0, spent_minor=0, spent_count=0)
            self._counted(iter([self._put("campaign", self._world.campaigns, campaign.id, added, by)]))

    def change_campaign(self, campaign_id: str, change: Callable[[Campaign], Campaign], by: Actor) -> Campaign:
        """Replace a campaign by what `change` makes of it, but for id, reserved and spent. Raises NotFound."""
        with self._world.lock:
            old = self._world.campaigns.get(campaign_id)
            if old is None:
                raise NotFound("campaign_unknown", "there is no such campaign")
            booked = {name: getattr(old, name) for name in ("id", *COUNTERS)}
            changed = replace(change(old), **booked)
            self._counted(iter([self._put("campaign", self._world.campaigns, campaign_id, changed, by)]))
            return changed

    def booked(self, campaign_id: str) -> Mapping[str, Booked]:
        """What is reserved and spent of a campaign, by scope."""
        with self._world.lock:
            return {scope: found for (owner, scope), found in self._world.budgets.items() if owner == campaign_id}

    def pause(self, scope: str, by: Actor) -> None:
        """Stop offers and pushes: of a store by id, or of everything with "*"."""
        with self._world.lock:
            if scope not in self._world.paused:
                self._world.paused[scope] = by.at
                self._world.note(by, "pause", scope, None, {"since": by.at})
                self._world.version += 1

    def resume(self, scope: str, by: Actor) -> None:
        """Undo a pause."""
        with self._world.lock:
            since = self._world.paused.pop(scope, None)
            if since is not None:
                self._world.note(by, "pause", scope, {"since": since}, None)
                self._world.version += 1

    def paused(self) -> frozenset[str]:
        """The scopes that are paused now."""
        with self._world.lock:
            return frozenset(self._world.paused)

    def snapshot(self) -> Snapshot:
        """The policy as published last; the default one when none was."""
        with self._world.lock:
            return self._world.snapshot

    def publish(self, snapshot: Snapshot, by: Actor) -> None:
        """Publish a policy. Raises Conflict when its version is not the next."""
        with self._world.lock:
            following = self._world.snapshot.version + 1
            if snapshot.version != following:
                raise Conflict("snapshot_version", f"the next snapshot has version {following}, not {snapshot.version}")
            before, after = {"hash": self._world.snapshot.hash}, {"hash": snapshot.hash}
            self._world.note(by, "snapshot", str(snapshot.version), before, after)
            self._world.snapshot = snapshot
            self._world.version += 1

    def observe(self, store_id: str, observations: Sequence[Observation]) -> None:
        """Keep what was measured; of two with the same source, kind, time and product the last."""
        with self._world.lock:
            for seen in observations:
                series = self._world.observations[store_id, seen.kind]
                key = seen.at, seen.product_id or "", seen.source
                if key not in series.values:
                    insort(series.moments, key)
                series.values[key] = seen

    def traffic(self, store_id: str, since: datetime, now: datetime, hour_of_week: int) -> Traffic | None:
        """What was measured after `since` and until `now`; None for a store that is not known."""
        with self._world.lock:
            store = self._world.stores.get(store_id)
            if store is None:
                return None
            standing = Standing(
                staff=store.staff,
                baseline_per_hour=self._world.baselines.get(store_id, {}).get(hour_of_week),
                outstanding=self._world.outstanding[store_id],
                paused=self._world.is_paused(store_id),
            )
            seen = [each for kind in _LATELY for each in self._seen(store_id, kind, since, now)]
            seen += self._seen(store_id, "sold_out", now - SOLD_OUT_FOR, now)
            return traffic_of(seen, standing, since, now)

    def set_baselines(self, per_hour: Mapping[str, Mapping[int, float]], by: Actor) -> None:
        """Replace the usual arrivals per hour, by store id and hour of the week."""
        with self._world.lock:
            self._world.baselines = {store_id: dict(hours) for store_id, hours in per_hour.items()}
            self._world.note(by, "baselines", "learn", None, {"stores": len(per_hour)})

    def _seen(self, store_id: str, kind: str, since: datetime, now: datetime) -> list[Observation]:
        """Observations after `since` and until `now`."""
        series = self._world.observations.get((store_id, kind))
        if series is None:
            return []
        first, last = (bisect_right(series.moments, (moment, _LAST, _LAST)) for moment in (since, now))
        return [series.values[key] for key in series.moments[first:last]]

    def _put(self, what: str, table: dict[str, T], key: str, value: T, by: Actor, object_id: str = "") -> str:
        """Add or replace; the audit log names it by its key, unless it has another name there."""
        known = table.get(key)
        table[key] = value
        if known != value:
            self._world.note(by, what, object_id or key, known, value)
        return "added" if known is None else "unchanged" if known == value else "changed"

    def _counted(self, results: Iterator[str]) -> ImportCount:
        found = list(results)
        count = ImportCount(*(found.count(what) for what in ("added", "changed", "unchanged")))
        self._world.version += bool(count.added or count.changed)
        return count
