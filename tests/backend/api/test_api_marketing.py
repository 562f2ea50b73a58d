"""What marketers and analysts can do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.backend.api.world import CAMPAIGN, OFFER, STORE, Lull, arrival, fix

SQUARE = {
    "type": "MultiPolygon",
    "coordinates": [[[[24.93, 60.16], [24.94, 60.16], [24.94, 60.17], [24.93, 60.17], [24.93, 60.16]]]],
}


def test_a_store_is_added_replaced_and_read(lull: Lull) -> None:
    first = lull.post("/v1/stores", STORE, lull.marketer)
    assert (first.status_code, first.get_json()) == (201, STORE | {"fence": None})
    assert lull.post("/v1/stores", STORE | {"staff": 3}, lull.marketer).status_code == 200
    assert lull.get("/v1/stores/kamppi", lull.analyst).get_json()["staff"] == 3
    assert lull.get("/v1/stores/kallio", lull.analyst).status_code == 404


def test_a_store_may_have_an_area_as_fence(lull: Lull) -> None:
    area = {key: value for key, value in STORE.items() if key != "radius_m"} | {"fence": SQUARE}
    assert lull.post("/v1/stores", area, lull.marketer).get_json() == area | {"radius_m": None}
    circle = lull.patch("/v1/stores/kamppi", {"radius_m": 80}, lull.marketer).get_json()
    assert (circle["radius_m"], circle["fence"]) == (80.0, None)
    assert lull.patch("/v1/stores/kamppi", {"fence": SQUARE}, lull.marketer).get_json()["fence"] == SQUARE


def test_an_area_is_watched_as_the_circle_around_it(lull: Lull) -> None:
    area = {key: value for key, value in STORE.items() if key != "radius_m"} | {"fence": SQUARE}
    lull.post("/v1/stores", area, lull.marketer)
    lull.willing_member()
    answer = lull.post("/v1/me/fixes", {"fixes": [fix()]}, lull.member).get_json()
    (fence,) = answer["watch"]["fences"]
    assert 1000 < fence["radius_m"] < 1200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hours": "whenever"}, "hours"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"fence": SQUARE}, "fence"),
        ({"lat": 91}, "lat"),
        ({"id": "a\u0000b"}, "id"),
        ({"id": ""}, "id"),
        ({"name": "x" * 201}, "name"),
        ({"staff": 0}, "staff"),
        ({"staff": "2"}, "staff"),
        ({"target_utilisation": 2}, "target_utilisation"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_store_that_cannot_be_is_refused(lull: Lull, changes: dict[str, Any], field: str) -> None:
    answer = lull.post("/v1/stores", STORE | changes, lull.marketer)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.get_json()["errors"]] == [field]


def test_a_fence_that_is_not_closed_is_refused_without_its_corners(lull: Lull) -> None:
    open_ring = {"type": "MultiPolygon", "coordinates": [[SQUARE["coordinates"][0][0][:4]]]}
    answer = lull.patch("/v1/stores/kamppi", {"fence": open_ring}, lull.marketer)
    assert answer.status_code == 422
    assert "24.9" not in answer.text


def test_stores_are_listed_page_by_page(lull: Lull) -> None:
    for number in range(5):
        lull.post("/v1/stores", STORE | {"id": f"s{number}"}, lull.marketer)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = lull.get(f"/v1/stores?limit=2{'&cursor=' + cursor if cursor else ''}", lull.marketer).get_json()
        seen += [store["id"] for store in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ["s0", "s1", "s2", "s3", "s4"]


def test_an_offer_is_added_replaced_and_read(lull: Lull) -> None:
    assert lull.post("/v1/offers", OFFER, lull.marketer).get_json() == OFFER
    assert lull.post("/v1/offers", OFFER | {"name": "New"}, lull.marketer).status_code == 200
    assert lull.get("/v1/offers", lull.analyst).get_json()["items"] == [OFFER | {"name": "New"}]
    assert lull.get("/v1/offers/cappuccino-25", lull.analyst).get_json()["name"] == "New"
    assert lull.get("/v1/offers/none", lull.analyst).status_code == 404


def test_an_offer_with_an_unknown_word_is_refused(lull: Lull) -> None:
    answer = lull.post("/v1/offers", OFFER | {"title": "{weather}"}, lull.marketer)
    assert (answer.status_code, answer.get_json()["type"]) == (422, "/problems/message_field")


def test_a_campaign_lives_from_draft_to_end(lull: Lull) -> None:
    lull.post("/v1/offers", OFFER, lull.marketer)
    draft = {key: value for key, value in CAMPAIGN.items() if key != "status"}
    made = lull.post("/v1/campaigns", draft, lull.marketer)
    assert made.status_code == 201
    assert made.get_json() == CAMPAIGN | {
        "status": "draft",
        "holdout": 0.0,
        "budget_count": None,
        "store_budget_minor": None,
        "store_budget_count": None,
        "day_budget_minor": None,
        "day_budget_count": None,
        "reserved_minor": 0,
        "reserved_count": 0,
        "spent_minor": 0,
        "spent_count": 0,
        "starts_at": None,
        "ends_at": None,
    }
    assert lull.post("/v1/campaigns", draft, lull.marketer).status_code == 409
    for status in ("active", "paused", "ended"):
        changed = lull.patch("/v1/campaigns/spring", {"status": status}, lull.marketer)
        assert changed.get_json()["status"] == status
    back = lull.patch("/v1/campaigns/spring", {"status": "active"}, lull.marketer)
    assert (back.status_code, back.get_json()["type"]) == (409, "/problems/campaign_status")
    assert lull.get("/v1/campaigns", lull.analyst).get_json()["items"][0]["id"] == "spring"
    assert lull.get("/v1/campaigns/spring", lull.analyst).get_json()["status"] == "ended"
    assert lull.get("/v1/campaigns/none", lull.analyst).status_code == 404


def test_a_pause_stops_offers_until_it_is_undone(lull: Lull) -> None:
    lull.open_chain()
    lull.willing_member()
    assert lull.post("/v1/pause", {}, lull.marketer).get_json() == {"everything": True, "store_ids": []}
    answer = lull.post("/v1/me/fixes", {"fixes": arrival()}, lull.member).get_json()
    assert [decision["reason"] for decision in answer["decisions"]] == ["paused"]
    one = lull.post("/v1/pause", {"store_id": "kamppi"}, lull.marketer).get_json()
    assert one == {"everything": True, "store_ids": ["kamppi"]}
    assert lull.post("/v1/resume", {}, lull.marketer).get_json() == {"everything": False, "store_ids": ["kamppi"]}
    resumed = lull.post("/v1/resume", {"store_id": "kamppi"}, lull.marketer).get_json()
    assert resumed == {"everything": False, "store_ids": []}
    assert lull.post("/v1/pause", {"store_id": "none"}, lull.marketer).status_code == 404


def test_a_key_of_one_store_does_not_rule_the_chain(lull: Lull) -> None:
    lull.open_chain()
    local = lull.key("marketer", {"kamppi"})
    assert lull.post("/v1/pause", {"store_id": "kamppi"}, local).status_code == 200
    assert lull.post("/v1/pause", {}, local).status_code == 403
    assert lull.post("/v1/stores", STORE | {"id": "kallio"}, local).status_code == 403
    assert lull.post("/v1/offers", OFFER, local).status_code == 403
    assert lull.get("/v1/decisions", local).status_code == 403


def test_decisions_are_told_newest_first_and_page_by_page(lull: Lull) -> None:
    coupon = lull.issue()
    for uid in ("eero", "outi"):
        lull.clock.moved += 1.0
        token = lull.post("/v1/sessions", {"id_token": f"uid:{uid}"}, None).get_json()["token"]
        agreed = {"granted": True, "text_version": "2026-01"}
        lull.put("/v1/me/consents/location_offers", agreed, token)
        lull.post("/v1/me/fixes", {"fixes": arrival()}, token)
    first = lull.get("/v1/decisions?limit=2", lull.analyst).get_json()
    assert [record["reason"] for record in first["items"]] == ["unreachable_device", "unreachable_device"]
    (last,) = lull.get(f"/v1/decisions?cursor={first['next_cursor']}", lull.analyst).get_json()["items"]
    assert (last["id"], last["reason"], last["outcome"]) == (coupon["id"], "offered", "issued")
    assert (last["store_id"], last["campaign_id"], last["discount_minor"]) == ("kamppi", "spring", 100)
    assert last["propensity"] == 1.0
    assert last["forecast"]["room"] > 0
