"""What the chain offers, in memory: stores, sensitive places, menus, running offers, the policy; of one version."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from backend.decision.facts import OfferFacts
from backend.decision.snapshot import Snapshot
from backend.service.chain_model import Campaign, Offer
from backend.service.ports import Chain, Clock
from stores.index import StoreIndex
from stores.model import Product, Store
from stores.sensitive import SensitiveIndex, SensitivePlace

CHECK_EVERY_S = 1.0
PATIENCE_S = 1.0
"""How long somebody waits for a view that another loads, when the one at hand is older than twice CHECK_EVERY_S."""


@dataclass(frozen=True)
class View:
    """One version of the chain. The ledger asks again what may have changed since."""

    version: int
    index: StoreIndex
    sensitive: SensitiveIndex
    menus: Mapping[str, tuple[Product, ...]]
    offers: tuple[tuple[Offer, Campaign], ...]
    paused: frozenset[str]
    snapshot: Snapshot

    def menu(self, store_id: str) -> dict[str, Product]:
        """What the store sells by product id: the chain's menu, with the store's own items before it."""
        items = {item.id: item for item in self.menus.get("", ())}
        return items | {item.id: item for item in self.menus.get(store_id, ())}

    def offer_facts(
        self, store_id: str, sold_out: frozenset[str], budgets: Mapping[str, int], now: datetime
    ) -> tuple[OfferFacts, ...]:
        """The offers of campaigns that run now, as this store could give them."""
        menu = self.menu(store_id)
        return tuple(
            _offer_facts(offer, campaign, menu.get(offer.product_id), sold_out, budgets)
            for offer, campaign in self.offers
            if campaign.runs(now)
        )


def _offer_facts(
    offer: Offer, campaign: Campaign, item: Product | None, sold_out: frozenset[str], budgets: Mapping[str, int]
) -> OfferFacts:
    sold = item is not None and item.id not in sold_out and item.currency == campaign.currency
    return OfferFacts(
        id=offer.id,
        campaign_id=campaign.id,
        product_id=offer.product_id,
        product_name=item.name if item else offer.product_id,
        price_minor=item.price_minor if item and sold else None,
        currency=campaign.currency,
        discount_kind=offer.discount_kind,
        discount_value=offer.discount_value,
        tiers=tuple(offer.tiers),
        title=offer.title,
        body=offer.body,
        budget_left_minor=budgets.get(campaign.id, 0),
        ends_at=campaign.ends_at,
        holdout=campaign.holdout,
    )


class Catalogue:
    """Keeps the newest view; looks for a newer version at most once a second.

    Nobody asks while nobody calls. So the first of many who come after a silence looks, and the others wait for it; in
    between they go on with what was good a second ago.
    """

    def __init__(self, chain: Chain, clock: Clock) -> None:
        self._chain = chain
        self._clock = clock
        self._lock = threading.Lock()
        self._checked_at = clock.real()
        self._view = self._load(None, chain.version())

    def view(self) -> View:
        """The view to decide with."""
        age_s = self._age_s()
        patience_s = PATIENCE_S if age_s >= 2.0 * CHECK_EVERY_S else 0.0
        if age_s >= CHECK_EVERY_S and self._lock.acquire(timeout=patience_s):
            try:
                if self._age_s() >= CHECK_EVERY_S:
                    self._refresh()
            finally:
                self._lock.release()
        return self._view

    def _age_s(self) -> float:
        return self._clock.real() - self._checked_at

    def refresh(self) -> None:
        """Take notice of a change that was made just now."""
        with self._lock:
            self._refresh()

    def _refresh(self) -> None:
        version = self._chain.version()
        if version != self._view.version:
            self._view = self._load(self._view, version)
        self._checked_at = self._clock.real()

    def _load(self, old: View | None, version: int) -> View:
        offers = {offer.id: offer for offer in self._chain.offers()}
        running = [campaign for campaign in self._chain.campaigns() if campaign.status == "active"]
        return View(
            version=version,
            index=_index(old.index if old else StoreIndex(), self._chain.stores()),
            sensitive=_sensitive(old.sensitive if old else SensitiveIndex(), self._chain.sensitive_places()),
            menus=self._chain.menu(),
            offers=tuple(
                (offers[key], campaign) for campaign in running for key in campaign.offer_ids if key in offers
            ),
            paused=self._chain.paused(),
            snapshot=self._chain.snapshot(),
        )


def _sensitive(index: SensitiveIndex, places: tuple[SensitivePlace, ...]) -> SensitiveIndex:
    return index if index.places == places else SensitiveIndex(places)


def _index(index: StoreIndex, stores: tuple[Store, ...]) -> StoreIndex:
    kept = {store.id for store in stores}
    put = [store for store in stores if index.get(store.id) != store]
    removed = [store.id for store in index.stores() if store.id not in kept]
    return index.changed(put, removed) if put or removed else index
