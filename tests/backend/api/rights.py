"""Who may call which route, and what somebody else's object answers: the table, and the scene in which it is tried.

The table repeats on purpose what the routes say of themselves: a right is given in two places or not at all. A route
that is new needs its row here; `test_api_rights.py` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.service.ports import Ports
from tests.backend.api.phones import background, osmand, owntracks
from tests.backend.api.world import BASKET, CAMPAIGN, DEVICE, OFFER, STORE, Lull, arrival, fix, stamp

MEMBER, DEVICE_KEY, ADMIN = {"member"}, {"device"}, {"admin"}
TILL, MARKETER, READER = {"till", "admin"}, {"marketer", "admin"}, {"marketer", "analyst", "admin"}
ANYONE: set[str] = set()

CALLERS: dict[str, str] = {
    "aino": "member",
    "eero": "member",
    "phone": "device",
    "till": "till",
    "marketer": "marketer",
    "analyst": "analyst",
    "admin": "admin",
    "till_elsewhere": "till",
    "marketer_elsewhere": "marketer",
    "analyst_elsewhere": "analyst",
    "admin_elsewhere": "admin",
}
"""Who calls, and in which role. Those elsewhere have a key of Kallio alone; `phone` has a device key of Aino's."""


@dataclass(frozen=True)
class Row:
    """A route's rights.

    `may` has the roles that may call it, empty when anybody may. With `body`, `query` and the scene's ids the first
    of CALLERS in such a role succeeds; "$name" in a body stands for a value of the scene. `foreign` has callers of a
    right role to whom the very same objects are somebody else's, and the status they get. A route with objects that
    belong to nobody tells why in `shared`.
    """

    may: set[str]
    body: Any = None
    query: Mapping[str, Any] = field(default_factory=dict)
    foreign: Mapping[str, int] = field(default_factory=dict)
    shared: str = ""
    once: bool = False


PUBLIC = "every store, offer and campaign is shown to all who plan for the chain, whatever store their key is for"
NOT_EEROS = {"eero": 404}
ELSEWHERE = {"marketer_elsewhere": 403, "admin_elsewhere": 403}
TILL_ELSEWHERE = {"till_elsewhere": 403, "admin_elsewhere": 403}
_COUPON = "/v1/me/coupons/{coupon_id}"
_OBSERVATIONS = [{"kind": "queue_length", "at": stamp(), "value": 0}]

TABLE: dict[str, Row] = {
    "GET /healthz": Row(ANYONE),
    "GET /readyz": Row(ANYONE),
    "POST /v1/sessions": Row(ANYONE, {"id_token": "uid:aino"}),
    "DELETE /v1/me": Row(MEMBER),
    "GET /v1/me/export": Row(MEMBER),
    "GET /v1/me/export/schema": Row(ANYONE),
    "GET /v1/me/consents/log": Row(MEMBER),
    "DELETE /v1/me/sessions": Row(MEMBER),
    "PUT /v1/me/device": Row(MEMBER, DEVICE),
    "GET /v1/me/device-keys": Row(MEMBER),
    "POST /v1/me/device-keys": Row(MEMBER, {"label": "Old phone"}),
    "DELETE /v1/me/device-keys/{key_id}": Row(MEMBER, foreign=NOT_EEROS),
    "GET /v1/me/consents": Row(MEMBER),
    "PUT /v1/me/consents/{purpose}": Row(
        MEMBER, {"granted": True, "text_version": "1"}, shared="purposes are words, and consents the caller's own"
    ),
    "GET /v1/me/preferences": Row(MEMBER),
    "PATCH /v1/me/preferences": Row(MEMBER, {"weekly_maximum": 3}),
    "POST /v1/me/fixes": Row(MEMBER, {"fixes": [fix()]}),
    "POST /v1/me/fixes/owntracks": Row(DEVICE_KEY, owntracks()),
    "POST /v1/me/fixes/osmand": Row(DEVICE_KEY, query=osmand()),
    "POST /v1/me/fixes/transistorsoft": Row(DEVICE_KEY, background()),
    "GET /v1/me/coupons": Row(MEMBER),
    f"GET {_COUPON}": Row(MEMBER, foreign=NOT_EEROS),
    f"GET {_COUPON}/timeline": Row(MEMBER, foreign=NOT_EEROS),
    f"GET {_COUPON}/why": Row(MEMBER, foreign=NOT_EEROS),
    f"POST {_COUPON}/events": Row(MEMBER, {"event": "opened", "at": stamp()}, foreign=NOT_EEROS),
    f"POST {_COUPON}/presentations": Row(MEMBER, {}, foreign=NOT_EEROS),
    "POST /v1/stores/{store_id}/observations": Row(TILL, {"observations": _OBSERVATIONS}, foreign=TILL_ELSEWHERE),
    "POST /v1/redemptions": Row(TILL, BASKET | {"code": "$code"}, foreign=TILL_ELSEWHERE, once=True),
    "POST /v1/redemptions/{redemption_id}/rollback": Row(
        TILL, {"reason": "wrong basket"}, foreign={"till_elsewhere": 404, "admin_elsewhere": 404}, once=True
    ),
    "POST /v1/purchases": Row(TILL, BASKET | {"at": stamp()}, foreign=TILL_ELSEWHERE, once=True),
    "GET /v1/me": Row(MEMBER),
    "PATCH /v1/me/profile": Row(
        MEMBER, {"favourite_products": ["tea"]}, shared="the profile is the caller's own, and products are for all"
    ),
    "GET /v1/loyalty": Row(MARKETER),
    "PUT /v1/loyalty": Row(MARKETER, {"gold_at": 200}, foreign=ELSEWHERE),
    "POST /v1/members/{member_id}/tier": Row(
        {"admin"}, {"tier": "gold", "reason": "waited long"}, foreign={"admin_elsewhere": 403}
    ),
    "POST /v1/members/{member_id}/stars": Row(
        {"admin"}, {"delta": 5, "reason": "lost card"}, foreign={"admin_elsewhere": 403}, once=True
    ),
    "GET /v1/stores": Row(READER),
    "GET /v1/stores/{store_id}": Row(READER, shared=PUBLIC),
    "POST /v1/stores": Row(MARKETER, STORE, foreign=ELSEWHERE),
    "PATCH /v1/stores/{store_id}": Row(MARKETER, {"name": "Kamppi"}, foreign=ELSEWHERE),
    "GET /v1/offers": Row(READER),
    "GET /v1/offers/{offer_id}": Row(READER, shared=PUBLIC),
    "POST /v1/offers": Row(MARKETER, OFFER, foreign=ELSEWHERE),
    "GET /v1/campaigns": Row(READER),
    "GET /v1/campaigns/{campaign_id}": Row(READER, shared=PUBLIC),
    "GET /v1/campaigns/{campaign_id}/report": Row(
        READER, foreign={"marketer_elsewhere": 403, "analyst_elsewhere": 403, "admin_elsewhere": 403}
    ),
    "POST /v1/campaigns": Row(MARKETER, CAMPAIGN | {"id": "summer"}, foreign=ELSEWHERE),
    "PATCH /v1/campaigns/{campaign_id}": Row(MARKETER, {"name": "Spring"}, foreign=ELSEWHERE),
    "GET /v1/campaigns/{campaign_id}/budgets": Row(
        READER, foreign={"marketer_elsewhere": 403, "analyst_elsewhere": 403, "admin_elsewhere": 403}
    ),
    "GET /v1/coupons/{coupon_id}": Row(
        READER, foreign={"marketer_elsewhere": 404, "analyst_elsewhere": 404, "admin_elsewhere": 404}
    ),
    "POST /v1/coupons/{coupon_id}/revoke": Row(
        MARKETER, {"reason": "Out of buns"}, foreign={"marketer_elsewhere": 404, "admin_elsewhere": 404}
    ),
    "POST /v1/pause": Row(MARKETER, {"store_id": "kamppi"}, foreign=ELSEWHERE),
    "POST /v1/resume": Row(MARKETER, {"store_id": "kamppi"}, foreign=ELSEWHERE),
    "GET /v1/decisions": Row(READER, foreign={"marketer_elsewhere": 403, "analyst_elsewhere": 403}),
    "POST /v1/keys": Row(ADMIN, {"role": "till", "store_ids": ["kamppi"]}, foreign={"admin_elsewhere": 403}),
    "GET /v1/keys": Row(ADMIN),
    "POST /v1/keys/{api_key_id}/rotate": Row(ADMIN, {"overlap_s": 60}, foreign={"admin_elsewhere": 404}),
    "DELETE /v1/keys/{api_key_id}": Row(ADMIN, foreign={"admin_elsewhere": 404}),
    "GET /v1/audit": Row(ADMIN, foreign={"admin_elsewhere": 403}),
}
"""By method and path as the table of routes has them."""


class Scene(Lull):
    """Kamppi and Kallio; at Kamppi, Aino has a live coupon and Eero's was redeemed. Aino has a device key too."""

    def __init__(self, given: Ports | None = None) -> None:
        super().__init__(given=given)
        coupon = self.issue()
        assert (
            self.post("/v1/stores", STORE | {"id": "kallio", "name": "Lull Kallio"}, self.marketer).status_code == 201
        )
        eero = self.post("/v1/sessions", {"id_token": "uid:eero"}, None).get_json()["token"]
        self.credentials: dict[str, str | None] = {
            "nobody": None,
            "aino": self.member,
            "eero": eero,
            "phone": self.device_key(),
            "till": self.till,
            "marketer": self.marketer,
            "analyst": self.analyst,
            "admin": self.admin,
            "till_elsewhere": self.key("till", {"kallio"}),
            "marketer_elsewhere": self.key("marketer", {"kallio"}),
            "analyst_elsewhere": self.key("analyst", {"kallio"}),
            "admin_elsewhere": self.key("admin", {"kallio"}),
        }
        self.values = {
            "coupon_id": coupon["id"],
            "code": coupon["code"],
            "redemption_id": self._redeemed(eero),
            "key_id": self.get("/v1/me/device-keys", self.member).get_json()["items"][0]["id"],
            "api_key_id": next(entry.id for entry in self.ports.identity.api_keys() if entry.role == "till"),
            "member_id": self.get("/v1/me", self.member).get_json()["member_id"],
            "store_id": "kamppi",
            "offer_id": "cappuccino-25",
            "campaign_id": "spring",
            "purpose": "measurement",
        }

    def _redeemed(self, eero: str) -> str:
        device = DEVICE | {"registration": {"kind": "fid", "value": "fid-eero"}}
        assert self.put("/v1/me/device", device, eero).status_code == 200
        agreed = {"granted": True, "text_version": "2026-01"}
        assert self.put("/v1/me/consents/location_offers", agreed, eero).status_code == 200
        coupon = self.post("/v1/me/fixes", {"fixes": arrival()}, eero).get_json()["coupons"][0]
        self.used_code: str = coupon["code"]
        done = self.post("/v1/redemptions", BASKET | {"code": coupon["code"]}, self.till, once="eero")
        redemption_id: str = done.get_json()["id"]
        return redemption_id

    def filled(self, body: Any) -> Any:
        """The body with the scene's values for "$name"."""
        if isinstance(body, dict):
            return {name: self.filled(value) for name, value in body.items()}
        if isinstance(body, list):
            return [self.filled(value) for value in body]
        return self.values[body[1:]] if isinstance(body, str) and body.startswith("$") else body
