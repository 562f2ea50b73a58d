"""The live picture: every store's traffic, the newest coupons, and the books' totals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.service.catalogue import Catalogue
from backend.service.chain_model import Traffic
from backend.service.life import as_of
from backend.service.model import Coupon, Record, Totals
from backend.service.opportunity import evidence, store_hour
from backend.service.ports import Clock, Ports
from stores.hours import for_store
from stores.model import Store
from stores.utilisation import arrival_rate, utilisation

STORES = 1_000
COUPONS = 100


@dataclass(frozen=True, slots=True)
class StorePicture:
    """A store now; `utilisation` is None when too little is known."""

    store: Store
    open: bool | None
    utilisation: float | None
    traffic: Traffic | None


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything the console draws."""

    now: datetime
    stores: tuple[StorePicture, ...]
    coupons: tuple[Coupon, ...]
    totals: Totals
    paused: bool


class Live:
    """Looks at everything; for people, not for decisions."""

    def __init__(self, ports: Ports, clock: Clock, catalogue: Catalogue) -> None:
        self._ports = ports
        self._clock = clock
        self._catalogue = catalogue

    def picture(self) -> Picture:
        """The picture as of now; of a larger chain the first thousand stores."""
        now = self._clock.now()
        coupons = tuple(as_of(coupon, now) for coupon in self._ports.ledger.newest_coupons(COUPONS))
        stores = tuple(self._store(store, now) for store in self._catalogue.view().index.stores()[:STORES])
        paused = "*" in self._catalogue.view().paused
        return Picture(now, stores, coupons, self._ports.ledger.totals(now), paused)

    def decisions(self, before: str | None, limit: int) -> tuple[Record, ...]:
        """Decisions, newest first: why, and why not."""
        return self._ports.ledger.decisions(before, limit)

    def _store(self, store: Store, now: datetime) -> StorePicture:
        rules = self._catalogue.view().snapshot.rules
        since = now - timedelta(seconds=rules.observation_window_s)
        traffic = self._ports.chain.traffic(store.id, since, now, store_hour(store, now))
        hours = for_store(store)
        known = evidence(store, traffic) if traffic else None
        rate = arrival_rate(known, rules.prior_hours, rules.minimum_observed_s) if known else None
        busy = utilisation(rate, known) if rate and known else None
        return StorePicture(store, hours.is_open(now) if hours else None, busy, traffic)
