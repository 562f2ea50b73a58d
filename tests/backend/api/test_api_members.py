"""What members' phones can do."""

from __future__ import annotations

from tests.backend.api.world import DEVICE, Lull, fix, stamp


def test_an_id_token_becomes_a_session(lull: Lull) -> None:
    answer = lull.post("/v1/sessions", {"id_token": "uid:eero"}, None)
    assert answer.status_code == 201
    assert set(answer.get_json()) == {"token", "expires_at", "member_id"}
    assert answer.get_json()["expires_at"].endswith("Z")


def test_a_forged_id_token_opens_nothing(lull: Lull) -> None:
    answer = lull.post("/v1/sessions", {"id_token": "nonsense"}, None)
    assert answer.status_code == 401
    assert answer.get_json()["type"] == "/problems/invalid_id_token"


def test_a_phone_is_registered(lull: Lull) -> None:
    answer = lull.put("/v1/me/device", DEVICE, lull.member)
    assert answer.status_code == 200
    assert answer.get_json() == DEVICE


def test_a_phone_in_no_known_zone_is_refused(lull: Lull) -> None:
    answer = lull.put("/v1/me/device", DEVICE | {"time_zone": "Mars/Olympus"}, lull.member)
    assert answer.status_code == 422
    assert answer.get_json()["errors"] == [
        {"field": "time_zone", "message": "the time zone is unknown: give an IANA name such as Europe/Helsinki"}
    ]


def test_consents_begin_as_not_given_and_can_be_given(lull: Lull) -> None:
    before = lull.get("/v1/me/consents", lull.member).get_json()
    assert [(each["purpose"], each["granted"], each["at"]) for each in before["items"]] == [
        ("location_offers", False, None),
        ("personalisation", False, None),
        ("measurement", False, None),
    ]
    body = {"granted": True, "text_version": "2026-01"}
    given = lull.put("/v1/me/consents/measurement", body, lull.member)
    assert given.status_code == 200
    assert given.get_json() == {"purpose": "measurement", "at": stamp()} | body
    after = lull.get("/v1/me/consents", lull.member).get_json()
    assert [each["granted"] for each in after["items"]] == [False, False, True]


def test_an_unknown_purpose_is_an_invalid_field(lull: Lull) -> None:
    answer = lull.put("/v1/me/consents/selling", {"granted": True, "text_version": "1"}, lull.member)
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == "purpose"


def test_preferences_change_only_where_named(lull: Lull) -> None:
    assert lull.get("/v1/me/preferences", lull.member).get_json() == {
        "quiet_hours": {"start": "22:00", "end": "07:00"},
        "weekly_maximum": 3,
        "muted_products": [],
    }
    changed = lull.patch("/v1/me/preferences", {"muted_products": ["espresso", "espresso"]}, lull.member)
    assert changed.get_json()["muted_products"] == ["espresso"]
    awake = lull.patch("/v1/me/preferences", {"quiet_hours": None, "weekly_maximum": 1}, lull.member).get_json()
    assert awake == {"quiet_hours": None, "weekly_maximum": 1, "muted_products": ["espresso"]}
    early = lull.patch("/v1/me/preferences", {"quiet_hours": {"start": "20:30", "end": "06:00"}}, lull.member)
    assert early.get_json()["quiet_hours"] == {"start": "20:30", "end": "06:00"}


def test_a_change_of_nothing_is_refused(lull: Lull) -> None:
    answer = lull.patch("/v1/me/preferences", {}, lull.member)
    assert answer.status_code == 422
    assert answer.get_json()["type"] == "/problems/nothing_to_change"


def test_fixes_of_a_member_who_did_not_agree_are_not_looked_at(lull: Lull) -> None:
    lull.open_chain()
    answer = lull.post("/v1/me/fixes", {"fixes": [fix(), fix()]}, lull.member).get_json()
    assert answer["accepted"] == 0
    assert answer["rejected"] == [{"index": 0, "reason": "no_consent"}, {"index": 1, "reason": "no_consent"}]
    assert answer["decisions"] == answer["coupons"] == answer["watch"]["fences"] == []


def test_walking_into_a_quiet_store_brings_a_coupon(lull: Lull) -> None:
    lull.open_chain()
    lull.willing_member()
    fixes = [fix(recorded_at=stamp(-15)), fix(recorded_at="2026-06-02T17:00:00+03:00")]
    answer = lull.post("/v1/me/fixes", {"fixes": fixes}, lull.member)
    assert answer.status_code == 200
    said = answer.get_json()
    assert (said["accepted"], said["rejected"]) == (2, [])
    (decision,), (coupon,) = said["decisions"], said["coupons"]
    assert decision == {
        "id": coupon["id"],
        "store_id": "kamppi",
        "reason": "offered",
        "outcome": "issued",
        "coupon_id": coupon["id"],
    }
    assert coupon["state"] == "issued"
    assert coupon["title"] == "Cappuccino at Lull Kamppi"
    assert (coupon["discount_minor"], coupon["currency"]) == (100, "EUR")
    assert (coupon["issued_at"], coupon["expires_at"]) == (stamp(), stamp(1800))
    assert said["watch"]["report_in_s"] == 60
    assert said["watch"]["fences"][0]["store_id"] == "kamppi"
    assert said["watch"]["fences"][0]["radius_m"] == 150.0


def test_stale_fixes_are_told_with_their_index(lull: Lull) -> None:
    lull.open_chain()
    lull.willing_member()
    old = fix(recorded_at="2026-05-30T12:00:00Z")
    answer = lull.post("/v1/me/fixes", {"fixes": [fix(), old]}, lull.member).get_json()
    assert answer["accepted"] == 1
    assert answer["rejected"] == [{"index": 1, "reason": "stale"}]


def test_a_speed_that_ios_does_not_know_is_unknown(lull: Lull) -> None:
    lull.open_chain()
    lull.willing_member()
    answer = lull.post("/v1/me/fixes", {"fixes": [fix(speed_mps=-1), fix(speed_mps=None)]}, lull.member)
    assert answer.status_code == 200


def test_coupons_are_shown_to_their_member_only(lull: Lull) -> None:
    coupon = lull.issue()
    assert lull.get("/v1/me/coupons", lull.member).get_json() == {"items": [coupon], "next_cursor": None}
    assert lull.get(f"/v1/me/coupons/{coupon['id']}", lull.member).get_json() == coupon
    other = lull.post("/v1/sessions", {"id_token": "uid:eero"}, None).get_json()["token"]
    assert lull.get("/v1/me/coupons", other).get_json()["items"] == []
    assert lull.get(f"/v1/me/coupons/{coupon['id']}", other).status_code == 404


def test_a_coupon_explains_itself(lull: Lull) -> None:
    coupon = lull.issue()
    answer = lull.get(f"/v1/me/coupons/{coupon['id']}/why", lull.member).get_json()
    assert answer["reason"] == "offered"
    assert answer["sentences"][0] == "You came within 150 m of Lull Kamppi."
    assert "of its capacity to be in use, where it wants at most 70 %" in answer["sentences"][1]


def test_what_the_phone_did_with_a_coupon_is_noted(lull: Lull) -> None:
    coupon = lull.issue()
    path = f"/v1/me/coupons/{coupon['id']}/events"
    states = [
        lull.post(path, {"event": event, "at": stamp(5)}, lull.member).get_json()["state"]
        for event in ("delivered", "opened", "dismissed")
    ]
    assert states == ["delivered", "opened", "opened"]


def test_a_coupon_past_its_end_has_expired_and_is_not_presented(lull: Lull) -> None:
    coupon = lull.issue()
    lull.clock.moved = 1800.0
    assert lull.get(f"/v1/me/coupons/{coupon['id']}", lull.member).get_json()["state"] == "expired"
    answer = lull.post(f"/v1/me/coupons/{coupon['id']}/presentations", {}, lull.member)
    assert answer.status_code == 409
    assert answer.get_json()["type"] == "/problems/coupon_expired"
