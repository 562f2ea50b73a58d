"""Timelines, revocation, and budgets over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.backend.api.world import BASKET, CAMPAIGN, DEVICE, Lull, arrival, stamp


def timeline(lull: Lull, coupon: dict[str, Any]) -> list[dict[str, Any]]:
    """What the member is told."""
    items: list[dict[str, Any]] = lull.get(f"/v1/me/coupons/{coupon['id']}/timeline", lull.member).get_json()["items"]
    return items


def tell(lull: Lull, coupon: dict[str, Any], event: str, at: str) -> str:
    """The phone tells what it did; the state that comes of it."""
    answer = lull.post(f"/v1/me/coupons/{coupon['id']}/events", {"event": event, "at": at}, lull.member)
    state: str = answer.get_json()["state"]
    return state


def test_a_member_sees_what_happened_to_a_coupon(lull: Lull) -> None:
    coupon = lull.issue()
    lull.clock.moved = 60.0
    assert tell(lull, coupon, "opened", stamp(58)) == "opened"
    assert tell(lull, coupon, "dismissed", stamp(59)) == "opened"
    lull.post(f"/v1/me/coupons/{coupon['id']}/presentations", {}, lull.member)
    lull.post("/v1/redemptions", BASKET | {"code": coupon["code"]}, lull.till, once="k")
    told = [(each["event"], each["at"], each["cause"], each["reported_at"]) for each in timeline(lull, coupon)]
    assert told == [
        ("issued", stamp(), "decision", None),
        ("opened", stamp(60), "app", stamp(58)),
        ("dismissed", stamp(60), "app", stamp(59)),
        ("presented", stamp(60), "app", None),
        ("redeemed", stamp(60), "till", None),
    ]


@pytest.mark.parametrize("at", [stamp(-61), stamp(61), "1970-01-01T00:00:00Z"])
def test_a_phone_whose_clock_cannot_be_right_is_heard_without_its_time(lull: Lull, at: str) -> None:
    coupon = lull.issue()
    assert tell(lull, coupon, "opened", at) == "opened"
    assert timeline(lull, coupon)[-1] == {"event": "opened", "at": stamp(), "cause": "app", "reported_at": None}


def test_a_coupon_expires_to_the_second_without_a_job(lull: Lull) -> None:
    coupon = lull.issue()
    lull.clock.moved = 1799.0
    assert lull.get(f"/v1/me/coupons/{coupon['id']}", lull.member).get_json()["state"] == "issued"
    lull.clock.moved = 1800.0
    assert lull.get(f"/v1/me/coupons/{coupon['id']}", lull.member).get_json()["state"] == "expired"
    assert timeline(lull, coupon)[-1]["event"] == "expired"
    assert tell(lull, coupon, "opened", stamp(1800)) == "expired"
    shown = lull.post(f"/v1/me/coupons/{coupon['id']}/presentations", {}, lull.member)
    used = lull.post("/v1/redemptions", BASKET | {"code": coupon["code"]}, lull.till, once="k")
    taken = lull.post(f"/v1/coupons/{coupon['id']}/revoke", {"reason": "late"}, lull.marketer)
    assert [(answer.status_code, answer.get_json()["type"]) for answer in (shown, used, taken)] == [
        (409, "/problems/coupon_expired")
    ] * 3
    staff = lull.get(f"/v1/coupons/{coupon['id']}", lull.analyst).get_json()
    assert (staff["state"], [each["event"] for each in staff["timeline"]]) == ("expired", ["issued", "expired"])
    assert timeline(lull, coupon)[-1] == {
        "event": "expired", "at": coupon["expires_at"], "cause": "expiry", "reported_at": None
    }  # fmt: skip


def test_staff_take_a_coupon_back(lull: Lull) -> None:
    coupon = lull.issue()
    lull.clock.moved = 5.0
    answer = lull.post(f"/v1/coupons/{coupon['id']}/revoke", {"reason": "Out of milk"}, lull.marketer)
    assert answer.status_code == 200
    told = answer.get_json()
    assert (told["state"], told["budget_day"], "member_id" in told, "code" in told) == (
        "revoked", "2026-06-02", False, False
    )  # fmt: skip
    last = told["timeline"][-1]
    assert (last["event"], last["at"], last["reason"]) == ("revoked", stamp(5), "Out of milk")
    assert last["cause"].startswith("staff:")
    assert lull.get(f"/v1/coupons/{coupon['id']}", lull.analyst).get_json() == told
    assert timeline(lull, coupon)[-1] == {"event": "revoked", "at": stamp(5), "cause": "staff", "reported_at": None}
    used = lull.post("/v1/redemptions", BASKET | {"code": coupon["code"]}, lull.till, once="k")
    again = lull.post(f"/v1/coupons/{coupon['id']}/revoke", {"reason": "again"}, lull.marketer)
    assert [each.get_json()["type"] for each in (used, again)] == ["/problems/coupon_revoked"] * 2
    assert lull.get("/v1/campaigns/spring", lull.analyst).get_json()["reserved_minor"] == 0


def test_a_revocation_wants_a_reason(lull: Lull) -> None:
    coupon = lull.issue()
    for body in ({}, {"reason": ""}, {"reason": 5}, {"reason": "x", "why": "y"}):
        assert lull.post(f"/v1/coupons/{coupon['id']}/revoke", body, lull.marketer).status_code == 422
    assert lull.get(f"/v1/coupons/{coupon['id']}", lull.marketer).get_json()["state"] == "issued"


def test_a_key_of_another_store_knows_no_coupon(lull: Lull) -> None:
    coupon = lull.issue()
    elsewhere, here = lull.key("marketer", {"kallio"}), lull.key("marketer", {"kamppi"})
    for path in (f"/v1/coupons/{coupon['id']}", "/v1/coupons/none"):
        assert lull.get(path, elsewhere).get_json() == lull.get("/v1/coupons/none", here).get_json()
        assert lull.post(f"{path}/revoke", {"reason": "x"}, elsewhere).status_code == 404
    assert lull.post(f"/v1/coupons/{coupon['id']}/revoke", {"reason": "x"}, here).status_code == 200


LIMITS: dict[str, int] = {
    "budget_count": 3,
    "store_budget_minor": 900,
    "store_budget_count": 2,
    "day_budget_minor": 800,
    "day_budget_count": 1,
}


def test_a_campaign_has_limits_by_count_store_and_day(lull: Lull) -> None:
    lull.issue()
    made = lull.post("/v1/campaigns", CAMPAIGN | LIMITS | {"id": "summer"}, lull.marketer).get_json()
    assert made.items() >= LIMITS.items()
    changed = lull.patch("/v1/campaigns/summer", {"day_budget_count": None, "budget_count": 9}, lull.marketer)
    assert changed.get_json().items() >= (LIMITS | {"day_budget_count": None, "budget_count": 9}).items()
    for bad in ({"budget_count": -1}, {"store_budget_count": 1.5}, {"day_budget_minor": "1"}):
        assert lull.patch("/v1/campaigns/summer", bad, lull.marketer).status_code == 422


def test_a_limit_that_is_used_up_is_a_reason(lull: Lull) -> None:
    lull.issue()
    lull.patch("/v1/campaigns/spring", {"day_budget_count": 1}, lull.marketer)
    token = lull.post("/v1/sessions", {"id_token": "uid:eero"}, None).get_json()["token"]
    lull.put("/v1/me/device", DEVICE | {"registration": {"kind": "fid", "value": "fid-eero"}}, token)
    lull.put("/v1/me/consents/location_offers", {"granted": True, "text_version": "1"}, token)
    answer = lull.post("/v1/me/fixes", {"fixes": arrival()}, token).get_json()
    assert [each["reason"] for each in answer["decisions"]] == ["budget_spent"]


def test_a_campaign_tells_what_is_booked_by_store_and_day(lull: Lull) -> None:
    lull.issue()
    booked = {"reserved_minor": 100, "reserved_count": 1, "spent_minor": 0, "spent_count": 0}
    day = {"store_id": None, "day": "2026-06-02"} | booked
    store = {"store_id": "kamppi", "day": None} | booked
    first = lull.get("/v1/campaigns/spring/budgets?limit=1", lull.analyst).get_json()
    second = lull.get(f"/v1/campaigns/spring/budgets?cursor={first['next_cursor']}", lull.analyst).get_json()
    assert (first["items"], second) == ([day], {"items": [store], "next_cursor": None})
    campaign = lull.get("/v1/campaigns/spring", lull.analyst).get_json()
    assert campaign.items() >= booked.items()
    assert lull.get("/v1/campaigns/none/budgets", lull.analyst).status_code == 404
    assert lull.get("/v1/campaigns/spring/budgets", lull.key("analyst", {"kamppi"})).status_code == 403


def test_the_budget_day_is_that_of_the_store(lull: Lull) -> None:
    lull.open_chain()
    lull.willing_member()
    lull.patch("/v1/stores/kamppi", {"time_zone": "Pacific/Auckland", "hours": "24/7"}, lull.marketer)
    coupon = lull.post("/v1/me/fixes", {"fixes": arrival()}, lull.member).get_json()["coupons"][0]
    assert lull.get(f"/v1/coupons/{coupon['id']}", lull.analyst).get_json()["budget_day"] == "2026-06-03"


def test_a_budget_in_count_does_not_get_smaller_than_what_is_given(lull: Lull) -> None:
    lull.issue()
    answer = lull.patch("/v1/campaigns/spring", {"budget_count": 0}, lull.marketer)
    assert (answer.status_code, answer.get_json()["type"]) == (409, "/problems/budget_too_small")
    assert (
        lull.patch("/v1/campaigns/spring", {"budget_count": 1, "store_budget_count": 0}, lull.marketer).status_code
        == 200
    )
