"""The live picture as the console's page reads it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from pydantic_core import to_json

from backend.service.live import Picture, StorePicture
from backend.service.model import LIVE_STATES, Coupon, Totals
from backend.service.services import Services
from stores.model import Circle

KEPT_S = 0.5
"""For so long everyone who looks gets the same picture: it costs a look at every store."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LiveJson:
    """Makes the live picture, at most twice a second however many look."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._started_at = services.clock.now()
        self._lock = Lock()
        self._made_at = float("-inf")
        self._text = b""

    def text(self) -> bytes:
        """The picture as JSON."""
        with self._lock:
            now = self._services.clock.real()
            if not 0.0 <= now - self._made_at < KEPT_S:
                self._text = to_json(picture(self._services.live.picture(), self._started_at))
                self._made_at = now
            return self._text


def picture(live: Picture, started_at: datetime) -> dict[str, Any]:
    """The whole picture; `seq` orders coupons by when they were issued."""
    zones = Counter(each.store.time_zone for each in live.stores if each.store.time_zone)
    return {
        "now": live.now,
        "started_at": started_at,
        "time_zone": zones.most_common(1)[0][0] if zones else "UTC",
        "seq": max((sequence(coupon) for coupon in live.coupons), default=0),
        "paused": live.paused,
        "stores": [_store(each, live.paused) for each in live.stores],
        "coupons": [_coupon(coupon) for coupon in live.coupons],
        "totals": _totals(live.totals),
    }


def sequence(coupon: Coupon) -> int:
    """Microseconds from 1970 to the coupon's issue: grows with every coupon, in every process alike."""
    return (coupon.issued_at - _EPOCH) // timedelta(microseconds=1)


def _store(seen: StorePicture, all_paused: bool) -> dict[str, Any]:
    store, traffic = seen.store, seen.traffic
    shown: dict[str, Any] = {
        "id": store.id,
        "name": store.name,
        "lat": store.position.lat,
        "lng": store.position.lng,
        "radius_m": store.fence.radius_m if isinstance(store.fence, Circle) else None,
        "open": seen.open,
        "paused": traffic.paused if traffic else all_paused,
        "utilisation": None if seen.utilisation is None else round(seen.utilisation, 3),
        "target": store.target_utilisation,
        "queue_length": traffic.waiting if traffic else None,
        "outstanding": traffic.outstanding if traffic else 0,
        "staff": traffic.staff if traffic else store.staff,
    }
    if not isinstance(store.fence, Circle):
        shown["fence"] = {"type": "MultiPolygon", "coordinates": store.fence.polygons}
    return shown


def _coupon(coupon: Coupon) -> dict[str, Any]:
    """A coupon without its member."""
    return {
        "seq": sequence(coupon),
        "id": coupon.id,
        "store_id": coupon.store_id,
        "product_name": coupon.product_name,
        "discount_minor": coupon.discount_minor,
        "currency": coupon.currency,
        "title": coupon.title,
        "issued_at": coupon.issued_at,
        "expires_at": coupon.expires_at,
        "state": coupon.state,
    }


def _totals(totals: Totals) -> dict[str, Any]:
    decisions = dict(totals.decisions)
    if totals.lost:  # decided to offer, but the race for it was lost in the books
        decisions["offered"] = decisions.get("offered", 0) - totals.lost
        decisions["lost"] = totals.lost
    return {
        "decisions": decisions,
        "issued": sum(totals.coupons.values()),
        "redeemed": totals.coupons.get("redeemed", 0),
        "expired": totals.coupons.get("expired", 0),
        "outstanding": sum(totals.coupons.get(state, 0) for state in LIVE_STATES),
        "pushes_accepted": totals.pushes_accepted,
        "pushes_pending": totals.pushes_pending,
        "pushes_dropped": dict(totals.pushes_dropped),
        "budget_spent_minor": totals.spent_minor,
        "budget_reserved_minor": totals.reserved_minor,
        "currency": totals.currency,
    }
