"""A small chain in memory behind the real application.

It is Tuesday 2 June 2026, 14:00 UTC, 17:00 in Helsinki. Kamppi is open and quiet; Aino stands at its door.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.api import create_api
from backend.service.limits import Limiter
from backend.service.model import Role
from backend.service.ports import Ports
from backend.service.services import Services, services
from backend.service.staff import COMMAND_LINE, Actor, NewKey
from backend.twins import Unlimited, World, twin_ports
from stores.model import Product

NOW = datetime(2026, 6, 2, 14, 0, tzinfo=UTC)
LAT, LNG = 60.16952, 24.93354
BY = Actor(COMMAND_LINE, NOW)
SECRET = "a secret for tests, long enough"


class FakeClock:
    """Stands still until it is moved; token lives run on the real time, as PyJWT judges them."""

    def __init__(self) -> None:
        self.moved = 0.0
        self.real_moved = 0.0

    def now(self) -> datetime:
        """The domain's time."""
        return NOW + timedelta(seconds=self.moved)

    def real(self) -> float:
        """Real seconds since 1970."""
        return time.time() + self.real_moved

    def trusted(self) -> bool:
        """Always."""
        return True


def stamp(seconds: float = 0.0) -> str:
    """A time as JSON has it, so many seconds after 14:00."""
    return (NOW + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def fix(**changes: Any) -> dict[str, Any]:
    """A good fix at Kamppi's door."""
    return {"lat": LAT, "lng": LNG, "accuracy_m": 8.0, "recorded_at": stamp(), "speed_mps": 1.2} | changes


def arrival(**changes: Any) -> list[dict[str, Any]]:
    """Two good fixes at Kamppi's door, a quarter of a minute apart: who comes in is believed at the second."""
    return [fix(**changes | {"recorded_at": stamp(-15)}), fix(**changes)]


STORE: dict[str, Any] = {
    "id": "kamppi",
    "name": "Lull Kamppi",
    "lat": LAT,
    "lng": LNG,
    "radius_m": 150.0,
    "hours": "Mo-Su 07:00-22:00",
    "time_zone": "Europe/Helsinki",
    "staff": 2,
    "service_s": 120.0,
    "target_utilisation": 0.7,
}
OFFER: dict[str, Any] = {
    "id": "cappuccino-25",
    "name": "Cappuccino, a quarter off",
    "product_id": "cappuccino",
    "discount": {"kind": "percent", "value": 25},
    "tiers": ["green", "gold"],
    "title": "{product} at {store}",
    "body": "{discount} off, {price} until {until}",
    "minimum_spend_minor": 0,
    "stackable": False,
    "only_present": False,
}
CAMPAIGN: dict[str, Any] = {
    "id": "spring",
    "name": "Spring",
    "status": "active",
    "offer_ids": ["cappuccino-25"],
    "budget_minor": 10_000,
    "currency": "EUR",
}
DEVICE: dict[str, Any] = {
    "registration": {"kind": "fid", "value": "fid-aino"},
    "platform": "ios",
    "locale": "en",
    "time_zone": "Europe/Helsinki",
}
BASKET: dict[str, Any] = {
    "store_id": "kamppi",
    "items": [{"product_id": "cappuccino", "quantity": 1, "unit_price_minor": 400}],
    "total_minor": 400,
    "currency": "EUR",
}


@dataclass(repr=False)
class Lull:
    """The application, its client, and one credential of each kind; over the twins of `world` unless over `given`."""

    world: World = field(default_factory=World)
    clock: FakeClock = field(default_factory=FakeClock)
    limiter: Limiter = field(default_factory=Unlimited)
    given: Ports | None = None

    def __post_init__(self) -> None:
        self.ports: Ports = self.given or twin_ports(self.world)
        self.services: Services = services(self.ports, self.clock, SECRET, self.limiter)
        self.app = self.build()
        self.client: FlaskClient = self.app.test_client()
        self.till = self.key("till", {"kamppi"})
        self.marketer = self.key("marketer")
        self.analyst = self.key("analyst")
        self.admin = self.key("admin")
        self.member = self.post("/v1/sessions", {"id_token": "uid:aino"}, None).get_json()["token"]

    def build(self) -> Flask:
        """The application under test."""
        return create_api(self.services)

    def key(self, role: Role, stores: set[str] | None = None) -> str:
        """The secret of a new API key."""
        return self.ports.identity.create_key(NewKey(role, frozenset(stores) if stores else None), BY)[1]

    def call(self, method: str, path: str, credential: str | None, **more: Any) -> TestResponse:
        """One request."""
        headers = dict(more.pop("headers", {}))
        if credential:
            headers["Authorization"] = f"Bearer {credential}"
        return self.client.open(path, method=method, headers=headers, buffered=True, **more)

    def get(self, path: str, credential: str | None) -> TestResponse:
        """GET."""
        return self.call("GET", path, credential)

    def post(self, path: str, body: Any, credential: str | None, once: str | None = None) -> TestResponse:
        """POST of JSON."""
        return self.call("POST", path, credential, json=body, headers={"Idempotency-Key": once} if once else {})

    def put(self, path: str, body: Any, credential: str | None) -> TestResponse:
        """PUT of JSON."""
        return self.call("PUT", path, credential, json=body)

    def patch(self, path: str, body: Any, credential: str | None) -> TestResponse:
        """PATCH of JSON."""
        return self.call("PATCH", path, credential, json=body)

    def open_chain(self, currency: str = "EUR") -> None:
        """Kamppi with a menu, an offer that runs, and quiet tills."""
        assert self.post("/v1/stores", STORE, self.marketer).status_code == 201
        self.ports.chain.put_menu({"": [Product("cappuccino", "Cappuccino", 400, currency)]}, BY)
        assert self.post("/v1/offers", OFFER, self.marketer).status_code == 201
        assert self.post("/v1/campaigns", CAMPAIGN | {"currency": currency}, self.marketer).status_code == 201
        arrivals = {"kind": "arrivals", "at": stamp(), "value": 1, "window_s": 1200}
        quiet = {"observations": [arrivals, {"kind": "queue_length", "at": stamp(), "value": 0}]}
        assert self.post("/v1/stores/kamppi/observations", quiet, self.till).status_code == 202

    def willing_member(self) -> None:
        """Aino registers her phone and agrees."""
        assert self.put("/v1/me/device", DEVICE, self.member).status_code == 200
        agreed = {"granted": True, "text_version": "2026-01"}
        assert self.put("/v1/me/consents/location_offers", agreed, self.member).status_code == 200

    def device_key(self) -> str:
        """The secret of a new device key of Aino's."""
        key: str = self.post("/v1/me/device-keys", {"label": "Phone"}, self.member).get_json()["key"]
        return key

    def issue(self, currency: str = "EUR") -> dict[str, Any]:
        """Aino walks into Kamppi and gets a coupon."""
        self.open_chain(currency)
        self.willing_member()
        answer = self.post("/v1/me/fixes", {"fixes": arrival()}, self.member).get_json()
        coupon: dict[str, Any] = answer["coupons"][0]
        return coupon
