"""`DELETE /v1/me`: afterwards session and keys are good for nothing, and who comes back is new."""

from __future__ import annotations

import pytest

from tests.backend.api.phones import owntracks
from tests.backend.api.world import BASKET, DEVICE, Lull, arrival


def erased(lull: Lull) -> None:
    answer = lull.call("DELETE", "/v1/me", lull.member)
    assert (answer.status_code, answer.data) == (204, b"")


def test_who_was_erased_may_ask_for_it_again(lull: Lull) -> None:
    erased(lull)
    erased(lull)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/me/coupons", None),
        ("GET", "/v1/me/consents", None),
        ("GET", "/v1/me/preferences", None),
        ("GET", "/v1/me/device-keys", None),
        ("POST", "/v1/me/device-keys", {"label": "Phone"}),
        ("POST", "/v1/me/fixes", {"fixes": arrival()}),
        ("PUT", "/v1/me/consents/location_offers", {"granted": True, "text_version": "1"}),
    ],
)
def test_the_old_session_is_good_for_nothing(lull: Lull, method: str, path: str, body: object) -> None:
    lull.issue()
    erased(lull)
    more = {} if body is None else {"json": body}
    answer = lull.call(method, path, lull.member, **more)
    assert (answer.status_code, answer.get_json()["type"]) == (401, "/problems/member_gone")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/me", None),
        ("GET", "/v1/me/consents", None),
        ("GET", "/v1/me/consents/log", None),
        ("GET", "/v1/me/export", None),
        ("GET", "/v1/me/preferences", None),
        ("PUT", "/v1/me/device", DEVICE),
        ("PATCH", "/v1/me/preferences", {"weekly_maximum": 1}),
        ("PATCH", "/v1/me/profile", {"name": "Aino"}),
        ("POST", "/v1/me/device-keys", {"label": "Phone"}),
        ("POST", "/v1/me/fixes", {"fixes": arrival()}),
        ("PUT", "/v1/me/consents/location_offers", {"granted": True, "text_version": "1"}),
        ("DELETE", "/v1/me/sessions", None),
    ],
)
def test_another_process_that_remembers_the_member_says_so_too(
    lull: Lull, method: str, path: str, body: object
) -> None:
    lull.willing_member()
    other = Lull(given=lull.ports)
    assert other.get("/v1/me/coupons", lull.member).status_code == 200
    erased(lull)
    more = {} if body is None else {"json": body}
    answer = other.call(method, path, lull.member, **more)
    assert (answer.status_code, answer.get_json()["type"]) == (401, "/problems/member_gone")


def test_staff_who_ask_for_somebody_erased_keep_their_credential(lull: Lull) -> None:
    member_id = lull.services.sessions.member(lull.member)
    erased(lull)
    gift = {"delta": 1, "reason": "a gift"}
    answer = lull.post(f"/v1/members/{member_id}/stars", gift, lull.admin, once="k1")
    assert (answer.status_code, answer.get_json()["type"]) == (404, "/problems/member_unknown")


def test_device_keys_end_at_once(lull: Lull) -> None:
    lull.willing_member()
    key = lull.device_key()
    report = {"json": owntracks(), "query_string": {}}
    assert lull.call("POST", "/v1/me/fixes/owntracks", None, auth=("aino", key), **report).status_code == 200
    erased(lull)
    assert lull.call("POST", "/v1/me/fixes/owntracks", None, auth=("aino", key), **report).status_code == 401


def test_presence_is_forgotten(lull: Lull) -> None:
    lull.willing_member()
    lull.open_chain()
    lull.post("/v1/me/fixes", {"fixes": arrival()}, lull.member)
    assert len(lull.ports.presence) == 1  # type: ignore[arg-type]
    erased(lull)
    assert len(lull.ports.presence) == 0  # type: ignore[arg-type]


def test_who_comes_back_is_new(lull: Lull) -> None:
    lull.issue()
    erased(lull)
    again = lull.post("/v1/sessions", {"id_token": "uid:aino"}, None).get_json()
    assert lull.get("/v1/me/coupons", again["token"]).get_json()["items"] == []
    assert all(not each["granted"] for each in lull.get("/v1/me/consents", again["token"]).get_json()["items"])
    assert lull.get("/v1/me/preferences", again["token"]).get_json()["weekly_maximum"] == 3


def test_a_coupon_of_who_was_erased_is_good_for_nothing(lull: Lull) -> None:
    coupon = lull.issue()
    erased(lull)
    answer = lull.post("/v1/redemptions", BASKET | {"code": coupon["code"]}, lull.till, once="k1")
    assert answer.status_code in (404, 409)
    budget = lull.get("/v1/campaigns/spring", lull.marketer).get_json()
    assert (budget["reserved_minor"], budget["spent_minor"]) == (0, 0)


def test_accounting_stays(lull: Lull) -> None:
    coupon = lull.issue()
    assert lull.post("/v1/redemptions", BASKET | {"code": coupon["code"]}, lull.till, once="k1").status_code == 201
    erased(lull)
    assert lull.get("/v1/campaigns/spring", lull.marketer).get_json()["spent_minor"] == coupon["discount_minor"]
    assert [each.member_id for each in lull.ports.ledger.purchases()] == [None]
    again = lull.post("/v1/redemptions", BASKET | {"code": coupon["code"]}, lull.till, once="k1")
    assert again.status_code == 201
